import EnrollmentCore

/// A pull reader of JSON text (RFC 8259) for recorded documents, total over any octets.
///
/// A replay of a million requests reads gigabytes of JSON. Foundation's decoder takes several times what
/// there is for a request and its decision together; this one makes only the values that are asked for and
/// steps over the rest. It is no general decoder: numbers are whole, the names of members that are asked for
/// are written without escapes (the ledger's text has none there), and a repeated member is an error.
struct RecordReader {
    /// How deep arrays and objects may nest.
    static let maximumDepth = 64

    let bytes: [UInt8]
    private let end: Int
    private(set) var index: Int
    private var depth = 0

    /// - Parameters:
    ///   - bytes: the text, or a block of several.
    ///   - range: the part to read, clamped to `bytes`; nil reads all.
    init(_ bytes: [UInt8], _ range: Range<Int>? = nil) {
        let range = (range ?? bytes.indices).clamped(to: bytes.indices)
        self.bytes = bytes
        index = range.lowerBound
        end = range.upperBound
    }

    func error(_ reason: String) -> RecordError { RecordError(reason, at: index) }

    /// Refuses anything but white space after what was read.
    mutating func finish() throws(RecordError) {
        skipWhiteSpace()
        guard index == end else { throw error("text after the end of the document") }
    }

    /// Whether the next value is a string.
    mutating func isAtString() -> Bool {
        skipWhiteSpace()
        return next == UInt8(ascii: "\"")
    }

    // MARK: Objects and arrays

    /// Reads an object, handing each member that `names` knows to `body`, which must read its value.
    mutating func object<Name>(
        _ names: MemberNames<Name>, _ body: (inout RecordReader, Name) throws(RecordError) -> Void
    ) throws(RecordError) {
        var seen: UInt64 = 0
        var place = -1
        if try opens("{", "}", "an object") {
            repeat {
                let name: Name
                if let next = names.expected(place + 1, bytes.span, at: index, before: end) {
                    (name, place, index) = (next.name, place + 1, next.end)
                } else {
                    let key = try memberName()
                    guard let found = names.find(bytes.span, key, first: place + 1) else {
                        try skip()
                        continue
                    }
                    (name, place) = (found.name, found.place)
                }
                let bit = MemberNames<Name>.bit(place)
                guard seen & bit == 0 else { throw error("a member is given twice") }
                seen |= bit
                try body(&self, name)
            } while try goesOn("}")
        }
        if let missing = names.missing(from: seen) {
            throw error("the member \(missing.rawValue) is missing")
        }
    }

    /// Reads an array whose elements `read` reads.
    mutating func array<Element>(
        _ read: (inout RecordReader) throws(RecordError) -> Element
    ) throws(RecordError) -> [Element] {
        guard try opens("[", "]", "an array") else { return [] }
        var elements: [Element] = []
        repeat { elements.append(try read(&self)) } while try goesOn("]")
        return elements
    }

    /// What `read` reads, or nil for null.
    mutating func optional<Value>(
        _ read: (inout RecordReader) throws(RecordError) -> Value
    ) throws(RecordError) -> Value? {
        skipWhiteSpace()
        guard next == UInt8(ascii: "n") else { return try read(&self) }
        try literal("null")
        return nil
    }

    /// Steps over one value of any kind.
    mutating func skip() throws(RecordError) {
        var strings: [Range<Int>] = []
        try skip(noting: 0, in: &strings)
    }

    /// Steps over one value of any kind, and notes where in it the strings of that many octets stand, quotes
    /// included.
    mutating func skip(noting length: Int, in strings: inout [Range<Int>]) throws(RecordError) {
        var scan = RecordScan(index, noting: length)
        swap(&scan.strings, &strings)
        let fault = scan.value(bytes.span, before: end, deepest: Self.maximumDepth - depth)
        swap(&scan.strings, &strings)
        index = scan.place
        if let fault { throw error(fault) }
    }

    /// Reads the opening of an object or array; false when it is empty and closed already.
    mutating func opens(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ kind: StaticString)
        throws(RecordError) -> Bool
    {
        skipWhiteSpace()
        guard takeIf(open) else { throw error("\(kind) is needed here") }
        guard depth < Self.maximumDepth else { throw error("nested deeper than \(Self.maximumDepth)") }
        skipWhiteSpace()
        if takeIf(close) { return false }
        depth += 1
        return true
    }

    /// After a value: whether another follows; otherwise the close is read.
    mutating func goesOn(_ close: Unicode.Scalar) throws(RecordError) -> Bool {
        // Canonical text has no white space: it needs no look for any.
        if takeIf(",") { return true }
        skipWhiteSpace()
        if takeIf(",") { return true }
        guard takeIf(close) else { throw error("a comma or the end of a list is needed here") }
        depth -= 1
        return false
    }

    /// The octets of a member's name, as written; the colon is read too.
    mutating func memberName() throws(RecordError) -> Range<Int> {
        skipWhiteSpace()
        let name = try stringRange().range
        try colon()
        return name
    }

    /// A member's name that has no escapes.
    mutating func plainMemberName() throws(RecordError) -> Range<Int> {
        skipWhiteSpace()
        let (name, hasEscapes) = try stringRange()
        guard !hasEscapes else { throw error("a name with an escape") }
        try colon()
        return name
    }

    mutating func colon() throws(RecordError) {
        if takeIf(":") { return }
        skipWhiteSpace()
        guard takeIf(":") else { throw error("a colon is needed here") }
    }

    // MARK: Values

    mutating func bool() throws(RecordError) -> Bool {
        skipWhiteSpace()
        let value = next == UInt8(ascii: "t")
        try literal(value ? "true" : "false")
        return value
    }

    /// A whole number without fraction or exponent that fits 64 bits.
    mutating func integer() throws(RecordError) -> Int64 {
        skipWhiteSpace()
        let negative = takeIf("-")
        let digits = Self.digits(in: bytes.span, from: index, before: end, negative: negative)
        guard let value = digits.value else { throw error("a number that is too large") }
        guard digits.end > index else { throw error("no value that is known here") }
        guard digits.end == index + 1 || bytes[index] != 0x30 else {
            throw error("a number that begins with 0")
        }
        index = digits.end
        switch next {
        case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
            throw error("a number that is not whole")
        default: return value
        }
    }

    /// An array of numbers from 0 to 255.
    mutating func octets() throws(RecordError) -> [UInt8] {
        guard try opens("[", "]", "an array of octets") else { return [] }
        var octets: [UInt8] = []
        octets.reserveCapacity(320)
        repeat {
            while let octet = bytes.span.plainOctet(at: index, before: end) {
                octets.append(octet.value)
                index = octet.end
            }
            guard let octet = UInt8(exactly: try integer()) else { throw error("an octet is needed here") }
            octets.append(octet)
        } while try goesOn("]")
        return octets
    }

    mutating func string() throws(RecordError) -> String {
        skipWhiteSpace()
        let (range, hasEscapes) = try stringRange()
        let text =
            hasEscapes
            ? String(validating: try unescaped(range), as: UTF8.self) : Self.text(in: bytes.span, range)
        guard let text else { throw error("text that is not UTF-8") }
        return text
    }

    /// A string whose text `parse` reads further.
    mutating func coded<Value>(_ kind: StaticString, _ parse: (String) -> Value?) throws(RecordError)
        -> Value
    {
        guard let value = parse(try string()) else { throw error("\(kind) is needed here") }
        return value
    }

    /// A word of an enumeration.
    mutating func word<Name>(_ names: MemberNames<Name>, _ kind: StaticString) throws(RecordError) -> Name {
        skipWhiteSpace()
        let range = try stringRange().range
        guard let found = names.find(bytes.span, range) else {
            throw error("\(kind) is needed here")
        }
        return found.name
    }

    /// The octets that a string stands for.
    mutating func stringOctets() throws(RecordError) -> [UInt8] {
        skipWhiteSpace()
        let (range, hasEscapes) = try stringRange()
        return hasEscapes ? try unescaped(range) : Array(bytes[range])
    }

    // MARK: Octets

    var next: UInt8? { index < end ? bytes[index] : nil }

    private mutating func takeIf(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    mutating func literal(_ text: StaticString) throws(RecordError) {
        let length = text.utf8CodeUnitCount
        let matches =
            end - index >= length
            && text.withUTF8Buffer { $0.elementsEqual(bytes[index..<index + length]) }
        guard matches else { throw error("\(text) is needed here") }
        index += length
    }

    mutating func skipWhiteSpace() {
        while index < end, bytes[index] <= 0x20, Self.isWhiteSpace(bytes[index]) { index += 1 }
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }

    /// Steps over a string: the octets between its quotes and whether they hold escapes.
    mutating func stringRange() throws(RecordError) -> (range: Range<Int>, hasEscapes: Bool) {
        guard takeIf("\"") else { throw error("a string is needed here") }
        let first = index
        let scan = Self.string(in: bytes.span, from: first, before: end)
        guard let quote = scan.quote else { throw error("a string without an end") }
        index = quote + 1
        return (first..<quote, scan.hasEscapes)
    }

    /// Where the string that begins at `first` has its closing quote; nil when it has none or a control
    /// character before it.
    private static func string(in text: Span<UInt8>, from first: Int, before end: Int)
        -> (quote: Int?, hasEscapes: Bool)
    {
        var place = first
        var hasEscapes = false
        while let stop = text.firstEscaped(from: place, before: end) {
            if text[stop] == UInt8(ascii: "\"") { return (stop, hasEscapes) }
            guard text[stop] == UInt8(ascii: "\\") else { break }
            hasEscapes = true
            place = stop + 2
        }
        return (nil, hasEscapes)
    }

    /// The whole number whose digits begin at `first`: its value, nil when it overflows, and where it ends.
    static func digits(in text: Span<UInt8>, from first: Int, before end: Int, negative: Bool)
        -> (value: Int64?, end: Int)
    {
        var place = first
        var value: Int64 = 0
        while place < end, (0x30...0x39).contains(text[place]) {
            let digit = Int64(text[place] &- 0x30)
            let scaled = value.multipliedReportingOverflow(by: 10)
            let sum = scaled.partialValue.addingReportingOverflow(negative ? -digit : digit)
            guard !scaled.overflow, !sum.overflow else { return (nil, place) }
            value = sum.partialValue
            place += 1
        }
        return (value, place)
    }

    /// The text in UTF-8 at `range`; nil when it is not UTF-8.
    private static func text(in text: Span<UInt8>, _ range: Range<Int>) -> String? {
        guard let valid = try? UTF8Span(validating: text.extracting(range)) else { return nil }
        return String(copying: valid)
    }
}
