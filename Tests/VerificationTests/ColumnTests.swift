import EnrollmentCore
import Testing

@testable import Verification

extension VerificationTests {
    /// Every column of every table that repeats what was hashed, changed by a superuser in one row.
    @Suite struct ColumnTests {
        static let tables =
            TypedTable.allCases.map(\.name) + ["policy_version", "transaction", "entry", "leaf"]
        /// Set by the database when a row comes in, and not hashed.
        private static let unhashed: Set<String> = [
            "entry.recorded_at", "entry.writer", "retention.retired_in", "transaction.recorded_at",
            "transaction.writer",
        ]

        @Test(arguments: tables) func isNoticed(_ table: String) async throws {
            let copy = try await LedgerCopy()
            let columns = try copy.value(
                """
                SELECT attname || ' ' || format_type(atttypid, NULL) FROM pg_attribute
                WHERE attrelid = 'ledger.\(table)'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
                """)
            try copy.attack(
                """
                CREATE TABLE public.kept AS TABLE ledger.\(table);
                DO $$ BEGIN
                  IF '\(table)' = 'policy_succession' THEN
                    ALTER TABLE ledger.policy_succession ALTER COLUMN number DROP IDENTITY;
                  END IF;
                END $$;
                """)
            for line in columns.split(separator: "\n") {
                let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                let column = try #require(parts.first)
                let name = "\(table).\(column)"
                guard !Self.unhashed.contains(name) else { continue }
                try copy.attackAgain(
                    """
                    DELETE FROM ledger.\(table);
                    INSERT INTO ledger.\(table) SELECT * FROM public.kept;
                    UPDATE ledger.\(table) SET \(column) = \(try Self.change(column, parts.last ?? ""))
                    WHERE ctid = (SELECT min(ctid) FROM ledger.\(table))
                    """)
                let report = try copy.verify()
                let said = report.violations.values.map(\.description)
                // A certificate is found by its outcome.
                let rowless = table == "outcome" ? "ledger.certificate has" : "ledger.\(table) has"
                let names = [name, "ledger.\(table) has", rowless, "\(table).number", "\(table) "]
                #expect(!report.isSound, "\(name) was not noticed")
                let isNamed = said.contains { text in names.contains { text.contains($0) } }
                #expect(isNamed || ["leaf", "entry"].contains(table), "\(name) was not named: \(said)")
            }
            try copy.drop()
        }

        /// Another value of that type.
        private static func change(_ column: String, _ type: String) throws -> String {
            switch type {
            case "text": return "coalesce(\(column), '') || 'x'"
            case "uuid": return "gen_random_uuid()"
            case "ledger.sha256": return "sha256(coalesce(\(column), ''))"
            case "bytea": return "coalesce(\(column), '') || '\\x00'"
            case "timestamp with time zone": return "coalesce(\(column) + interval '1 second', now())"
            case "integer", "bigint": return "coalesce(\(column), 0) + 1000"
            case "smallint": return "\(column) + 1"
            case "boolean": return "NOT \(column)"
            case "text[]": return "\(column) || 'x'::text"
            case "uuid[]": return "\(column) || gen_random_uuid()"
            case "jsonb": return "\(column) || '{\"x\":1}'"
            case "date": return "\(column) + 1"
            default: throw UnknownType(name: type)
            }
        }

        struct UnknownType: Error { let name: String }
    }
}
