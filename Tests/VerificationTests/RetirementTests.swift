import EnrollmentCore
import EnrollmentTesting
import Testing
import TransparencyLog

@testable import Verification

extension VerificationTests {
    /// Entries may be gone when their month was retired, and by no other word.
    @Suite struct RetirementTests {
        /// A retention that the ledger would have refused.
        struct Forgery: Sendable, CustomTestStringConvertible {
            let testDescription: String
            var month = "2019-01"
            var first = "ledger.first_id('2019-01-01')"
            var end = "ledger.first_id('2019-02-01')"
            var size = "(SELECT max(tree_size) FROM ledger.checkpoint)"
            var at = "now()"
            var entries = "(SELECT count(*) FROM pg_temp.gone)"
            /// What else is done to the ledger.
            var then = ""
            let fault: String
        }

        static let forgeries = [
            Forgery(
                testDescription: "every id there is",
                first: "'00000000-0000-0000-0000-000000000000'::uuid",
                end: "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid", size: "1", entries: "5",
                fault: "its ids are not those of 2019-01"),
            Forgery(
                testDescription: "a month later than it says", end: "ledger.first_id('2030-01-01')",
                fault: "its ids are not those of 2019-01"),
            Forgery(
                testDescription: "a month too young", month: young, first: "ledger.first_id('2026-01-01')",
                end: "ledger.first_id('2026-02-01')",
                fault: "had ended less than two years before"),
            Forgery(
                testDescription: "an act of the future", month: young,
                first: "ledger.first_id('2026-01-01')", end: "ledger.first_id('2026-02-01')",
                at: "now() + interval '3 years'",
                fault: "it says another time than its own id"),
            Forgery(
                testDescription: "an export of no tree", size: "3",
                fault: "no checkpoint has the 3 leaves of its export"),
            Forgery(
                testDescription: "a tree that came after it", size: "100000", fault: "came after it"),
            Forgery(
                testDescription: "no month", month: "2019-13", fault: "2019-13 is no month"),
            Forgery(testDescription: "another month than what is gone", fault: "the leaf's entry is gone"),
            Forgery(
                testDescription: "more entries than are gone", entries: "7", then: "DELETE FROM pg_temp.gone",
                fault: "0 entries of 2020-01 and later are gone, 7 went on record"),
            Forgery(
                testDescription: "leaves that are given ids of the month",
                then: """
                    UPDATE ledger.leaf SET entry_id = (left(ledger.first_id('2019-01-02')::text, 14) || '7'
                      || right(entry_id::text, 21))::uuid
                    WHERE entry_id IN (SELECT entry_id FROM pg_temp.gone);
                    """,
                fault: "the leaf's entry is gone"),
        ]
        /// A month that is not long ago.
        private static let young = "2026-01"

        @Test(arguments: forgeries) func aForgedRetentionExplainsNothing(_ forgery: Forgery) async throws {
            let copy = try await LedgerCopy()
            try copy.house.cluster.superuser(
                """
                ALTER TABLE ledger.retention DISABLE TRIGGER check_retention;
                \(Self.chain)
                INSERT INTO ledger.retention
                SELECT ledger.append(ledger.new_id(), 'retention', NULL, ledger.object(
                  'month', '\(forgery.month)', 'from_id', first::text, 'to_id', after::text, 'entries',
                  entries::text,
                  'manifest_sha256', encode(sha256(''), 'hex'), 'tree_size', size::text,
                  'at', ledger.time_text(at), 'actor', 'os:eve')),
                  '2019-01-01', first, after, entries, size, sha256(''), at, 'os:eve', '1'
                FROM (SELECT \(forgery.first) AS first, \(forgery.end) AS after,
                        \(forgery.size)::bigint AS size, \(forgery.at) AS at,
                        \(forgery.entries)::bigint AS entries) AS forged;
                """, database: copy.database)
            try await copy.house.sequence(copy.database)
            try copy.attack(
                """
                \(Self.chain) \(forgery.then);
                DELETE FROM ledger.entry WHERE entry_id IN (SELECT entry_id FROM pg_temp.gone);
                DELETE FROM ledger.request WHERE request_id IN (SELECT request_id FROM pg_temp.gone);
                DELETE FROM ledger.decision WHERE request_id IN (SELECT request_id FROM pg_temp.gone);
                DELETE FROM ledger.reservation WHERE request_id IN (SELECT request_id FROM pg_temp.gone);
                DELETE FROM ledger.outcome WHERE request_id IN (SELECT request_id FROM pg_temp.gone);
                DELETE FROM ledger.certificate WHERE request_id IN (SELECT request_id FROM pg_temp.gone);
                DELETE FROM ledger.private_value WHERE entry_id IN (SELECT entry_id FROM pg_temp.gone);
                DELETE FROM ledger.credential_event WHERE entry_id IN (SELECT entry_id FROM pg_temp.gone);
                """)
            let report = try copy.verify()
            #expect(report.violations[.l8]?.fault.contains(forgery.fault) == true, "\(report.text)")
            #expect(report.violations[.l8]?.leaf != nil, "\(report.text)")
            try copy.drop()
        }

        @Test func aForgedRetentionExcusesNoApproval() async throws {
            let copy = try await LedgerCopy()
            let month = try copy.value(
                "SELECT to_char(max(at) AT TIME ZONE 'UTC', 'YYYY-MM') FROM ledger.approval")
            try copy.house.cluster.superuser(
                """
                ALTER TABLE ledger.retention DISABLE TRIGGER check_retention;
                INSERT INTO ledger.retention
                SELECT ledger.append(ledger.new_id(), 'retention', NULL, ledger.object('month', '\(month)',
                  'from_id', first::text, 'to_id', after::text, 'entries', '0', 'manifest_sha256',
                  encode(sha256(''), 'hex'), 'tree_size', '1', 'at', ledger.time_text(now()),
                  'actor', 'os:eve')),
                  '\(month)-01', first, after, 0, 1, sha256(''), now(), 'os:eve', '1'
                FROM (SELECT ledger.first_id('\(month)-01') AS first,
                        ledger.first_id('\(month)-01'::timestamptz + interval '1 month') AS after) AS forged;
                """, database: copy.database)
            try await copy.house.sequence(copy.database)
            try copy.attack("DELETE FROM ledger.entry WHERE kind = 'approval'")
            let report = try copy.verify()
            #expect(
                report.violations[.l3]?.fault.contains("no entry has an approval") == true, "\(report.text)")
            try copy.drop()
        }

        /// The newest certificate's whole chain.
        private static let chain = """
            CREATE TEMP TABLE gone AS SELECT entry_id, request_id FROM ledger.entry
            WHERE request_id = (SELECT request_id FROM ledger.certificate
              ORDER BY request_id DESC LIMIT 1);
            """

        @Test func whatWasRetiredMayBeGone() async throws {
            let copy = try await LedgerCopy()
            let month = "2023-01"
            try copy.house.cluster.superuser(
                "ALTER TABLE ledger.retention ENABLE ALWAYS TRIGGER check_retention", database: copy.database)
            let taken = try copy.value(
                """
                SELECT r.taken FROM ledger.tree_head AS h, LATERAL ledger.retire(ledger.new_id(),
                  '\(month)-01', sha256('manifest'), h.tree_size, h.root_hash, now(), 'os:jane') AS r
                WHERE h.tree_size = (SELECT max(tree_size) FROM ledger.checkpoint)
                """)
            try #require(taken == "2")
            try await copy.house.sequence(copy.database)
            let report = try copy.verify()
            #expect(report.violations[.l8] == nil, "\(report.text)")
            let note = "\(taken) RETIRED, known by their hashes only: \(taken) of \(month)"
            #expect(report.line(.l8)?.notes == [note], "\(report.text)")
            #expect(report.isSound, "\(report.text)")
            let kept = "(SELECT entry_id FROM ledger.admin_event LIMIT 1)"
            try copy.attack(
                """
                DELETE FROM ledger.entry WHERE entry_id IN \(kept);
                DELETE FROM ledger.admin_event WHERE entry_id IN \(kept)
                """)
            #expect(try copy.verify().violations[.l8]?.leaf != nil)
            try copy.drop()
        }

        // MARK: Without a database

        private static func id(_ time: String, _ number: UInt8 = 0) throws -> RecordID {
            RecordID(RecordID(firstOf: try #require(Timestamp(rfc3339: time))).number + UInt128(number))
        }

        private static func retirement(_ month: String, _ next: String, entries: Int, leaf: Int64) throws
            -> Retirement
        {
            let body: JSONValue = [
                "month": .string(month), "entries": .string(String(entries)), "tree_size": "50",
                "from_id": .string(try id("\(month)-01T00:00:00Z").text),
                "to_id": .string(try id("\(next)-01T00:00:00Z").text),
                "at": "2026-01-02T03:04:05.000000Z", "actor": "os:jane", "manifest_sha256": "00",
            ]
            let octets = Array(body.canonicalText.utf8)
            let entry = EvidenceEntry(
                id: try id("2026-01-02T03:04:05Z"), kind: "retention", request: nil, body: octets,
                storedHash: nil, name: 0, leafIndex: leaf)
            return try Retirement(ReadEntry(entry), leaf: leaf)
        }

        /// Two months, 2 entries by the first retirement and 3 by the second.
        private static func months(bound: Int64? = nil) throws -> RetiredMonths {
            var months = RetiredMonths()
            try months.add(
                retirement("2023-11", "2023-12", entries: 2, leaf: 60), isPublished: true, bound: bound)
            try months.add(
                retirement("2023-12", "2024-01", entries: 3, leaf: 61), isPublished: true, bound: bound)
            return months
        }

        private static func explains(_ months: inout RetiredMonths, _ leaf: Int64, _ id: RecordID) -> Bool {
            months.explains(leaf: leaf, entry: id)
        }

        @Test(
            arguments: [
                (2, 3, []), (4, 1, []), (5, 0, []), (1, 4, [61]), (2, 2, [60]), (3, 3, [60]),
                (0, 0, [60]),
            ] as [(Int, Int, [Int64])])
        func aLaterRetirementTakesWhatAnEarlierLeft(_ early: Int, _ later: Int, _ wrong: [Int64]) throws {
            var months = try Self.months()
            for number in 0..<early {
                let id = try Self.id("2023-11-30T23:59:59Z", UInt8(number))
                #expect(Self.explains(&months, Int64(number), id))
            }
            for number in 0..<later {
                let id = try Self.id("2023-12-01T00:00:00Z", UInt8(number))
                #expect(Self.explains(&months, Int64(10 + number), id))
            }
            #expect(months.miscounts().map(\.leaf) == wrong)
        }

        @Test func noNumberOfEntriesIsTooMany() throws {
            var months = RetiredMonths()
            for (place, month) in ["2023-10", "2023-11", "2023-12"].enumerated() {
                let next = place < 2 ? "2023-1\(place + 1)" : "2024-01"
                try months.add(
                    Self.retirement(month, next, entries: .max, leaf: 60), isPublished: true, bound: nil)
            }
            #expect(months.miscounts().map(\.leaf) == [60])
            #expect(throws: Retirement.Fault.self) {
                try Self.retirement("2023-11", "2023-12", entries: .min, leaf: 60)
            }
        }

        @Test func aLeafMustLieInItsMonth() throws {
            var months = try Self.months(bound: 40)
            let inside = try Self.id("2023-11-15T00:00:00Z")
            #expect(Self.explains(&months, 39, inside))
            #expect(!Self.explains(&months, 40, inside))
            #expect(!Self.explains(&months, 1, try Self.id("2024-01-01T00:00:00Z")))
            #expect(!Self.explains(&months, 1, try Self.id("2023-10-31T23:59:59Z")))
            var unbounded = try Self.months()
            #expect(Self.explains(&unbounded, 49, inside))
            #expect(!Self.explains(&unbounded, 50, inside))
            #expect(throws: Retirement.Fault.self) {
                try unbounded.add(
                    Self.retirement("2023-11", "2023-12", entries: 0, leaf: 62), isPublished: true,
                    bound: nil)
            }
        }
    }
}
