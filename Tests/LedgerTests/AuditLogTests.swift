import Database
import EnrollmentTesting
import Foundation
import Ledger
import Testing

/// Invariant L14: where pgAudit is set up, PostgreSQL's own log says what an auditor or a verifier read.
struct AuditLogTests {
    private static func script(_ name: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("deploy/postgres/\(name)"), encoding: .utf8)
    }

    /// The settings of pgaudit.conf, without its comments.
    private static func settings() throws -> [String] {
        try script("pgaudit.conf").split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    @Test func anAuditorsReadIsLogged() throws {
        let cluster = try #require(
            try? PostgresCluster.separate(settings: try Self.settings()),
            "PostgreSQL does not start with pgAudit: install postgresql-15-pgaudit")
        defer { cluster.remove() }
        let fixture = try AuditLedger(cluster)
        for _ in 1...2 { try cluster.superuser(try Self.script("pgaudit.sql"), database: fixture.database) }
        // A view of a later migration is logged without another run.
        try cluster.superuser(
            """
            SET ROLE gatehouse_owner;
            CREATE VIEW audit.later AS SELECT 1 AS one;
            GRANT SELECT ON audit.later TO gatehouse_auditor
            """, database: fixture.database)
        let sql = "SELECT count(*) AS asked_by_the_auditor FROM issuance"
        _ = try AuditorQuery(fixture.settings(.auditor)).run(sql, limit: 1)
        _ = try Connection(fixture.settings(.writer)).readText(
            "SELECT count(*) AS asked_by_the_gateway FROM ledger.entry", limit: 1)
        _ = try AuditorQuery(fixture.settings(.auditor)).run("SELECT one FROM later", limit: 1)
        let verifier = try Connection(fixture.settings(.verifier))
        _ = try verifier.readText("SELECT value, salt FROM ledger.private_value", limit: 1)
        #expect(throws: DatabaseError.self, "it cannot switch it off") {
            try verifier.readText("SET pgaudit.log = 'none'", limit: 1)
        }
        let lines = try cluster.serverLog().components(separatedBy: "\n")
        #expect(
            lines.contains {
                $0.contains("gatehouse_verifier@") && $0.contains("AUDIT: SESSION")
                    && $0.contains("READ,SELECT")
                    && $0.contains("SELECT value, salt FROM ledger.private_value")
            })
        let log = lines.filter { $0.contains("AUDIT: OBJECT") }
        #expect(log.contains { $0.contains("READ,SELECT,VIEW,audit.later") })
        #expect(log.contains { $0.contains("READ,SELECT,VIEW,audit.issuance") && $0.contains(sql) })
        #expect(lines.allSatisfy { !$0.contains("AUDIT:") || !$0.contains("asked_by_the_gateway") })
    }
}
