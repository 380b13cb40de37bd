import EnrollmentCore
import EnrollmentTesting
import Issuance
import PKIX
import Testing

@testable import Policy

struct CertificateAuthorityTests {
    @Test(arguments: SoftwareSigner.Kind.allCases)
    func opensslAcceptsLeaves(_ kind: SoftwareSigner.Kind) async throws {
        let fixture = try await Fixture()
        let key = try Fixture.key(kind)
        let names = CertificateNames(
            commonName: "a.example", otherSubjectAttributes: ["2.5.4.6=DE", "2.5.4.10=Corp"],
            dns: ["a.example", "b.example"], email: ["jane@corp.example"], uri: ["urn:example:1"],
            ip: ["192.0.2.7", "2001:db8::1"], upn: ["jane@corp.example"])
        let der = try await fixture.issue(Fixture.grant(names: names), key: key)
        let complaint = try OpenSSLCommand.complaint(
            leaf: der, intermediates: [fixture.bootstrap.issuing.certificate],
            root: fixture.bootstrap.root.certificate, at: Fixture.now.seconds, purpose: "sslclient")
        #expect(complaint == nil)
        let read = try X509Certificate(der: der)
        #expect(try CertificateNames(read) == names)
        #expect(read.subjectPublicKeyInfo.der == key.subjectPublicKeyInfo)
        #expect(read.issuer.der == fixture.authority.certificate.subject.der)
    }

    @Test(
        arguments: [
            (SoftwareSigner.Kind.p256, [.digitalSignature, .keyAgreement]),
            (.p384, [.digitalSignature, .keyAgreement]),
            (.rsa2048, [.digitalSignature, .keyEncipherment]),
        ] as [(SoftwareSigner.Kind, [KeyUsageBit])])
    func keyUsageFitsTheKey(_ kind: SoftwareSigner.Kind, _ bits: [KeyUsageBit]) async throws {
        let der = try await Fixture().issue(key: try Fixture.key(kind))
        #expect(try X509Certificate(der: der).extension(.keyUsage)?.keyUsage() == Set(bits))
    }

    @Test func validityIsBackdatedInclusiveAndBounded() async throws {
        let fixture = try await Fixture()
        let key = try Fixture.key()
        let now = Fixture.now.seconds
        func validity(_ grant: Grant) async throws -> ClosedRange<Int64> {
            let read = try X509Certificate(der: try await fixture.issue(grant, key: key))
            return read.notBefore...read.notAfter
        }
        let day: Int64 = 86_400
        #expect(
            try await validity(Fixture.grant(validity: day, backdating: 600)) == now - 600...now - 601 + day)
        let soon = Timestamp(microseconds: (now + 60) * 1_000_000 + 999_999)
        #expect(try await validity(Fixture.grant(until: soon)) == now - 3_600...now + 60)
        // Never before the issuer, which is an hour old, and never after it.
        let issuer = fixture.authority.certificate
        let long = try await validity(Fixture.grant(validity: 4_000 * day, backdating: day))
        #expect(long == issuer.notBefore...issuer.notAfter)
    }

    @Test func grantsThatCannotBeMetAreRefused() async throws {
        let fixture = try await Fixture()
        let key = try Fixture.key()
        func refusal(_ grant: Grant, at now: Timestamp = Fixture.now) throws -> IssuanceError? {
            do throws(IssuanceError) {
                _ = try fixture.authority.prepare(
                    grant, publicKey: key, serial: fixture.serials.next(), at: now)
                return nil
            } catch { return error }
        }
        func isUnusable(_ error: IssuanceError?) -> Bool {
            if case .unusableGrant = error { return true }
            return false
        }
        #expect(try isUnusable(refusal(Fixture.grant(until: Fixture.now))))
        #expect(try isUnusable(refusal(Fixture.grant(validity: 0))))
        #expect(try isUnusable(refusal(Fixture.grant(keyUsages: [.keyEncipherment]))))
        #expect(try isUnusable(refusal(Fixture.grant(purposes: []))))
        #expect(try isUnusable(refusal(Fixture.grant(names: CertificateNames()))))
        #expect(try isUnusable(refusal(Fixture.grant(names: CertificateNames(ip: ["::x"])))))
        #expect(
            try isUnusable(refusal(Fixture.grant(names: CertificateNames(unsupported: ["x400Address:00"])))))
        #expect(try isUnusable(refusal(Fixture.grant(), at: Fixture.now.adding(seconds: -7_200))))
        #expect(try refusal(Fixture.grant()) == nil)
    }

    @Test func namesAloneInAlternativesMakeThemCritical() async throws {
        let names = CertificateNames(dns: ["a.example"])
        let read = try X509Certificate(
            der: try await Fixture().issue(Fixture.grant(names: names), key: try Fixture.key()))
        #expect(read.subject.isEmpty)
        #expect(read.extension(.subjectAlternativeName)?.isCritical == true)
    }

    @Test("I7: a reservation for anything else signs nothing", arguments: 0..<3)
    func reservationMustAgree(_ what: Int) async throws {
        let fixture = try await Fixture()
        let prepared = try fixture.authority.prepare(
            Fixture.grant(), publicKey: try Fixture.key(), serial: fixture.serials.next(), at: Fixture.now)
        let row = prepared.reservation(deadline: Fixture.now)
        let reservation = Reservation(
            requestID: RequestID(at: Fixture.now, random: []), issuer: what == 0 ? "other" : row.issuer,
            serial: what == 1 ? fixture.serials.next() : row.serial,
            tbsDigest: what == 2 ? Digest(of: [1]) : Digest(of: row.tbsCertificate))
        do {
            _ = try await fixture.authority.sign(prepared, under: reservation, at: Fixture.now)
            Issue.record("signed")
        } catch { #expect(error == .reservationDiffers) }
    }

    /// A key that returns somebody else's signature, or none.
    struct FaultySigner: Signer {
        let honest: SoftwareSigner
        let answer: [UInt8]?
        var subjectPublicKeyInfo: [UInt8] { honest.subjectPublicKeyInfo }
        var signatureAlgorithm: AlgorithmIdentifier { honest.signatureAlgorithm }
        func sign(_ content: [UInt8]) async throws(SigningError) -> [UInt8] {
            guard let answer else { throw .unavailable("token") }
            return answer
        }
    }

    @Test func wrongSignaturesDoNotLeave() async throws {
        let fixture = try await Fixture()
        let other = try await fixture.bootstrap.issuing.signer.sign([1])
        for (answer, expected) in [
            (other, IssuanceError.signatureDiffers), ([], .signatureDiffers),
            (nil, .signing(.unavailable("token"))),
        ] as [([UInt8]?, IssuanceError)] {
            let authority = try CertificateAuthority(
                name: "issuing", certificate: fixture.authority.certificate, chain: [],
                signer: FaultySigner(honest: fixture.bootstrap.issuing.signer, answer: answer))
            let prepared = try authority.prepare(
                Fixture.grant(), publicKey: try Fixture.key(), serial: fixture.serials.next(), at: Fixture.now
            )
            let row = prepared.reservation(deadline: Fixture.now)
            let reservation = Reservation(
                requestID: RequestID(at: Fixture.now, random: []), issuer: row.issuer, serial: row.serial,
                tbsDigest: Digest(of: row.tbsCertificate))
            do {
                _ = try await authority.sign(prepared, under: reservation, at: Fixture.now)
                Issue.record("signed")
            } catch { #expect(error == expected) }
        }
    }

    @Test func onlyAuthoritiesWithTheirOwnKeyCanBeMade() async throws {
        let made = try await Fixture().bootstrap
        func make(_ certificate: KeyedCertificate, _ key: KeyedCertificate) throws {
            _ = try CertificateAuthority(
                name: "x", certificate: try X509Certificate(der: certificate.certificate), chain: [],
                signer: key.signer)
        }
        try make(made.root, made.root)
        #expect(throws: IssuanceError.self) { try make(made.issuing, made.root) }
        #expect(throws: IssuanceError.self) { try make(made.tlsServer, made.tlsServer) }
    }
}
