import PKIX

extension CertificateNames {
    /// Normalises the names of a request or certificate.
    ///
    /// - Throws: `.unacceptableContents` for what no profile may grant: several common names or one over 64
    ///   characters, text with control characters or in Teletex, Universal or BMP string types, wildcards,
    ///   dNSNames that are no host names of A-labels, e-mail addresses and principal names without a domain.
    init(
        subject: DistinguishedName, alternatives: [GeneralName]
    ) throws(CertificateRequestError) {
        var commonName: String?
        var others: [String] = []
        for attribute in subject.attributes {
            let text: String
            do { text = try attribute.text() } catch { throw CertificateRequestError(error) }
            if attribute.type == .commonName {
                guard commonName == nil else { throw .unacceptableContents("several common names") }
                guard text.unicodeScalars.count <= 64 else {
                    throw .unacceptableContents("common name too long")
                }
                commonName = text
            } else {
                others.append("\(attribute.type)=\(text)")
            }
        }
        self.init(commonName: commonName, otherSubjectAttributes: others)
        for name in alternatives { try add(name) }
        self.init(
            commonName: commonName, otherSubjectAttributes: others, dns: dns, email: email, uri: uri, ip: ip,
            upn: upn, unsupported: unsupported)
    }

    private mutating func add(_ name: GeneralName) throws(CertificateRequestError) {
        switch name {
        case .dns(let text):
            guard let host = HostName.normalised(text) else { throw .unacceptableContents("dNSName") }
            dns.append(host)
        case .email(let text):
            guard let address = HostName.normalisedAddress(text) else {
                throw .unacceptableContents("rfc822Name")
            }
            email.append(address)
        case .userPrincipalName(let text):
            guard let address = HostName.normalisedAddress(text) else {
                throw .unacceptableContents("user principal name")
            }
            upn.append(address)
        case .uri(let text):
            guard Self.isAbsoluteURI(text) else { throw .unacceptableContents("uniformResourceIdentifier") }
            uri.append(text)
        case .ip(let octets): ip.append(IPAddressText.encode(octets))
        case .other(let kind, let der): unsupported.append("\(kind):\(Hex.encode(der))")
        }
    }

    /// Printable ASCII without space, beginning with a scheme (RFC 3986 §3.1).
    private static func isAbsoluteURI(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return false }
        let scheme = text.utf8[..<colon]
        guard let first = scheme.first, Ascii.isLetter(first) else { return false }
        return scheme.allSatisfy {
            Ascii.isLetter($0) || Ascii.isDigit($0) || [0x2b, 0x2d, 0x2e].contains($0)
        }
    }
}

/// Host names of A-labels (RFC 1123 §2.1, RFC 5890 §2.3.2.1).
package enum HostName {
    /// Lower case, without a trailing dot; nil for wildcards, U-labels, addresses and everything else that is
    /// no host name of at most 253 characters.
    package static func normalised(_ text: String) -> String? {
        var characters = text.utf8.map(Ascii.lowercased)
        if characters.last == UInt8(ascii: ".") { characters.removeLast() }
        guard (1...253).contains(characters.count) else { return nil }
        let labels = characters.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"),
                label.last != UInt8(ascii: "-"),
                label.allSatisfy({ Ascii.isLetter($0) || Ascii.isDigit($0) || $0 == UInt8(ascii: "-") })
            else { return nil }
        }
        // A last label of digits reads as an IPv4 address to some, and no top-level domain has one.
        guard let last = labels.last, !last.allSatisfy(Ascii.isDigit) else { return nil }
        return String(decoding: characters, as: UTF8.self)
    }

    /// `local@domain` with its domain normalised; nil when either part is missing or the local part has an
    /// `@` or a space.
    static func normalisedAddress(_ text: String) -> String? {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let local = parts.first, let domain = parts.last, !local.isEmpty,
            !local.contains(" "), let host = normalised(String(domain))
        else { return nil }
        return "\(local)@\(host)"
    }
}

/// Character classes of ASCII octets.
enum Ascii {
    static func isDigit(_ octet: UInt8) -> Bool { (0x30...0x39).contains(octet) }
    static func isLetter(_ octet: UInt8) -> Bool {
        (0x61...0x7a).contains(octet) || (0x41...0x5a).contains(octet)
    }
    static func lowercased(_ octet: UInt8) -> UInt8 { (0x41...0x5a).contains(octet) ? octet | 0x20 : octet }
}

/// IP addresses as text: dotted decimal, or RFC 5952.
package enum IPAddressText {
    /// - Parameter octets: 4 or 16; anything else gives hexadecimal.
    package static func encode(_ octets: [UInt8]) -> String {
        if octets.count == 4 { return octets.map(String.init).joined(separator: ".") }
        guard octets.count == 16 else { return Hex.encode(octets) }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1]) }
        guard let zeros = longestZeros(groups) else { return text(groups[...]) }
        return text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
    }

    /// The octets of text in the form that `encode` writes; nil for any other text.
    package static func decode(_ text: String) -> [UInt8]? {
        let octets = text.contains(":") ? version6(text) : version4(text)
        guard let octets, encode(octets) == text else { return nil }
        return octets
    }

    private static func version4(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        let octets = parts.compactMap { $0 }
        return parts.count == 4 && octets.count == 4 ? octets : nil
    }

    private static func version6(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        let gap = characters.indices.dropLast().first { characters[$0] == 0x3a && characters[$0 + 1] == 0x3a }
        guard let gap else { return groups(characters[...]).flatMap { $0.count == 16 ? $0 : nil } }
        guard let head = groups(characters[..<gap]), let tail = groups(characters[(gap + 2)...]),
            head.count + tail.count < 16
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ characters: ArraySlice<UInt8>) -> [UInt8]? {
        if characters.isEmpty { return [] }
        var octets: [UInt8] = []
        for part in characters.split(separator: 0x3a, omittingEmptySubsequences: false) {
            guard part.count <= 4, let value = UInt16(String(decoding: part, as: UTF8.self), radix: 16) else {
                return nil
            }
            octets += [UInt8(value >> 8), UInt8(value & 0xff)]
        }
        return octets
    }

    private static func text(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The first longest run of two or more zero groups.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > (best?.count ?? 0) { best = start..<end }
            start = max(end, start + 1)
        }
        return best
    }
}
