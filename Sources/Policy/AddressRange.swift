/// A range of IP addresses in CIDR notation (RFC 4632, RFC 4291 §2.3).
package struct AddressRange: Sendable, Hashable {
    /// Why a text is no range.
    package enum Fault: Error, Sendable, Hashable { case malformed, hostBits }

    /// As it is written.
    package let text: String
    /// The network's own address, 4 or 16 octets.
    package let network: [UInt8]
    /// Bits of the prefix.
    package let length: Int

    /// - Throws: when it is no CIDR, or when bits after the prefix are set, which hides what was meant.
    package init(_ text: String) throws(Fault) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddressText.octets(parts[0]), parts[1].utf8.count <= 3,
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]),
            length <= address.count * 8
        else { throw .malformed }
        guard Self.masked(address, length) == address else { throw .hostBits }
        self.text = text
        self.network = address
        self.length = length
    }

    /// Whether `address`, in text form, lies in the range; nil when it is no address.
    package func contains(_ address: String) -> Bool? {
        guard let octets = IPAddressText.octets(address[...]) else { return nil }
        return octets.count == network.count && Self.masked(octets, length) == network
    }

    private static func masked(_ address: [UInt8], _ length: Int) -> [UInt8] {
        address.enumerated().map { index, octet in
            let bits = min(max(length - index * 8, 0), 8)
            return octet & UInt8(truncatingIfNeeded: 0xff00 >> bits)
        }
    }
}

/// The text forms of IP addresses.
enum IPAddressText {
    /// 4 or 16 octets; nil for anything but a dotted quad without leading zeros or an RFC 4291 §2.2 address.
    /// An IPv4-mapped IPv6 address gives its 4 octets.
    static func octets(_ text: Substring) -> [UInt8]? {
        guard text.utf8.count <= 45 else { return nil }
        guard text.utf8.contains(UInt8(ascii: ":")) else { return version4(text) }
        guard let octets = version6(text) else { return nil }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]
        return octets.starts(with: mapped) ? Array(octets.dropFirst(12)) : octets
    }

    private static func version4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let octets = parts.compactMap { part -> UInt8? in
            guard (1...3).contains(part.utf8.count), part == "0" || part.first != "0",
                part.utf8.allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
            return UInt8(part)
        }
        return octets.count == 4 ? octets : nil
    }

    private static func version6(_ text: Substring) -> [UInt8]? {
        let halves = separated(text)
        guard halves.count <= 2, let front = groups(halves.first ?? "") else { return nil }
        guard halves.count == 2 else { return front.count == 16 ? front : nil }
        guard let back = groups(halves[1]), front.count + back.count <= 14 else { return nil }
        return front + [UInt8](repeating: 0, count: 16 - front.count - back.count) + back
    }

    /// The parts around each `::`.
    private static func separated(_ text: Substring) -> [Substring] {
        var parts: [Substring] = []
        var rest = text
        while let colon = rest.indices.first(where: { rest[$0...].hasPrefix("::") }) {
            parts.append(rest[..<colon])
            rest = rest[colon...].dropFirst(2)
        }
        return parts + [rest]
    }

    private static func groups(_ text: Substring) -> [UInt8]? {
        if text.isEmpty { return [] }
        var octets: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.utf8.contains(UInt8(ascii: ".")) {
                guard let last = version4(part) else { return nil }
                octets += last
            } else {
                guard (1...4).contains(part.utf8.count), part.allSatisfy({ $0.isASCII && $0.isHexDigit }),
                    let value = UInt16(part, radix: 16)
                else { return nil }
                octets += [UInt8(value >> 8), UInt8(value & 255)]
            }
        }
        return octets.count <= 16 ? octets : nil
    }
}
