extension RecordReader {
    /// The octets that the string between the quotes at `range` stands for.
    func unescaped(_ range: Range<Int>) throws(RecordError) -> [UInt8] {
        // An escape is never shorter than what it stands for.
        try [UInt8](capacity: range.count) { octets throws(RecordError) in
            let text = bytes.span
            var place = range.lowerBound
            while place < range.upperBound {
                let byte = text[place]
                place += 1
                if byte == UInt8(ascii: "\\") {
                    try appendEscape(at: &place, before: range.upperBound, to: &octets)
                } else {
                    octets.append(byte)
                }
            }
        }
    }

    /// Appends what the escape after a backslash stands for; `place` is left behind it.
    private func appendEscape(at place: inout Int, before end: Int, to octets: inout OutputSpan<UInt8>)
        throws(RecordError)
    {
        guard place < end else { throw error("an escape without an end") }
        let letter = bytes[place]
        place += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): octets.append(letter)
        case UInt8(ascii: "b"): octets.append(0x08)
        case UInt8(ascii: "f"): octets.append(0x0c)
        case UInt8(ascii: "n"): octets.append(0x0a)
        case UInt8(ascii: "r"): octets.append(0x0d)
        case UInt8(ascii: "t"): octets.append(0x09)
        case UInt8(ascii: "u"):
            for octet in UTF8.encode(try scalar(at: &place, before: end)) ?? .init() { octets.append(octet) }
        default: throw error("an unknown escape")
        }
    }

    /// The scalar of one `\u` escape, or of two that make a surrogate pair.
    private func scalar(at place: inout Int, before end: Int) throws(RecordError) -> Unicode.Scalar {
        var code = try hexadecimalQuad(at: &place, before: end)
        if (0xd800...0xdbff).contains(code) {
            guard end - place >= 2, bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u")
            else { throw error("half a surrogate pair") }
            place += 2
            let low = try hexadecimalQuad(at: &place, before: end)
            guard (0xdc00...0xdfff).contains(low) else { throw error("half a surrogate pair") }
            code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair") }
        return scalar
    }

    private func hexadecimalQuad(at place: inout Int, before end: Int) throws(RecordError) -> UInt32 {
        guard end - place >= 4 else { throw error("an escape without an end") }
        var code: UInt32 = 0
        for byte in bytes[place..<place + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("a hexadecimal digit is needed in an escape")
            }
            code = code << 4 | UInt32(digit)
        }
        place += 4
        return code
    }
}
