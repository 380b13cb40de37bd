/// An ASN.1 OBJECT IDENTIFIER (X.690 §8.19), kept as its content octets.
package struct OID: Sendable, Hashable, CustomStringConvertible {
    /// The content octets, without tag and length.
    package let contents: [UInt8]

    /// Reads content octets; nil when empty, over 128 octets, not minimal, or with an arc over 63 bits.
    package init?(contents: some BidirectionalCollection<UInt8>) {
        guard let last = contents.last, last < 0x80, contents.count <= 128 else { return nil }
        var lengthOfArc = 0
        for octet in contents {
            if lengthOfArc == 0, octet == 0x80 { return nil }
            lengthOfArc += 1
            if lengthOfArc > 9 { return nil }
            if octet < 0x80 { lengthOfArc = 0 }
        }
        self.contents = Array(contents)
    }

    /// Reads dotted text such as `2.5.4.3`; nil for anything else or over 32 arcs.
    package init?(_ dotted: String) {
        let parts = dotted.split(separator: ".", omittingEmptySubsequences: false)
        guard (2...32).contains(parts.count) else { return nil }
        var arcs: [UInt64] = []
        for part in parts {
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let arc = UInt64(part),
                arc < 1 << 62, part == "0" || !part.hasPrefix("0")
            else { return nil }
            arcs.append(arc)
        }
        guard arcs[0] <= 2, arcs[0] == 2 || arcs[1] < 40 else { return nil }
        self.init(arcs: arcs)
    }

    /// A constant of this code base: at least two arcs, the first two as X.660 allows.
    init(arcs: [UInt64]) {
        var contents: [UInt8] = []
        let merged = [(arcs.first ?? 0) &* 40 &+ (arcs.dropFirst().first ?? 0)] + arcs.dropFirst(2)
        for arc in merged {
            var octets = [UInt8(arc & 0x7f)]
            var rest = arc >> 7
            while rest > 0 {
                octets.append(UInt8(rest & 0x7f) | 0x80)
                rest >>= 7
            }
            contents += octets.reversed()
        }
        self.contents = contents
    }

    /// Dotted text, e.g. `1.2.840.10045.2.1`.
    package var description: String {
        var arcs: [UInt64] = []
        var arc: UInt64 = 0
        for octet in contents {
            arc = arc << 7 | UInt64(octet & 0x7f)
            if octet >= 0x80 { continue }
            if arcs.isEmpty {
                let first = min(arc / 40, 2)
                arcs = [first, arc - first * 40]
            } else {
                arcs.append(arc)
            }
            arc = 0
        }
        return arcs.map(String.init).joined(separator: ".")
    }
}

extension OID {
    // RFC 5280 appendix A and RFC 4519: subject attributes.
    /// id-at-commonName.
    package static let commonName = OID(arcs: [2, 5, 4, 3])
    /// id-at-serialNumber.
    package static let serialNumber = OID(arcs: [2, 5, 4, 5])
    /// id-at-countryName.
    package static let countryName = OID(arcs: [2, 5, 4, 6])
    /// id-at-organizationName.
    package static let organizationName = OID(arcs: [2, 5, 4, 10])
    /// id-at-dnQualifier.
    package static let dnQualifier = OID(arcs: [2, 5, 4, 46])
    /// id-emailAddress (PKCS#9).
    package static let emailAddress = OID(arcs: [1, 2, 840, 113_549, 1, 9, 1])
    /// id-domainComponent.
    package static let domainComponent = OID(arcs: [0, 9, 2342, 19_200_300, 100, 1, 25])

    // RFC 5280 §4.2: extensions.
    /// id-ce-subjectKeyIdentifier.
    package static let subjectKeyIdentifier = OID(arcs: [2, 5, 29, 14])
    /// id-ce-keyUsage.
    package static let keyUsage = OID(arcs: [2, 5, 29, 15])
    /// id-ce-subjectAltName.
    package static let subjectAlternativeName = OID(arcs: [2, 5, 29, 17])
    /// id-ce-basicConstraints.
    package static let basicConstraints = OID(arcs: [2, 5, 29, 19])
    /// id-ce-authorityKeyIdentifier.
    package static let authorityKeyIdentifier = OID(arcs: [2, 5, 29, 35])
    /// id-ce-extKeyUsage.
    package static let extendedKeyUsage = OID(arcs: [2, 5, 29, 37])
    /// anyExtendedKeyUsage.
    package static let anyExtendedKeyUsage = OID(arcs: [2, 5, 29, 37, 0])
    /// id-kp-serverAuth.
    package static let serverAuthentication = OID(arcs: [1, 3, 6, 1, 5, 5, 7, 3, 1])
    /// id-kp-clientAuth.
    package static let clientAuthentication = OID(arcs: [1, 3, 6, 1, 5, 5, 7, 3, 2])

    // RFC 2985: attributes of a certification request.
    /// challengePassword.
    package static let challengePassword = OID(arcs: [1, 2, 840, 113_549, 1, 9, 7])
    /// extensionRequest.
    package static let extensionRequest = OID(arcs: [1, 2, 840, 113_549, 1, 9, 14])
    /// Microsoft's predecessor of extensionRequest.
    package static let microsoftExtensionRequest = OID(arcs: [1, 3, 6, 1, 4, 1, 311, 2, 1, 14])
    /// Microsoft's user principal name, an otherName.
    package static let userPrincipalName = OID(arcs: [1, 3, 6, 1, 4, 1, 311, 20, 2, 3])

    // Keys and signatures (RFC 3279, RFC 4055, RFC 5480, RFC 5758, RFC 8410).
    /// rsaEncryption.
    package static let rsaEncryption = OID(arcs: [1, 2, 840, 113_549, 1, 1, 1])
    /// sha256WithRSAEncryption.
    package static let sha256WithRSA = OID(arcs: [1, 2, 840, 113_549, 1, 1, 11])
    /// sha384WithRSAEncryption.
    package static let sha384WithRSA = OID(arcs: [1, 2, 840, 113_549, 1, 1, 12])
    /// sha512WithRSAEncryption.
    package static let sha512WithRSA = OID(arcs: [1, 2, 840, 113_549, 1, 1, 13])
    /// id-ecPublicKey.
    package static let ecPublicKey = OID(arcs: [1, 2, 840, 10_045, 2, 1])
    /// secp256r1.
    package static let p256 = OID(arcs: [1, 2, 840, 10_045, 3, 1, 7])
    /// secp384r1.
    package static let p384 = OID(arcs: [1, 3, 132, 0, 34])
    /// secp521r1.
    package static let p521 = OID(arcs: [1, 3, 132, 0, 35])
    /// ecdsa-with-SHA256.
    package static let ecdsaWithSHA256 = OID(arcs: [1, 2, 840, 10_045, 4, 3, 2])
    /// ecdsa-with-SHA384.
    package static let ecdsaWithSHA384 = OID(arcs: [1, 2, 840, 10_045, 4, 3, 3])
    /// ecdsa-with-SHA512.
    package static let ecdsaWithSHA512 = OID(arcs: [1, 2, 840, 10_045, 4, 3, 4])
    /// id-Ed25519.
    package static let ed25519 = OID(arcs: [1, 3, 101, 112])

    // RFC 5652.
    /// id-data.
    package static let cmsData = OID(arcs: [1, 2, 840, 113_549, 1, 7, 1])
    /// id-signedData.
    package static let cmsSignedData = OID(arcs: [1, 2, 840, 113_549, 1, 7, 2])
}
