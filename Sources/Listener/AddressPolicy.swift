/// Which addresses a validator may connect to, so that a client cannot make the gateway call where it should
/// not (acme checklist: metadata services, loopback, networks of its own).
package struct AddressPolicy: Sendable, Hashable {
    /// Not reachable from outside, or not a host: blocked unless listed.
    private static let special: [IPNetwork] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        // Version 6: all but global unicast, and within it what embeds version 4 or is not for hosts.
        "::/3", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "4000::/2", "8000::/1", "fc00::/7",
        "fe80::/10", "ff00::/8",
        // Where clouds tell their guests secrets.
        "169.254.169.254/32", "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128",
    ].compactMap(IPNetwork.init)

    private let allowed: [IPNetwork]

    /// - Parameter allowed: networks to allow though they are special. One counts only against special
    ///   networks at least as wide as itself, so `0.0.0.0/0` opens none.
    package init(allowed: [IPNetwork]) { self.allowed = allowed }

    /// Whether a connection to `address` may be made.
    package func allows(_ address: IPAddress) -> Bool {
        AddressPolicy.special.allSatisfy { special in
            !special.contains(address)
                || allowed.contains { $0.contains(address) && $0.prefixLength >= special.prefixLength }
        }
    }
}
