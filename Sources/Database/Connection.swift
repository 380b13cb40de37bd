import CLibPQ
import Glibc

/// One connection to the server, used by the one thread that opened it. Every wait is bounded, also on this
/// side: a server that stops answering costs a connection, never a thread.
package final class Connection {
    let handle: OpaquePointer
    /// Milliseconds to wait for the answer to one statement: the server's own limit and a little more.
    private let answerLimit: Int
    private let pause: UInt32
    private var prepared: [String: String] = [:]
    /// Names cursors.
    var cursorCount = 0
    /// False once the server is gone or its state is unknown; such a connection is only good for closing.
    package private(set) var isUsable = true

    /// Connects, within the settings' limit.
    ///
    /// - Throws: `unavailable`.
    package init(_ settings: ConnectionSettings) throws(DatabaseError) {
        let sorted = settings.effectiveParameters.sorted { $0.key < $1.key }
        let opened = CStringList(sorted.map(\.key)).withPointers { keys in
            CStringList(sorted.map(\.value)).withPointers { values in PQconnectStartParams(keys, values, 0) }
        }
        guard let opened else { throw .unavailable("out of memory") }
        handle = opened
        answerLimit = settings.statementTimeout + 2_000
        pause = settings.pause
        try finishConnecting(within: settings.connectTimeout)
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        PQsetnonblocking(handle, 1)
    }

    deinit { PQfinish(handle) }

    /// Runs one prepared statement.
    package func query(_ statement: Statement, _ parameters: [Parameter] = []) throws(DatabaseError) -> [Row]
    {
        let name = try prepare(statement, parameters)
        let sent = Encoded(parameters).withPointers { values, lengths, formats in
            PQsendQueryPrepared(handle, name, Int32(parameters.count), values, lengths, formats, 1)
        }
        return try answer(sent).rows?.rows ?? []
    }

    /// Runs one prepared statement that must return exactly one row.
    package func row(_ statement: Statement, _ parameters: [Parameter] = []) throws(DatabaseError) -> Row {
        let rows = try query(statement, parameters)
        guard let row = rows.first, rows.count == 1 else {
            throw .unexpectedRow("\(rows.count) rows where one was expected")
        }
        return row
    }

    /// Runs one statement once, without preparing it.
    @discardableResult
    func run(_ statement: Statement, _ parameters: [Parameter] = []) throws(DatabaseError) -> RowSet? {
        let types = parameters.map(\.type)
        let sent = Encoded(parameters).withPointers { values, lengths, formats in
            PQsendQueryParams(
                handle, statement.text, Int32(parameters.count), types, values, lengths, formats, 1)
        }
        return try answer(sent).rows
    }

    /// Opens a transaction.
    package func begin() throws(DatabaseError) { _ = try command("BEGIN ISOLATION LEVEL READ COMMITTED") }

    /// Makes the transaction durable. When it throws `unavailable`, whether it did is not known.
    ///
    /// - Throws: `refused` with state 25P02 when the transaction had failed before and was rolled back.
    package func commit() throws(DatabaseError) {
        guard try command("COMMIT") == "COMMIT" else {
            throw .refused(sqlState: "25P02", message: "the transaction had failed and was rolled back")
        }
    }

    /// Gives the transaction up; a connection that cannot even do that is not usable any more.
    package func rollback() {
        do { _ = try command("ROLLBACK") } catch { isUsable = false }
    }

    /// Runs SQL without parameters that is part of this program (migrations), several statements at once.
    func script(_ text: String) throws(DatabaseError) { _ = try answer(PQsendQuery(handle, text)) }

    private func command(_ text: StaticString) throws(DatabaseError) -> String {
        try answer(PQsendQuery(handle, text.description)).tag
    }

    private func prepare(_ statement: Statement, _ parameters: [Parameter]) throws(DatabaseError) -> String {
        if let name = prepared[statement.text] { return name }
        let name = "s\(prepared.count)"
        _ = try answer(
            PQsendPrepare(handle, name, statement.text, Int32(parameters.count), parameters.map(\.type)))
        prepared[statement.text] = name
        return name
    }

    private struct Answer {
        /// Of the last statement that gave some.
        var rows: RowSet?
        var tag = ""
    }

    /// Collects everything the server says to what was just sent.
    private func answer(_ sent: Int32) throws(DatabaseError) -> Answer {
        guard isUsable, sent == 1 else { throw lost("the connection is lost") }
        let deadline = ContinuousClock.now.advanced(by: .milliseconds(answerLimit))
        try flush(before: deadline)
        var answer = Answer()
        var failure: DatabaseError?
        while let result = try nextResult(before: deadline) {
            if let tag = PQcmdStatus(result) { answer.tag = String(cString: tag) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK:
                answer.rows = RowSet(result)
                continue
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: failure = failure ?? Self.failure(result)
            }
            PQclear(result)
        }
        if PQstatus(handle) == CONNECTION_BAD { throw lost("the server closed the connection") }
        if let failure { throw failure }
        return answer
    }

    func flush(before deadline: ContinuousClock.Instant) throws(DatabaseError) {
        while true {
            let left = PQflush(handle)
            if left == 0 { return }
            guard left > 0 else { throw lost("the connection is lost") }
            try wait(POLLIN | POLLOUT, before: deadline)
            guard PQconsumeInput(handle) == 1 else { throw lost("the connection is lost") }
        }
    }

    func nextResult(before deadline: ContinuousClock.Instant) throws(DatabaseError) -> OpaquePointer? {
        while PQisBusy(handle) != 0 {
            try wait(POLLIN, before: deadline)
            guard PQconsumeInput(handle) == 1 else { throw lost("the connection is lost") }
        }
        return PQgetResult(handle)
    }

    func lost(_ reason: String) -> DatabaseError {
        isUsable = false
        return .unavailable(reason)
    }

    private func wait(_ events: Int32, before deadline: ContinuousClock.Instant) throws(DatabaseError) {
        var descriptor = pollfd(
            fd: PQsocket(handle), events: Int16(truncatingIfNeeded: events), revents: 0)
        if pause > 0 {
            if poll(&descriptor, 1, 0) > 0 { return }
            usleep(pause)
        }
        while true {
            let remaining = ContinuousClock.now.duration(to: deadline)
            let milliseconds =
                remaining.components.seconds * 1_000 + remaining.components.attoseconds
                / 1_000_000_000_000_000
            guard milliseconds > 0 else { throw lost("no answer in time") }
            let ready = poll(&descriptor, 1, Int32(clamping: milliseconds))
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw lost("the connection is lost") }
        }
    }

    private func finishConnecting(within limit: Int) throws(DatabaseError) {
        let deadline = ContinuousClock.now.advanced(by: .milliseconds(limit))
        var state = PGRES_POLLING_WRITING
        while true {
            guard PQstatus(handle) != CONNECTION_BAD else { throw lost(connectionMessage()) }
            switch state {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: try wait(POLLIN, before: deadline)
            case PGRES_POLLING_WRITING: try wait(POLLOUT, before: deadline)
            default: throw lost(connectionMessage())
            }
            state = PQconnectPoll(handle)
        }
    }

    private func connectionMessage() -> String {
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        return String(text.prefix { $0 != "\n" }.prefix(300))
    }
}
