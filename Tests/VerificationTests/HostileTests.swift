import EnrollmentCore
import Foundation
import Testing
import TransparencyLog

@testable import Verification

extension VerificationTests {
    /// What a superuser writes to be believed, or to bring the verifier down.
    @Suite struct HostileTests {
        struct Attack: Sendable, CustomTestStringConvertible {
            let name: String
            let sql: String
            let broken: Invariant
            let fault: String

            var testDescription: String { name }
        }

        private static let permit = """
            (SELECT d.entry_id FROM ledger.decision AS d JOIN ledger.certificate USING (request_id)
             ORDER BY d.request_id LIMIT 1)
            """
        private static func decidedBy(_ word: String) -> String {
            """
            UPDATE ledger.entry SET body = replace(body, '"decided_by":"policy"', '"decided_by":"\(word)"')
            WHERE entry_id = \(permit)
            """
        }
        private static let least = "(-9223372036854775808)"

        static let attacks = [
            Attack(
                name: "a permit by issuance", sql: decidedBy("issuance"), broken: .l12,
                fault: "only policy can decide so, not issuance"),
            Attack(
                name: "a permit by nobody", sql: decidedBy("nobody"), broken: .l12,
                fault: "decision.decided_by is nobody who decides"),
            Attack(
                name: "another effect",
                sql: """
                    UPDATE ledger.entry SET body = replace(body, '"effect":"deny"', '"effect":"maybe"')
                    WHERE kind = 'decision'
                    """, broken: .l12, fault: "decision.effect is no word"),
            Attack(
                name: "another kind of request",
                sql: """
                    UPDATE ledger.entry SET body = replace(body, '"kind":"refusal"', '"kind":"rebuff"')
                    WHERE kind = 'request'
                    """, broken: .l12, fault: "request.kind is no word"),
            Attack(
                name: "a permit without credential",
                sql: """
                    UPDATE ledger.entry SET body = replace(body, '"credential":{', '"credential_":{')
                    WHERE kind = 'request';
                    DELETE FROM ledger.entry WHERE kind = 'credential'
                    """, broken: .l5, fault: "nothing in it was proven"),
            Attack(
                name: "approvals are gone",
                sql: "DELETE FROM ledger.entry WHERE kind = 'approval'", broken: .l3,
                fault: "no entry has an approval"),
            Attack(
                name: "the newest checkpoint is gone, and with it its signature",
                sql: """
                    DELETE FROM ledger.checkpoint
                    WHERE tree_size = (SELECT max(tree_size) FROM ledger.checkpoint);
                    UPDATE ledger.leaf SET entry_id = overlay(entry_id::text PLACING '01800000' FROM 1)::uuid
                    WHERE leaf_index = (SELECT max(leaf_index) FROM ledger.leaf)
                    """, broken: .l11, fault: "no checkpoint of all"),
            Attack(
                name: "the newest tree head is gone",
                sql: """
                    DELETE FROM ledger.tree_head
                    WHERE tree_size = (SELECT max(tree_size) FROM ledger.tree_head)
                    """, broken: .log, fault: "the newest tree head is of"),
            Attack(
                name: "recorded in the future",
                sql: "UPDATE ledger.entry SET recorded_at = now() + interval '2 hours' WHERE kind = 'alert'",
                broken: .l10, fault: "entry.recorded_at is to come"),
            Attack(
                name: "recorded at no time",
                sql: "UPDATE ledger.entry SET recorded_at = 'infinity' WHERE kind = 'alert'",
                broken: .l10, fault: "entry.recorded_at is to come"),
            Attack(
                name: "recorded long ago",
                sql: "UPDATE ledger.entry SET recorded_at = '-infinity' WHERE kind = 'alert'",
                broken: .l10, fault: "more than a day from the time in its id"),
            Attack(
                name: "without a leaf since its id",
                sql: """
                    INSERT INTO ledger.entry (entry_id, kind, body, leaf_hash, recorded_at, writer)
                    SELECT ledger.first_id(now() - interval '2 hours'), kind, body, leaf_hash, now(), writer
                    FROM ledger.entry WHERE kind = 'admin' LIMIT 1
                    """, broken: .l10, fault: "no leaf after 7"),
            Attack(
                name: "a shorter salt",
                sql: """
                    UPDATE ledger.private_value
                    SET salt = substring(salt FROM 1 FOR 15), value = '0' || value
                    """, broken: .privacy, fault: "is not what was committed to"),
            Attack(
                name: "a tree head of the least size",
                sql: """
                    UPDATE ledger.tree_head SET tree_size = \(least)
                    WHERE tree_size = (SELECT min(tree_size) FROM ledger.tree_head)
                    """, broken: .log, fault: "another root"),
            Attack(
                name: "a checkpoint of the least size",
                sql: """
                    UPDATE ledger.checkpoint SET tree_size = \(least)
                    WHERE tree_size = (SELECT min(tree_size) FROM ledger.checkpoint)
                    """, broken: .l11, fault: "its note is of another size"),
            Attack(
                name: "leaves of the least index",
                sql: "UPDATE ledger.leaf SET leaf_index = leaf_index - 9223372036854775807 - 1", broken: .log,
                fault: "the next leaf that is there is"),
            Attack(
                name: "an entry that is there twice",
                sql: """
                    ALTER TABLE ledger.entry DROP CONSTRAINT entry_pkey CASCADE;
                    INSERT INTO ledger.entry SELECT * FROM ledger.entry WHERE kind = 'admin' LIMIT 1
                    """, broken: .l9, fault: "another entry has its id"),
            Attack(
                name: "a private value of an entry without request",
                sql: """
                    INSERT INTO ledger.private_value (commitment, entry_id, field, salt, value)
                    SELECT sha256(salt || convert_to('hidden', 'UTF8')),
                      (SELECT entry_id FROM ledger.admin_event LIMIT 1), 'x', salt, 'hidden'
                    FROM ledger.private_value LIMIT 1;
                    UPDATE ledger.entry AS e SET body = replace(e.body, '"action":"',
                      '"aaa":"commitment:' || encode(p.commitment, 'hex') || '","action":"')
                    FROM ledger.private_value AS p WHERE p.value = 'hidden' AND e.entry_id = p.entry_id
                    """, broken: .privacy, fault: "no body of its request commits to it"),
            Attack(
                name: "a transaction of no request",
                sql: "INSERT INTO ledger.transaction VALUES (sha256('x'), now(), 'x')", broken: .l9,
                fault: "no request is of it"),
            Attack(
                name: "an approval of no request",
                sql: """
                    ALTER TABLE ledger.approval ALTER request_id DROP NOT NULL;
                    UPDATE ledger.approval SET request_id = NULL
                    """, broken: .l9, fault: "ledger.approval has"),
            Attack(
                name: "an account of no request",
                sql: """
                    ALTER TABLE ledger.account ALTER request_id DROP NOT NULL;
                    UPDATE ledger.account SET request_id = NULL
                    """, broken: .l9, fault: "ledger.account has"),
            Attack(
                name: "an event that calls its entry a request",
                sql: "UPDATE ledger.credential_event SET request_id = entry_id WHERE request_id IS NULL",
                broken: .l9, fault: "ledger.credential_event has"),
            Attack(
                name: "an approval of the greatest number",
                sql: """
                    UPDATE ledger.approval SET number = 2147483647, reservations = 2147483647
                    """, broken: .l9, fault: ""),
        ]

        @Test(arguments: attacks) func isNoticed(_ attack: Attack) async throws {
            let copy = try await LedgerCopy()
            try copy.attack(attack.sql)
            let report = try copy.verify()
            let fault = try #require(report.violations[attack.broken], "\(report.text)").fault
            #expect(attack.fault.isEmpty || fault.contains(attack.fault), "\(report.text)")
            try copy.drop()
        }

        @Test(arguments: ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"])
        func everyIDIsReached(_ id: String) async throws {
            let copy = try await LedgerCopy()
            try copy.attack(
                """
                INSERT INTO ledger.entry (entry_id, kind, body, leaf_hash, recorded_at, writer)
                SELECT '\(id)', 'admin', body, leaf_hash, now(), writer
                FROM ledger.entry WHERE kind = 'admin' LIMIT 1;
                INSERT INTO ledger.admin_event SELECT '\(id)', a.at, a.actor, a.action, a.target, a.reason
                FROM ledger.entry AS e JOIN ledger.admin_event AS a USING (entry_id)
                WHERE e.body = (SELECT body FROM ledger.entry WHERE entry_id = '\(id)') LIMIT 1
                """)
            let report = try copy.verify()
            #expect(try String(report.entries) == copy.value("SELECT count(*) FROM ledger.entry"))
            #expect(report.violations[.l10] != nil && report.violations[.l9] == nil, "\(report.text)")
            try copy.drop()
        }

        @Test func whatNoQueryReadsIsMalformed() async throws {
            let copy = try await LedgerCopy()
            try copy.attack("INSERT INTO ledger.tile VALUES (30000, 9223372036854775807, '')")
            do {
                let report = try copy.verify()
                Issue.record("\(report.text)")
            } catch let error as VerificationError {
                guard case .malformed = error else { throw error }
            }
            try copy.drop()
        }

        @Test(arguments: ["9223372036854775807", "-9223372036854775808", "-1"])
        func noManifestHasSoMany(_ number: String) async throws {
            let export = try await Export()
            let entries = try export.copy.value("SELECT count(*) FROM ledger.leaf")
            try export.replace("manifest.json", "\"entries\":\(entries)", "\"entries\":\(number)")
            #expect(
                throws: VerificationError.malformed(
                    "manifest.json", line: 1, "not a manifest of \(ExportManifest.format)")
            ) { try export.verify() }
            try export.remove()
        }

        @Test func anExportEndsAtItsCheckpoint() async throws {
            let export = try await Export()
            let size = try export.copy.value("SELECT max(tree_size) FROM ledger.checkpoint")
            try export.replace(
                "checkpoints.jsonl", "\"tree_size\":\(size)", "\"tree_size\":-9223372036854775808")
            #expect(try export.verify().violations[.l11] != nil)
            try export.keepLines(of: "checkpoints.jsonl") { $0.dropLast() }
            #expect(try export.verify().violations[.l11]?.fault.contains("no checkpoint of all") == true)
            try export.keepLines(of: "checkpoints.jsonl") { _ in [] }
            #expect(try export.verify().violations[.l11]?.fault == "there is no checkpoint")
            try export.remove()
        }

        @Test func everyCertificateHasItsRequest() async throws {
            let export = try await Export()
            let stray = "{\"request_id\":\"ffffffff-0000-7000-8000-000000000000\",\"tbs\":\"AAAA\"}"
            for change: ([Substring]) -> [Substring] in [
                { $0 + [stray[...]] }, { $0.dropLast() + $0.dropLast().suffix(1) },
            ] {
                try export.keepLines(of: "certificates.jsonl", change)
                #expect(throws: VerificationError.self) { try export.verify() }
            }
            try export.remove()
        }
    }
}

extension Export {
    /// Writes a file again with other lines.
    fileprivate func keepLines(of file: String, _ change: ([Substring]) -> [Substring]) throws {
        let path = directory + "/" + file
        let lines = change(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n"))
        try lines.map { $0 + "\n" }.joined().write(toFile: path, atomically: true, encoding: .utf8)
    }
}
