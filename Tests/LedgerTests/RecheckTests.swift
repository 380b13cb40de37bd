import Database
import EnrollmentCore
import EnrollmentTesting
import Identity
import Ledger
import Testing

/// What a reservation looks at again, whatever the gateway said.
struct RecheckTests {
    /// A ledger whose database believes no gateway's clock.
    private static func strict() async throws -> (LedgerFixture, ManualClock) {
        let fixture = try await LedgerFixture()
        _ = try fixture.asOwner("UPDATE ledger.setting SET clock_tolerance = interval '60 seconds'")
        let seconds = try fixture.cluster.superuser(
            "SELECT extract(epoch FROM clock_timestamp())::bigint", database: fixture.database)
        let now = try required(Int64(seconds.filter(\.isNumber)))
        fixture.clock.set(Timestamp(seconds: now))
        return (fixture, fixture.clock)
    }

    @Test func aChangedHistoryIsDecidedUponAgain() async throws {
        let fixture = try await LedgerFixture()
        let ledger = fixture.ledger
        let first = Enrollment("one", credential: nil, at: fixture.clock.now())
        let made = try required(try await ledger.reserve(first.attempt, first.reservation).reservation)
        var second = Enrollment("two", credential: nil, at: fixture.clock.now())
        #expect(try await ledger.reserve(second.attempt, second.reservation).name == "history")
        #expect(try fixture.count("ledger.request") == 1)
        let device = try required(second.device)
        second.history = try await ledger.history(
            device: device, service: LedgerFixture.service, publicKey: Digest(of: second.spki),
            at: fixture.clock.now())
        #expect(second.history == HistoryFacts(activeCertificates: 1))
        #expect(try await ledger.reserve(second.attempt, second.reservation).name == "reserved")
        // What is closed does not count, what is issued does.
        #expect(try await ledger.close(second.id, because: "test"))
        _ = try await ledger.commit(first.signed, under: made)
        let history = try await ledger.history(
            device: device, service: LedgerFixture.service, publicKey: Digest(of: first.spki),
            at: fixture.clock.now())
        #expect(history == HistoryFacts(activeCertificates: 1))
    }

    @Test func ofManyAtOnceOneIsReservedForEachHistory() async throws {
        let fixture = try await LedgerFixture()
        let ledgers = [fixture.ledger, fixture.replica("gw-2")]
        let names = try await withThrowingTaskGroup(of: String.self) { group in
            for index in 0..<32 {
                // Half ask for one device, half with one key for a device each.
                var enrollment = Enrollment("n \(index)", credential: nil, at: fixture.clock.now())
                if index % 2 == 1 {
                    enrollment.device = DeviceID("LT-9\(index)")
                    enrollment.spki = Array("one key".utf8)
                }
                let asked = enrollment
                let ledger = ledgers[index / 2 % 2]
                group.addTask { try await ledger.reserve(asked.attempt, asked.reservation).name }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(names.filter { $0 == "reserved" }.count == 2)
        #expect(names.filter { $0 == "history" }.count == 30)
    }

    @Test func theUseOfACredentialEndsWithItsCertificate() async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint()
        let enrollment = Enrollment("one", credential: credential, at: fixture.clock.now())
        let made = try required(
            try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
        func state() async throws -> CredentialState {
            let record = try required(try await fixture.ledger.credential(credential))
            return record.state(
                for: enrollment.key, service: LedgerFixture.service, at: fixture.clock.now())
        }
        #expect(try await state() == .usable)
        _ = try await fixture.ledger.commit(enrollment.signed, under: made)
        #expect(try await state() == .usable)
        fixture.clock.set(enrollment.reservation.notAfter)
        #expect(try await state() == .spent)
        let again = Enrollment("one", credential: credential, at: fixture.clock.now())
        #expect(try await fixture.ledger.reserve(again.attempt, again.reservation).name == "credential spent")
        fixture.clock.set(enrollment.instant)
        _ = try await fixture.ledger.revoke(
            issuer: "issuing", serial: enrollment.serial, at: enrollment.instant, reason: .superseded,
            by: "a",
            because: "b")
        #expect(try await state() == .spent)
        #expect(
            try await fixture.ledger.credentials(service: nil, device: nil, limit: 1).first?.isUseEnded
                == true)
    }

    @Test(arguments: [-61, -3_600, 180, 86_400] as [Int64]) func theTimeIsNotTheGatewaysToChoose(
        _ skew: Int64
    ) async throws {
        let (fixture, clock) = try await Self.strict()
        let credential = try await fixture.mint()
        try await fixture.ledger.checkReadiness()
        var wrong = Enrollment("one", credential: credential, at: clock.now().adding(seconds: skew))
        await #expect(throws: LedgerError.self) {
            try await fixture.ledger.reserve(wrong.attempt, wrong.reservation)
        }
        wrong.effect = .deny
        await #expect(throws: LedgerError.self) { try await fixture.ledger.record(wrong.attempt) }
        clock.advance(seconds: skew)
        await #expect(throws: LedgerError.self) { try await fixture.ledger.checkReadiness() }
        #expect(try fixture.count("ledger.request") == 0)
    }

    @Test func anExpiredCredentialStaysExpiredWhateverTheGatewaySays() async throws {
        let (fixture, clock) = try await Self.strict()
        clock.advance(seconds: -20)
        let credential = try await fixture.mint(ttl: 10)
        let early = Enrollment("one", credential: credential, at: clock.now())
        #expect(
            try await fixture.ledger.reserve(early.attempt, early.reservation).name == "credential expired")
    }

    @Test func aSigningDeadlineIsNear() async throws {
        let (fixture, clock) = try await Self.strict()
        var enrollment = Enrollment("one", credential: nil, at: clock.now())
        enrollment.deadline = 45
        await #expect(throws: LedgerError.self) {
            try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation)
        }
        enrollment.deadline = 30
        #expect(
            try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).name == "reserved")
        #expect(throws: DatabaseError.self) {
            try Connection(fixture.settings(.writer)).readText(
                "UPDATE ledger.setting SET clock_tolerance = NULL", limit: 1)
        }
    }

    @Test func anOverdueReservationIsClosedWhenItsStandingIsAsked() async throws {
        let fixture = try await LedgerFixture()
        let first = Enrollment("one", credential: nil, at: fixture.clock.now())
        _ = try await fixture.ledger.reserve(first.attempt, first.reservation)
        fixture.clock.advance(seconds: 60)
        guard case .open = try await fixture.ledger.standing(of: first.key) else {
            Issue.record("not open")
            return
        }
        #expect(try fixture.count("ledger.revocation") == 1)
    }

    @Test func aRepeatedAnswerNamesTheRowItIsCountedAgainst() async throws {
        let fixture = try await LedgerFixture()
        var first = Enrollment("one", credential: nil, at: fixture.clock.now())
        first.effect = .deny
        var again = first
        again.id = Enrollment("one", credential: nil, at: first.instant).id
        #expect(try await fixture.ledger.record(first.attempt) == first.id)
        #expect(try await fixture.ledger.record(first.attempt) == first.id)
        #expect(try await fixture.ledger.record(again.attempt) == first.id)
        again.reasonCode = "other"
        #expect(try await fixture.ledger.record(again.attempt) == again.id)
    }

    @Test func countedGuessesAreAddedUp() async throws {
        let fixture = try await LedgerFixture()
        let credential = try await fixture.mint()
        let minute = fixture.clock.now()
        for number: Int64 in [80, 1] {
            try await fixture.ledger.flush(
                UnrecordedCounts(
                    traffic: [],
                    guesses: [GuessCount(credential: credential, minute: minute, guesses: number)]))
        }
        let guesses = try fixture.cluster.superuser(
            "SELECT wrong_guesses FROM audit.credentials", database: fixture.database)
        #expect(guesses.filter(\.isNumber) == "81")
        #expect(try fixture.count("ledger.credential_event WHERE kind = 'reject'") == 2)
    }

    /// Migrators that start at the same time on an empty database: one applies every step, the other none.
    @Test func migratorsExcludeEachOther() async throws {
        let cluster = try PostgresCluster.shared()
        let database = try cluster.database(template: "bare") { _ in }
        let settings = ConnectionSettings(
            cluster.parameters(database: database, user: LedgerSchema.Login.migrator.rawValue))
        async let one = Migrator(settings, LedgerSchema.migrations).migrate()
        async let two = Migrator(settings, LedgerSchema.migrations).migrate()
        let counts = try await [one.count, two.count]
        #expect(counts.sorted() == [0, LedgerSchema.migrations.count])
    }

    /// What every login of a fresh PostgreSQL database may do, and these may not.
    @Test(arguments: [LedgerSchema.Login.writer, .auditor]) func aReaderCannotFillTheDiskOrHoldLocks(
        _ login: LedgerSchema.Login
    ) async throws {
        let fixture = try await LedgerFixture()
        let connection = try Connection(fixture.settings(login))
        for statement in [
            "SELECT lo_from_bytea(0, 'x')", "SELECT lo_create(0)", "SELECT lo_creat(-1)",
            "SELECT pg_logical_emit_message(false, 'x', 'x')", "SELECT pg_advisory_lock(1)",
            "SELECT pg_try_advisory_lock(1)", "SELECT pg_advisory_xact_lock(1)", "SELECT pg_notify('a', 'b')",
            "CREATE TEMPORARY TABLE t (x int)", "CREATE TABLE public.t (x int)",
            "LOCK TABLE migration.applied IN SHARE ROW EXCLUSIVE MODE",
            "LOCK TABLE ledger.setting IN SHARE MODE",
        ] {
            try connection.begin()
            _ = try connection.readText("SET TRANSACTION READ WRITE", limit: 1)
            do throws(DatabaseError) {
                _ = try connection.readText(statement, limit: 1)
                Issue.record("\(statement)")
            } catch {
                guard case .refused(sqlState: "42501", _) = error else {
                    Issue.record("\(statement): \(error)")
                    return
                }
            }
            connection.rollback()
        }
    }
}
