package import Database
package import EnrollmentCore

/// The log in the database as its one sequencer writes it. Every write names the epoch of the lease it is
/// made under, and is refused once the lease has passed on.
package struct PostgresLog: Sendable {
    /// What anybody may read of it.
    package let reader: PostgresLogReader
    private let writer: BatchingWriter
    /// The name of this process; processes must differ in it.
    private let holder: String

    /// - Parameters:
    ///   - writer: logged in as `gatehouse_sequencer`, used for nothing else.
    ///   - reader: the same login, read-only.
    ///   - holder: the name of this process; processes must differ in it.
    package init(writer: BatchingWriter, reader: ReadPool, holder: String) {
        self.writer = writer
        self.reader = PostgresLogReader(reader)
        self.holder = holder
    }

    /// Takes the lease, or renews it when `epoch` is the one it is held under.
    ///
    /// - Parameter seconds: how long it lasts, by the database's clock; 0.1 to 60.
    /// - Returns: the epoch to write under; nil while another leads.
    package func takeLease(
        epoch: Int64?, seconds: Int64
    ) async throws(LogWriteError) -> Int64? {
        let values: [Parameter] = [.text(holder), .integer(epoch), .integer(seconds)]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.takeLease, values).optionalInteger(0)
        }
    }

    /// Gives the lease up, so that the next leader need not wait; nothing if it has passed on already.
    package func releaseLease(epoch: Int64) async throws(LogWriteError) {
        let values: [Parameter] = [.text(holder), .integer(epoch)]
        try await write { connection throws(DatabaseError) in
            _ = try connection.query(Self.releaseLease, values)
        }
    }

    /// Appends leaves for `entries`, in their order, and the tree head over all, in one transaction.
    ///
    /// - Parameters:
    ///   - previousSize: the leaves before; anything else in the database is a conflict.
    ///   - root: over all leaves, these included.
    ///   - tiles: those that became full.
    package func extend(
        epoch: Int64, from previousSize: Int64, by entries: [RequestID], root: Digest, tiles: [StoredTile]
    ) async throws(LogWriteError) {
        let values: [Parameter] = [
            .integer(epoch), .text(holder), .integer(previousSize), .uuids(entries.map(\.bytes)),
            .bytes(root.bytes), .texts(tiles.map { String($0.level) }),
            .texts(tiles.map { String($0.index) }), .texts(tiles.map { "\\x" + Hex.encode($0.octets) }),
        ]
        try await write { connection throws(DatabaseError) in _ = try connection.query(Self.extend, values) }
    }

    /// Stores the signed note of a tree head; another note for the same size is a conflict.
    package func publishCheckpoint(
        epoch: Int64, head: LogTreeHead, origin: String, note: String
    ) async throws(LogWriteError) {
        let values: [Parameter] = [
            .integer(epoch), .integer(head.size), .bytes(head.root.bytes), .text(origin), .text(note),
        ]
        try await write { connection throws(DatabaseError) in _ = try connection.query(Self.publish, values) }
    }

    /// Stores the signature line of a witness, verified, without its newline; the first of a witness stays.
    package func addCosignature(
        epoch: Int64, size: Int64, witness: String, line: String
    ) async throws(LogWriteError) {
        let values: [Parameter] = [.integer(epoch), .integer(size), .text(witness), .text(line)]
        try await write { connection throws(DatabaseError) in _ = try connection.query(Self.cosign, values) }
    }

    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(LogWriteError) -> Value {
        do { return try await writer.write(body) } catch {
            switch error {
            case .refused("GH014", _): throw .leaseLost
            case .refused("GH015", let message): throw .conflict(message)
            case .refused, .unavailable, .unexpectedRow: throw .ledger(LedgerError(error))
            }
        }
    }

    private static let takeLease = Statement("SELECT ledger.take_lease($1, $2, $3)")
    private static let releaseLease = Statement("SELECT ledger.release_lease($1, $2)")
    private static let extend = Statement(
        """
        SELECT ledger.extend_log($1, $2, $3, $4, $5, ($6::text[])::smallint[], ($7::text[])::bigint[],
          ($8::text[])::bytea[])
        """)
    private static let publish = Statement("SELECT ledger.publish_checkpoint($1, $2, $3, $4, $5)")
    private static let cosign = Statement("SELECT ledger.add_cosignature($1, $2, $3, $4)")
}
