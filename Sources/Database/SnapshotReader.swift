import Dispatch
import Synchronization

/// One state of a database, in which nothing can be written. A connection with a thread of its own fetches
/// rows while those before them are worked on.
package final class SnapshotReader: Sendable {
    private let settings: ConnectionSettings
    private let queue = JobQueue(capacity: 1_000)
    /// What other connections see the same state by.
    private let name: String

    /// Connects and takes the state as it is now.
    ///
    /// - Parameter settings: the login. A statement may take ten minutes, and an idle transaction stays open.
    package convenience init(_ settings: ConnectionSettings) throws(DatabaseError) {
        var patient = settings
        patient.isReadOnly = true
        patient.statementTimeout = 600_000
        patient.pause = 100
        try self.init(patient, sharing: nil)
    }

    private init(_ settings: ConnectionSettings, sharing name: String?) throws(DatabaseError) {
        self.settings = settings
        let started = Pending<String>()
        let queue = queue
        let isStarted = startThread {
            do throws(DatabaseError) {
                let connection = try Connection(settings)
                started.put(.success(try Self.begin(connection, sharing: name)))
                while let job = queue.take(1)?.first { Self.run(job, on: connection) }
            } catch { started.put(.failure(error)) }
        }
        guard isStarted else { throw .unavailable("no thread could be started") }
        self.name = try started.wait()
    }

    deinit { queue.close() }

    /// The same state by another connection.
    package func another() throws(DatabaseError) -> SnapshotReader {
        try SnapshotReader(settings, sharing: name)
    }

    /// Runs one statement, after everything that was begun before.
    package func query(_ statement: Statement, _ parameters: [Parameter] = []) throws(DatabaseError) -> [Row]
    {
        try begin { connection throws(DatabaseError) in try connection.query(statement, parameters) }.wait()
    }

    /// Begins to read the rows of a query: the first of them are fetched at once.
    ///
    /// - Parameters:
    ///   - statement: a SELECT.
    ///   - batch: how many rows to fetch at a time.
    ///   - depth: how many batches are on their way while one is worked on.
    package func stream(_ statement: Statement, batch: Int, depth: Int = 1) -> RowStream {
        let opened = begin { connection throws(DatabaseError) in
            let cursor = try connection.declare(statement)
            return (cursor: cursor, rows: try connection.fetch(cursor, batch))
        }
        return RowStream(self, opened, batch: batch, depth: depth)
    }

    /// Begins to do something on the connection.
    func begin<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) -> Pending<Value> {
        let pending = Pending<Value>()
        let slot = ResultSlot<Value>()
        let job = Job(
            deadline: .now, body: { connection throws(DatabaseError) in slot.put(try body(connection)) },
            finish: { error in pending.put(slot.result(unless: error)) })
        if let refusal = queue.put(job) { pending.put(.failure(refusal)) }
        return pending
    }

    private static func run(_ job: Job, on connection: Connection) {
        do throws(DatabaseError) {
            try job.body(connection)
            job.finish(nil)
        } catch { job.finish(error) }
    }

    private static func begin(_ connection: Connection, sharing name: String?) throws(DatabaseError) -> String
    {
        try connection.beginSnapshot()
        if let name {
            // The server's own word, and no other: it becomes part of a statement.
            guard name.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit || $0 == 0x2d }) else {
                throw .unexpectedRow("the name of a snapshot")
            }
            try connection.run(Statement(part: "SET TRANSACTION SNAPSHOT '\(name)'"))
        }
        // Rows are wanted in the order of an index: sorting whole bodies takes longer than reading them.
        for setting in [
            "cursor_tuple_fraction = 0.001", "random_page_cost = 1.1", "jit = off", "work_mem = '64MB'",
            "idle_in_transaction_session_timeout = 0",
        ] {
            try connection.run(Statement(part: "SET LOCAL \(setting)"))
        }
        if let name { return name }
        return try connection.row(Statement("SELECT pg_export_snapshot()")).text(0)
    }
}

/// The rows of one query, a batch in memory and the next ones on their way.
package struct RowStream {
    private let reader: SnapshotReader
    private let batch: Int
    private let depth: Int
    private let opened: Pending<(cursor: String, rows: RowSet)>
    private var cursor: String?
    /// What comes next is first.
    private var ahead: [Pending<RowSet>] = []
    private var rows: RowSet?
    private var place = 0

    init(
        _ reader: SnapshotReader, _ opened: Pending<(cursor: String, rows: RowSet)>, batch: Int, depth: Int
    ) {
        self.reader = reader
        self.batch = batch
        self.depth = depth
        self.opened = opened
    }

    /// The next row; nil after the last. Waits for the server where it must.
    package mutating func next() throws(DatabaseError) -> Row? {
        while true {
            if let rows, place < rows.count {
                defer { place += 1 }
                return Row(rows, place)
            }
            guard let more = try fetched() else { return nil }
            (rows, place) = (more, 0)
        }
    }

    /// The first batch that is on its way, and asks for more; nil after the last.
    private mutating func fetched() throws(DatabaseError) -> RowSet? {
        let more: RowSet
        if cursor == nil {
            (cursor, more) = try opened.wait()
        } else {
            guard let next = ahead.first else { return nil }
            // One that fails stays, so that it fails again.
            more = try next.wait()
            ahead.removeFirst()
        }
        // Behind a batch that is not full there is nothing.
        guard more.count == batch, let cursor else {
            ahead = []
            return more
        }
        while ahead.count < depth {
            let batch = batch
            ahead.append(
                reader.begin { connection throws(DatabaseError) in try connection.fetch(cursor, batch) })
        }
        return more
    }
}

/// What a thread of ours will give.
final class Pending<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, DatabaseError>?>(nil)
    private let arrival = DispatchSemaphore(value: 0)

    func put(_ new: Result<Value, DatabaseError>) {
        result.withLock { $0 = new }
        arrival.signal()
    }

    /// Blocks until it is there; may be asked again.
    func wait() throws(DatabaseError) -> Value {
        arrival.wait()
        arrival.signal()
        let taken = result.withLock { $0 }
        guard let taken else { throw .unavailable("nothing was asked for") }
        return try taken.get()
    }
}
