#if canImport(Glibc)
import Glibc
#endif

/// An IP address as its octets: 4 or 16, a mapped one (RFC 4291 §2.5.5.2) already turned into version 4.
package struct IPAddress: Sendable, Hashable {
    /// Network order.
    package let octets: [UInt8]

    /// - Parameter octets: 4 or 16, network order; nil for another count.
    package init?(octets: [UInt8]) {
        switch octets.count {
        case 4: self.octets = octets
        case 16:
            let isMapped =
                octets.prefix(10).allSatisfy { $0 == 0 } && octets[10...11].allSatisfy { $0 == 0xff }
            self.octets = isMapped ? Array(octets.suffix(4)) : octets
        default: return nil
        }
    }

    /// The usual text form of either version, without zone or brackets; nil for anything else.
    package init?(_ text: String) {
        var version4 = [UInt8](repeating: 0, count: 4)
        var version6 = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &version4) == 1 {
            self.init(octets: version4)
        } else if inet_pton(AF_INET6, text, &version6) == 1 {
            self.init(octets: version6)
        } else {
            return nil
        }
    }
}

/// A range of addresses that share their first bits, e.g. `10.0.0.0/8` or `fc00::/7`.
package struct IPNetwork: Sendable, Hashable {
    private let octets: [UInt8]
    /// The number of leading bits that count.
    package let prefixLength: Int

    /// `address/bits`, or an address alone for itself; nil for anything else, bits beyond the prefix
    /// included.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        let width = address.octets.count * 8
        guard let length = parts.count == 2 ? parts.last.flatMap({ Int($0) }) : width,
            (0...width).contains(length)
        else { return nil }
        octets = address.octets
        prefixLength = length
        guard octets == IPNetwork.masked(octets, length) else { return nil }
    }

    /// Whether `address` lies within, an address of the other version never.
    package func contains(_ address: IPAddress) -> Bool {
        address.octets.count == octets.count && IPNetwork.masked(address.octets, prefixLength) == octets
    }

    private static func masked(_ octets: [UInt8], _ length: Int) -> [UInt8] {
        octets.enumerated().map { index, octet in
            let bits = min(8, max(0, length - index * 8))
            return bits == 8 ? octet : octet & ~(0xff >> UInt8(bits))
        }
    }
}
