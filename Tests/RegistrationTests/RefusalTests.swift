import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

extension RegistrationTests {
    @Suite struct RefusalTests {
        private static func malformed(_ house: Gatehouse, service: String?, from source: String)
            -> RefusedRequest
        {
            RefusedRequest(
                id: house.newID(), receivedAt: house.clock.now(), service: service.map { ServiceName($0) },
                enrollmentProtocol: .est, kind: .malformed, reasonCode: "est.base64",
                reason: "the body is not base64", peer: Peer(address: source, isSecure: true))
        }

        @Test func beyondTheBudgetStrangersAreCounted() async throws {
            let house = try await Gatehouse()
            for number in 0..<25 {
                let refused = Self.malformed(house, service: "laptops", from: "192.0.2.\(number % 2)")
                #expect(await house.registrar.refuse(refused).refusal == .malformed)
            }
            #expect(try house.count("ledger.request WHERE kind = 'refusal'") == 10)
            #expect(try house.value("SELECT DISTINCT owner FROM ledger.decision") == "Device Identity")
            // Another service has a budget of its own; unknown ones share one.
            _ = await house.registrar.refuse(Self.malformed(house, service: "servers", from: "192.0.2.1"))
            for number in 0..<12 {
                let refused = Self.malformed(house, service: "made-up-\(number)", from: "192.0.2.1")
                _ = await house.registrar.refuse(refused)
            }
            #expect(try house.count("ledger.request WHERE kind = 'refusal'") == 21)
            house.clock.advance(seconds: 1)
            _ = await house.registrar.refuse(Self.malformed(house, service: "laptops", from: "192.0.2.1"))
            #expect(try house.count("ledger.request WHERE kind = 'refusal'") == 22)

            #expect(house.budget.drain(before: house.clock.now()).isEmpty)
            house.clock.advance(seconds: 60)
            try await house.ledger.flush(house.budget.drain(before: house.clock.now()))
            #expect(
                try house.value("SELECT sum(requests) FROM audit.traffic WHERE service = 'laptops'") == "15")
            #expect(try house.value("SELECT sum(requests) FROM audit.traffic") == "17")
            #expect(try house.count("audit.traffic WHERE service = 'laptops'") == 2)
            #expect(house.budget.drain(before: house.clock.now()).isEmpty)
        }

        @Test func wrongGuessesShareTheBudget() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            for number in 0..<15 {
                let ask = try Ask(credential.wrongProof()).with { $0.address = "192.0.2.\(number)" }
                #expect(await house.registrar.enroll(house.intent(ask)).refusal == .noUsableProof)
            }
            #expect(try house.count("ledger.request") == 10)
        }

        @Test func whoIsKnownIsAlwaysOnTheLedger() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential(for: "LT-999")
            for number in 0..<15 {
                _ = await house.registrar.refuse(
                    Self.malformed(house, service: "laptops", from: "192.0.2.\(number)"))
            }
            for _ in 0..<15 {
                let ask = try Ask(
                    try credential.proof(), request: try certificateRequest(device: "LT-999"))
                try await house.expect(ask, .denied, "device.unknown")
            }
            #expect(try house.count("ledger.request WHERE kind = 'enroll'") == 15)
        }

        /// The same refused request again is counted, and never grows the ledger.
        @Test func theSameRefusalIsCounted() async throws {
            let house = try await Gatehouse()
            let ask = try Ask(
                try await house.credential(for: "LT-999").proof(),
                request: try certificateRequest(device: "LT-999"))
            for _ in 0..<5 { #expect(await house.registrar.enroll(house.intent(ask)).refusal == .denied) }
            #expect(try house.count("ledger.request") == 1)
            #expect(try house.value("SELECT times FROM state.repetition") == "4")
        }

        /// No secret that was offered, right or wrong, is anywhere in the database.
        @Test func theLedgerHoldsNoSecret() async throws {
            let house = try await Gatehouse()
            let credential = try await house.credential()
            _ = await house.registrar.enroll(house.intent(try Ask(credential.wrongProof())))
            _ = try await house.issue(try Ask(try credential.proof()))
            let text = try #require(credential.shapes.text(for: .est)).revealed
            let secret = String(decoding: text.dropFirst(16), as: UTF8.self)
            let wrong = String(repeating: "A", count: 32)
            for needle in [secret, wrong] {
                #expect(try house.count("ledger.entry WHERE position('\(needle)' IN body) > 0") == 0)
            }
        }
    }
}
