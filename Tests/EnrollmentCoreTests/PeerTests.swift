import EnrollmentCore
import Testing

struct PeerTests {
    /// One IPv4 address, or one subscriber's /64, is one source.
    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"), ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
    ])
    func throttledTogether(_ address: String, _ network: String) {
        #expect(Peer(address: address, isSecure: true).network == network)
    }
}
