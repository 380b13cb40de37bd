import EnrollmentCore
import EnrollmentTesting
import PKIX
import Testing

@testable import Issuance
@testable import Policy

/// Each lint finds its fault in a body that is sound but for one thing.
struct LintTests {
    struct Body {
        var serial: [UInt8]
        var algorithm: AlgorithmIdentifier
        var issuer: DistinguishedName
        var notBefore: Int64
        var notAfter: Int64
        var subject: DistinguishedName
        var info: SubjectPublicKeyInfo
        var extensions: [CertificateExtension]

        mutating func replace(_ found: CertificateExtension) {
            extensions = extensions.map { $0.identifier == found.identifier ? found : $0 }
        }
    }

    static func finding(
        _ grant: Grant = Fixture.grant(), _ change: (inout Body) throws -> Void
    ) async throws -> String? {
        let fixture = try await Fixture()
        let key = try Fixture.key()
        let serial = fixture.serials.next()
        let sound = try fixture.authority.prepare(
            Fixture.grant(), publicKey: key, serial: serial, at: Fixture.now)
        let read = try TBSCertificate(der: sound.tbsCertificate)
        var body = Body(
            serial: read.serialNumber, algorithm: read.signatureAlgorithm, issuer: read.issuer,
            notBefore: read.notBefore, notAfter: read.notAfter, subject: read.subject,
            info: read.subjectPublicKeyInfo, extensions: read.extensions)
        try change(&body)
        let changed = TBSCertificate(
            serialNumber: body.serial, signatureAlgorithm: body.algorithm, issuer: body.issuer,
            notBefore: body.notBefore, notAfter: body.notAfter, subject: body.subject,
            subjectPublicKeyInfo: body.info, extensions: body.extensions)
        do throws(IssuanceError) {
            try Lints.run(
                LintSubject(
                    certificate: changed, issuer: fixture.authority.certificate,
                    signatureAlgorithm: fixture.authority.signer.signatureAlgorithm,
                    authorityKeyIdentifier: fixture.authority.keyIdentifier, publicKey: key, grant: grant,
                    serial: serial, preparedAt: Fixture.now))
            return nil
        } catch {
            guard case .lint(let finding) = error else { return "\(error)" }
            #expect(finding.citation.contains("RFC"))
            return finding.lint
        }
    }

    @Test func soundBodiesPass() async throws {
        #expect(try await Self.finding { _ in } == nil)
    }

    @Test func bodyFaultsAreFound() async throws {
        #expect(try await Self.finding { $0.serial = [1, 2, 3] } == "SerialNumberShape")
        #expect(try await Self.finding { $0.serial[16] ^= 1 } == "SerialNumberShape")
        #expect(
            try await Self.finding { $0.algorithm = AlgorithmIdentifier(.ecdsaWithSHA384) }
                == "SignatureAlgorithmOfIssuer")
        #expect(try await Self.finding { $0.issuer = $0.subject } == "IssuerNameOfAuthority")
        #expect(try await Self.finding { $0.notAfter += 1 } == "ValidityWithinGrant")
        #expect(try await Self.finding { $0.notAfter = Fixture.now.seconds } == "ValidityWithinGrant")
        #expect(try await Self.finding { $0.notBefore -= 1 } == "ValidityWithinGrant")
        #expect(try await Self.finding { $0.notBefore = Fixture.now.seconds + 1 } == "ValidityWithinGrant")
        let other = try SubjectPublicKeyInfo(der: try Fixture.key().subjectPublicKeyInfo)
        #expect(try await Self.finding { $0.info = other } == "KeyAsRequested")
    }

    @Test func nameFaultsAreFound() async throws {
        #expect(try await Self.finding { $0.subject = .empty } == "NamesAsGranted")
        #expect(
            try await Self.finding {
                $0.replace(.subjectAlternativeName([.dns("other.example")], isCritical: false))
            } == "NamesAsGranted")
        let critical: [GeneralName] = [.dns("lt-042.devices.localhost")]
        #expect(
            try await Self.finding { $0.replace(.subjectAlternativeName(critical, isCritical: true)) }
                == "AlternativeNameCriticality")
        let apart = CertificateNames(commonName: "a.example", dns: ["lt-042.devices.localhost"])
        #expect(
            try await Self.finding(Fixture.grant(names: apart, purposes: [.serverAuth])) {
                $0.subject = DistinguishedName(attributes: [NameAttribute(.commonName, "a.example")])
                $0.replace(.extendedKeyUsage([.serverAuthentication]))
            } == "CommonNameAmongAlternatives")
    }

    @Test func extensionFaultsAreFound() async throws {
        #expect(
            try await Self.finding { $0.replace(.certificateAuthority(pathLength: nil)) } == "EndEntityOnly")
        #expect(try await Self.finding { $0.replace(.keyUsage([.keyCertSign])) } == "KeyUsageFitsKey")
        #expect(try await Self.finding { $0.replace(.keyUsage([.keyEncipherment])) } == "KeyUsageFitsKey")
        #expect(
            try await Self.finding { $0.extensions.removeAll { $0.identifier == .keyUsage } }
                == "KeyUsageFitsKey")
        for purposes in [[.anyExtendedKeyUsage], [.clientAuthentication, .serverAuthentication]] as [[OID]] {
            #expect(
                try await Self.finding { $0.replace(.extendedKeyUsage(purposes)) }
                    == "ExtendedKeyUsageAsGranted")
        }
        let beyond = Fixture.grant(profilePurposes: [.serverAuth])
        #expect(try await Self.finding(beyond) { _ in } == "ExtendedKeyUsageAsGranted")
        #expect(try await Self.finding { $0.replace(.subjectKeyIdentifier([1])) } == "KeyIdentifiers")
        #expect(try await Self.finding { $0.replace(.authorityKeyIdentifier([1])) } == "KeyIdentifiers")
        let unknown = try #require(OID("1.2.3.4"))
        #expect(
            try await Self.finding {
                $0.extensions.append(CertificateExtension(unknown, isCritical: false, value: [5, 0]))
            } == "KnownExtensionsOnly")
    }
}
