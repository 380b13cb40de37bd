/// A UUID version 7 (RFC 9562 §5.7): the identity of a request, an entry or a device transaction, and the
/// correlation id people see. Sorts by the time it was made.
package struct RequestID: Sendable, Hashable, Comparable, StringCoded {
    /// 16 octets, network order.
    package let bytes: [UInt8]

    /// - Parameters:
    ///   - time: its first 48 bits, in milliseconds.
    ///   - random: 10 octets of randomness, of which 74 bits are used; missing octets count as zero.
    package init(at time: Timestamp, random: [UInt8]) {
        let milliseconds = UInt64(clamping: time.microseconds / 1_000)
        var bytes: [UInt8] = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - 8 * $0)) }
        bytes += (0..<10).map { $0 < random.count ? random[$0] : 0 }
        bytes[6] = 0x70 | (bytes[6] & 0x0f)
        bytes[8] = 0x80 | (bytes[8] & 0x3f)
        self.bytes = bytes
    }

    /// Nil unless `bytes` are 16 octets.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Parses the hyphenated form, either case; nil for anything else.
    package init?(_ text: String) {
        let characters = Array(text.utf8)
        guard characters.count == 36, [8, 13, 18, 23].allSatisfy({ characters[$0] == UInt8(ascii: "-") }),
            let bytes = Hex.decode(text.filter { $0 != "-" }), bytes.count == 16
        else { return nil }
        self.bytes = bytes
    }

    package static func < (left: RequestID, right: RequestID) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    package var description: String {
        let hex = Array(Hex.encode(bytes))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }.joined(separator: "-")
    }
}
