import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

/// What one login can take from everybody else.
struct LimitTests {
    @Test(arguments: [LedgerSchema.Login.auditor, .verifier])
    func whoReadsCannotTakeEverything(_ login: LedgerSchema.Login) async throws {
        let fixture = try await LedgerFixture()
        let limits = try fixture.lines(
            "SELECT rolconnlimit BETWEEN 1 AND 20 FROM pg_roles WHERE rolname = '\(login.rawValue)'")
        #expect(limits.contains { $0.contains("t") })
        let connection = try Connection(fixture.settings(login))
        #expect(try connection.readText("SHOW temp_file_limit", limit: 1).rows != [["-1"]])
        do {
            _ = try connection.readText("SET temp_file_limit = -1", limit: 1)
            Issue.record("the limit was lifted")
        } catch {
            guard case .refused("42501", _) = error else { throw error }
        }
    }

    /// A reservation that somebody holds does not stand in the way of those behind it.
    @Test func heldReservationsDoNotCount() async throws {
        let fixture = try await LedgerFixture()
        var keys: [TransactionKey] = []
        for name in ["first", "second"] {
            var enrollment = Enrollment(name, credential: nil, at: fixture.clock.now())
            enrollment.device = DeviceID(name)
            _ = try required(
                try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
            keys.append(enrollment.key)
            fixture.clock.advance(seconds: 1)
        }
        fixture.clock.advance(seconds: 60)
        let holder = try Connection(
            ConnectionSettings(fixture.cluster.parameters(database: fixture.database, user: "postgres")))
        for statement in [
            "BEGIN", "SELECT FROM ledger.transaction WHERE transaction_key = '\\x\(keys[0])' FOR UPDATE",
        ] {
            _ = try holder.readText(statement, limit: 1)
        }
        let closed = try fixture.lines(
            "SELECT ledger.reconcile(NULL, '\(fixture.clock.now().rfc3339)', 1)")
        #expect(closed.first == "1")
        #expect(try fixture.count("audit.open_issuance") == 1)
        withExtendedLifetime(holder) {}
    }

    /// A gateway cannot have unexpired nonces forgotten by naming a time to come.
    @Test func nothingIsForgottenBeforeItsTime() async throws {
        let fixture = try await LedgerFixture()
        _ = try fixture.asOwner("UPDATE ledger.setting SET clock_tolerance = interval '60 seconds'")
        let writer = try Connection(fixture.settings(.writer))
        for (id, expiry) in [("late", "now() + interval '1 hour'"), ("past", "now() - interval '1 hour'")] {
            _ = try writer.readText(
                "SELECT state.consume_once('s', 'k', '\(id)', \(expiry), now(), gen_random_uuid())", limit: 1)
        }
        #expect(try writer.readText("SELECT state.forget('infinity', 1000)", limit: 1).rows == [["1"]])
        #expect(try fixture.count("state.consumed WHERE id = 'late'") == 1)
    }

    /// An activation is shown though its bundle is gone.
    @Test func aMissingBundleHidesNothing() async throws {
        let fixture = try await LedgerFixture()
        _ = try fixture.cluster.superuser(
            "ALTER TABLE ledger.policy_version DISABLE TRIGGER ALL; DELETE FROM ledger.policy_version",
            database: fixture.database)
        let auditor = AuditorQuery(fixture.settings(.auditor))
        #expect(try auditor.run("SELECT octets FROM policies", limit: 9).rows == [[nil]])
    }
}
