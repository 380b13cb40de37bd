import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

extension RegistrationTests {
    @Suite struct DeferralTests {
        private static let hour: Int64 = 3_600

        private static func deferred(ttl: Int64 = hour) async throws -> (Gatehouse, Credential, Ask) {
            let house = try await Gatehouse()
            try await house.register("LT-042", observed: 5 * hour)
            let credential = try await house.credential(ttl: ttl)
            let ask = try Ask(try credential.proof(.scep)).with {
                $0.via = .scep
                $0.reference = TransactionReference(service: $0.service, text: "t1", isOrder: false)
            }
            let intent = house.intent(ask)
            guard case .deferred(intent.id, let retryAfter) = await house.registrar.enroll(intent) else {
                throw NotDeferred()
            }
            #expect(retryAfter > 0)
            #expect(try await house.reason(intent.id) == "posture.stale")
            return (house, credential, ask)
        }

        @Test func aFreshFactLetsThePollCollectTheCertificate() async throws {
            let (house, _, ask) = try await Self.deferred()
            let reference = try #require(ask.reference)
            #expect(await house.poll(reference)?.name == "deferred")
            try await house.register("LT-042")
            let issued = try #require(await house.poll(reference)?.certificate)
            #expect(await house.poll(reference)?.certificate == issued)
            #expect(await house.registrar.enroll(house.intent(ask)).certificate == issued)
            #expect(try house.count("ledger.certificate") == 1)
            try await house.replay(issued.requestID)
            let first = try house.value(
                "SELECT request_id FROM ledger.request WHERE kind = 'enroll' ORDER BY attempt LIMIT 1")
            #expect(
                try house.value("SELECT follows FROM audit.issuance WHERE state = 'issued'") == first)
        }

        @Test func unchangedFactsAreCountedNotDecidedAnew() async throws {
            let (house, _, ask) = try await Self.deferred()
            for _ in 0..<3 { #expect(await house.registrar.enroll(house.intent(ask)).name == "deferred") }
            #expect(try house.count("ledger.request") == 1)
            #expect(try house.value("SELECT times FROM state.repetition") == "3")
        }

        @Test func anUnknownReferenceIsNobodys() async throws {
            let (house, _, ask) = try await Self.deferred()
            let unknown = TransactionReference(service: ask.service, text: "t2", isOrder: false)
            #expect(await house.poll(unknown) == nil)
        }

        /// While it waits, the credential's time stands still for this key, and it is nobody else's.
        @Test func aDeferredKeyKeepsItsCredentialBeyondExpiry() async throws {
            let (house, credential, ask) = try await Self.deferred()
            let early = house.intent(try Ask(try credential.proof()))
            #expect(await house.registrar.enroll(early).refusal == .noUsableProof)
            house.clock.advance(seconds: 2 * Self.hour)
            try await house.register("LT-042")
            let other = house.intent(try Ask(try credential.proof()))
            #expect(await house.registrar.enroll(other).refusal == .noUsableProof)
            for id in [early.id, other.id] {
                #expect(try await house.reason(id) == "credential.spent")
                try await house.replay(id)
            }
            _ = try await house.issue(ask)
            #expect(try house.issuedCount() == 1)
        }

        @Test(arguments: [(72 * 3_600 - 1, "issued"), (72 * 3_600, "no_usable_proof")] as [(Int64, String)])
        func theWaitIsBounded(_ wait: Int64, _ expected: String) async throws {
            let (house, _, ask) = try await Self.deferred()
            // Asking in between does not prolong it.
            house.clock.advance(seconds: 48 * Self.hour)
            #expect(await house.poll(try #require(ask.reference))?.name == "deferred")
            house.clock.advance(seconds: wait - 48 * Self.hour)
            try await house.register("LT-042")
            #expect(await house.poll(try #require(ask.reference))?.name == expected)
            #expect(try house.issuedCount() == (expected == "issued" ? 1 : 0))
        }

        @Test func aCredentialRevokedMeanwhileIsRefusedAtThePoll() async throws {
            let (house, credential, ask) = try await Self.deferred()
            try await house.register("LT-042")
            #expect(
                try await house.ledger.revoke(credential.id, at: house.clock.now(), by: "a", because: "b"))
            #expect(await house.poll(try #require(ask.reference))?.refusal == .noUsableProof)
            #expect(try house.issuedCount() == 0)
        }
    }
}

struct NotDeferred: Error {}
