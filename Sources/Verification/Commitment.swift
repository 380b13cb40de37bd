import EnrollmentCore
import Simulation

/// The digest that stands in a body where a personal value stood: `commitment:` and 64 hexadecimal digits.
struct Commitment {
    /// SHA-256 of a salt and the value.
    let digest: Digest

    private static let quotedPrefix = Array("\"commitment:".utf8)
    /// Octets of the string with its quotes.
    private static let quotedLength = quotedPrefix.count + 65

    /// Nil unless a string that is one, with its quotes, is at `place`.
    init?(in document: Span<UInt8>, at place: Range<Int>) {
        let prefix = Self.quotedPrefix.span
        guard place.count == Self.quotedLength, document[place.upperBound - 1] == UInt8(ascii: "\"") else {
            return nil
        }
        for offset in prefix.indices where document[place.lowerBound + offset] != prefix[offset] {
            return nil
        }
        var octets: [UInt8] = []
        octets.reserveCapacity(32)
        for first in stride(from: place.lowerBound + prefix.count, to: place.upperBound - 1, by: 2) {
            guard let high = Self.digit(document[first]), let low = Self.digit(document[first + 1]) else {
                return nil
            }
            octets.append(high << 4 | low)
        }
        guard let digest = Digest(bytes: octets) else { return nil }
        self.digest = digest
    }

    /// A hexadecimal digit of either case.
    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: return character - 0x30
        case 0x41...0x46: return character - 0x37
        case 0x61...0x66: return character - 0x57
        default: return nil
        }
    }

    /// Where the strings stand in a document that are commitments, quotes included.
    static func places(in document: [UInt8]) -> [(place: Range<Int>, commitment: Commitment)] {
        var found: [(Range<Int>, Commitment)] = []
        var start = 0
        while let place = next(in: document.span, from: start) {
            let end = place + quotedLength
            start = place + 1
            guard end <= document.count, let commitment = Commitment(in: document.span, at: place..<end)
            else { continue }
            found.append((place..<end, commitment))
            start = end
        }
        return found
    }

    /// Where the next prefix begins that a whole commitment may follow.
    ///
    /// A name in JSON ends with a quote: a `t` before a colon is rare. Eight places are looked at at once.
    private static func next(in text: Span<UInt8>, from start: Int) -> Int? {
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        let (letters, colons) = (ones &* UInt64(UInt8(ascii: "t")), ones &* UInt64(UInt8(ascii: ":")))
        let (octets, prefix) = (text.bytes, quotedPrefix.span)
        var place = start + prefix.count - 2
        while text.count - place >= 9 {
            // SAFETY (unsafeLoadUnaligned): nine octets are left, and any octets are a number.
            let word = UInt64(
                littleEndian: octets.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
            let following = UInt64(
                littleEndian: octets.unsafeLoadUnaligned(fromByteOffset: place + 1, as: UInt64.self))
            let other = (word ^ letters) | (following ^ colons)
            // The lowest octet that is marked is one that is meant.
            let marks = (other &- ones) & ~other & tops
            guard marks != 0 else {
                place += 8
                continue
            }
            place += marks.trailingZeroBitCount / 8
            let first = place + 2 - prefix.count
            if prefix.indices.allSatisfy({ text[first + $0] == prefix[$0] }) { return first }
            place += 1
        }
        return nil
    }

    /// The clear values of the commitments in a part of a document; nil when one is not known.
    ///
    /// - Parameter found: where the document has commitments.
    static func clear(
        _ found: [(place: Range<Int>, commitment: Commitment)], in part: Range<Int>,
        _ values: [PrivateValue]
    ) -> [RecordMembers.Replacement]? {
        var replacements: [RecordMembers.Replacement] = []
        for (place, commitment) in found
        where part.lowerBound <= place.lowerBound && place.upperBound <= part.upperBound {
            guard let value = values.first(where: { $0.commitment == commitment.digest }),
                let clear = String(validating: value.value, as: UTF8.self)
            else { return nil }
            var text = CanonicalText(capacity: value.value.count + 2)
            text.string(clear)
            replacements.append(RecordMembers.Replacement(place, text.octets))
        }
        return replacements
    }
}
