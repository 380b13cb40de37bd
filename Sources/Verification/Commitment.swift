import EnrollmentCore
import Simulation

/// The digest that stands in a body where a personal value stood: `commitment:` and 64 hexadecimal digits.
struct Commitment {
    /// SHA-256 of a salt and the value.
    let digest: Digest

    private static let quotedPrefix = Array("\"commitment:".utf8)
    /// Octets of the string with its quotes.
    static let quotedLength = quotedPrefix.count + 65

    /// Nil unless a string that is one, with its quotes, is at `place`.
    init?(in document: Span<UInt8>, at place: Range<Int>) {
        let prefix = Self.quotedPrefix.span
        guard place.count == Self.quotedLength, document[place.upperBound - 1] == UInt8(ascii: "\"") else {
            return nil
        }
        guard document.has(prefix, at: place.lowerBound) else { return nil }
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

    /// Those of the strings at `places` in a document that are commitments.
    static func found(
        in document: [UInt8], at places: [Range<Int>]
    ) -> [(place: Range<Int>, commitment: Commitment)] {
        places.compactMap { place in Commitment(in: document.span, at: place).map { (place, $0) } }
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
