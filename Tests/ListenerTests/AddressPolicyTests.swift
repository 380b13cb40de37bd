import Listener
import Testing

struct AddressPolicyTests {
    @Test(arguments: [
        ("93.184.216.34", true), ("2606:2800:220:1::1", true), ("127.0.0.1", false), ("127.8.9.10", false),
        ("0.0.0.0", false), ("10.1.2.3", false), ("172.16.0.1", false), ("172.32.0.1", true),
        ("192.168.1.1", false), ("169.254.169.254", false), ("168.63.129.16", false),
        ("100.100.100.200", false),
        ("224.0.0.1", false), ("255.255.255.255", false), ("::", false), ("::1", false), ("fe80::1", false),
        ("fd00:ec2::254", false), ("fc00::1", false), ("ff02::1", false), ("::ffff:127.0.0.1", false),
        ("::ffff:93.184.216.34", true), ("::127.0.0.1", false), ("64:ff9b::7f00:1", false),
        ("2002:7f00:1::", false), ("2001:0:1::1", false), ("2001:db8::1", false),
    ])
    func byDefault(_ text: String, _ isAllowed: Bool) throws {
        let address = try #require(IPAddress(text))
        #expect(AddressPolicy(allowed: []).allows(address) == isAllowed)
    }

    /// A network opens what it lists, and never by being wide.
    @Test(arguments: [
        ("127.0.0.0/8", "127.0.0.1", true), ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "127.0.0.2", false),
        ("127.0.0.0/8", "::ffff:127.0.0.1", true), ("0.0.0.0/0", "127.0.0.1", false), ("::/0", "::1", false),
        ("10.0.0.0/8", "10.9.8.7", true), ("10.0.0.0/8", "192.168.0.1", false),
        ("169.254.0.0/16", "169.254.1.1", true), ("169.254.0.0/16", "169.254.169.254", false),
        ("169.254.169.254", "169.254.169.254", true), ("fc00::/7", "fd00:ec2::254", false),
        ("fc00::/7", "fd12::1", true), ("::1", "::1", true),
    ])
    func opens(_ network: String, _ text: String, _ isAllowed: Bool) throws {
        let policy = AddressPolicy(allowed: [try #require(IPNetwork(network))])
        #expect(policy.allows(try #require(IPAddress(text))) == isAllowed)
    }

    @Test(arguments: [
        "", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "a/8", "::/129", "10.0.0/8", "1/8/9",
    ])
    func isNoNetwork(_ text: String) { #expect(IPNetwork(text) == nil) }
}
