import Glibc

extension Span<UInt8> {
    /// The first octet from `first` on that JSON text writes with an escape, or that ends a string: a quote,
    /// a backslash or a control character (RFC 8259 §7); nil when there is none before `end`.
    ///
    /// - Parameters:
    ///   - first: not negative.
    ///   - end: at most `count`.
    @inlinable
    @inline(__always)
    package func firstEscaped(from first: Int, before end: Int) -> Int? {
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var place = first
        // Eight octets are looked at at once.
        while end - place >= 8 {
            // SAFETY (unsafeLoadUnaligned): eight octets are left, and any octets are a number.
            let word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
            // With this bit turned, quotes and control characters are those below 0x21.
            let low = word ^ (ones &* 0x02)
            let backslash = word ^ (ones &* 0x5c)
            // The lowest octet that is marked is one that is meant; those above it may be marked by a borrow.
            let marks = ((low &- (ones &* 0x21)) & ~low) | ((backslash &- ones) & ~backslash)
            if marks & tops != 0 { return place + (marks & tops).trailingZeroBitCount / 8 }
            place += 8
        }
        while place < end {
            let octet = self[place]
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") || octet < 0x20 { return place }
            place += 1
        }
        return nil
    }

    /// Whether `other` stands at `place`.
    package func has(_ other: Span<UInt8>, at place: Int) -> Bool {
        guard place >= 0, count - place >= other.count else { return false }
        return withUnsafeBytes { ours in other.withUnsafeBytes { Self.isEqual(ours, place, $0) } }
    }

    /// Whether a text stands at `place`.
    package func has(_ text: StaticString, at place: Int) -> Bool {
        guard place >= 0, count - place >= text.utf8CodeUnitCount else { return false }
        return withUnsafeBytes { ours in
            text.withUTF8Buffer { Self.isEqual(ours, place, UnsafeRawBufferPointer($0)) }
        }
    }

    /// Whether `other` stands at `range`, and nothing more.
    package func has(_ other: Span<UInt8>, exactlyAt range: Range<Int>) -> Bool {
        range.count == other.count && has(other, at: range.lowerBound)
    }

    /// Whether a text stands at `range`, and nothing more.
    package func has(_ text: StaticString, exactlyAt range: Range<Int>) -> Bool {
        range.count == text.utf8CodeUnitCount && has(text, at: range.lowerBound)
    }

    // SAFETY (memcmp): both have as many octets, which its callers saw to.
    private static func isEqual(
        _ octets: UnsafeRawBufferPointer, _ place: Int, _ other: UnsafeRawBufferPointer
    ) -> Bool {
        guard let ours = octets.baseAddress, let theirs = other.baseAddress else { return other.isEmpty }
        return memcmp(ours + place, theirs, other.count) == 0
    }
}
