import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

struct RaceTests {
    @Test func oneCredentialAndManyKeysGiveOneReservation() async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint()
        let enrollments = (0..<64).map {
            Enrollment("key \($0)", credential: credential, at: fixture.clock.now())
        }
        let names = try await race(enrollments, fixture)
        #expect(names.filter { $0 == "reserved" }.count == 1)
        #expect(names.filter { $0 == "credential spent" }.count == 63)
    }

    @Test func oneKeyManyTimesGivesOneReservation() async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint()
        let enrollments = (0..<64).map { _ in
            Enrollment("same", credential: credential, at: fixture.clock.now())
        }
        let names = try await race(enrollments, fixture)
        #expect(names.filter { $0 == "reserved" }.count == 1)
        #expect(names.filter { $0 == "in flight" }.count == 63)
        #expect(try fixture.count("ledger.reservation") == 1)
    }

    @Test func commitAndCloseExcludeEachOther() async throws {
        let fixture = try await LedgerFixture()
        let replica = fixture.replica("gw-2")
        for round in 0..<100 {
            var asked = Enrollment("round \(round)", credential: nil, at: fixture.clock.now())
            asked.device = DeviceID("LT-\(round)")
            let enrollment = asked
            let made = try required(
                try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
            async let issued = fixture.ledger.commit(enrollment.signed, under: made)
            async let closed = replica.close(enrollment.id, because: "race")
            let results = try await (issued != nil, closed)
            #expect(results.0 != results.1)
        }
        #expect(try fixture.count("ledger.certificate") + fixture.count("ledger.revocation") == 100)
    }

    private func race(_ enrollments: [Enrollment], _ fixture: LedgerFixture) async throws -> [String] {
        let ledgers = [fixture.ledger, fixture.replica("gw-2")]
        return try await withThrowingTaskGroup(of: String.self) { group in
            for (index, enrollment) in enrollments.enumerated() {
                let ledger = ledgers[index % 2]
                group.addTask { try await ledger.reserve(enrollment.attempt, enrollment.reservation).name }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
