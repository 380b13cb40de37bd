import EnrollmentCore
import Testing

@testable import Policy

struct MatcherTests {
    @Test(arguments: [
        ("lt-*", "lt-042", true), ("lt-*", "LT-042", false), ("lt-*", "lt-", true),
        ("lt-*", "xlt-042", false),
        ("*.corp.example", "a.corp.example", true), ("*.corp.example", "corp.example", false),
        ("a*a", "a", false), ("a*a", "aa", true), ("a*a", "aba", true),
    ])
    func globs(_ pattern: String, _ value: String, _ matches: Bool) throws {
        #expect(try #require(Glob(pattern)).matches(value) == matches)
    }

    @Test(arguments: ["", "*", "**", "a", "a*b*c"])
    func refusesGlobs(_ pattern: String) { #expect(Glob(pattern) == nil) }

    @Test func globsTakeLinearTime() throws {
        let glob = try #require(
            Glob(String(repeating: "a", count: 100_000) + "*" + String(repeating: "a", count: 100_000)))
        #expect(!glob.matches(String(repeating: "a", count: 199_999)))
        #expect(glob.matches(String(repeating: "a", count: 200_001)))
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "1.2.3.4", true),
        ("192.0.2.7/32", "192.0.2.7", true), ("192.0.2.4/30", "192.0.2.8", false),
        ("2001:db8::/32", "2001:db8:1::5", true), ("2001:db8::/32", "2001:db9::", false),
        ("::/0", "::1", true), ("0.0.0.0/0", "::1", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
    ])
    func ranges(_ range: String, _ address: String, _ contains: Bool) throws {
        #expect(try AddressRange(range).contains(address) == contains)
    }

    @Test(arguments: ["10.0.0.1/8", "2001:db8::1/32"])
    func refusesHostBits(_ text: String) {
        #expect(throws: AddressRange.Fault.hostBits) { try AddressRange(text) }
    }

    @Test(arguments: [
        "10.0.0.0", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/-1", "010.0.0.0/8", ":::/0", "1::2::3/0", "/8", "",
    ])
    func refusesRanges(_ text: String) {
        #expect(throws: AddressRange.Fault.malformed) { try AddressRange(text) }
    }

    @Test(arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1:2:3", "g::", "1.2.3.4/8"])
    func addressesThatAreNone(_ text: String) throws {
        #expect(try AddressRange("0.0.0.0/0").contains(text) == nil)
    }

    /// The laws of three-valued logic, with "pending" between unknown and satisfied.
    @Test func verdicts() {
        for verdict in Verdict.allCases {
            #expect(verdict.negated.negated == verdict)
            #expect(min(verdict, .unsatisfied) == .unsatisfied && max(verdict, .satisfied) == .satisfied)
        }
        #expect(Verdict.pending.negated == .pending && Verdict.unknown.negated == .unknown)
    }

    @Test func templates() throws {
        let input = try StarterBundle.laptop()
        #expect(try NameTemplate("{device.id}").names(in: input) == ["LT-042"])
        #expect(try NameTemplate("x-{device.id}.y").names(in: input) == ["x-LT-042.y"])
        #expect(try NameTemplate("{device.serial}").names(in: input) == nil)
        #expect(try NameTemplate("{device.dns}").names(in: input) == ["lt-042.devices.localhost"])
        #expect(throws: NameTemplate.Fault.unbalanced) { try NameTemplate("{device.id") }
        #expect(throws: NameTemplate.Fault.unbalanced) { try NameTemplate("a}") }
        #expect(throws: NameTemplate.Fault.unknown("device.idd")) { try NameTemplate("{device.idd}") }
        #expect(throws: NameTemplate.Fault.listInText("device.dns")) { try NameTemplate("a{device.dns}") }
    }

    @Test(
        arguments: [("requir", "require"), ("devise.group", "device.group"), ("xyzzy", nil)]
            as [(String, String?)])
    func spelling(_ word: String, _ meant: String?) {
        #expect(nearestSpelling(of: word, among: ["require", "device.group", "id"]) == meant)
    }

    /// A value that the attribute can never have is a slip.
    @Test(
        arguments: [
            (.deviceDNS, "a.corp.example", true), (.deviceDNS, "*.corp.example", true),
            (.deviceDNS, "A_b.c", true),
            (.deviceDNS, "a.corp.example.", false), (.deviceDNS, "-a.b", false), (.deviceDNS, "a..b", false),
            (.deviceDNS, "ä.b", false), (.deviceDNS, "a b", false),
            (.requestDNS, String(repeating: "a", count: 64), false),
            (.deviceEmail, "jane@corp.example", true), (.deviceEmail, "@corp.example", false),
            (.deviceUPN, "jane", false), (.requestEmail, "a b@c", false), (.deviceID, "LT-042", true),
            (.deviceID, "LT 042", false), (.deviceID, "", false), (.deviceSID, "S-1-5-21-1", true),
            (.deviceSID, "1105", false), (.deviceSerial, "any thing", true), (.deviceOwner, "Jane Doe", true),
            (.requestProtocol, "scep", true), (.requestProtocol, "http", false),
            (.deviceLastProof, "certificate_of_ours", false), (.deviceLastProof, "client_certificate", true),
        ] as [(Attribute, String, Bool)])
    func values(_ attribute: Attribute, _ text: String, _ isOne: Bool) {
        #expect((AttributeValue.fault(in: text, of: attribute) == nil) == isOne)
    }

    @Test(
        arguments: [
            (.deviceDNS, "*.corp.example", true), (.deviceDNS, "ä*", false), (.deviceDNS, "lt *", false),
            (.deviceID, "LT-*", true), (.deviceID, "LT *", false), (.deviceSerial, "C 0*", true),
        ] as [(Attribute, String, Bool)])
    func patterns(_ attribute: Attribute, _ text: String, _ isOne: Bool) {
        #expect((AttributeValue.fault(inGlob: text, of: attribute) == nil) == isOne)
    }

    /// Every reason code is documented.
    @Test func reasonCodesAreDistinct() {
        #expect(Set(ReasonCode.allCases.map(\.meaning)).count == ReasonCode.allCases.count)
    }
}
