import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

extension RegistrationTests {
    @Suite struct ProofTests {
        @Test func allProofsNameOneDevice() async throws {
            let house = try await Gatehouse()
            let mine = try await house.issue(try Ask(try await house.credential().proof()))
            let others = try await house.credential(for: "LT-043")
            for operation in EnrollmentOperation.allCases {
                let ask = try Ask(.clientCertificate(mine.certificate), try others.proof()).with {
                    $0.operation = operation
                }
                try await house.expect(ask, .noUsableProof, "proof.conflict")
            }
            let device = try await house.ledger.credential(others.id)
            #expect(device?.consumedBy == nil)
        }

        @Test func aClaimToAnotherDeviceIsRefused() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            for claim in ["LT-043", "lt-042", "", "LT-042 "] {
                let ask = try Ask(try credential.proof()).with { $0.claims = [claim] }
                try await house.expect(ask, .noUsableProof, "credential.other_device")
            }
            let both = try Ask(try credential.proof()).with { $0.claims = ["LT-042", "LT-043"] }
            try await house.expect(both, .noUsableProof, "credential.other_device")
            _ = try await house.issue(try Ask(try credential.proof()).with { $0.claims = ["LT-042"] })
        }

        @Test func aCredentialServesItsOwnServiceOnly() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            let elsewhere = try Ask(try credential.proof()).with { $0.service = ServiceName("servers") }
            try await house.expect(elsewhere, .noUsableProof, "credential.foreign_service")
            #expect(try house.count("ledger.alert") == 1)
            _ = try await house.issue(try Ask(try credential.proof()))
        }

        @Test func anExpiredCredentialIsRefused() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential(ttl: 60)
            house.clock.advance(seconds: 60)
            try await house.expect(try Ask(try credential.proof()), .noUsableProof, "credential.expired")
        }

        @Test func aCredentialLivesToItsLastMoment() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential(ttl: 60)
            house.clock.advance(seconds: 59)
            _ = try await house.issue(try Ask(try credential.proof()))
        }

        @Test func aRevokedCredentialIsRefused() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            #expect(
                try await house.ledger.revoke(credential.id, at: house.clock.now(), by: "a", because: "b"))
            try await house.expect(try Ask(try credential.proof()), .noUsableProof, "credential.revoked")
        }

        @Test func fourShapesAreOneUse() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            _ = try await house.issue(try Ask(try credential.proof(.scep)).with { $0.via = .scep })
            try await house.expect(try Ask(try credential.proof(.est)), .noUsableProof, "credential.spent")
            guard case .refused(let refusal) = await house.registrar.bind(try house.offer("a", credential))
            else {
                Issue.record("a spent credential bound an account")
                return
            }
            #expect(refusal.kind == .noUsableProof)
            #expect(try await house.reason(refusal.id) == "credential.spent")
            #expect(try house.count("ledger.alert") == 2)
        }

        @Test func noProofAndNobodysAccountAreRefused() async throws {
            let house = try await Gatehouse()
            try await house.expect(try Ask(), .noUsableProof, "proof.none")
            try await house.expect(
                try Ask(.account(id: "nobody")).with { $0.via = .acme }, .noUsableProof, "proof.unknown")
            let control = DomainAuthorization(
                name: "lt-042.devices.localhost", method: "http-01", validatedAt: house.clock.now())
            try await house.expect(
                try Ask(.domainControl([control])).with { $0.via = .acme }, .noUsableProof, "proof.none")
        }

        /// From outside, and on the row, a wrong secret and an id that was never minted are the same.
        @Test func aWrongSecretAndAnUnknownCredentialLookAlike() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            let unknown = Secret(String(repeating: "A", count: 48))
            try await house.expect(
                try Ask(credential.wrongProof()), .noUsableProof, "credential.wrong")
            try await house.expect(
                try Ask(.oneTimeCredential(OfferedCredential(shape: .est, text: unknown))), .noUsableProof,
                "credential.wrong")
            let columns = "reason_code, reason, owner, rule_ids, effect, device_id, state"
            #expect(
                try house.value("SELECT count(*) FROM (SELECT DISTINCT \(columns) FROM audit.issuance) AS x")
                    == "1")
            #expect(
                try house.count(
                    "audit.credential_events WHERE kind = 'reject' AND credential_id = '\(credential.id)'")
                    == 1)
        }

        @Test func wrongGuessesAreThrottledBySourceAndHurtNobodyElse() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            let wrong = try Ask(credential.wrongProof())
            for _ in 0..<3 {
                #expect(await house.registrar.enroll(house.intent(wrong)).refusal == .noUsableProof)
            }
            let fourth = house.intent(wrong)
            #expect(await house.registrar.enroll(fourth).refusal == .throttled)
            #expect(try await house.reason(fourth.id) == "credential.throttled")
            let elsewhere = house.intent(wrong.with { $0.address = "192.0.2.8" })
            #expect(await house.registrar.enroll(elsewhere).refusal == .noUsableProof)
            // The right credential works, for this device and its neighbour, from the guesser's own address.
            _ = try await house.issue(try Ask(try credential.proof()))
            let neighbour = try await house.credential(for: "LT-043")
            _ = try await house.issue(
                try Ask(try neighbour.proof(), request: try certificateRequest(device: "LT-043")))
            house.clock.advance(seconds: 60)
            #expect(await house.registrar.enroll(house.intent(wrong)).refusal == .noUsableProof)
        }
    }
}
