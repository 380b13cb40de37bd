import EnrollmentCore

/// What the verifier reads of a TBSCertificate (RFC 5280 §4.1): serial number, validity and key. Total: nil
/// for anything else.
struct CertificateFields {
    /// The content octets of the INTEGER.
    let serial: [UInt8]
    /// Seconds since 1970-01-01T00:00:00Z.
    let notBefore: Int64
    let notAfter: Int64
    /// DER.
    let subjectPublicKeyInfo: [UInt8]

    init?(tbs: [UInt8]) {
        guard let outer = Element(tbs[...]), outer.tag == 0x30, outer.rest.isEmpty else { return nil }
        var rest = outer.content
        func next() -> Element? {
            guard let element = Element(rest) else { return nil }
            rest = element.rest
            return element
        }
        guard let version = next(), version.tag == 0xa0, let serial = next(), serial.tag == 0x02,
            next() != nil, next() != nil, let validity = next(), validity.tag == 0x30, next() != nil,
            let key = next(), key.tag == 0x30,
            let from = Element(validity.content), let until = Element(from.rest), until.rest.isEmpty,
            let notBefore = from.time, let notAfter = until.time
        else { return nil }
        self.serial = Array(serial.content)
        self.notBefore = notBefore
        self.notAfter = notAfter
        subjectPublicKeyInfo = Array(key.whole)
    }

    /// Kind and size of the key as the ledger names them; nil for any other.
    var keyAlgorithm: String? {
        let algorithms: [([UInt8], String)] = [
            ([0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], "ec-p256"),
            ([0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22], "ec-p384"),
            ([0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23], "ec-p521"),
        ]
        let (ecPublicKey, rsaEncryption, ed25519): ([UInt8], [UInt8], [UInt8]) = (
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
            [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01], [0x2b, 0x65, 0x70]
        )
        guard let key = Element(subjectPublicKeyInfo[...]), let algorithm = Element(key.content),
            let kind = Element(algorithm.content), kind.tag == 0x06
        else { return nil }
        switch Array(kind.content) {
        case ecPublicKey: return algorithms.first { $0.0.elementsEqual(kind.rest) }?.1
        case ed25519: return "ed25519"
        case rsaEncryption:
            guard let bits = Element(algorithm.rest), bits.tag == 0x03,
                let numbers = Element(bits.content.dropFirst()), let modulus = Element(numbers.content)
            else { return nil }
            return "rsa-\(modulus.content.drop { $0 == 0 }.count * 8)"
        default: return nil
        }
    }

    /// Whether a certificate begins with that TBSCertificate and ends where it says.
    static func certificate(_ der: [UInt8], contains tbs: [UInt8]) -> Bool {
        guard let outer = Element(der[...]), outer.tag == 0x30, outer.rest.isEmpty else { return false }
        return outer.content.count > tbs.count && der.span.has(tbs.span, at: outer.content.startIndex)
    }
}

/// One DER element with a tag of one octet and a definite length of at most three.
private struct Element {
    let tag: UInt8
    let content: ArraySlice<UInt8>
    let whole: ArraySlice<UInt8>
    let rest: ArraySlice<UInt8>

    init?(_ octets: ArraySlice<UInt8>) {
        guard octets.count >= 2 else { return nil }
        let start = octets.startIndex
        var length = Int(octets[start + 1])
        var header = 2
        if length >= 0x80 {
            let count = length - 0x80
            guard (1...3).contains(count), octets.count >= 2 + count else { return nil }
            length = octets[start + 2..<start + 2 + count].reduce(0) { $0 << 8 | Int($1) }
            header += count
        }
        guard octets.count - header >= length else { return nil }
        tag = octets[start]
        content = octets[start + header..<start + header + length]
        whole = octets[start..<start + header + length]
        rest = octets[(start + header + length)...]
    }

    /// UTCTime or GeneralizedTime as RFC 5280 writes them, in seconds since 1970-01-01T00:00:00Z.
    var time: Int64? {
        let text = Array(content)
        guard text.last == UInt8(ascii: "Z"), text.dropLast().allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        let pairs: [Int64] = stride(from: 0, to: text.count - 2, by: 2).map { place in
            let (tens, ones) = (Int64(text[place]), Int64(text[place + 1]))
            return (tens - 0x30) * 10 + ones - 0x30
        }
        switch (tag, text.count) {
        case (0x17, 13):
            return CivilTime.secondsSinceEpoch(
                year: pairs[0] + (pairs[0] < 50 ? 2_000 : 1_900), month: pairs[1], day: pairs[2],
                hour: pairs[3], minute: pairs[4], second: pairs[5])
        case (0x18, 15):
            return CivilTime.secondsSinceEpoch(
                year: pairs[0] * 100 + pairs[1], month: pairs[2], day: pairs[3], hour: pairs[4],
                minute: pairs[5], second: pairs[6])
        default: return nil
        }
    }
}
