import ArgumentParser
import Database
import EnrollmentCore
import Ledger

/// `gatehouse ledger`
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Ask the ledger, prove it, carry it elsewhere.",
        subcommands: [
            Query.self, LedgerTail.self, LedgerExport.self, LedgerReceipt.self, LedgerVerify.self,
            LedgerReconcile.self, LedgerRedact.self, LedgerRetire.self, LedgerAcceptRollback.self,
            LedgerBench.self,
        ])

    struct Query: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run one SQL statement as the auditor: read-only, on the views of schema audit.",
            discussion: """
                SELECT * FROM audit.dictionary explains every view and column.

                Exit codes: 0 answered, with rows or without; 1 the database refused the statement; 2 usage; \
                5 it does not answer.

                Example: gatehouse ledger query "SELECT device_id, state FROM issuance LIMIT 10"
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The SQL statement.") var sql: String
        @Option(help: "At most so many rows; where there are more, standard error says so.")
        var limit: Int = 10_000

        func validate() throws {
            guard sql.contains(where: { !$0.isWhitespace }) else { throw ValidationError("give a statement") }
        }

        func run() throws {
            let table: TextTable
            let auditor = try Stores.open(common).auditor
            do throws(DatabaseError) { table = try auditor.run(sql, limit: limit) } catch {
                throw Self.fault(error)
            }
            Output(columns: table.columns, rows: table.rows.map { $0.map { JSONValue($0) } }).print(
                as: common.output)
            if table.rows.isEmpty { Output.message("0 rows") }
            if table.isTruncated {
                let rows = limit == 1 ? "the first row is" : "the first \(limit) rows are"
                Output.message("only \(rows) shown; raise --limit")
            }
        }

        /// What to do about a refusal of this SQLSTATE.
        private static func remedy(_ state: String) -> String {
            let dictionary = "SELECT view, column_name, meaning FROM dictionary ORDER BY 1, 2"
            return switch state {
            case "57014": "60 s a statement; narrow it by received_at"
            case "42601": "mend the statement"
            case "25006", "42501", "55000":
                "an auditor reads the views of schema audit, nothing else; see \(dictionary)"
            case _: "mend the statement; what there is to ask: \(dictionary)"
            }
        }

        private static func fault(_ error: DatabaseError) -> StartupError {
            switch error {
            case .refused(let state, let message):
                return StartupError(
                    "the database refused (\(state)): \(message)",
                    remedy: Self.remedy(state), exitCode: .negative)
            case .unavailable, .unexpectedRow: return StartupError(error)
            }
        }
    }
}
