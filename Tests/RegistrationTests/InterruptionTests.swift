import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Synchronization
import Testing

extension RegistrationTests {
    @Suite struct InterruptionTests {
        private static func house() async throws -> (Gatehouse, InterruptedLedger) {
            let made = Mutex<InterruptedLedger?>(nil)
            let house = try await Gatehouse(
                timing: RegistrationTiming(signing: 10, patience: 0),
                through: { real in
                    let ledger = InterruptedLedger(real)
                    made.withLock { $0 = ledger }
                    return ledger
                })
            return (house, try #require(made.withLock { $0 }))
        }

        @Test func aDeadSignersReservationIsClosedAndItsRequestServed() async throws {
            let (house, ledger) = try await Self.house()
            let credential = try await house.credential()
            let ask = try Ask(try credential.proof())
            ledger.fail(.diesBeforeCommit)
            let first = house.intent(ask)
            #expect(await house.registrar.enroll(first).name == "unavailable")
            ledger.fail(.none)

            // Before the deadline the first attempt may still be alive: nobody closes it.
            house.clock.advance(seconds: 9)
            #expect(await house.registrar.enroll(house.intent(ask)).name == "unavailable")
            #expect(try house.count("ledger.reservation") == 1)
            #expect(try house.count("ledger.revocation") == 0)
            let other = house.intent(try Ask(try credential.proof()))
            #expect(await house.registrar.enroll(other).refusal == .noUsableProof)

            house.clock.advance(seconds: 1)
            let second = house.intent(ask)
            let issued = try #require(await house.registrar.enroll(second).certificate)
            #expect(issued.requestID == second.id)
            let lost = try #require(ledger.unfinished.first)
            #expect(issued.serial != lost.reservation.serial)
            let serial = Hex.encode(lost.reservation.serial)
            #expect(try house.value("SELECT encode(serial, 'hex') FROM ledger.revocation") == serial)
            #expect(
                try house.value("SELECT predecessor FROM ledger.reservation WHERE number = 2")
                    == first.id.description)
            #expect(try house.count("ledger.credential_event WHERE kind = 'consume'") == 1)
            #expect(try house.issuedCount() == 1)

            // The signer that was thought dead comes too late.
            #expect(try await house.ledger.commit(lost.signed, under: lost.reservation) == nil)
            #expect(try house.count("ledger.certificate") == 1)
            #expect(await house.registrar.enroll(house.intent(ask)).certificate == issued)
        }

        @Test func aSignerThatLosesToACloserReleasesNothing() async throws {
            let (house, ledger) = try await Self.house()
            let ask = try Ask(try await house.credential().proof())
            ledger.fail(.isClosedBeforeCommit)
            #expect(await house.registrar.enroll(house.intent(ask)).name == "unavailable")
            #expect(try house.count("ledger.certificate") == 0)
            ledger.fail(.none)
            _ = try await house.issue(ask)
            #expect(try house.count("ledger.revocation") == 1)
            #expect(try house.count("ledger.certificate") == 1)
        }

        @Test func aRestartedGatewayClosesItsOwnReservationsAtOnce() async throws {
            let (house, ledger) = try await Self.house()
            let ask = try Ask(try await house.credential().proof())
            ledger.fail(.diesBeforeCommit)
            #expect(await house.registrar.enroll(house.intent(ask)).name == "unavailable")
            ledger.fail(.none)
            #expect(try await house.ledger.reconcile(gateway: "gw-2", now: house.clock.now()) == 0)
            #expect(try await house.ledger.reconcile(gateway: "gw-1", now: house.clock.now()) == 1)
            _ = try await house.issue(ask)
            #expect(try house.issuedCount() == 1)
        }

        @Test func aSigningKeyOutOfReachIssuesNothingAndLosesNothing() async throws {
            let made = Mutex<RefusingSigner?>(nil)
            let house = try await Gatehouse(signer: { key in
                let signer = RefusingSigner(key)
                made.withLock { $0 = signer }
                return signer
            })
            let ask = try Ask(try await house.credential().proof())
            made.withLock { $0?.refuse(2) }
            for _ in 0..<2 { #expect(await house.registrar.enroll(house.intent(ask)).name == "unavailable") }
            _ = try await house.issue(ask)
            #expect(try house.count("ledger.revocation") == 2)
            #expect(try house.count("ledger.certificate") == 1)
            #expect(try house.count("audit.open_issuance") == 0)
        }
    }
}
