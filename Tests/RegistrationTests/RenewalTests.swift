import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

extension RegistrationTests {
    @Suite struct RenewalTests {
        private static func enrolled() async throws -> (Gatehouse, IssuedCertificate, CertificateRequest) {
            let house = try await Gatehouse()
            let ask = try Ask(try await house.credential().proof())
            return (house, try await house.issue(ask), ask.request)
        }

        private static func renewal(
            _ certificate: IssuedCertificate, _ request: CertificateRequest? = nil
        ) throws -> Ask {
            try Ask(.clientCertificate(certificate.certificate), request: request).with {
                $0.operation = .rekey
            }
        }

        @Test(arguments: [EnrollmentOperation.renew, .rekey], [EnrollmentProtocol.est, .scep])
        func aValidCertificateRenewsItself(
            _ operation: EnrollmentOperation, _ via: EnrollmentProtocol
        ) async throws {
            let (house, first, request) = try await Self.enrolled()
            let next = operation == .renew ? request : try certificateRequest()
            let ask = try Self.renewal(first, next).with {
                $0.operation = operation
                $0.via = via
            }
            let intent = house.intent(ask)
            let issued = try #require(await house.registrar.enroll(intent).certificate)
            #expect(issued.certificate != first.certificate)
            try await house.replay(intent.id)
            #expect(await house.registrar.enroll(house.intent(ask)).certificate == issued)
            #expect(try house.issuedCount() == 2)
        }

        @Test func aRevokedCertificateRenewsNothing() async throws {
            let (house, first, _) = try await Self.enrolled()
            #expect(
                try await house.ledger.revoke(
                    issuer: first.issuer, serial: first.serial, at: house.clock.now(), reason: .unspecified,
                    by: "a", because: "b"))
            try await house.expect(Self.renewal(first), .noUsableProof, "certificate.revoked")
        }

        @Test func anExpiredCertificateRenewsNothing() async throws {
            let (house, first, _) = try await Self.enrolled()
            house.clock.set(first.notAfter.adding(seconds: 1))
            try await house.register("LT-042")
            try await house.expect(Self.renewal(first), .noUsableProof, "certificate.expired")
        }

        @Test func aCertificateServesItsOwnServiceOnly() async throws {
            let (house, first, _) = try await Self.enrolled()
            let elsewhere = try Self.renewal(first).with { $0.service = ServiceName("servers") }
            try await house.expect(elsewhere, .noUsableProof, "certificate.foreign_service")
        }

        /// Not even one that our own issuing CA signed: what is not on the ledger proves nothing.
        @Test func aCertificateThatIsNotOnTheLedgerProvesNothing() async throws {
            let house = try await Gatehouse()
            let foreign = try await Gatehouse.authorities.value.tlsServer.certificate
            let ask = try Ask(.clientCertificate(foreign)).with { $0.operation = .rekey }
            try await house.expect(ask, .noUsableProof, "proof.unknown")
            try await house.expect(
                try Ask(.clientCertificate([])).with { $0.operation = .renew }, .noUsableProof,
                "proof.unknown")
        }

        @Test(arguments: [
            CertificateNames(commonName: "LT-043", dns: ["lt-042.devices.localhost"]),
            CertificateNames(commonName: "LT-042"),
            CertificateNames(commonName: "LT-042", dns: ["lt-042.devices.localhost", "x.devices.localhost"]),
            CertificateNames(),
        ])
        func aRenewalKeepsEveryName(_ names: CertificateNames) async throws {
            let (house, first, _) = try await Self.enrolled()
            let renamed = try Self.renewal(first, try certificateRequest(names: names))
            try await house.expect(renamed, .denied, "csr.identity_changed")
        }

        @Test func aRenewalNeedsACertificate() async throws {
            let house = try await Gatehouse()
            let ask = try Ask(try await house.credential().proof()).with { $0.operation = .renew }
            try await house.expect(ask, .noUsableProof, "proof.certificate_required")
        }

        /// A certificate proves a renewal, never a first enrollment.
        @Test func aCertificateDoesNotEnroll() async throws {
            let (house, first, _) = try await Self.enrolled()
            let intent = house.intent(try Self.renewal(first).with { $0.operation = .enroll })
            #expect(await house.registrar.enroll(intent).name == "denied")
            #expect(try house.issuedCount() == 1)
        }

        /// A renewal is judged anew: a device that lost its permit keeps what it has and gets no more.
        @Test func aRenewalIsJudgedAnew() async throws {
            let (house, first, _) = try await Self.enrolled()
            try await house.register("LT-042", group: "servers")
            let intent = house.intent(try Self.renewal(first))
            #expect(await house.registrar.enroll(intent).name == "denied")
            #expect(try house.issuedCount() == 1)
        }
    }
}

extension Gatehouse {
    /// Expects a refusal of that kind with that code on its row, which replays where policy decided.
    func expect(
        _ ask: Ask, _ kind: RefusalKind, _ code: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try await ledger.certificates(device: nil, limit: 100).count
        let intent = intent(ask)
        let outcome = await registrar.enroll(intent)
        #expect(outcome.refusal == kind, "\(outcome.name)", sourceLocation: sourceLocation)
        #expect(try await reason(intent.id) == code, sourceLocation: sourceLocation)
        let after = try await ledger.certificates(device: nil, limit: 100).count
        #expect(after == before, sourceLocation: sourceLocation)
        // What was refused before policy could see it has no input to decide again.
        if case .object(let input)? = try await ledger.why(intent.id)?.input, input["kind"] == "refusal" {
            return
        }
        try await replay(intent.id, sourceLocation: sourceLocation)
    }
}
