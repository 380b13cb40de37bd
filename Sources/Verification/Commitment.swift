import EnrollmentCore

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
        while let place = next(in: document, from: start) {
            let end = place + quotedLength
            start = place + 1
            guard end <= document.count, let commitment = Commitment(in: document.span, at: place..<end)
            else { continue }
            found.append((place..<end, commitment))
            start = end
        }
        return found
    }

    /// Where the next prefix begins. By what the octet under its end is, most octets need no look at all.
    private static func next(in document: [UInt8], from start: Int) -> Int? {
        let (text, pattern, distances) = (document.span, quotedPrefix.span, distances.span)
        var last = start + pattern.count - 1
        while last < text.count {
            let distance = distances[Int(text[last])]
            if distance == 0 {
                let first = last - pattern.count + 1
                if pattern.indices.allSatisfy({ text[first + $0] == pattern[$0] }) { return first }
                last += 1
            } else {
                last += distance
            }
        }
        return nil
    }

    /// How far from the end of the prefix each octet stands in it.
    private static let distances = (0...255).map { octet in
        let place = quotedPrefix.lastIndex(of: UInt8(octet))
        return place.map { quotedPrefix.count - 1 - $0 } ?? quotedPrefix.count
    }

    /// The document with the clear values put back; nil when one is not known.
    static func reveal(_ document: [UInt8], _ values: [PrivateValue]) -> [UInt8]? {
        let places = places(in: document)
        guard !places.isEmpty else { return document }
        var clear: [UInt8] = []
        var start = 0
        for (place, commitment) in places {
            guard let value = values.first(where: { $0.commitment == commitment.digest }),
                let text = String(validating: value.value, as: UTF8.self)
            else { return nil }
            clear += document[start..<place.lowerBound]
            clear += JSONValue.string(text).canonicalText.utf8
            start = place.upperBound
        }
        return clear + document[start...]
    }
}
