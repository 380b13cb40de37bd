import COpenSSL

/// Just enough of DER to find what OpenSSL has no function for. Reads OpenSSL's own re-encoding of a message
/// it parsed, so both see the same thing and every length is definite.
enum DistinguishedEncoding {
    /// The dotted content-encryption algorithm of an EnvelopedData (RFC 5652 §6.1); nil without one.
    static func contentCipher(ofEnvelope octets: [UInt8]) -> String? {
        let sequence: UInt8 = 0x30
        let set: UInt8 = 0x31
        guard let info = elements(octets[...])?.first, info.tag == sequence,
            let explicit = elements(info.content)?.last, explicit.tag == 0xa0,
            let envelope = elements(explicit.content)?.first, envelope.tag == sequence,
            let fields = elements(envelope.content),
            let recipients = fields.firstIndex(where: { $0.tag == set }),
            let encrypted = fields[(recipients + 1)...].first, encrypted.tag == sequence,
            let algorithm = elements(encrypted.content)?.dropFirst().first, algorithm.tag == sequence,
            let identifier = elements(algorithm.content)?.first
        else { return nil }
        guard let object = decode(Array(identifier.whole), { d2i_ASN1_OBJECT(nil, $0, $1) }) else {
            return nil
        }
        defer { ASN1_OBJECT_free(object) }
        return dotted(object)
    }

    private struct Element {
        let tag: UInt8
        let content: ArraySlice<UInt8>
        let whole: ArraySlice<UInt8>
    }

    /// The elements that follow each other in `octets`; nil when they do not fill it exactly.
    private static func elements(_ octets: ArraySlice<UInt8>) -> [Element]? {
        var found: [Element] = []
        var rest = octets
        while !rest.isEmpty {
            let whole = rest
            guard let tag = rest.popFirst(), tag & 0x1f != 0x1f, let first = rest.popFirst() else {
                return nil
            }
            var length = Int(first)
            if first >= 0x80 {
                guard (1...4).contains(first & 0x7f) else { return nil }
                length = 0
                for _ in 0..<(first & 0x7f) {
                    guard let octet = rest.popFirst() else { return nil }
                    length = length << 8 | Int(octet)
                }
            }
            guard length <= rest.count else { return nil }
            let content = rest.prefix(length)
            rest = rest.dropFirst(length)
            found.append(Element(tag: tag, content: content, whole: whole.dropLast(rest.count)))
        }
        return found
    }
}
