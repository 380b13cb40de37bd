import EnrollmentCore
import Testing
import TransparencyLog

@testable import Verification

extension VerificationTests {
    /// What a superuser can do to a database, and who notices.
    @Suite struct AttackTests {
        struct Attack: Sendable, CustomTestStringConvertible {
            let name: String
            let sql: String
            let broken: [Invariant]
            /// The query that says which leaf is the first bad one; nil where none is.
            var leaf: String?
            let fault: String
            /// Whether more follows from it than is listed.
            var spreads = false

            var testDescription: String { name }
        }

        /// The decision of an issued certificate, with the leaf that its body must keep.
        private static let decision =
            "(SELECT d.entry_id FROM ledger.decision AS d JOIN ledger.certificate USING "
            + "(request_id) ORDER BY d.request_id LIMIT 1)"
        /// An entry of the attacker's own, with its row.
        private static let addition = """
            INSERT INTO ledger.entry (entry_id, kind, body, leaf_hash, recorded_at, writer)
            SELECT ledger.new_id(), 'admin', body, ledger.leaf_hash(body), now() - interval '1 hour', 'eve'
            FROM ledger.object('at', '2020-01-01T00:00:00.000000Z', 'actor', 'os:eve', 'action', 'x', 'target', 'x',
              'reason', 'x') AS body;
            INSERT INTO ledger.admin_event
            SELECT entry_id, '2020-01-01', 'os:eve', 'x', 'x', 'x' FROM ledger.entry WHERE writer = 'eve';
            """
        private static let rehash = "UPDATE ledger.entry SET leaf_hash = ledger.leaf_hash(body);"

        static let attacks = [
            Attack(
                name: "a body is edited",
                sql:
                    "UPDATE ledger.entry SET body = replace(body, 'device.set', 'device.sat') WHERE kind = 'admin'",
                broken: [.l8, .l9],
                leaf:
                    "SELECT min(leaf_index) FROM ledger.leaf JOIN ledger.entry USING (entry_id) WHERE kind = 'admin'",
                fault: "entry.leaf_hash is not the hash of its body"),
            Attack(
                name: "a body is edited and hashed again, and its row with it",
                sql: """
                    UPDATE ledger.entry SET body = replace(body, 'device.set', 'device.sat') WHERE kind = 'admin';
                    UPDATE ledger.admin_event SET action = 'device.sat'; \(rehash)
                    """,
                broken: [.l8],
                leaf:
                    "SELECT min(leaf_index) FROM ledger.leaf JOIN ledger.entry USING (entry_id) WHERE kind = 'admin'",
                fault: "its body is not what the leaf was made of"),
            Attack(
                name: "an entry is deleted with its row",
                sql: """
                    DELETE FROM ledger.entry WHERE kind = 'admin'; DELETE FROM ledger.admin_event
                    """,
                broken: [.l8],
                leaf: """
                    SELECT min(leaf_index) FROM ledger.leaf LEFT JOIN ledger.entry AS e USING (entry_id)
                    WHERE e.entry_id IS NULL
                    """,
                fault: "the leaf's entry is gone"),
            Attack(
                name: "an entry is deleted with its leaf",
                sql: """
                    DELETE FROM ledger.leaf WHERE entry_id IN
                      (SELECT entry_id FROM ledger.admin_event LIMIT 1);
                    DELETE FROM ledger.entry WHERE entry_id IN
                      (SELECT entry_id FROM ledger.admin_event LIMIT 1);
                    DELETE FROM ledger.admin_event WHERE entry_id IN
                      (SELECT entry_id FROM ledger.admin_event LIMIT 1)
                    """,
                broken: [.log, .l11, .l13],
                leaf: """
                    SELECT min(i) FROM generate_series(0, 1000) AS i
                    WHERE NOT EXISTS (SELECT FROM ledger.leaf WHERE leaf_index = i)
                    """,
                fault: "the next leaf that is there is"),
            Attack(
                name: "an entry is put in the middle",
                sql: """
                    \(addition)
                    UPDATE ledger.leaf SET leaf_index = -leaf_index - 2 WHERE leaf_index >= 5;
                    UPDATE ledger.leaf SET leaf_index = -leaf_index - 1 WHERE leaf_index < 0;
                    INSERT INTO ledger.leaf SELECT 5, entry_id, leaf_hash FROM ledger.entry
                    JOIN ledger.admin_event AS a USING (entry_id) WHERE a.actor = 'os:eve'
                    """,
                broken: [.log, .l11], leaf: "SELECT min(tree_size) - 1 FROM ledger.tree_head",
                fault: "another root than its leaves have"),
            Attack(
                name: "an entry is added without a leaf",
                sql: addition, broken: [.l10], fault: "no leaf after"),
            Attack(
                name: "two leaves change places",
                sql: """
                    UPDATE ledger.leaf SET leaf_index = -1 WHERE leaf_index = 3;
                    UPDATE ledger.leaf SET leaf_index = 3 WHERE leaf_index = 4;
                    UPDATE ledger.leaf SET leaf_index = 4 WHERE leaf_index = -1
                    """,
                broken: [.log, .l11], leaf: "SELECT min(tree_size) - 1 FROM ledger.tree_head",
                fault: "another root than its leaves have"),
            Attack(
                name: "the tail is cut off the log",
                sql: "DELETE FROM ledger.leaf WHERE leaf_index >= 7",
                broken: [.l11, .l13], leaf: "SELECT 7", fault: "leaves were published, 7 are here"),
            Attack(
                name: "two bodies change places",
                sql: """
                    WITH two AS (SELECT entry_id, row_number() OVER () AS n FROM ledger.admin_event LIMIT 2)
                    UPDATE ledger.entry AS e SET body = o.body, leaf_hash = o.leaf_hash
                    FROM two AS mine, two AS theirs, ledger.entry AS o
                    WHERE e.entry_id = mine.entry_id AND o.entry_id = theirs.entry_id AND mine.n <> theirs.n;
                    UPDATE ledger.admin_event AS a SET (at, target, reason) = (SELECT (e.body::jsonb->>'at')::timestamptz,
                      e.body::jsonb->>'target', e.body::jsonb->>'reason' FROM ledger.entry AS e WHERE e.entry_id = a.entry_id)
                    """,
                broken: [.l8],
                leaf:
                    "SELECT min(leaf_index) FROM ledger.leaf JOIN ledger.entry USING (entry_id) WHERE kind = 'admin'",
                fault: "its body is not what the leaf was made of"),
            Attack(
                name: "a table's content is dropped", sql: "TRUNCATE ledger.alert",
                broken: [.l9], fault: "ledger.alert has no row for it"),
            Attack(
                name: "a checkpoint is forged",
                sql: "UPDATE ledger.checkpoint SET note = replace(note, E'\\n\\n', E'\\nforged\\n\\n')",
                broken: [.l11], leaf: "SELECT min(tree_size) - 1 FROM ledger.checkpoint",
                fault: "it has no valid signature"),
            Attack(
                name: "a tree head is forged", sql: "UPDATE ledger.tree_head SET root_hash = sha256('x')",
                broken: [.log], leaf: "SELECT min(tree_size) - 1 FROM ledger.tree_head",
                fault: "another root than its leaves have"),
            Attack(
                name: "a tile is forged",
                sql: "INSERT INTO ledger.tile VALUES (0, 0, convert_to(repeat('x', 8192), 'UTF8'))",
                broken: [.log], fault: "there is no such tile in the tree"),
            Attack(
                name: "a decision is rewritten everywhere but in the log",
                sql: """
                    UPDATE ledger.entry SET body = replace(body, '"permitted"', '"allowed"')
                    WHERE entry_id = \(decision);
                    UPDATE ledger.decision SET reason_code = 'allowed' WHERE entry_id = \(decision);
                    \(rehash)
                    """,
                broken: [.l8, .l12], leaf: "SELECT leaf_index FROM ledger.leaf WHERE entry_id = \(decision)",
                fault: "its body is not what the leaf was made of"),
            Attack(
                name: "a bundle is replaced",
                sql: "UPDATE ledger.policy_version SET bundle = bundle || '\\x20'",
                broken: [.l9, .l12], fault: "policy_version.bundle does not have this digest"),
            Attack(
                name: "bundles are taken away", sql: "DELETE FROM ledger.policy_version",
                broken: [.l9, .l12], fault: "an entry names it, and it is gone"),
            Attack(
                name: "a private value is changed",
                sql: "UPDATE ledger.private_value SET value = value || 'x'",
                broken: [.privacy], fault: "is not what was committed to"),
            Attack(
                name: "a private value is gone", sql: "DELETE FROM ledger.private_value",
                broken: [.privacy], fault: "is gone without a redaction"),
        ]

        /// What the records of one request say of each other.
        static let contradictions = [
            Attack(
                name: "a partition is dropped",
                sql: """
                    DO $$
                    DECLARE
                      part regclass;
                    BEGIN
                      SELECT tableoid INTO part FROM ledger.entry GROUP BY 1 ORDER BY count(*) DESC LIMIT 1;
                      EXECUTE format('ALTER TABLE ledger.entry DETACH PARTITION %s', part);
                      EXECUTE format('DROP TABLE %s', part);
                    END $$
                    """,
                broken: [.l8, .l9], fault: "the leaf's entry is gone", spreads: true),
            Attack(
                name: "a permit becomes a denial",
                sql: """
                    UPDATE ledger.entry SET body = replace(body, '"effect":"permit"', '"effect":"deny"')
                    WHERE entry_id = \(decision)
                    """,
                broken: [.l3, .l8], fault: "its request was not a permitted enrollment", spreads: true),
            Attack(
                name: "certificates change places",
                sql: """
                    UPDATE ledger.certificate SET der = (SELECT der FROM ledger.certificate
                      ORDER BY request_id LIMIT 1)
                    """,
                broken: [.l4], fault: "certificate.der is not the certificate that was recorded"),
            Attack(
                name: "alerts are taken from their requests",
                sql: "UPDATE ledger.entry SET request_id = NULL WHERE kind = 'alert'",
                broken: [.l9], fault: "entry.request_id is none of its body's", spreads: true),
            Attack(
                name: "a redaction is taken from its request",
                sql: "UPDATE ledger.entry SET request_id = NULL WHERE kind = 'redaction'",
                broken: [.l9], fault: "entry.request_id is not what its body says", spreads: true),
            Attack(
                name: "a credential is used twice",
                sql: """
                    INSERT INTO ledger.entry
                    SELECT 'ffffffff-0000-7000-8000-000000000000', kind, request_id, body, leaf_hash, recorded_at,
                      writer
                    FROM ledger.entry WHERE entry_id IN (SELECT entry_id FROM ledger.credential_event
                      WHERE kind = 'consume' LIMIT 1)
                    """,
                broken: [.l5], fault: "the credential had been used before", spreads: true),
            Attack(
                name: "a decision is missing",
                sql: "DELETE FROM ledger.entry WHERE entry_id = \(decision)",
                broken: [.l6, .l8], fault: "it has 0 decisions", spreads: true),
            Attack(
                name: "a serial number is given twice",
                sql: """
                    UPDATE ledger.entry SET body = ledger.object(VARIADIC ARRAY['issuer', 'issuing', 'serial', '01',
                      'request_id', request_id::text, 'tbs_sha256', 'x', 'signing_deadline', 'x'])
                    WHERE kind = 'reservation'
                    """,
                broken: [.l7, .l8], fault: "its issuer and serial number were reserved before", spreads: true),
        ]

        @Test(arguments: attacks + contradictions) func isNoticed(_ attack: Attack) async throws {
            let copy = try await LedgerCopy()
            // Asked before: the attack may take it away.
            let before = try copy.value(attack.leaf ?? "SELECT ''")
            try copy.attack(attack.sql)
            let report = try copy.verify()
            let broken = report.violations
            #expect(Set(attack.broken).isSubset(of: broken.keys), "\(report.text)")
            if !attack.spreads {
                // Entries that lost their leaf are overdue where this takes a minute.
                let allowed = Set(attack.broken).union([.l9, .l10])
                #expect(Set(broken.keys).isSubset(of: allowed), "\(report.text)")
            }
            let named = attack.broken.compactMap { broken[$0] }
            #expect(named.contains { $0.fault.contains(attack.fault) }, "\(report.text)")
            if let leaf = attack.leaf {
                let after = try copy.value(leaf)
                #expect(
                    named.contains {
                        $0.leaf.map(String.init) == before || $0.leaf.map(String.init) == after
                    },
                    "leaf \(before) or \(after)\n\(report.text)")
            }
            try copy.drop()
        }

        @Test func aLogSignedByAnotherKeyIsNotOurs() async throws {
            let copy = try await LedgerCopy()
            let other = try NoteSigner(
                name: House.origin, privateKey: Secret([UInt8](repeating: 1, count: 32)))
            let report = try copy.verify { $0.log = other.verifierKey }
            #expect(report.violations.keys.sorted() == [.l11])
            try copy.drop()
        }

        @Test func aRestoredBackupIsOlderThanItsAnchor() async throws {
            let copy = try await LedgerCopy()
            let newest = "(SELECT max(tree_size) FROM ledger.tree_head)"
            let note = try copy.value("SELECT note FROM ledger.checkpoint WHERE tree_size = \(newest)") + "\n"
            let entry = "(SELECT entry_id FROM ledger.leaf ORDER BY leaf_index DESC LIMIT 1)"
            try copy.attack(
                """
                DELETE FROM ledger.admin_event WHERE entry_id = \(entry);
                DELETE FROM ledger.entry WHERE entry_id = \(entry);
                DELETE FROM ledger.leaf WHERE entry_id = \(entry);
                DELETE FROM ledger.checkpoint WHERE tree_size = \(newest);
                DELETE FROM ledger.tree_head WHERE tree_size = \(newest)
                """)
            #expect(try copy.verify().isSound, "nothing in the database shows it")
            let report = try copy.verify { $0.anchors = [try $0.anchor(name: "anchor", note: note)] }
            #expect(report.violations.keys.sorted() == [.l13])
            #expect(report.violations[.l13]?.fault.contains("are gone") == true)
            #expect(report.violations[.l13]?.leaf == report.treeSize)
            try copy.drop()
        }
    }
}
