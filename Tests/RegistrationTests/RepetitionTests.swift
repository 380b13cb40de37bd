import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

extension RegistrationTests {
    /// A refusal that only repeats the one before it is counted: no row of its own, no alert of its own.
    @Suite struct RepetitionTests {
        /// Whoever keeps sending a stolen request must not bury the one alert that matters.
        @Test func aSpentCredentialAlertsOnce() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            _ = try await house.issue(try Ask(try credential.proof()))
            let again = try Ask(try credential.proof())
            for _ in 0..<5 { #expect(await house.registrar.enroll(house.intent(again)).refusal != nil) }
            try house.expectOneAlert("credential-reuse", repeated: 4)
            // Another request is another incident.
            try await house.expect(try Ask(try credential.proof()), .noUsableProof, "credential.spent")
            #expect(try house.count("audit.alerts") == 2)
        }

        @Test func aRefusedBindingAlertsOnce() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            try await house.bind("account-1", with: credential)
            for _ in 0..<5 {
                guard case .refused = await house.registrar.bind(try house.offer("account-2", credential))
                else {
                    Issue.record("a spent credential bound an account")
                    return
                }
            }
            try house.expectOneAlert("credential-reuse", repeated: 4)
        }

        @Test func aTransactionConflictAlertsOnce() async throws {
            let house = try await Gatehouse()
            try await house.register("LT-042", observed: 5 * 3_600)
            let reference = TransactionReference(service: Gatehouse.laptops, text: "t1", isOrder: false)
            func ask() async throws -> Ask {
                try Ask(try await house.credential().proof(.scep)).with {
                    $0.via = .scep
                    $0.reference = reference
                }
            }
            #expect(await house.registrar.enroll(house.intent(try await ask())).name == "deferred")
            let other = try await ask()
            for _ in 0..<5 {
                #expect(await house.registrar.enroll(house.intent(other)).refusal == .unacceptableRequest)
            }
            try house.expectOneAlert("transaction-conflict", repeated: 4)
        }
    }
}

extension Gatehouse {
    /// Expects one alert about one recorded refusal, and that it was seen again so many times.
    fileprivate func expectOneAlert(
        _ detector: String, repeated times: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try value("SELECT detector FROM audit.alerts") == detector, sourceLocation: sourceLocation)
        #expect(
            try count("audit.issuance WHERE state = 'denied'") == 1, sourceLocation: sourceLocation)
        #expect(
            try value("SELECT times FROM state.repetition") == "\(times)", sourceLocation: sourceLocation)
    }
}
