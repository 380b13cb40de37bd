import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

extension RegistrationTests {
    /// What holds however many requests meet, and whatever was asked before.
    @Suite struct RecheckTests {
        private static let limit = 10

        @Test func theLimitOfLiveCertificatesHoldsForParallelRequests() async throws {
            let house = try await Gatehouse()
            var intents: [EnrollmentIntent] = []
            for _ in 0..<20 { intents.append(house.intent(try Ask(try await house.credential().proof()))) }
            let registrar = house.registrar
            let outcomes = try await inParallel(intents) { await registrar.enroll($0) }
            #expect(outcomes.count { $0.certificate != nil } == Self.limit)
            #expect(outcomes.count { $0.refusal == .denied } == 20 - Self.limit)
            #expect(try house.issuedCount() == Self.limit)
            for intent in intents { try await house.replay(intent.id) }
        }

        /// A renewal replaces: the certificate that asks does not count, the others do.
        @Test func parallelRenewalsStayWithinTheLimit() async throws {
            let house = try await Gatehouse()
            let first = try await house.issue(try Ask(try await house.credential().proof()))
            let intents = try (0..<16).map { _ in
                house.intent(try Ask(.clientCertificate(first.certificate)).with { $0.operation = .rekey })
            }
            let registrar = house.registrar
            let outcomes = try await inParallel(intents) { await registrar.enroll($0) }
            #expect(outcomes.count { $0.certificate != nil } == Self.limit)
            #expect(try house.issuedCount() == Self.limit + 1)
        }

        @Test func oneKeyIsCertifiedForOneDeviceOnly() async throws {
            let house = try await Gatehouse()
            let key = try freshKey()
            var intents: [EnrollmentIntent] = []
            for device in ["LT-042", "LT-043"] {
                let proof = try await house.credential(for: device).proof()
                intents.append(
                    house.intent(try Ask(proof, request: try certificateRequest(key, device: device))))
            }
            let registrar = house.registrar
            let outcomes = try await inParallel(intents) { await registrar.enroll($0) }
            #expect(outcomes.map(\.name).sorted() == ["denied", "issued"])
            for intent in intents { try await house.replay(intent.id) }
        }

        @Test func aUseThatEndedIsRefusedWithARowAndAnAlert() async throws {
            let house = try await Gatehouse()
            let ask = try Ask(try await house.credential().proof())
            let issued = try await house.issue(ask)
            #expect(
                try await house.ledger.revoke(
                    issuer: issued.issuer, serial: issued.serial, at: house.clock.now(), reason: .superseded,
                    by: "a", because: "b"))
            try await house.expect(ask, .noUsableProof, "credential.spent")
            #expect(try house.count("ledger.alert") == 1)
            // The same again is counted, and told by the id of the row it is counted against.
            guard case .refused(let refusal) = await house.registrar.enroll(house.intent(ask)) else {
                Issue.record("not refused")
                return
            }
            #expect(try await house.reason(refusal.id) == "credential.spent")
            #expect(
                try house.value("SELECT DISTINCT unnest(request_ids) FROM ledger.alert")
                    == refusal.id.description)
        }

        @Test func everyGuessIsCountedForItsCredential() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            for _ in 0..<40 {
                _ = await house.registrar.enroll(house.intent(try Ask(credential.wrongProof())))
            }
            house.clock.advance(seconds: 60)
            try await house.ledger.flush(house.budget.drain(before: house.clock.now()))
            #expect(try house.value("SELECT wrong_guesses FROM audit.credentials") == "40")
            #expect(try house.count("ledger.credential_event WHERE kind = 'reject'") == 11)
        }

        /// One transaction id, one request: the second is refused while the first waits, and no longer.
        @Test func aTransactionIdIsNotUsedForTwoRequests() async throws {
            let house = try await Gatehouse()
            try await house.register("LT-042", observed: 5 * 3_600)
            let reference = TransactionReference(service: Gatehouse.laptops, text: "t1", isOrder: false)
            let ask = try Ask(try await house.credential().proof(.scep)).with {
                $0.via = .scep
                $0.reference = reference
            }
            #expect(await house.registrar.enroll(house.intent(ask)).name == "deferred")
            try await house.register("LT-042")
            let other = try Ask(try await house.credential().proof(.scep)).with {
                $0.via = .scep
                $0.reference = reference
            }
            let intent = house.intent(other)
            #expect(await house.registrar.enroll(intent).refusal == .unacceptableRequest)
            #expect(try await house.reason(intent.id) == "transaction.conflict")
            #expect(
                try house.value("SELECT decided_by FROM audit.issuance WHERE state = 'denied'")
                    == "registration")
            #expect(try house.value("SELECT detector FROM audit.alerts") == "transaction-conflict")
            _ = try await house.issue(ask)
            _ = try await house.issue(other)
        }

        @Test func whatIssuanceRefusesIsNotPolicysDecision() async throws {
            let house = try await Gatehouse()
            let registrar = RegistrationAuthority(
                policy: ActivePolicy(house.engine), issuers: [:], verifier: house.verifier,
                directory: house.directory, ledger: house.ledger, credentials: house.ledger,
                clock: house.clock,
                serials: try #require(RandomSerialNumbers(instance: 1, random: house.random)),
                budget: house.budget)
            let intent = house.intent(try Ask(try await house.credential().proof()))
            #expect(await registrar.enroll(intent).refusal == .unacceptableRequest)
            #expect(try await house.reason(intent.id) == "issuer.unknown")
            #expect(try house.value("SELECT decided_by FROM audit.issuance") == "issuance")
        }
    }
}
