import EnrollmentCore
import Testing

/// What `CertificateRequest(der:)` says of each vector.
struct CertificateRequestTests {
    enum Verdict: Sendable, Equatable {
        case accepted, tooLarge, malformed, possessionNotProven, unacceptableAlgorithm, unacceptableKey,
            unacceptableContents
    }

    static let verdicts: [String: Verdict] = {
        var verdicts: [String: Verdict] = [:]
        func expect(_ verdict: Verdict, _ names: String...) { for name in names { verdicts[name] = verdict } }
        expect(
            .accepted, "p256", "p256-sha384", "p256-sha512", "p384", "p521", "rsa2048", "rsa2048-sha384",
            "rsa2048-sha512", "rsa3072", "rsa4096", "ed25519", "san-kinds", "san-directory-name", "a-label",
            "no-subject", "rich-subject", "wishes", "no-attributes", "no-attributes-field", "unsorted",
            "challenge-printable", "challenge-utf8", "challenge-ia5", "challenge-t61", "challenge-bmp",
            "challenge-universal", "challenge-padded", "challenge-long")
        expect(
            .unacceptableKey, "rsa1024", "rsa2056", "rsa-e3", "rsa-pss-key", "rsa-roca", "rsa-small-factor",
            "ed448", "secp256k1", "brainpool", "explicit-curve", "compressed-point", "point-off-curve")
        expect(
            .unacceptableAlgorithm, "p256-sha1", "rsa2048-sha1", "rsa2048-md5", "rsa-pss-signature",
            "ecdsa-with-null")
        expect(.possessionNotProven, "bad-signature", "signature-of-other-kind")
        expect(
            .unacceptableContents, "wildcard", "ip-in-dns", "ip6-in-dns", "empty-label", "underscore",
            "nul-in-dns", "space-in-dns", "hyphen-edge", "u-label", "email-without-domain", "san-101",
            "two-common-names", "cn-teletex", "cn-bmp", "cn-universal", "cn-nul", "cn-newline", "cn-bidi",
            "cn-overlong", "cn-empty", "cn-not-utf8", "ca-true", "critical-unknown", "microsoft",
            "microsoft-and-standard")
        expect(
            .malformed, "critical-false", "duplicate-extension", "duplicate-attribute", "two-values",
            "no-value",
            "challenge-octets", "challenge-bmp-odd", "challenge-twice", "trailing", "indefinite",
            "padded-length", "deep", "san-empty", "ip-five-octets")
        expect(.tooLarge, "too-large")
        return verdicts
    }()

    static func verdict(_ der: [UInt8], _ rules: CertificateRequest.AttributeRules = .standard) -> Verdict {
        do throws(CertificateRequestError) {
            _ = try CertificateRequest(der: der, attributeRules: rules)
            return .accepted
        } catch {
            switch error {
            case .tooLarge: return .tooLarge
            case .malformed: return .malformed
            case .possessionNotProven: return .possessionNotProven
            case .unacceptableAlgorithm: return .unacceptableAlgorithm
            case .unacceptableKey: return .unacceptableKey
            case .unacceptableContents: return .unacceptableContents
            }
        }
    }

    @Test func everyVectorHasAVerdict() throws {
        #expect(try RequestVector.names() == Self.verdicts.keys.sorted())
    }

    @Test(arguments: Self.verdicts.keys.sorted())
    func vectorIsJudged(_ name: String) throws {
        #expect(Self.verdict(try RequestVector.der(name)) == Self.verdicts[name])
    }

    @Test func microsoftAttributeIsReadWhereAskedFor() throws {
        let request = try CertificateRequest(
            der: RequestVector.der("microsoft"), attributeRules: .acceptingMicrosoft)
        #expect(request.names.dns == ["lt-042.devices.example"])
        let both = try RequestVector.der("microsoft-and-standard")
        #expect(Self.verdict(both, .acceptingMicrosoft) == .unacceptableContents)
    }

    @Test func namesAreNormalised() throws {
        let names = try CertificateRequest(der: RequestVector.der("san-kinds")).names
        #expect(
            names
                == CertificateNames(
                    commonName: "lt-042.devices.example", dns: ["b.example", "lt-042.devices.example"],
                    email: ["Jane@corp.example"], uri: ["urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"],
                    ip: ["192.0.2.7", "2001:db8::1"], upn: ["Jane@corp.example"]))
        let rich = try CertificateRequest(der: RequestVector.der("rich-subject")).names
        #expect(rich.otherSubjectAttributes == ["2.5.4.6=DE", "2.5.4.10=Corp"])
        let other = try CertificateRequest(der: RequestVector.der("san-directory-name")).names
        #expect(other.unsupported.map { $0.prefix(14) } == ["directoryName:"])
    }

    @Test func onlyExtendedKeyUsageWishesAreReported() throws {
        let request = try CertificateRequest(der: RequestVector.der("wishes"))
        #expect(request.extendedKeyUsages == ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"])
    }

    @Test(arguments: ["printable", "utf8", "ia5", "t61", "bmp", "universal", "padded"])
    func challengePasswordIsReadFromEveryStringType(_ kind: String) throws {
        let request = try CertificateRequest(der: RequestVector.der("challenge-\(kind)"))
        #expect(request.challengePassword?.revealed == Array("ABCDEFGHIJKLMNOP".utf8))
    }

    @Test func digestIgnoresTheChallengePasswordOnly() throws {
        let kinds = ["printable", "utf8", "bmp", "long"]
        let digests = try kinds.map {
            try CertificateRequest(der: RequestVector.der("challenge-\($0)")).digest
        }
        #expect(Set(digests + [try CertificateRequest(der: RequestVector.der("p256")).digest]).count == 1)
        #expect(try CertificateRequest(der: RequestVector.der("wishes")).digest != digests[0])
        let absent = try CertificateRequest(der: RequestVector.der("no-attributes-field")).digest
        #expect(try CertificateRequest(der: RequestVector.der("no-attributes")).digest == absent)
    }

    @Test(arguments: ["p256", "san-kinds", "rsa2048", "challenge-bmp"])
    func truncationIsMalformed(_ name: String) throws {
        let der = try RequestVector.der(name)
        for length in 0..<der.count { #expect(Self.verdict(Array(der.prefix(length))) == .malformed) }
    }

    @Test(arguments: ["p256", "san-kinds", "challenge-bmp"])
    func noChangedBitIsAccepted(_ name: String) throws {
        let der = try RequestVector.der(name)
        for index in der.indices {
            var changed = der
            changed[index] ^= 1 << UInt8(index % 8)
            #expect(Self.verdict(changed) != .accepted, "octet \(index)")
        }
    }

    @Test(
        arguments: [
            ([192, 0, 2, 7], "192.0.2.7"),
            ([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "2001:db8::1"),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "::"),
            ([0x20, 0x01, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1], "2001:0:1::1:0:1"),
            ([0x20, 0x01, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7], "2001:1:2:3:4:5:6:7"),
        ] as [([UInt8], String)])
    func addressesHaveOneText(_ octets: [UInt8], _ text: String) {
        #expect(IPAddressText.encode(octets) == text)
        #expect(IPAddressText.decode(text) == octets)
    }

    @Test(arguments: [
        "", ":", ":::", "1.2.3", "1.2.3.04", "2001:DB8::1", "1:2:3:4:5:6:7", "::1::", "+1::", "a.b",
    ])
    func otherTextIsNoAddress(_ text: String) { #expect(IPAddressText.decode(text) == nil) }
}
