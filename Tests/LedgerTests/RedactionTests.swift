import Database
import EnrollmentCore
import EnrollmentTesting
import Foundation
import Ledger
import Testing

struct RedactionTests {
    private func recorded(
        _ fixture: LedgerFixture, _ name: String, device: String
    ) async throws -> Enrollment {
        var enrollment = try PrivacyTests.marked(name, at: fixture.clock.now())
        enrollment.device = DeviceID(device)
        enrollment.effect = .deny
        enrollment.reasonCode = "no-rule"
        try await fixture.ledger.record(enrollment.attempt)
        return enrollment
    }

    @Test func nothingOfAnErasedValueIsLeft() async throws {
        let fixture = try await LedgerFixture()
        let enrollment = try await recorded(fixture, "one", device: "LT-1")
        let evidence =
            "SELECT string_agg(entry_id || body || leaf_hash, '' ORDER BY entry_id) FROM ledger.entry WHERE kind <> 'redaction'"
        let before = try fixture.cluster.superuser(evidence, database: fixture.database)
        let dumped = try fixture.cluster.dump(fixture.database)
        let needles = PrivacyTests.places.map(\.marker).map {
            $0.hasPrefix("Marker Owner") ? "Marker Owner" : $0
        }
        for needle in needles { #expect(dumped.contains(needle), "\(needle) was there to be erased") }
        let subject = RedactionSubject.device(try required(enrollment.device))
        let extent = try fixture.redact(subject, isTrial: true)
        #expect(extent.requests == 1 && extent.values == needles.count)
        #expect(try fixture.count("ledger.redaction") == 0)
        #expect(try fixture.count("ledger.private_value") == needles.count)
        #expect(try fixture.redact(subject) == extent)
        let after = try fixture.cluster.dump(fixture.database)
        for needle in needles { #expect(!after.contains(needle), "\(needle)") }
        #expect(try fixture.cluster.superuser(evidence, database: fixture.database) == before)
        #expect(
            try fixture.count(
                """
                ledger.entry AS e JOIN ledger.redacted_commitment AS c USING (entry_id)
                WHERE e.kind = 'redaction' AND position(encode(c.commitment, 'hex') IN e.body) > 0
                """) == needles.count)
        #expect(try fixture.redact(subject, isTrial: true).values == 0)
        #expect(
            try AuditorQuery(fixture.settings(.auditor)).run("SELECT writer FROM redactions", limit: 9).rows
                == [["gatehouse_migrator"]])
    }

    @Test func onlyWhatWasNamedIsErased() async throws {
        let fixture = try await LedgerFixture()
        let first = try await recorded(fixture, "one", device: "LT-1")
        let second = try await recorded(fixture, "two", device: "LT-1")
        let other = try await recorded(fixture, "three", device: "LT-2")
        let extent = try fixture.redact(.request(first.id))
        #expect(extent.requests == 1 && extent.values == PrivacyTests.places.count)
        let auditor = AuditorQuery(fixture.settings(.writer))
        let left = try auditor.recorded(since: 0, limit: 9)
        #expect(left.count == 2 && left.redacted == 1)
        let documents = try left.next().map(\.request)
        #expect(documents.count == 2 && documents.allSatisfy { !$0.contains("commitment:") })
        #expect(try await fixture.ledger.requestRecord(first.id)?.isRedacted == true)
        #expect(try await fixture.ledger.requestRecord(second.id)?.isRedacted == false)
        let shown = try auditor.run(
            "SELECT client_address LIKE 'commitment:%' FROM issuance WHERE request_id = '\(first.id)'",
            limit: 1)
        #expect(shown.rows == [["true"]] || shown.rows == [["t"]])
        #expect(
            try auditor.run("SELECT actor, requests, commitments FROM redactions", limit: 9).rows
                == [["os:jane", "1", "\(PrivacyTests.places.count)"]])
        let device = RedactionSubject.device(try required(other.device))
        #expect(try fixture.redact(device, isTrial: true).requests == 1)
    }

    /// A call that is made again after its answer was lost brings nothing back and records nothing twice.
    @Test func erasedValuesDoNotComeBack() async throws {
        let fixture = try await LedgerFixture()
        let enrollment = try await recorded(fixture, "one", device: "LT-1")
        let kept = try fixture.cluster.superuser(
            """
            SELECT json_agg(json_build_object('commitment', encode(commitment, 'hex'), 'field', field,
              'salt', encode(salt, 'hex'), 'value', value)) FROM ledger.private_value
            """, database: fixture.database)
        _ = try fixture.redact(.request(enrollment.id))
        let lines = kept.split(separator: "\n").filter { $0.hasPrefix("[") }
        let literal = (lines.first ?? "").replacingOccurrences(of: "'", with: "''")
        _ = try fixture.asOwner("SELECT ledger.keep_private('\(enrollment.id)', '\(literal)')")
        #expect(try fixture.count("ledger.private_value") == 0)
        #expect(throws: PostgresCluster.Failure.self) {
            try fixture.asOwner(
                """
                INSERT INTO ledger.private_value SELECT decode(v.commitment, 'hex'), '\(enrollment.id)', v.field,
                  decode(v.salt, 'hex'), v.value
                FROM jsonb_to_recordset('\(literal)') AS v (commitment text, field text, salt text, value text)
                """)
        }
        let id = "'00000000-0000-7000-8000-00000000000a', 'LT-1', NULL, now(), 'os:jane', 'again'"
        _ = try await recorded(fixture, "two", device: "LT-1")
        for _ in 0..<2 { _ = try fixture.asOwner("SELECT * FROM ledger.redact(\(id))") }
        #expect(try fixture.count("ledger.redaction") == 2)
    }

    @Test(arguments: [
        "DELETE FROM ledger.private_value", "UPDATE ledger.private_value SET value = value",
        "TRUNCATE ledger.private_value",
        "INSERT INTO ledger.private_value SELECT sha256('x'), entry_id, field, salt, value FROM ledger.private_value",
        "SELECT * FROM ledger.redact(gen_random_uuid(), NULL, NULL, now(), 'a', 'b')",
        "SELECT * FROM ledger.redact(gen_random_uuid(), 'LT-1', gen_random_uuid(), now(), 'a', 'b')",
        "SELECT * FROM ledger.redact(gen_random_uuid(), 'LT-1', NULL, now(), 'a', '')",
    ])
    func clearValuesGoNoOtherWay(_ attack: String) async throws {
        let fixture = try await LedgerFixture()
        _ = try await recorded(fixture, "one", device: "LT-1")
        #expect(throws: PostgresCluster.Failure.self) { try fixture.asOwner(attack) }
        #expect(try fixture.count("ledger.private_value") == PrivacyTests.places.count)
    }

    @Test func manyCommitmentsTakeSeveralEntries() async throws {
        let fixture = try await LedgerFixture()
        _ = try await recorded(fixture, "one", device: "LT-1")
        _ = try fixture.asOwner(
            """
            INSERT INTO ledger.private_value (commitment, entry_id, field, salt, value)
            SELECT sha256(sha256_salt || convert_to(n::text, 'UTF8')), q.request_id, 'many', sha256_salt, n::text
            FROM generate_series(1, 16001) AS n, (SELECT decode(repeat('ab', 16), 'hex') AS sha256_salt) AS s,
              ledger.request AS q
            """)
        let extent = try fixture.redact(.device(try required(DeviceID("LT-1"))))
        #expect(extent.values == 16_001 + PrivacyTests.places.count)
        #expect(try fixture.count("ledger.redaction") == 3)
        #expect(try fixture.count("ledger.private_value") == 0)
    }
}

extension PostgresCluster {
    /// Everything that a database holds, as text.
    func dump(_ database: String) throws -> String {
        let tables = try superuser(
            """
            SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname IN ('ledger', 'state', 'directory', 'migration')
            """, database: database)
        return try tables.split(separator: "\n").map { table in
            try superuser("COPY \(table) TO STDOUT", database: database)
        }.joined()
    }
}
