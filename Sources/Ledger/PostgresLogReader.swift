package import Database
package import EnrollmentCore

/// The stored log as its readers see it: any login that may read the log's tables will do.
package struct PostgresLogReader: Sendable {
    private let pool: ReadPool

    /// - Parameter pool: logged in as `gatehouse_writer`, `gatehouse_sequencer` or `gatehouse_verifier`.
    package init(_ pool: ReadPool) { self.pool = pool }

    /// The newest tree head; nil while the log is empty.
    package func latestHead() async throws(LedgerError) -> LogTreeHead? {
        try await heads(Self.latestHead, []).first
    }

    /// The tree head of exactly this size.
    package func head(size: Int64) async throws(LedgerError) -> LogTreeHead? {
        try await heads(Self.head, [.integer(size)]).first
    }

    /// The newest checkpoint with its cosignatures; nil before the first.
    package func latestCheckpoint() async throws(LedgerError) -> StoredCheckpoint? {
        try await checkpoint(atLeast: 0)
    }

    /// The newest checkpoint over at least `size` leaves that has that many cosignatures.
    package func checkpoint(
        atLeast size: Int64, cosignatures: Int = 0
    ) async throws(LedgerError) -> StoredCheckpoint? {
        let values: [Parameter] = [.integer(size), .integer(Int64(cosignatures)), .integer(1)]
        return try await checkpoints(values).first
    }

    /// The newest checkpoint that this witness has cosigned, with its line alone.
    package func latestCheckpoint(
        cosignedBy witness: String
    ) async throws(LedgerError) -> StoredCheckpoint? {
        try await checkpoints([.text(witness)], Self.cosigned).first
    }

    /// Checkpoints with their cosignatures, newest first, at most `limit`.
    package func checkpoints(limit: Int) async throws(LedgerError) -> [StoredCheckpoint] {
        try await checkpoints([.integer(0), .integer(0), .integer(Int64(limit))])
    }

    /// Where the entry stands in the log; nil while it waits.
    package func leafIndex(entry: RequestID) async throws(LedgerError) -> Int64? {
        try await read { connection throws(DatabaseError) in
            try connection.query(Self.leafIndex, [.uuid(entry)]).first?.integer(0)
        }
    }

    /// Leaf hashes by index, at most `count`, fewer where the log ends.
    package func leafHashes(from first: Int64, count: Int) async throws(LedgerError) -> [Digest] {
        let values: [Parameter] = [.integer(first), .integer(Int64(count))]
        return try await read { connection throws(DatabaseError) in
            var hashes: [Digest] = []
            for row in try connection.query(Self.leafHashes, values) {
                // A hole ends what can be read.
                guard try row.integer(0) == first + Int64(hashes.count) else { break }
                hashes.append(try row.digest(1))
            }
            return hashes
        }
    }

    /// Full tiles of one level by index, 8,192 octets each, at most `count`, fewer where one is missing.
    package func fullTiles(
        level: Int, from first: Int64, count: Int
    ) async throws(LedgerError) -> [[UInt8]] {
        let values: [Parameter] = [.integer(Int64(level)), .integer(first), .integer(Int64(count))]
        return try await read { connection throws(DatabaseError) in
            var tiles: [[UInt8]] = []
            for row in try connection.query(Self.fullTiles, values) {
                guard try row.integer(0) == first + Int64(tiles.count) else { break }
                tiles.append(try row.bytes(1))
            }
            return tiles
        }
    }

    /// Entries that are no leaves yet, in the order of their ids.
    package func pending(limit: Int) async throws(LedgerError) -> [PendingLeaf] {
        try await read { connection throws(DatabaseError) in
            var leaves: [PendingLeaf] = []
            for row in try connection.query(Self.pending, [.integer(Int64(limit))]) {
                leaves.append(PendingLeaf(entry: try row.requestID(0), leafHash: try row.digest(1)))
            }
            return leaves
        }
    }

    private func heads(
        _ statement: Statement, _ values: [Parameter]
    ) async throws(LedgerError) -> [LogTreeHead] {
        try await read { connection throws(DatabaseError) in
            var heads: [LogTreeHead] = []
            for row in try connection.query(statement, values) {
                heads.append(LogTreeHead(size: try row.integer(0), root: try row.digest(1)))
            }
            return heads
        }
    }

    private func checkpoints(
        _ values: [Parameter], _ statement: Statement = checkpoints
    ) async throws(LedgerError) -> [StoredCheckpoint] {
        try await read { connection throws(DatabaseError) in
            var checkpoints: [StoredCheckpoint] = []
            for row in try connection.query(statement, values) {
                checkpoints.append(
                    StoredCheckpoint(
                        size: try row.integer(0), origin: try row.text(1), note: try row.text(2),
                        cosignatures: try row.texts(3), publishedAt: try row.instant(4)))
            }
            return checkpoints
        }
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(LedgerError) -> Value {
        do { return try await pool.read(body) } catch { throw LedgerError(error) }
    }

    private static let latestHead = Statement(
        "SELECT tree_size, root_hash FROM ledger.tree_head ORDER BY tree_size DESC LIMIT 1")
    private static let head = Statement(
        "SELECT tree_size, root_hash FROM ledger.tree_head WHERE tree_size = $1")
    private static let leafIndex = Statement("SELECT leaf_index FROM ledger.leaf WHERE entry_id = $1")
    private static let leafHashes = Statement(
        """
        SELECT leaf_index, leaf_hash FROM ledger.leaf
        WHERE leaf_index >= $1 AND leaf_index < $1 + $2 ORDER BY leaf_index
        """)
    private static let fullTiles = Statement(
        """
        SELECT tile_index, hashes FROM ledger.tile
        WHERE level = $1 AND tile_index >= $2 AND tile_index < $2 + $3 ORDER BY tile_index
        """)
    private static let pending = Statement(
        "SELECT entry_id, leaf_hash FROM ledger.pending_leaf ORDER BY entry_id LIMIT $1")
    private static let checkpoints = Statement(
        """
        SELECT c.tree_size, c.origin, c.note, s.lines, c.published_at
        FROM ledger.checkpoint AS c, LATERAL (
          SELECT coalesce(array_agg(line ORDER BY recorded_at, witness), '{}') AS lines
          FROM ledger.cosignature WHERE tree_size = c.tree_size) AS s
        WHERE c.tree_size >= $1 AND cardinality(s.lines) >= $2 ORDER BY c.tree_size DESC LIMIT $3
        """)
    private static let cosigned = Statement(
        """
        SELECT c.tree_size, c.origin, c.note, ARRAY[s.line], c.published_at
        FROM ledger.cosignature AS s JOIN ledger.checkpoint AS c USING (tree_size)
        WHERE s.witness = $1 ORDER BY s.tree_size DESC LIMIT 1
        """)
}
