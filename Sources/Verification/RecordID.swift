import EnrollmentCore

/// The id of an entry or a request: a UUID (RFC 9562) as a number, which sorts as its octets do.
struct RecordID: Hashable, Comparable {
    let number: UInt128

    init(_ number: UInt128) { self.number = number }

    /// Nil unless the text is 32 hexadecimal digits, with or without hyphens.
    init?(_ text: String) {
        guard let octets = Hex.decode(text.filter { $0 != "-" }), octets.count == 16 else { return nil }
        number = octets.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// The smallest UUIDv7 of an instant, as the ledger bounds its months by (§5.7).
    init(firstOf instant: Timestamp) {
        number = UInt128(UInt64(clamping: instant.microseconds / 1_000) & 0xffff_ffff_ffff) << 80
    }

    /// The time in a UUIDv7.
    var instant: Timestamp { Timestamp(microseconds: Int64(number >> 80) * 1_000) }

    /// 16, in network order.
    var octets: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: number >> UInt128(120 - 8 * $0)) }
    }

    /// 36 characters in lower case.
    var text: String {
        var text = Array(Hex.encode(octets).utf8)
        for place in [8, 13, 18, 23] { text.insert(UInt8(ascii: "-"), at: place) }
        return String(decoding: text, as: UTF8.self)
    }

    static func < (left: RecordID, right: RecordID) -> Bool { left.number < right.number }
}
