package import Database
package import EnrollmentCore

/// A checkpoint that somebody outside the database has seen.
package struct SeenCheckpoint: Sendable, Hashable {
    /// The number at the end of its origin; 0 when there is none.
    package let generation: Int64
    /// Leaves, at least 1.
    package let size: Int64
    package let root: Digest

    /// The arguments are those of a checkpoint whose signature was verified.
    package init(generation: Int64, size: Int64, root: Digest) {
        self.generation = generation
        self.size = size
        self.root = root
    }
}

/// A rollback that a person accepted.
package struct AcceptedRollback: Sendable, Hashable {
    package let generation: Int64
    /// The largest checkpoint that was given up.
    package let lostSize: Int64
    package let lostRoot: Digest
    /// The newest tree head at that moment; 0 leaves if there was none.
    package let presentSize: Int64

    package init(generation: Int64, lostSize: Int64, lostRoot: Digest, presentSize: Int64) {
        self.generation = generation
        self.lostSize = lostSize
        self.lostRoot = lostRoot
        self.presentSize = presentSize
    }
}

/// Where the stored log stands, read in one statement.
package struct LogState: Sendable, Hashable {
    /// The newest tree head; nil while the log is empty.
    package let head: LogTreeHead?
    /// The highest leaf index plus one.
    package let leaves: Int64
    /// By generation, ascending.
    package let rollbacks: [AcceptedRollback]
    /// Entries that are no leaves yet, counted to 100,000.
    package let pending: Int64
    /// Seconds since the newest checkpoint was stored, by the database's clock; nil before the first.
    package let checkpointAge: Int64?

    package init(
        head: LogTreeHead?, leaves: Int64, rollbacks: [AcceptedRollback], pending: Int64 = 0,
        checkpointAge: Int64? = nil
    ) {
        self.head = head
        self.leaves = leaves
        self.rollbacks = rollbacks
        self.pending = pending
        self.checkpointAge = checkpointAge
    }

    /// The number at the end of the log's origin; 0 when there is none.
    package var generation: Int64 { rollbacks.last?.generation ?? 0 }
    /// Leaves under the newest tree head.
    package var size: Int64 { head?.size ?? 0 }

    /// Whether the log need no longer hold a checkpoint, since a person accepted its loss.
    ///
    /// Each act that ended a generation from the checkpoint's own on either kept the checkpoint, being
    /// smaller than what was present then, or lost it. A loss is covered by an act over a larger checkpoint
    /// or this very one, and by no other: a second rollback is not excused by the first.
    package func hasAcceptedLoss(of seen: SeenCheckpoint) -> Bool {
        for act in rollbacks where act.generation > seen.generation {
            let kept = min(act.presentSize, act.lostSize - 1)
            guard seen.size > kept else { continue }
            return seen.size < act.lostSize || (seen.size == act.lostSize && seen.root == act.lostRoot)
        }
        return false
    }
}

/// What a person records to put a database back into service that is older than its published log.
package struct RollbackAcceptance: Sendable, Hashable {
    /// Higher than any that was ever seen.
    package let generation: Int64
    /// The largest checkpoint that is given up.
    package let lost: SeenCheckpoint
    /// The newest tree head that the person was shown; nil for an empty log.
    package let present: LogTreeHead?
    package let at: Timestamp
    package let actor: String
    /// 1 to 4,000 characters.
    package let reason: String

    package init(
        generation: Int64, lost: SeenCheckpoint, present: LogTreeHead?, at: Timestamp, actor: String,
        reason: String
    ) {
        self.generation = generation
        self.lost = lost
        self.present = present
        self.at = at
        self.actor = actor
        self.reason = reason
    }
}

/// What is asked of the database to find out whether it is older than its published log.
package struct PostgresRollback: Sendable {
    private let pool: ReadPool

    /// - Parameter pool: logged in as `gatehouse_writer` or `gatehouse_sequencer`.
    package init(_ pool: ReadPool) { self.pool = pool }

    /// Where the stored log stands.
    package func state() async throws(LedgerError) -> LogState {
        try await read { connection throws(DatabaseError) in
            let rows = try connection.query(Self.state)
            guard let row = rows.first else { throw .unexpectedRow("the log has no state") }
            let size = try row.integer(0)
            var rollbacks: [AcceptedRollback] = []
            for act in rows {
                guard let generation = try act.optionalInteger(5) else { break }
                rollbacks.append(
                    AcceptedRollback(
                        generation: generation, lostSize: try act.integer(6),
                        lostRoot: try act.digest(7), presentSize: try act.integer(8)))
            }
            return LogState(
                head: size > 0 ? LogTreeHead(size: size, root: try row.digest(1)) : nil,
                leaves: try row.integer(2), rollbacks: rollbacks, pending: try row.integer(3),
                checkpointAge: try row.optionalInteger(4))
        }
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(LedgerError) -> Value {
        do { return try await pool.read(body) } catch { throw LedgerError(error) }
    }

    /// A row for every act, or one without any.
    private static let state = Statement(
        """
        SELECT coalesce(h.tree_size, 0), h.root_hash,
          (SELECT coalesce(max(leaf_index) + 1, 0) FROM ledger.leaf),
          (SELECT count(*) FROM (SELECT FROM ledger.pending_leaf LIMIT 100000) AS p),
          (SELECT extract(epoch FROM clock_timestamp() - c.published_at)::bigint FROM ledger.checkpoint AS c
           ORDER BY tree_size DESC LIMIT 1),
          r.generation, r.lost_size, r.lost_root, r.present_size
        FROM (SELECT) AS one
        LEFT JOIN (SELECT tree_size, root_hash FROM ledger.tree_head
                   ORDER BY tree_size DESC LIMIT 1) AS h ON true
        LEFT JOIN ledger.rollback AS r ON true
        ORDER BY r.generation
        """)
}

extension Custody {
    /// Records that a person accepts a rollback.
    ///
    /// - Parameters:
    ///   - id: names this act; a fresh UUIDv7.
    ///   - isTrial: to see whether it would be recorded, and record nothing.
    /// - Throws: `DatabaseError`; `refused` with SQLSTATE GH016 when the log or its generation has changed
    ///   meanwhile.
    package func accept(
        _ rollback: RollbackAcceptance, id: RequestID, isTrial: Bool = false
    ) throws(DatabaseError) {
        let present = rollback.present
        let values: [Parameter] = [
            .uuid(id), .integer(rollback.generation), .integer(rollback.lost.size),
            .bytes(rollback.lost.root.bytes), .integer(present?.size ?? 0),
            .bytes((present?.root ?? Digest(of: [])).bytes), .timestamp(rollback.at),
            .text(rollback.actor.storable), .text(rollback.reason.storable),
        ]
        try act(isTrial: isTrial) { connection throws(DatabaseError) in
            _ = try connection.query(Self.accept, values)
        }
    }

    private static let accept = Statement(
        "SELECT ledger.accept_rollback($1, $2, $3, $4, $5, $6, $7, $8, $9)")
}
