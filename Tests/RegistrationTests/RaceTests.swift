import EnrollmentCore
import EnrollmentTesting
import Foundation
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

extension RegistrationTests {
    @Suite struct RaceTests {
        @Test func oneCredentialAndSixtyFourKeysMakeOneCertificate() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            let intents = try (0..<64).map { number in
                house.intent(
                    try Ask(try credential.proof(number % 2 == 0 ? .est : .scep)).with {
                        if number % 2 == 1 { $0.via = .scep }
                    })
            }
            let registrar = house.registrar
            let outcomes = try await inParallel(intents) { await registrar.enroll($0) }
            #expect(outcomes.count { $0.certificate != nil } == 1)
            #expect(outcomes.count { $0.refusal == .noUsableProof } == 63)
            #expect(try house.issuedCount() == 1)
            #expect(try house.count("ledger.reservation") == 1)
            #expect(try house.count("ledger.credential_event WHERE kind = 'consume'") == 1)
            #expect(try house.count("ledger.alert") == 63)
            for intent in intents { try await house.replay(intent.id) }
        }

        @Test func theSameRequestSixtyFourTimesMakesOneCertificate() async throws {
            let house = try await Gatehouse()
            let ask = try Ask(try await house.credential().proof())
            let intents = (0..<64).map { _ in house.intent(ask) }
            let registrar = house.registrar
            let certificates = try await inParallel(intents) { await registrar.enroll($0).certificate }
            #expect(certificates.first != .some(nil) && Set(certificates).count == 1)
            #expect(try house.count("ledger.certificate") == 1)
            #expect(try house.count("ledger.reservation") == 1)
            #expect(await registrar.enroll(house.intent(ask)).certificate == certificates.first)
        }

        /// A gateway whose clock is far ahead of the database's still waits for the twin that came first.
        @Test func twinsWaitWhateverTheDatabaseClockSays() async throws {
            let house = try await Gatehouse()
            house.clock.advance(seconds: 700 * 86_400)
            try await house.register("LT-042")
            let ask = try Ask(try await house.credential().proof())
            let intents = (0..<32).map { _ in house.intent(ask) }
            let registrar = house.registrar
            let certificates = try await inParallel(intents) { await registrar.enroll($0).certificate }
            #expect(certificates.first != .some(nil) && Set(certificates).count == 1)
            #expect(try house.count("ledger.reservation") == 1)
        }

        @Test func oneCredentialAndManyAccountsBindOne() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            let offers = try (0..<16).map { try house.offer("account-\($0)", credential) }
            let registrar = house.registrar
            let bound = try await inParallel(offers) { offer in
                if case .bound = await registrar.bind(offer) { true } else { false }
            }
            #expect(bound.count { $0 } == 1)
            #expect(try house.count("ledger.account") == 1)
        }

        /// Revoking and consuming meet at one locked row: whoever is first, ledger and answer agree.
        @Test func revokingMeetsConsuming() async throws {
            let house = try await Gatehouse()
            let registrar = house.registrar
            let ledger = house.ledger
            let now = house.clock.now()
            for _ in 0..<8 {
                let credential = try await house.credential()
                let intent = house.intent(try Ask(try credential.proof()))
                async let revoked = ledger.revoke(credential.id, at: now, by: "a", because: "b")
                let outcome = await registrar.enroll(intent)
                #expect(try await revoked)
                let isIssued = try await ledger.why(intent.id)?.state == "issued"
                #expect(isIssued == (outcome.certificate != nil))
                #expect(isIssued || outcome.refusal == .noUsableProof)
            }
        }
    }
}

extension Gatehouse {
    /// Decides a recorded input again and compares with what was recorded (invariant I5).
    func replay(_ id: RequestID, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let explanation = try #require(try await ledger.why(id), sourceLocation: sourceLocation)
        let input = try JSONDecoder().decode(
            PolicyInput.self, from: Data(explanation.input.canonicalText.utf8))
        let decision = engine.decide(input)
        let effect =
            switch decision.outcome {
            case .permit: "permit"
            case .defer: "defer"
            case .deny: "deny"
            }
        guard case .object(let recorded) = explanation.decision else { throw NotRecorded() }
        #expect(recorded["effect"] == .string(effect), sourceLocation: sourceLocation)
        #expect(recorded["reason_code"] == .string(decision.reasonCode), sourceLocation: sourceLocation)
        #expect(
            recorded["rule_ids"] == .array(decision.ruleIDs.map(JSONValue.string)),
            sourceLocation: sourceLocation)
        #expect(recorded["trace"] == decision.trace, sourceLocation: sourceLocation)
        #expect(recorded["obligations"] == decision.obligations, sourceLocation: sourceLocation)
        #expect(
            recorded["policy_sha256"] == .string(decision.policy.description), sourceLocation: sourceLocation)
    }
}
