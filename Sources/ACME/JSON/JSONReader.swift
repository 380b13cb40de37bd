package import EnrollmentCore

/// A total reader of JSON text (RFC 8259) from the network: it bounds size and depth, and refuses duplicate
/// names, text that is not UTF-8, unpaired surrogates, trailing octets and numbers that are not whole 64-bit
/// integers (ACME defines no others).
package struct JSONReader {
    /// The largest text read, in octets.
    package static let maximumSize = 65_536
    /// How deep arrays and objects may nest.
    package static let maximumDepth = 16

    private let bytes: [UInt8]
    private var index = 0

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// The one value that `bytes` hold, white space around it permitted.
    ///
    /// - Throws: `JSONReaderError`.
    package static func read(_ bytes: [UInt8]) throws(JSONReaderError) -> JSONValue {
        guard bytes.count <= maximumSize else { throw .tooLarge }
        var reader = JSONReader(bytes: bytes)
        let value = try reader.value(depth: 0)
        reader.skipWhiteSpace()
        guard reader.index == bytes.count else { throw .malformed }
        return value
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take() -> UInt8? {
        guard let byte = next else { return nil }
        index += 1
        return byte
    }

    private mutating func takeIf(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipWhiteSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { index += 1 }
    }

    private mutating func value(depth: Int) throws(JSONReaderError) -> JSONValue {
        skipWhiteSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return .integer(try integer())
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONReaderError)
        -> JSONValue
    {
        for expected in text.description.utf8 {
            guard take() == expected else { throw .malformed }
        }
        return value
    }

    private mutating func object(depth: Int) throws(JSONReaderError) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw .tooDeep }
        guard takeIf("{") else { throw .malformed }
        var members: [String: JSONValue] = [:]
        skipWhiteSpace()
        if takeIf("}") { return .object(members) }
        while true {
            skipWhiteSpace()
            let name = try string()
            skipWhiteSpace()
            guard takeIf(":") else { throw .malformed }
            let member = try value(depth: depth)
            guard members.updateValue(member, forKey: name) == nil else { throw .duplicateName }
            skipWhiteSpace()
            if takeIf("}") { return .object(members) }
            guard takeIf(",") else { throw .malformed }
        }
    }

    private mutating func array(depth: Int) throws(JSONReaderError) -> JSONValue {
        guard depth <= Self.maximumDepth else { throw .tooDeep }
        guard takeIf("[") else { throw .malformed }
        var elements: [JSONValue] = []
        skipWhiteSpace()
        if takeIf("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth))
            skipWhiteSpace()
            if takeIf("]") { return .array(elements) }
            guard takeIf(",") else { throw .malformed }
        }
    }

    private mutating func integer() throws(JSONReaderError) -> Int64 {
        let negative = takeIf("-")
        var digits = 0
        var startsWithZero = false
        var magnitude: Int64 = 0
        while let byte = next, (0x30...0x39).contains(byte) {
            if digits == 0 { startsWithZero = byte == 0x30 }
            let digit = Int64(byte - 0x30)
            let scaled = magnitude.multipliedReportingOverflow(by: 10)
            let sum = scaled.partialValue.addingReportingOverflow(negative ? -digit : digit)
            guard !scaled.overflow, !sum.overflow else { throw .notWhole }
            magnitude = sum.partialValue
            digits += 1
            index += 1
        }
        guard digits > 0, digits == 1 || !startsWithZero else { throw .malformed }
        if let byte = next, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(byte) {
            throw .notWhole
        }
        return magnitude
    }

    private mutating func string() throws(JSONReaderError) -> String {
        guard takeIf("\"") else { throw .malformed }
        var text: [UInt8] = []
        while let byte = take() {
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw .malformed }
                return string
            case UInt8(ascii: "\\"): text += try escape()
            case 0x00..<0x20: throw .malformed
            default: text.append(byte)
            }
        }
        throw .malformed
    }

    private mutating func escape() throws(JSONReaderError) -> [UInt8] {
        switch take() {
        case UInt8(ascii: "\""): return [0x22]
        case UInt8(ascii: "\\"): return [0x5c]
        case UInt8(ascii: "/"): return [0x2f]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw .malformed
        }
    }

    private mutating func unicodeEscape() throws(JSONReaderError) -> [UInt8] {
        var code = try hexadecimalQuad()
        if (0xd800...0xdbff).contains(code) {
            guard takeIf("\\"), takeIf("u") else { throw .malformed }
            let low = try hexadecimalQuad()
            guard (0xdc00...0xdfff).contains(low) else { throw .malformed }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw .malformed }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func hexadecimalQuad() throws(JSONReaderError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = take(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw .malformed
            }
            code = code << 4 | UInt32(digit)
        }
        return code
    }
}

/// Why a text is not JSON that we read.
package enum JSONReaderError: Error, Sendable, Hashable {
    case tooLarge
    case tooDeep
    case malformed
    /// Two members of one object bear the same name.
    case duplicateName
    /// A number with a fraction or an exponent, or outside 64 bits.
    case notWhole
}
