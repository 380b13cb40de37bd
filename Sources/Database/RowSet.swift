import CLibPQ

/// The rows that one statement gave, as libpq holds them. They go with the last `Row` of them.
// SAFETY: a finished result is only read, which libpq allows any thread; it is freed once, here.
final class RowSet: @unchecked Sendable {
    private let result: OpaquePointer
    private let types: [UInt32]
    let count: Int

    /// - Parameter result: taken over.
    init(_ result: OpaquePointer) {
        self.result = result
        types = (0..<PQnfields(result)).map { PQftype(result, $0) }
        count = Int(PQntuples(result))
    }

    deinit { PQclear(result) }

    /// All of them.
    var rows: [Row] { (0..<count).map { Row(self, $0) } }

    /// The type of a column; nil when there is no such column.
    func type(_ column: Int) -> UInt32? { types.indices.contains(column) ? types[column] : nil }

    /// The octets of a value while `body` runs; nil for null and for what is not there.
    func withOctets<Value>(_ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value? {
        let (row, column) = (Int32(truncatingIfNeeded: row), Int32(truncatingIfNeeded: column))
        let length = PQgetlength(result, row, column)
        // What has a length is not null: most values need no second look.
        guard length > 0 || PQgetisnull(result, row, column) == 0,
            let start = PQgetvalue(result, row, column)
        else { return nil }
        return body(UnsafeRawBufferPointer(start: start, count: Int(length)))
    }
}
