/// A look at the outer shape of a BER document (X.690 §8) before a library with more ambition reads it:
/// lengths that fit, bounded nesting, bounded number of elements, nothing behind the end.
///
/// Indefinite lengths are followed, since SCEP clients send them. Total: it returns false for anything else.
enum BasicEncoding {
    static let maximumDepth = 32
    static let maximumElements = 4_096

    /// Whether `octets` are exactly one well-formed element within the bounds.
    static func isWellFormed(_ octets: [UInt8]) -> Bool {
        var position = 0
        var elements = 0
        /// Where each open constructed element ends; nil for an indefinite length.
        var open: [Int?] = []
        repeat {
            guard let element = Element(octets, at: position, limit: limit(of: open, octets.count)) else {
                return false
            }
            elements += 1
            guard elements <= maximumElements else { return false }
            position = element.contentStart
            if element.isEndOfContents {
                guard case .some(.none) = open.last else { return false }
                open.removeLast()
            } else if element.isConstructed {
                open.append(element.end)
                guard open.count <= maximumDepth else { return false }
            } else {
                guard let end = element.end else { return false }
                position = end
            }
            while case .some(.some(position)) = open.last { open.removeLast() }
        } while !open.isEmpty
        return position == octets.count
    }

    /// Whether the digestAlgorithms of a SignedData (RFC 5652 §5.1) take at most 128 octets, some eight of
    /// them.
    ///
    /// OpenSSL hashes the whole content once for each, before any signature is looked at: a message that
    /// lists thousands would keep a processor busy for seconds. A set of indefinite length is refused.
    static func hasFewDigestAlgorithms(_ octets: [UInt8]) -> Bool {
        /// The element at `position`, if its identifier octet is the one expected.
        func element(_ identifier: UInt8, at position: Int) -> Element? {
            guard position < octets.count, octets[position] == identifier else { return nil }
            return Element(octets, at: position, limit: octets.count)
        }
        guard let contentInfo = element(0x30, at: 0),
            let contentType = element(0x06, at: contentInfo.contentStart)?.end,
            let content = element(0xa0, at: contentType),
            let signedData = element(0x30, at: content.contentStart),
            let version = element(0x02, at: signedData.contentStart)?.end,
            let digestAlgorithms = element(0x31, at: version), let end = digestAlgorithms.end
        else { return false }
        return end - digestAlgorithms.contentStart <= 128
    }

    /// The nearest definite end among the open elements.
    private static func limit(of open: [Int?], _ count: Int) -> Int {
        for case .some(let end) in open.reversed() { return end }
        return count
    }

    /// Identifier and length octets of one element.
    private struct Element {
        var isConstructed: Bool
        var isEndOfContents: Bool
        var contentStart: Int
        /// Nil for an indefinite length.
        var end: Int?

        /// Nil when the element is cut off, reaches beyond `limit`, or uses a length of over four octets.
        init?(_ octets: [UInt8], at start: Int, limit: Int) {
            var position = start
            func next() -> UInt8? {
                guard position < limit, position < octets.count else { return nil }
                defer { position += 1 }
                return octets[position]
            }
            guard let identifier = next() else { return nil }
            if identifier & 0x1f == 0x1f {
                var octet: UInt8
                repeat {
                    guard position - start < 5, let following = next() else { return nil }
                    octet = following
                } while octet & 0x80 != 0
            }
            guard let first = next() else { return nil }
            isConstructed = identifier & 0x20 != 0
            isEndOfContents = identifier == 0 && first == 0
            var length = Int(first)
            if first >= 0x80 {
                let count = Int(first & 0x7f)
                guard count <= 4 else { return nil }
                length = 0
                for _ in 0..<count {
                    guard let octet = next() else { return nil }
                    length = length << 8 | Int(octet)
                }
            }
            contentStart = position
            if first == 0x80 {
                guard isConstructed else { return nil }
                end = nil
            } else {
                guard length <= limit - position else { return nil }
                end = position + length
            }
        }
    }
}
