import Database
import EnrollmentCore
import EnrollmentTesting
import Foundation
import Ledger
import Testing

/// docs/auditing.md: every question is asked by the auditor and answered as the page says.
struct AuditingTests {
    @Test func everyQuestionIsAnsweredAsThePageSays() async throws {
        let questions = try AuditQuestion.all()
        #expect(questions.count >= 30)
        #expect(questions.map(\.number) == Array(1...questions.count))
        let fixture = try AuditLedger(try PostgresCluster.shared())
        var seed = AuditSeed(fixture, now: Timestamp(seconds: Int64(Date().timeIntervalSince1970)))
        try await seed.fill()
        let auditor = AuditorQuery(fixture.settings(.auditor))
        for question in questions {
            let table = try auditor.run(question.sql, limit: 50)
            let answer = AuditAnswer(table, noon: seed.noon)
            #expect(!table.rows.isEmpty, "\(question.number): \(question.title)")
            #expect(
                answer.matches(question.answer),
                "question \(question.number) answers\n\(answer.text)\nend of answer \(question.number)")
        }
    }

    @Test func everyQuestionNamesItsControls() throws {
        let frameworks = ["SOC 2", "ISO/IEC 27001:2022", "PCI DSS", "NIST SP 1800-16", "CA/B BR"]
        let questions = try AuditQuestion.all()
        for question in questions {
            #expect(frameworks.contains { question.controls.contains($0) }, "\(question.title)")
            #expect(question.sql.split(separator: ";").count == 1, "\(question.title)")
        }
        for framework in frameworks { #expect(questions.contains { $0.controls.contains(framework) }) }
    }

    @Test func everyViewAndColumnHasItsMeaning() throws {
        let fixture = try AuditLedger(try PostgresCluster.shared())
        let auditor = AuditorQuery(fixture.settings(.auditor))
        let dumb = try auditor.run(
            "SELECT view, column_name FROM dictionary WHERE meaning IS NULL OR view_meaning IS NULL",
            limit: 100)
        #expect(dumb.rows == [])
        #expect(try auditor.run("SELECT FROM dictionary", limit: 1_000).rows.count > 200)
    }

    @Test(arguments: [
        "INSERT INTO ledger.entry SELECT * FROM ledger.entry", "SELECT * FROM ledger.entry",
        "SELECT * FROM state.record", "SELECT * FROM directory.device",
        "UPDATE issuance SET state = 'issued'", "DELETE FROM alerts", "TRUNCATE ledger.entry",
        "CREATE TABLE mine (a int)", "CREATE TEMP TABLE mine (a int)", "CREATE VIEW audit.mine AS SELECT 1",
        "SET ROLE gatehouse_owner", "SET ROLE gatehouse_writer", "SELECT pg_notify('a', 'b')",
        "SELECT lo_create(1)", "SELECT pg_advisory_lock(1)", "SELECT pg_read_file('/etc/passwd')",
        "SELECT ledger.take_lease('me', NULL, 60)", "COPY issuance TO PROGRAM 'cat'",
        "SELECT ledger.new_id()", "GRANT SELECT ON issuance TO gatehouse_sequencer",
    ])
    func anAuditorMayDoNothingElse(_ sql: String) throws {
        let fixture = try AuditLedger(try PostgresCluster.shared())
        #expect(throws: DatabaseError.self) {
            try AuditorQuery(fixture.settings(.auditor)).run(sql, limit: 1)
        }
    }

    @Test func anAuditorIsReadOnlyAndPatientForAMinute() throws {
        let fixture = try AuditLedger(try PostgresCluster.shared())
        let rows = try AuditorQuery(fixture.settings(.auditor)).run(
            """
            SELECT current_setting('default_transaction_read_only'), current_setting('statement_timeout'),
              current_setting('transaction_read_only'), current_user
            """, limit: 1
        ).rows
        #expect(rows == [["on", "1min", "on", "gatehouse_auditor"]])
    }
}
