/// Reads comma-separated text (RFC 4180): fields in quotes may hold commas, quotes and line breaks; lines end
/// in CRLF or LF. Strict, and total: any octets are read or refused in linear time.
struct CommaSeparatedText {
    /// One record with the line it begins on.
    struct Record: Equatable {
        /// Counts from 1.
        let line: Int
        let fields: [String]
    }

    /// What cannot be read.
    struct SyntaxError: Error, Equatable {
        /// Counts from 1.
        let line: Int
        /// Counts from 0: the place of the field in its record.
        let field: Int
        let problem: String
    }

    private var octets: ArraySlice<UInt8>
    private var line = 1

    /// - Parameter text: UTF-8, with or without a byte-order mark.
    init(_ text: [UInt8]) {
        octets = text.starts(with: [0xef, 0xbb, 0xbf]) ? text.dropFirst(3) : text[...]
    }

    /// All records; blank lines are skipped.
    ///
    /// - Parameter longest: the most octets one record may have.
    static func records(_ text: [UInt8], longest: Int) throws(SyntaxError) -> [Record] {
        var reader = CommaSeparatedText(text)
        var records: [Record] = []
        while !reader.octets.isEmpty {
            if reader.skipLineBreak() { continue }
            let (line, size) = (reader.line, reader.octets.count)
            let fields = try reader.record()
            guard size - reader.octets.count <= longest else {
                throw SyntaxError(line: line, field: 0, problem: "is in a line longer than \(longest) octets")
            }
            records.append(Record(line: line, fields: fields))
        }
        return records
    }

    private mutating func record() throws(SyntaxError) -> [String] {
        var fields: [String] = []
        while true {
            fields.append(
                octets.first == Self.quote
                    ? try quoted(fields.count) : try plain(fields.count))
            if octets.first == Self.comma {
                octets.removeFirst()
            } else if octets.isEmpty || skipLineBreak() {
                return fields
            } else {
                throw SyntaxError(line: line, field: fields.count - 1, problem: "goes on after its quotes")
            }
        }
    }

    private mutating func plain(_ field: Int) throws(SyntaxError) -> String {
        let end =
            octets.firstIndex { $0 == Self.comma || $0 == Self.newline || $0 == Self.quote }
            ?? octets.endIndex
        if end < octets.endIndex, octets[end] == Self.quote {
            throw SyntaxError(
                line: line, field: field, problem: "has a quote within; quote it all, doubling each")
        }
        var content = octets[octets.startIndex..<end]
        octets = octets[end...]
        if octets.first != Self.comma, content.last == Self.carriageReturn { content.removeLast() }
        return try text(Array(content), field, line)
    }

    private mutating func quoted(_ field: Int) throws(SyntaxError) -> String {
        let start = line
        var content: [UInt8] = []
        octets.removeFirst()
        while let octet = octets.popFirst() {
            if octet == Self.newline { line += 1 }
            guard octet == Self.quote else {
                content.append(octet)
                continue
            }
            guard octets.first == Self.quote else { return try text(content, field, start) }
            content.append(Self.quote)
            octets.removeFirst()
        }
        throw SyntaxError(line: start, field: field, problem: "has no closing quotes")
    }

    private func text(_ octets: [UInt8], _ field: Int, _ line: Int) throws(SyntaxError) -> String {
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw SyntaxError(line: line, field: field, problem: "is not UTF-8")
        }
        return text
    }

    /// Whether there was one.
    private mutating func skipLineBreak() -> Bool {
        let length = octets.starts(with: [Self.carriageReturn, Self.newline]) ? 2 : 1
        guard octets.dropFirst(length - 1).first == Self.newline else { return false }
        octets.removeFirst(length)
        line += 1
        return true
    }

    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
}
