import CLibPQ

/// A result's columns: names as the query gives them, and the object identifiers of their types in pg_type.
package struct TextColumns: Sendable, Hashable {
    package let names: [String]
    package let types: [UInt32]

    package init(names: [String], types: [UInt32]) {
        self.names = names
        self.types = types
    }
}

extension Connection {
    /// A person's own query, its rows handed on one at a time, however many there are. Only for a login that
    /// may do nothing but read.
    ///
    /// The extended protocol takes one statement. `columns` is called once, before any row.
    ///
    /// - Parameter limit: how long the whole may take.
    /// - Throws: `DatabaseError`, and what the closures throw; then the connection is not usable any more.
    package func streamText(
        _ sql: String, limit: Duration, columns: (TextColumns) throws -> Void,
        row: ([String?]) throws -> Void
    ) throws {
        let deadline = ContinuousClock.now.advanced(by: limit)
        guard isUsable, PQsendQueryParams(handle, sql, 0, nil, nil, nil, nil, 0) == 1,
            PQsetSingleRowMode(handle) == 1
        else { throw lost("the connection is lost") }
        try flush(before: deadline)
        var isFirst = true
        var failure: DatabaseError?
        while let result = try nextResult(before: deadline) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
                do {
                    if isFirst { try columns(Self.columns(of: result)) }
                    isFirst = false
                    for number in 0..<PQntuples(result) { try row(Self.texts(of: result, number)) }
                } catch {
                    _ = lost("given up")
                    throw error
                }
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: failure = Self.failure(result)
            }
        }
        if let failure { throw failure }
    }

    private static func columns(of result: OpaquePointer) -> TextColumns {
        let places = 0..<PQnfields(result)
        return TextColumns(
            names: places.map { PQfname(result, $0).map { String(cString: $0) } ?? "" },
            types: places.map { PQftype(result, $0) })
    }

    private static func texts(of result: OpaquePointer, _ row: Int32) -> [String?] {
        (0..<PQnfields(result)).map { column in
            value(result, row, column).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
