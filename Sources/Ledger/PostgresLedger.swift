package import Database
package import EnrollmentCore

/// The ledger on PostgreSQL. Writes go through one batching writer, reads through a pool; nothing is
/// buffered.
package struct PostgresLedger: Sendable {
    let writer: BatchingWriter
    let reader: ReadPool
    /// The name of this gateway instance, on every request and reservation it writes.
    let gateway: String
    let clock: any WallClock
    let random: any RandomSource
    /// Seconds for which a deferred request holds its credential past expiry, by service.
    let deferredHold: @Sendable (ServiceName) -> Int64

    /// - Parameters:
    ///   - writer: logged in as `gatehouse_writer`.
    ///   - reader: logged in as `gatehouse_writer`, read-only.
    ///   - gateway: the name of this instance; replicas must differ in it.
    ///   - clock: tells whether protocol state has expired.
    ///   - random: names calls and facts (UUIDv7), so that a call made again is recognised.
    ///   - deferredHold: seconds; 72 hours unless the service says otherwise.
    package init(
        writer: BatchingWriter, reader: ReadPool, gateway: String, clock: any WallClock,
        random: any RandomSource,
        deferredHold: @escaping @Sendable (ServiceName) -> Int64 = { _ in 72 * 3_600 }
    ) {
        self.writer = writer
        self.reader = reader
        self.gateway = gateway
        self.clock = clock
        self.random = random
        self.deferredHold = deferredHold
    }

    /// Whether the database answers, has the schema that this program needs, and agrees about the time.
    ///
    /// - Throws: `unavailable`, naming what is missing.
    package func checkReadiness() async throws(LedgerError) {
        let newest = try await read { connection throws(DatabaseError) in
            try connection.row(Self.schemaVersion).optionalInteger(0)
        }
        let needed = LedgerSchema.migrations.map(\.number).max()
        guard newest == needed else {
            throw .unavailable("the schema is not up to date: run gatehouse db migrate")
        }
        let now = clock.now()
        _ = try await write { connection throws(DatabaseError) in
            try connection.query(Self.moment, [.timestamp(now)])
        }
    }

    /// A fresh UUIDv7 that names one call or one fact.
    func newID() -> Parameter { .uuid(RequestID(at: clock.now(), random: random.octets(10)).bytes) }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(LedgerError) -> Value {
        do { return try await reader.read(body) } catch { throw LedgerError(error) }
    }

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(LedgerError) -> Value {
        do { return try await writer.write(body) } catch { throw LedgerError(error) }
    }

    private static let schemaVersion = Statement("SELECT max(number) FROM migration.applied")
    private static let moment = Statement("SELECT ledger.moment($1)")
}

extension LedgerError {
    /// What a database error means to a caller of the ledger.
    package init(_ error: DatabaseError) {
        switch error {
        case .unavailable(let reason): self = .unavailable(reason)
        case .refused(let sqlState, let message):
            self =
                error.isTransient
                ? .unavailable("\(sqlState): \(message)") : .rejected("\(sqlState): \(message)")
        case .unexpectedRow(let reason): self = .rejected(reason)
        }
    }
}

extension Parameter {
    static func timestamp(_ instant: Timestamp) -> Parameter { .timestamp(instant.microseconds) }
    static func timestamp(_ instant: Timestamp?) -> Parameter { .timestamp(instant?.microseconds) }
    static func uuid(_ id: RequestID) -> Parameter { .uuid(id.bytes) }
    static func digest(_ digest: Digest?) -> Parameter { .bytes(digest?.bytes) }
}

extension Row {
    func instant(_ column: Int) throws(DatabaseError) -> Timestamp {
        Timestamp(microseconds: try timestamp(column))
    }

    func optionalInstant(_ column: Int) throws(DatabaseError) -> Timestamp? {
        try optionalTimestamp(column).map { Timestamp(microseconds: $0) }
    }

    func requestID(_ column: Int) throws(DatabaseError) -> RequestID {
        guard let id = RequestID(bytes: try uuid(column)) else { throw .unexpectedRow("not a request id") }
        return id
    }

    func digest(_ column: Int) throws(DatabaseError) -> Digest {
        guard let digest = Digest(bytes: try bytes(column)) else { throw .unexpectedRow("not a digest") }
        return digest
    }

    func optionalKey(_ column: Int) throws(DatabaseError) -> TransactionKey? {
        guard try optionalBytes(column) != nil else { return nil }
        return TransactionKey(digest: try digest(column))
    }

    func device(_ column: Int) throws(DatabaseError) -> DeviceID {
        guard let device = DeviceID(try text(column)) else { throw .unexpectedRow("not a device id") }
        return device
    }

    func credentialID(_ column: Int) throws(DatabaseError) -> CredentialID {
        guard let id = CredentialID(try text(column)) else { throw .unexpectedRow("not a credential id") }
        return id
    }
}
