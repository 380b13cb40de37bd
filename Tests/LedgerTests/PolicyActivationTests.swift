import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

/// Activations have one order, refusals and overdue reviews are told once, and none of it changes.
@Suite struct PolicyActivationTests {
    private let second = Array("second bundle".utf8)

    @Test func activationsFollowEachOther() async throws {
        let fixture = try await LedgerFixture()
        let first = try #require(try await fixture.ledger.latestActivation())
        #expect(first.digest == Digest(of: LedgerFixture.policy))
        #expect(first.previous == nil)
        guard case .activated(let next) = try await activate(second, on: fixture) else {
            Issue.record("not activated")
            return
        }
        #expect(next.digest == Digest(of: second))
        #expect(next.previous == first.digest)
        #expect(next.number > first.number)
        #expect(try await fixture.ledger.latestActivation() == next)
        #expect(try await fixture.ledger.bundle(digest: next.digest) == second)
        #expect(try await activate(second, on: fixture) == .unchanged(next))
        #expect(try await activate(LedgerFixture.policy, on: fixture) == .superseded(by: next))
        guard case .activated(let back) = try await activate(LedgerFixture.policy, byName: true, on: fixture)
        else {
            Issue.record("not activated again")
            return
        }
        #expect(back.digest == first.digest && back.number > next.number)
        #expect(try fixture.count("audit.policies WHERE verdict = 'activated'") == 3)
        #expect(try fixture.count("audit.policies WHERE in_force AND number = \(back.number)") == 1)
    }

    /// Many gateways find the same new bundle at once; one activation is written.
    @Test func oneActivationForMany() async throws {
        let fixture = try await LedgerFixture()
        let replicas = (0..<4).map { fixture.replica("gw-\($0)") }
        let (bytes, now) = (second, fixture.clock.now())
        let results = try await withThrowingTaskGroup(of: PolicyActivationResult.self) { group in
            for replica in replicas {
                group.addTask {
                    try await replica.activate(
                        PolicyProposal(
                            digest: Digest(of: bytes), canonicalBytes: bytes, meaning: Digest(of: bytes),
                            owner: "Team", byName: false, by: "gw", at: now))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { if case .activated = $0 { true } else { false } } == 1)
        #expect(results.count { if case .unchanged = $0 { true } else { false } } == 3)
        #expect(try fixture.count("ledger.policy_activation") == 2)
    }

    /// What says the same as a former bundle is a former bundle, unless it is asked for by name.
    @Test func meaningDecidesWhatIsFormer() async throws {
        let fixture = try await LedgerFixture()
        func kind(_ text: String, _ meaning: String, byName: Bool = false) async throws -> String {
            let result = try await activate(
                Array(text.utf8), meaning: meaning, byName: byName, on: fixture)
            switch result {
            case .activated: return "activated"
            case .unchanged: return "unchanged"
            case .superseded: return "superseded"
            }
        }
        #expect(try await kind("a", "A") == "activated")
        // Only its comments are others.
        #expect(try await kind("a, annotated", "A") == "activated")
        #expect(try await kind("a", "A") == "superseded")
        #expect(try await kind("b", "B", byName: true) == "activated")
        #expect(try await kind("a, annotated again", "A") == "superseded")
        #expect(
            try await fixture.ledger.isSuperseded(
                digest: Digest(of: [1]), meaning: Digest(of: Array("A".utf8))))
        #expect(
            try await fixture.ledger.isSuperseded(
                digest: Digest(of: Array("b".utf8)), meaning: Digest(of: Array("B".utf8))) == false)
        #expect(try await kind("b, annotated", "B") == "activated")
        #expect(try await kind("a, annotated again", "A", byName: true) == "activated")
        #expect(try await kind("a, annotated thrice", "A") == "activated")
        #expect(try await kind("c", "C") == "activated")
        #expect(try fixture.count("audit.policies WHERE by_name") == 3)
    }

    /// What somebody asked for by name is not replaced by a directory without a word.
    @Test func replacingByDirectoryIsTold() async throws {
        let fixture = try await LedgerFixture()
        let alerts = "audit.alerts WHERE detector = 'policy-replaced'"
        _ = try await activate(second, byName: true, on: fixture)
        #expect(try fixture.count(alerts) == 0)
        let third = Array("third".utf8)
        _ = try await activate(third, on: fixture)
        let told = """
            \(alerts) AND severity = 'warn' AND owner = 'Team' AND detail LIKE '%\(Digest(of: second))%'
              AND detail LIKE '%\(Digest(of: third))%' AND detail LIKE '%os:ann%'
            """
        #expect(try fixture.count(told) == 1)
        _ = try await activate(Array("fourth".utf8), on: fixture)
        #expect(try fixture.count(alerts) == 1)
    }

    @Test func refusalsAreToldOnce() async throws {
        let fixture = try await LedgerFixture()
        let refusal = PolicyRefusalRecord(
            candidate: Digest(of: second), at: fixture.clock.now(), actor: "gatehouse gw-1", owner: "Team",
            faults: "rules/a.yaml:1:1: wrong\nrules/b.yaml:2:1: wrong too", detail: "rules/a.yaml:1:1: wrong")
        #expect(try await fixture.ledger.refuse(refusal))
        #expect(try await fixture.replica("gw-2").refuse(refusal) == false)
        #expect(
            try fixture.count("audit.policies WHERE verdict = 'refused' AND faults LIKE '%b.yaml:2%'") == 1)
        #expect(
            try fixture.count("audit.alerts WHERE detector = 'policy-refused' AND severity = 'high'") == 1)
        #expect(try fixture.count("ledger.entry WHERE kind = 'policy' AND body LIKE '%\"refused\"%'") == 1)
        #expect(try await fixture.ledger.bundle(digest: refusal.candidate) == nil)
        // Refused beside another bundle in force, it is news again.
        _ = try await activate(Array("third".utf8), on: fixture)
        #expect(try await fixture.ledger.refuse(refusal))
        // What was refused once may be good another time.
        guard case .activated = try await activate(second, on: fixture) else {
            Issue.record("not activated")
            return
        }
    }

    @Test func overdueReviewsAreToldOnceForADate() async throws {
        let fixture = try await LedgerFixture()
        func overdue(_ date: String) -> OverdueReviewRecord {
            OverdueReviewRecord(
                subject: "service laptops", reviewBy: date, owner: "Team", detail: "overdue since \(date)",
                at: fixture.clock.now())
        }
        #expect(try await fixture.ledger.alert(overdue("2026-01-31")))
        #expect(try await fixture.replica("gw-2").alert(overdue("2026-01-31")) == false)
        #expect(try await fixture.ledger.alert(overdue("2026-02-28")))
        #expect(try fixture.count("audit.alerts WHERE detector = 'review-overdue'") == 2)
    }

    /// Denials under no bundle refer to the bundle without files.
    @Test func theBundleWithoutFilesIsThere() async throws {
        let fixture = try await LedgerFixture()
        let nothing = Array(#"{"files":{}}"#.utf8)
        let digest = Digest(of: nothing)
        #expect(
            try fixture.count("ledger.policy_version WHERE encode(policy_sha256, 'hex') = '\(digest)'") == 1)
        // Their decisions are explained by it, though nobody ever activated it.
        #expect(try await fixture.ledger.bundle(digest: digest) == nothing)
        #expect(try await !fixture.ledger.isSuperseded(digest: digest, meaning: digest))
    }

    @Test func nothingChangesThem() async throws {
        let fixture = try await LedgerFixture()
        _ = try await fixture.ledger.refuse(
            PolicyRefusalRecord(
                candidate: Digest(of: second), at: fixture.clock.now(), actor: "a", owner: "o", faults: "f",
                detail: "d"))
        _ = try await fixture.ledger.alert(
            OverdueReviewRecord(
                subject: "s", reviewBy: "2026-01-31", owner: "o", detail: "d", at: fixture.clock.now()))
        for table in ["policy_succession", "policy_refusal", "overdue_review"] {
            #expect(try fixture.count("ledger.\(table)") == 1)
            for sql in ["UPDATE ledger.\(table) SET entry_id = entry_id", "DELETE FROM ledger.\(table)"] {
                #expect(throws: PostgresCluster.Failure.self, "\(sql)") { try fixture.asOwner(sql) }
            }
        }
    }

    /// A ledger from before activations had an order keeps the order in which they were recorded.
    @Test func olderLedgersKeepTheirOrder() throws {
        let cluster = try PostgresCluster.shared()
        func migrate(_ name: String, _ steps: [Migration]) throws {
            let login = ConnectionSettings(cluster.parameters(database: name, user: "gatehouse_migrator"))
            _ = try Migrator(login, steps).migrate()
        }
        let database = try cluster.database(template: "ledger_without_order") { name in
            try migrate(name, LedgerSchema.migrations.filter { $0.number < 8 })
        }
        for bundle in ["a", "b", "a", "c"] {
            try cluster.superuser(
                """
                SELECT ledger.activate_policy(ledger.new_id(), sha256('\(bundle)'), '\(bundle)', now(), 'x')
                """, database: database)
        }
        try migrate(database, LedgerSchema.migrations)
        let order = try cluster.superuser(
            """
            SELECT string_agg(encode(v.bundle, 'escape') || coalesce(encode(w.bundle, 'escape'), '-'), ' '
                              ORDER BY p.number) || ' ' || max(p.number) FILTER (WHERE p.in_force)
            FROM audit.policies AS p
            JOIN ledger.policy_version AS v ON encode(v.policy_sha256, 'hex') = p.policy_sha256
            LEFT JOIN ledger.policy_version AS w ON encode(w.policy_sha256, 'hex') = p.previous_sha256
            """, database: database)
        #expect(order.contains("a- ba ab ca 4"), "\(order)")
    }

    private func activate(
        _ bytes: [UInt8], meaning: String? = nil, byName: Bool = false, on fixture: LedgerFixture
    ) async throws -> PolicyActivationResult {
        let digest = Digest(of: bytes)
        return try await fixture.ledger.activate(
            PolicyProposal(
                digest: digest, canonicalBytes: bytes,
                meaning: meaning.map { Digest(of: Array($0.utf8)) } ?? digest, owner: "Team", byName: byName,
                by: byName ? "os:ann" : "gatehouse gw-1", at: fixture.clock.now()))
    }
}
