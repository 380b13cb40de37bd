import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

/// Entries by month: the same rules in each partition.
struct PartitionTests {
    private static func ids(_ instant: String) -> String {
        "(encode(substring(uuid_send(ledger.first_id('\(instant)')) FROM 1 FOR 6), 'hex') || '70008000000000000001')::uuid"
    }

    private func append(_ fixture: LedgerFixture, at instant: String) throws {
        _ = try fixture.asOwner(
            "SELECT ledger.append_admin_event(\(Self.ids(instant)), now(), 'a', 'b', 'c', 'd')")
    }

    private func partition(_ fixture: LedgerFixture, at instant: String) throws -> String {
        try fixture.cluster.superuser(
            "SELECT tableoid::regclass FROM ledger.entry WHERE entry_id = \(Self.ids(instant))",
            database: fixture.database
        ).filter { !$0.isWhitespace }
    }

    @Test func everyIDHasItsPlace() async throws {
        let fixture = try await LedgerFixture()
        let months = try fixture.cluster.superuser(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger.entry'::regclass",
            database: fixture.database)
        #expect(months.contains("5"), "what was before, three months, and whatever else")
        #expect(try await fixture.ledger.makePartitions(monthsAhead: 3) == 0)
        let made = try await fixture.ledger.makePartitions(monthsAhead: 6)
        #expect(made == 3)
        #expect(try await fixture.ledger.makePartitions(monthsAhead: 6) == 0)
        for (instant, place) in [
            ("2001-01-01", "ledger.entry_earlier"), ("2999-12-31", "ledger.entry_other"),
        ] {
            try append(fixture, at: instant)
            #expect(try partition(fixture, at: instant) == place)
        }
        #expect(try fixture.count("ledger.pending_leaf AS p JOIN ledger.entry USING (entry_id)") == 3)
    }

    /// A month of which something lies among the others already gets no partition, and stops nothing.
    @Test func aMonthThatCameTooSoonStaysWhereItIs() async throws {
        let fixture = try await LedgerFixture()
        let future = try fixture.cluster.superuser(
            "SELECT to_char(date_trunc('month', now()) + interval '5 months', 'YYYY-MM-DD')",
            database: fixture.database
        ).filter { !$0.isWhitespace }
        try append(fixture, at: future)
        #expect(try await fixture.ledger.makePartitions(monthsAhead: 6) == 2)
        #expect(try partition(fixture, at: future) == "ledger.entry_other")
        try append(fixture, at: "\(future) 00:00:01")
        #expect(try partition(fixture, at: "\(future) 00:00:01") == "ledger.entry_other")
    }

    @Test func eachPartitionIsGuardedLikeTheWhole() async throws {
        let fixture = try await LedgerFixture()
        _ = try await fixture.ledger.makePartitions(monthsAhead: 4)
        let unguarded = try fixture.cluster.superuser(
            """
            SELECT i.inhrelid::regclass, w.name
            FROM pg_inherits AS i, (VALUES ('stamp'), ('queue_leaf'), ('refuse_change'), ('refuse_truncate')) AS w (name)
            WHERE i.inhparent = 'ledger.entry'::regclass
              AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = i.inhrelid AND t.tgname = w.name
                              AND t.tgenabled = 'A')
            """, database: fixture.database)
        #expect(unguarded.filter { !$0.isWhitespace } == "")
        let granted = try fixture.cluster.superuser(
            """
            SELECT i.inhrelid::regclass, r.rolname FROM pg_inherits AS i, pg_roles AS r
            WHERE i.inhparent = 'ledger.entry'::regclass AND r.rolname LIKE 'gatehouse\\_%'
              AND r.rolname NOT IN ('gatehouse_owner')
              AND has_table_privilege(r.oid, i.inhrelid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
            """, database: fixture.database)
        #expect(granted.filter { !$0.isWhitespace } == "")
        #expect(throws: PostgresCluster.Failure.self, "a partition's rows have the hash of their body") {
            try fixture.asOwner(
                "INSERT INTO ledger.entry_other VALUES (\(Self.ids("2999-01-01")), 'admin', NULL, '{}', sha256('x'), now(), 'x')"
            )
        }
        let stamped = try fixture.asOwner(
            """
            INSERT INTO ledger.entry_other VALUES (\(Self.ids("2999-01-01")), 'admin', NULL, '{}',
              ledger.leaf_hash('{}'), '2001-01-01', 'somebody') RETURNING writer || (recorded_at > '2002-01-01')
            """)
        #expect(stamped.contains("postgrestrue"))
        #expect(try fixture.count("ledger.pending_leaf WHERE entry_id = \(Self.ids("2999-01-01"))") == 1)
    }

    /// What referred to the one table refers to the partitioned one.
    @Test func keysAndViewsWentAlong() async throws {
        let fixture = try await LedgerFixture()
        let lost = try fixture.cluster.superuser(
            """
            SELECT conrelid::regclass FROM pg_constraint
            WHERE contype = 'f' AND conparentid = 0 AND confrelid <> 'ledger.entry'::regclass
              AND confrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ledger.entry'::regclass)
            UNION ALL
            SELECT r.ev_class::regclass FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
            WHERE d.classid = 'pg_rewrite'::regclass
              AND d.refobjid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ledger.entry'::regclass)
            """, database: fixture.database)
        #expect(lost.filter { !$0.isWhitespace } == "")
        let kept = try fixture.count(
            "pg_constraint WHERE contype = 'f' AND conparentid = 0 AND confrelid = 'ledger.entry'::regclass")
        #expect(kept >= 15)
        #expect(throws: PostgresCluster.Failure.self, "no typed row without its entry") {
            try fixture.asOwner(
                "INSERT INTO ledger.admin_event VALUES (gen_random_uuid(), now(), 'a', 'b', 'c', 'd')")
        }
    }
}
