import Database

/// One view of the database from the first query to the last, in which nothing can be written. Blocks its
/// thread.
final class DatabaseSnapshot {
    private let connection: Connection

    init(_ settings: ConnectionSettings) throws(VerificationError) {
        var patient = settings
        patient.isReadOnly = true
        patient.statementTimeout = 600_000
        let isolation = Statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        do {
            connection = try Connection(patient)
            try connection.begin()
            _ = try connection.query(isolation)
            // Rows are wanted in the order of an index: sorting whole bodies takes longer than reading them.
            _ = try connection.query(Statement("SET LOCAL cursor_tuple_fraction = 0.001"))
            _ = try connection.query(Statement("SET LOCAL jit = off"))
            _ = try connection.query(Statement("SET LOCAL work_mem = '64MB'"))
        } catch { throw VerificationError(error) }
    }

    func query(_ statement: Statement, _ parameters: [Parameter] = []) throws(VerificationError) -> [Row] {
        do { return try connection.query(statement, parameters) } catch { throw VerificationError(error) }
    }

    /// The number that a query gives.
    func integer(_ statement: Statement) throws(VerificationError) -> Int64 {
        do { return try connection.row(statement).integer(0) } catch { throw VerificationError(error) }
    }
}

/// The rows of one cursor, a batch in memory at a time.
struct RowStream {
    private let snapshot: DatabaseSnapshot
    private let fetch: Statement
    private var batch: [Row] = []
    private var place = 0
    private var isDone = false

    init(_ snapshot: DatabaseSnapshot, _ cursor: (declare: Statement, fetch: Statement))
        throws(VerificationError)
    {
        self.snapshot = snapshot
        fetch = cursor.fetch
        _ = try snapshot.query(cursor.declare)
    }

    /// The next row; nil after the last.
    mutating func next() throws(VerificationError) -> Row? {
        if place == batch.count {
            guard !isDone else { return nil }
            batch = try snapshot.query(fetch)
            place = 0
            isDone = batch.isEmpty
            guard !isDone else { return nil }
        }
        defer { place += 1 }
        return batch[place]
    }
}

extension VerificationError {
    init(_ error: DatabaseError) {
        switch error {
        case .unavailable(let reason): self = .database(reason)
        // A table or column that is not there is the ledger's fault, not the connection's.
        case .refused(let state, let message) where state.hasPrefix("42") && state != "42501":
            self = .malformed("the database", line: 0, message)
        // So is a value that no query of ours can read.
        case .refused(let state, let message) where state.hasPrefix("22"):
            self = .malformed("the database", line: 0, message)
        case .refused(let state, let message): self = .database("\(message) (\(state))")
        case .unexpectedRow(let reason): self = .malformed("the database", line: 0, reason)
        }
    }

    /// What reading a row throws, as one of these.
    static func reading<Value>(_ read: () throws(DatabaseError) -> Value) throws(VerificationError) -> Value {
        do { return try read() } catch { throw VerificationError(error) }
    }
}
