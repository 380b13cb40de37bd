import EnrollmentCore
import EnrollmentTesting
import Issuance
import PKIX
import Testing

struct BootstrapTests {
    @Test(arguments: [SoftwareSigner.Kind.p256, .p384])
    func opensslAcceptsEveryCertificate(_ rootKey: SoftwareSigner.Kind) async throws {
        let made = try await Fixture(
            rootKey: rootKey, hosts: ["gate.example", "192.0.2.7"], random: SeededRandom(seed: 2)
        ).bootstrap
        let root = made.root.certificate
        let now = Fixture.now.seconds
        for (leaf, purpose) in [
            (made.registrationAuthority, nil), (made.tlsServer, "sslserver"), (made.issuing, nil),
        ] as [(KeyedCertificate, String?)] {
            let complaint = try OpenSSLCommand.complaint(
                leaf: leaf.certificate, intermediates: [made.issuing.certificate], root: root, at: now,
                purpose: purpose)
            #expect(complaint == nil)
        }
        #expect(try OpenSSLCommand.complaint(leaf: root, intermediates: [], root: root, at: now) == nil)
    }

    @Test func shapesAreAsPromised() async throws {
        let made = try await Fixture(hosts: ["Gate.Example", "localhost"], random: SeededRandom(seed: 3))
            .bootstrap
        let issuing = try X509Certificate(der: made.issuing.certificate)
        #expect(
            try issuing.extension(.basicConstraints)?.basicConstraints()
                == BasicConstraints(isCA: true, pathLength: 0))
        #expect(try issuing.extension(.keyUsage)?.keyUsage() == [.keyCertSign, .crlSign])
        let root = try X509Certificate(der: made.root.certificate)
        #expect(root.issuer == root.subject)
        #expect(issuing.issuer.der == root.subject.der)
        #expect(root.serialNumber.count == 17 && root.serialNumber != issuing.serialNumber)

        let agent = try X509Certificate(der: made.registrationAuthority.certificate)
        #expect(agent.issuer == issuing.subject)
        #expect(try agent.extension(.keyUsage)?.keyUsage() == [.digitalSignature, .keyEncipherment])
        #expect(agent.notAfter <= issuing.notAfter)

        let server = try X509Certificate(der: made.tlsServer.certificate)
        #expect(
            try server.extension(.subjectAlternativeName)?.subjectAlternativeName() == [
                .dns("localhost"), .ip([127, 0, 0, 1]), .ip([UInt8](repeating: 0, count: 15) + [1]),
                .dns("gate.example"),
            ])
        #expect(server.notAfter - server.notBefore == 90 * 86_400 - 1)
        #expect(try server.extension(.extendedKeyUsage)?.extendedKeyUsage() == [.serverAuthentication])
    }

    @Test func hostsThatAreNoNamesAreRefused() async throws {
        await #expect(throws: IssuanceError.self) {
            _ = try await Fixture(hosts: ["*.example"], random: SeededRandom(seed: 4))
        }
    }

    @Test(arguments: SoftwareSigner.Kind.allCases)
    func keysSurviveTheirFile(_ kind: SoftwareSigner.Kind) async throws {
        let signer = try SoftwareSigner(generating: kind)
        let text = signer.pkcs8PEM
        #expect(
            text.hasPrefix("-----BEGIN PRIVATE KEY-----\n") && text.hasSuffix("-----END PRIVATE KEY-----\n"))
        let read = try SoftwareSigner(pkcs8PEM: text)
        #expect(read.subjectPublicKeyInfo == signer.subjectPublicKeyInfo)
        let signature = try await read.sign([1, 2, 3])
        try SignatureVerification.verify(
            signature, over: [1, 2, 3], algorithm: signer.signatureAlgorithm,
            by: try PublicKey(subjectPublicKeyInfo: signer.subjectPublicKeyInfo))
    }

    @Test func otherTextIsNoKey() {
        #expect(throws: SigningError.self) { try SoftwareSigner(pkcs8PEM: "") }
        #expect(throws: SigningError.self) {
            try SoftwareSigner(pkcs8PEM: PEM.encode(label: "PRIVATE KEY", der: [0x30, 0]))
        }
    }

    @Test func serialNumbersArePositiveAndLong() throws {
        #expect(RandomSerialNumbers(instance: 0, random: SeededRandom()) == nil)
        #expect(RandomSerialNumbers(instance: 0x80, random: SeededRandom()) == nil)
        let source = try #require(RandomSerialNumbers(instance: 0x7f, random: SeededRandom()))
        let serials = (0..<100).map { _ in source.next() }
        #expect(Set(serials).count == 100)
        #expect(serials.allSatisfy { $0.count == 17 && $0[0] == 0x7f })
    }
}
