/// Byte-exact DER (X.690 §10, §11) by composition: each function returns one complete element.
package enum DERWriter {
    /// One element with a low tag number; `tag` is the identifier octet.
    package static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var lengthOctets: [UInt8] = []
        if content.count < 0x80 {
            lengthOctets = [UInt8(content.count)]
        } else {
            var rest = content.count
            while rest > 0 {
                lengthOctets.insert(UInt8(rest & 0xff), at: 0)
                rest >>= 8
            }
            lengthOctets.insert(0x80 | UInt8(lengthOctets.count), at: 0)
        }
        return [tag] + lengthOctets + content
    }

    /// SEQUENCE of complete elements.
    package static func sequence(_ parts: [[UInt8]]) -> [UInt8] { element(0x30, parts.flatMap { $0 }) }

    /// SET OF, sorted as X.690 §11.6 says.
    package static func setOf(_ parts: [[UInt8]]) -> [UInt8] {
        element(0x31, parts.sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 })
    }

    /// INTEGER from an unsigned big-endian magnitude, made minimal and non-negative.
    package static func integer(magnitude: [UInt8]) -> [UInt8] {
        let digits = Array(magnitude.drop { $0 == 0 })
        guard let first = digits.first else { return [0x02, 1, 0] }
        return element(0x02, first < 0x80 ? digits : [0] + digits)
    }

    /// INTEGER of a small non-negative number; negative ones are written as zero.
    package static func integer(_ value: Int) -> [UInt8] {
        let bits = UInt64(clamping: value)
        return integer(magnitude: (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) })
    }

    /// OBJECT IDENTIFIER.
    package static func oid(_ oid: OID) -> [UInt8] { element(0x06, oid.contents) }

    /// NULL.
    package static let null: [UInt8] = [0x05, 0x00]

    /// BOOLEAN TRUE. FALSE is every DEFAULT we write, and those are left out.
    package static let `true`: [UInt8] = [0x01, 0x01, 0xff]

    /// OCTET STRING.
    package static func octetString(_ content: [UInt8]) -> [UInt8] { element(0x04, content) }

    /// BIT STRING of whole octets.
    package static func bitString(_ content: [UInt8]) -> [UInt8] { element(0x03, [0] + content) }

    /// BIT STRING of named bits, trailing zero bits removed (X.690 §11.2.2); bit 0 is the first.
    package static func namedBits(_ bits: Set<Int>) -> [UInt8] {
        let wanted = bits.filter { (0..<64).contains($0) }
        guard let last = wanted.max() else { return element(0x03, [0]) }
        var octets = [UInt8](repeating: 0, count: last / 8 + 1)
        for bit in wanted { octets[bit / 8] |= 0x80 >> UInt8(bit % 8) }
        return element(0x03, [UInt8(7 - last % 8)] + octets)
    }

    /// UTF8String.
    package static func utf8String(_ text: String) -> [UInt8] { element(0x0c, Array(text.utf8)) }

    /// PrintableString; the caller keeps to its alphabet.
    package static func printableString(_ text: String) -> [UInt8] { element(0x13, Array(text.utf8)) }

    /// IA5String; the caller keeps to ASCII.
    package static func ia5String(_ text: String) -> [UInt8] { element(0x16, Array(text.utf8)) }

    /// `[number]` EXPLICIT around a complete element, or IMPLICIT around constructed content; `number` < 31.
    package static func context(_ number: UInt8, constructed content: [UInt8]) -> [UInt8] {
        element(0xa0 | number, content)
    }

    /// `[number]` IMPLICIT with primitive content; `number` < 31.
    package static func context(_ number: UInt8, primitive content: [UInt8]) -> [UInt8] {
        element(0x80 | number, content)
    }
}
