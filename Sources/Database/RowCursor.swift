/// The rows of one query in batches, so that a result of any size takes little memory. Lives as long as the
/// transaction in which it was opened.
package struct RowCursor: ~Copyable {
    private let connection: Connection
    private let name: String
    private let batch: Int
    private var isAtEnd = false

    init(_ connection: Connection, name: String, batch: Int) {
        self.connection = connection
        self.name = name
        self.batch = batch
    }

    /// The next rows, nil after the last. Each call is one statement with the connection's time limit.
    package mutating func next() throws(DatabaseError) -> [Row]? {
        guard !isAtEnd else { return nil }
        let rows = try connection.fetch(name, batch)
        isAtEnd = rows.count < batch
        if isAtEnd { try connection.run(Statement(part: "CLOSE \(name)")) }
        return rows.count == 0 ? nil : rows.rows
    }
}

extension Connection {
    /// Opens a transaction that sees one state of the database throughout and writes nothing.
    package func beginSnapshot() throws(DatabaseError) {
        _ = try query(Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    }

    /// Begins to read the rows of a query, inside a transaction.
    ///
    /// - Parameters:
    ///   - statement: a SELECT.
    ///   - parameters: its parameters.
    ///   - batch: the most rows that are in memory at a time.
    package func cursor(
        _ statement: Statement, _ parameters: [Parameter] = [], batch: Int = 1_000
    ) throws(DatabaseError) -> RowCursor {
        RowCursor(self, name: try declare(statement, parameters), batch: max(1, batch))
    }

    /// Declares a cursor.
    ///
    /// - Returns: its name.
    func declare(_ statement: Statement, _ parameters: [Parameter] = []) throws(DatabaseError) -> String {
        cursorCount += 1
        let name = "rows_\(cursorCount)"
        try run(Statement(part: "DECLARE \(name) NO SCROLL CURSOR FOR \(statement.text)"), parameters)
        return name
    }

    /// The next rows of a cursor; fewer than `batch` are the last.
    func fetch(_ cursor: String, _ batch: Int) throws(DatabaseError) -> RowSet {
        guard let rows = try run(Statement(part: "FETCH FORWARD \(batch) FROM \(cursor)")) else {
            throw .unexpectedRow("a cursor without rows")
        }
        return rows
    }
}
