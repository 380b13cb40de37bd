import CLibPQ

extension Connection {
    static func value(_ result: OpaquePointer, _ row: Int32, _ column: Int32) -> [UInt8]? {
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
            return nil
        }
        let length = Int(PQgetlength(result, row, column))
        return start.withMemoryRebound(to: UInt8.self, capacity: length) {
            Array(UnsafeBufferPointer(start: $0, count: length))
        }
    }

    static func failure(_ result: OpaquePointer) -> DatabaseError {
        func field(_ code: Character) -> String {
            guard let ascii = code.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else {
                return ""
            }
            return String(String(cString: text).prefix(300))
        }
        let state = field("C")
        return state.isEmpty
            ? .unavailable("the server gave no answer") : .refused(sqlState: state, message: field("M"))
    }

    /// A person's own query: text in, text out. Only for a login that may do nothing but read.
    ///
    /// The extended protocol takes one statement; reading stops after `limit` rows.
    package func readText(_ sql: String, limit: Int) throws(DatabaseError) -> TextTable {
        let deadline = ContinuousClock.now.advanced(by: .seconds(90))
        guard PQsendQueryParams(handle, sql, 0, nil, nil, nil, nil, 0) == 1, PQsetSingleRowMode(handle) == 1
        else {
            throw lost("the connection is lost")
        }
        try flush(before: deadline)
        var table = TextTable(columns: [], rows: [], isTruncated: false)
        var failure: DatabaseError?
        while let result = try nextResult(before: deadline) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
                if table.columns.isEmpty { table.columns = Self.columns(of: result) }
                for row in 0..<PQntuples(result) where !table.isTruncated {
                    if table.rows.count < limit {
                        table.rows.append(
                            (0..<PQnfields(result)).map {
                                Self.value(result, row, $0).map { String(decoding: $0, as: UTF8.self) }
                            })
                    } else {
                        table.isTruncated = true
                        cancel()
                    }
                }
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: failure = Self.failure(result)
            }
        }
        if let failure, !table.isTruncated { throw failure }
        return table
    }

    private static func columns(of result: OpaquePointer) -> [String] {
        (0..<PQnfields(result)).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
    }

    private func cancel() {
        guard let cancellation = PQgetCancel(handle) else { return }
        defer { PQfreeCancel(cancellation) }
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(cancellation, &message, Int32(message.count))
    }
}

/// A result as text, for people.
package struct TextTable: Sendable, Hashable {
    /// Names as the query gives them.
    package var columns: [String]
    /// Nil is null.
    package var rows: [[String?]]
    /// Whether there were more rows than asked for.
    package var isTruncated: Bool
}

/// Parameters in the shape libpq wants: one buffer and pointers into it.
struct Encoded {
    private var buffer: [UInt8] = [0]  // never empty, so that empty values have an address too
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []

    init(_ parameters: [Parameter]) {
        for parameter in parameters {
            let bytes = parameter.encoded
            offsets.append(bytes == nil ? nil : buffer.count - 1)
            lengths.append(Int32(clamping: bytes?.count ?? 0))
            buffer.insert(contentsOf: bytes ?? [], at: buffer.count - 1)
        }
    }

    func withPointers(
        _ body: ([UnsafePointer<CChar>?], [Int32], [Int32]) -> Int32
    ) -> Int32 {
        buffer.withUnsafeBufferPointer { octets in
            octets.withMemoryRebound(to: CChar.self) { characters in
                let base = characters.baseAddress
                let pointers = offsets.map { offset in offset.flatMap { base?.advanced(by: $0) } }
                return body(pointers, lengths, Array(repeating: 1, count: lengths.count))
            }
        }
    }
}

/// Strings as a null-terminated list of C strings.
struct CStringList {
    private let buffer: [CChar]
    private let offsets: [Int]

    init(_ strings: [String]) {
        var buffer: [CChar] = []
        var offsets: [Int] = []
        for string in strings {
            offsets.append(buffer.count)
            buffer += string.utf8CString
        }
        self.buffer = buffer
        self.offsets = offsets
    }

    func withPointers<Result>(_ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
        buffer.withUnsafeBufferPointer { characters in
            body(offsets.map { characters.baseAddress?.advanced(by: $0) } + [nil])
        }
    }
}
