import EnrollmentTesting
import Ledger
import Sequencing
import Testing
import TransparencyLog

/// Attempts to change or forge the log by SQL.
struct LogAttackTests {
    static let tables = ["leaf", "tile", "tree_head", "checkpoint", "cosignature", "pending_leaf", "lease"]

    /// 258 leaves, one checkpoint, two entries that wait; the lease is held by `a` under epoch 1.
    private func populated() async throws -> (SequencingFixture, Sequencer) {
        let fixture = try await SequencingFixture()
        try fixture.addEntries(258)
        let sequencer = fixture.sequencer("a")
        _ = try await sequencer.step()
        try await fixture.postgresLog("a").addCosignature(
            epoch: 1, size: 258, witness: "w", line: "— w AAAAAAAA")
        try fixture.addEntries(2)
        return (fixture, sequencer)
    }

    @Test func nobodyWritesTheLogsTables() async throws {
        let (fixture, _) = try await populated()
        for role in ["gatehouse_writer", "gatehouse_sequencer", "gatehouse_auditor", "gatehouse_verifier"] {
            for table in Self.tables {
                let name = "ledger.\(table)"
                // None of them reads, so that only the right to write can be what is missing.
                for attack in [
                    "TRUNCATE \(name)", "DELETE FROM \(name)", "INSERT INTO \(name) DEFAULT VALUES",
                    "UPDATE \(name) SET \(try firstColumn(table, fixture)) = NULL",
                ] {
                    try expectForbidden(attack, to: role, fixture)
                }
            }
        }
    }

    @Test func theOwnerChangesNothing() async throws {
        let (fixture, _) = try await populated()
        for table in Self.tables.prefix(5) {
            let column = try firstColumn(table, fixture)
            for attack in [
                "TRUNCATE ledger.\(table) CASCADE", "DELETE FROM ledger.\(table)",
                "UPDATE ledger.\(table) SET \(column) = \(column)",
                "SET session_replication_role = replica; DELETE FROM ledger.\(table)",
            ] {
                #expect(throws: PostgresCluster.Failure.self, "\(attack)") {
                    try fixture.run(attack, as: "gatehouse_owner")
                }
            }
        }
    }

    @Test(arguments: [
        // leaves: not the next index, an unknown entry, another hash, the same entry again
        "INSERT INTO ledger.leaf SELECT 300, entry_id, leaf_hash FROM ledger.pending_leaf LIMIT 1",
        "INSERT INTO ledger.leaf VALUES (258, gen_random_uuid(), sha256('x'))",
        "INSERT INTO ledger.leaf SELECT 258, entry_id, sha256('x') FROM ledger.pending_leaf LIMIT 1",
        "INSERT INTO ledger.leaf SELECT 258, entry_id, leaf_hash FROM ledger.leaf LIMIT 1",
        "INSERT INTO ledger.leaf SELECT 258, entry_id, leaf_hash FROM ledger.pending_leaf LIMIT 1; INSERT INTO ledger.leaf SELECT 259, entry_id, leaf_hash FROM ledger.pending_leaf OFFSET 1",
        // tiles: one that is not full, one without what it stands on
        "INSERT INTO ledger.tile SELECT 0, 1, hashes FROM ledger.tile",
        "INSERT INTO ledger.tile SELECT 1, 0, hashes FROM ledger.tile",
        "INSERT INTO ledger.tile SELECT 0, 36028797018963968, hashes FROM ledger.tile",
        // heads: of a size without leaves, of the past, of another lease
        "INSERT INTO ledger.tree_head VALUES (259, sha256('x'), 1, 'a', now())",
        "INSERT INTO ledger.tree_head VALUES (200, sha256('x'), 1, 'a', now())",
        "INSERT INTO ledger.leaf SELECT 258, entry_id, leaf_hash FROM ledger.pending_leaf LIMIT 1; INSERT INTO ledger.tree_head VALUES (259, sha256('x'), 2, 'a', now())",
        // checkpoints: of no head, of another root
        "INSERT INTO ledger.checkpoint VALUES (259, 'o', E'o\\n259\\nx\\n\\n', now())",
        "INSERT INTO ledger.checkpoint SELECT 258, origin, note, now() FROM ledger.checkpoint",
        "INSERT INTO ledger.cosignature VALUES (7, 'w', 'x', now())",
        "INSERT INTO ledger.cosignature VALUES (258, 'v', E'x\\ny', now())",
    ])
    func theOwnerForgesNothing(_ forgery: String) async throws {
        let (fixture, _) = try await populated()
        #expect(throws: PostgresCluster.Failure.self) { try fixture.run(forgery, as: "gatehouse_owner") }
        #expect(try fixture.count("leaf") == 258)
        #expect(try fixture.count("tree_head") == 1)
    }

    @Test func theSequencerCannotForgeByItsDoors() async throws {
        let (fixture, leader) = try await populated()
        let waiting = "(SELECT array_agg(entry_id ORDER BY entry_id) FROM ledger.pending_leaf)"
        let leaves = "(SELECT array_agg(entry_id) FROM (SELECT entry_id FROM ledger.leaf LIMIT 2) AS l)"
        func extend(_ epoch: Int, _ size: Int, _ entries: String, tiles: String = "'{}', '{}', '{}'")
            -> String
        {
            "SELECT ledger.extend_log(\(epoch), 'a', \(size), \(entries), sha256('r'), \(tiles))"
        }
        let attacks = [
            extend(1, 257, waiting), extend(1, 259, waiting), extend(1, 0, waiting), extend(1, 256, waiting),
            extend(2, 258, waiting), extend(0, 258, waiting), extend(1, 258, leaves), extend(1, 258, "'{}'"),
            extend(1, 258, waiting + " || " + waiting), extend(1, 258, "ARRAY[gen_random_uuid()]"),
            extend(1, 258, "ARRAY[NULL::uuid]"), extend(1, 258, "NULL"),
            extend(1, 258, waiting, tiles: "'{0}', '{1}', (SELECT array_agg(hashes) FROM ledger.tile)"),
            extend(1, 258, waiting, tiles: "'{0}', '{0}', (SELECT array_agg(hashes) FROM ledger.tile)"),
            "SELECT ledger.publish_checkpoint(1, 258, sha256('r'), 'o', E'o\\n258\\n')",
            "SELECT ledger.publish_checkpoint(1, 258, root_hash, 'o', E'o\\n258\\nx\\n') FROM ledger.tree_head",
            "SELECT ledger.publish_checkpoint(1, 258, root_hash, 'o', note) FROM ledger.tree_head JOIN ledger.checkpoint USING (tree_size)",
            "SELECT ledger.publish_checkpoint(9, 258, root_hash, origin, note) FROM ledger.tree_head JOIN ledger.checkpoint USING (tree_size)",
            "SELECT ledger.add_cosignature(2, 258, 'v', 'x')",
            "SELECT ledger.add_cosignature(1, 7, 'v', 'x')",
        ]
        for attack in attacks {
            #expect(throws: PostgresCluster.Failure.self, "\(attack)") {
                try fixture.run(attack, as: "gatehouse_sequencer")
            }
        }
        // Whoever is not the sequencer has no door at all.
        for role in ["gatehouse_writer", "gatehouse_auditor", "gatehouse_verifier"] {
            for attack in [
                extend(1, 258, waiting), "SELECT ledger.take_lease('x', NULL, 5)",
                "SELECT ledger.release_lease('a', 1)",
                "SELECT ledger.add_cosignature(1, 258, 'v', 'x')", "SELECT ledger.queue_leaf()",
            ] {
                #expect(throws: PostgresCluster.Failure.self, "\(role): \(attack)") {
                    try fixture.run("SET default_transaction_read_only = off; " + attack, as: role)
                }
            }
        }
        #expect(try await leader.step() == .appended(2))
        try await fixture.expectSoundLog()
    }

    @Test func aTileThatBecameFullCannotBeLeftOut() async throws {
        let fixture = try await SequencingFixture()
        try fixture.addEntries(256)
        let log = fixture.postgresLog("a")
        let epoch = try required(try await log.takeLease(epoch: nil, seconds: 5))
        let entries = try await fixture.log.pending(limit: 256).map(\.entry)
        await #expect(throws: LogWriteError.conflict("a full tile is missing")) {
            try await log.extend(
                epoch: epoch, from: 0, by: entries, root: MerkleHash.empty, tiles: [])
        }
        #expect(try fixture.count("pending_leaf") == 256)
    }

    @Test func aLeaseIsTakenOnlyWhenItMayBe() async throws {
        let fixture = try await SequencingFixture()
        let (a, b) = (fixture.postgresLog("a"), fixture.postgresLog("b"))
        #expect(try await a.takeLease(epoch: nil, seconds: 60) == 1)
        #expect(try await a.takeLease(epoch: 1, seconds: 60) == 1)
        // Another, with the right epoch and without; and the same name without it, which may be a successor.
        #expect(try await b.takeLease(epoch: 1, seconds: 60) == nil)
        #expect(try await b.takeLease(epoch: nil, seconds: 60) == nil)
        #expect(try await a.takeLease(epoch: nil, seconds: 60) == nil)
        try await b.releaseLease(epoch: 1)
        #expect(try await b.takeLease(epoch: nil, seconds: 60) == nil)
        try await a.releaseLease(epoch: 1)
        #expect(try await b.takeLease(epoch: nil, seconds: 60) == 2)
        #expect(try await a.takeLease(epoch: 1, seconds: 60) == nil)
        await #expect(throws: LogWriteError.leaseLost) {
            try await a.publishCheckpoint(
                epoch: 1, head: LogTreeHead(size: 1, root: MerkleHash.empty), origin: "o", note: "o")
        }
    }

    /// Any other error than a missing right (SQLSTATE 42501) fails, and so does none.
    private func expectForbidden(_ attack: String, to role: String, _ fixture: SequencingFixture) throws {
        let attempt = """
            SET default_transaction_read_only = off;
            DO $$ BEGIN
              BEGIN \(attack); EXCEPTION WHEN insufficient_privilege THEN RETURN; END;
              RAISE 'not refused';
            END $$
            """
        #expect(throws: Never.self, "\(role): \(attack)") { try fixture.run(attempt, as: role) }
    }

    private func firstColumn(_ table: String, _ fixture: SequencingFixture) throws -> String {
        try fixture.cluster.superuser(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'ledger.\(table)'::regclass AND attnum = 1",
            database: fixture.database
        ).split(separator: "\n").first.map(String.init) ?? ""
    }
}
