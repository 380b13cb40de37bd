import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger
import Testing

/// Attempts to change or forge evidence by DML.
struct AttackTests {
    static let evidence = [
        "entry", "policy_version", "policy_activation", "transaction", "request", "decision", "reservation",
        "revocation", "outcome", "certificate", "credential", "credential_event", "account", "admin_event",
        "alert",
        "traffic", "policy_succession", "policy_refusal", "overdue_review", "approval", "entry_earlier",
        "entry_other", "private_value", "redaction", "redacted_commitment", "retention", "leaf", "tile",
        "tree_head", "checkpoint", "cosignature", "rogue_certificate", "rollback",
    ]

    /// Those in which `populated` and `nobodyChangesEvidence` leave nothing.
    static let unfilled: Set<String> = [
        "revocation", "account", "alert", "policy_refusal", "overdue_review", "approval",
        "entry_other", "retention", "leaf", "tile", "tree_head", "checkpoint", "cosignature",
        "rogue_certificate", "rollback",
    ]

    private func populated() async throws -> (LedgerFixture, Enrollment) {
        let fixture = try await LedgerFixture()
        let enrollment = Enrollment("one", credential: try await fixture.mint(), at: fixture.clock.now())
        let made = try required(
            try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
        _ = try await fixture.ledger.commit(enrollment.signed, under: made)
        return (fixture, enrollment)
    }

    @Test func nobodyChangesEvidence() async throws {
        let (fixture, _) = try await populated()
        try await fixture.ledger.append(
            AdminEvent(at: fixture.clock.now(), actor: "a", action: "b", target: "c", reason: "d"))
        try await fixture.ledger.flush(
            UnrecordedCounts(traffic: [
                TrafficCount(
                    minute: fixture.clock.now(), service: "", source: "192.0.2.1", kind: .malformed,
                    requests: 3)
            ]))
        var denied = Enrollment("other", credential: nil, at: fixture.clock.now())
        denied.effect = .deny
        try await fixture.ledger.record(denied.attempt)
        _ = try fixture.redact(.request(denied.id))
        for table in Self.evidence {
            #expect(throws: PostgresCluster.Failure.self, "truncate \(table)") {
                try fixture.asOwner("TRUNCATE ledger.\(table) CASCADE")
            }
            // Triggers for rows need rows; `everyTableOfEvidenceIsGuarded` sees to the others.
            let isFilled = try fixture.count("ledger.\(table)") > 0
            #expect(isFilled != Self.unfilled.contains(table), "rows of \(table)")
            guard isFilled else { continue }
            #expect(throws: PostgresCluster.Failure.self, "delete \(table)") {
                try fixture.asOwner("DELETE FROM ledger.\(table)")
            }
            let column =
                try fixture.cluster.superuser(
                    """
                    SELECT attname FROM pg_attribute WHERE attrelid = 'ledger.\(table)'::regclass AND attnum = 1
                    """, database: fixture.database
                ).split(separator: "\n").first ?? ""
            #expect(throws: PostgresCluster.Failure.self, "update \(table)") {
                try fixture.asOwner("UPDATE ledger.\(table) SET \(column) = \(column)")
            }
            #expect(throws: PostgresCluster.Failure.self, "as replica role") {
                try fixture.asOwner(
                    "RESET ROLE; SET session_replication_role = replica; DELETE FROM ledger.\(table)")
            }
        }
    }

    /// Every table of the schema is either evidence, with triggers against each way to change a row that no
    /// setting of a session switches off, or one of the few that are named here.
    @Test func everyTableOfEvidenceIsGuarded() async throws {
        let fixture = try await LedgerFixture()
        let tables = try fixture.lines(
            """
            SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p')
              AND relname !~ '^entry_[0-9]{4}_[0-9]{2}$'
            """)
        #expect(Set(tables) == Set(Self.evidence + ["lease", "open_reservation", "pending_leaf", "setting"]))
        // pg_trigger.tgtype: 27 is BEFORE UPDATE OR DELETE for each row (31 INSERT too), 34 BEFORE TRUNCATE.
        let unguarded = try fixture.lines(
            """
            SELECT c.relname, w.types FROM pg_class AS c,
              (VALUES (ARRAY[27, 31], ARRAY['refuse_change', 'guard_private_value']),
                      (ARRAY[34], ARRAY['refuse_change'])) AS w (types, functions)
            WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p')
              AND c.relname NOT IN ('lease', 'open_reservation', 'pending_leaf', 'setting')
              AND NOT EXISTS (
                SELECT FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
                WHERE t.tgrelid = c.oid AND t.tgenabled = 'A' AND t.tgtype = ANY (w.types) AND t.tgqual IS NULL
                  AND p.pronamespace = 'ledger'::regnamespace AND p.proname = ANY (w.functions))
            """)
        #expect(unguarded == [])
        let granted = try fixture.lines(
            """
            SELECT c.relname, r.rolname FROM pg_class AS c, pg_roles AS r
            WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p')
              AND r.rolname LIKE 'gatehouse\\_%' AND r.rolname <> 'gatehouse_owner'
              AND (has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                OR has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE, REFERENCES'))
            """)
        // The migrator is a member of the owner, but inherits nothing.
        #expect(granted == [])
    }

    /// Refused for want of the privilege (42501), and not because it is wrong SQL, or the session reads only.
    private func expectNotPermitted(_ statement: String, _ connection: Connection) {
        do {
            _ = try connection.readText(statement, limit: 1)
            Issue.record("\(statement) is permitted")
        } catch {
            guard case .refused("42501", _) = error else {
                Issue.record("\(statement): \(error)")
                return
            }
        }
    }

    @Test(arguments: [LedgerSchema.Login.writer, .auditor, .sequencer, .verifier])
    func loginsDoOnlyWhatIsListed(
        _ login: LedgerSchema.Login
    ) async throws {
        let (fixture, _) = try await populated()
        let connection = try Connection(fixture.settings(login))
        let statements =
            Self.evidence.flatMap { table in
                [
                    "INSERT INTO ledger.\(table) DEFAULT VALUES",
                    "DELETE FROM ledger.\(table)",
                    "TRUNCATE ledger.\(table)",
                ]
            } + [
                "UPDATE ledger.entry SET body = ''", "UPDATE state.record SET version = 9",
                "DELETE FROM state.consumed",
                "INSERT INTO directory.device VALUES ('x')",
                "UPDATE directory.posture SET status = 'compliant'",
                "SET ROLE gatehouse_owner", "SET ROLE gatehouse_migrator",
                "SET SESSION AUTHORIZATION postgres",
                "CREATE TABLE public.t (x int)", "CREATE TEMP TABLE t (x int)", "CREATE SCHEMA s",
                "ALTER TABLE ledger.entry DISABLE TRIGGER ALL", "DROP VIEW audit.issuance",
                "SELECT ledger.append(gen_random_uuid(), 'admin', NULL, '{}')",
                "SELECT ledger.append_credential_event(gen_random_uuid(), 'AAAAAAAAAAAAAAAA', 'consume', now(), '', NULL, NULL, NULL, NULL)",
                "SELECT ledger.append_attempt('{}', '{}')", "SELECT ledger.lock_transaction(sha256('x'))",
                "COPY ledger.entry TO '/tmp/x'", "COPY ledger.entry_earlier TO '/tmp/x'",
                "ALTER TABLE ledger.entry DETACH PARTITION ledger.entry_earlier",
                "ALTER TABLE ledger.entry_earlier DISABLE TRIGGER ALL", "DROP TABLE ledger.entry_other",
                "SELECT ledger.take_out()",
                "SELECT ledger.find_retirable(gen_random_uuid(), gen_random_uuid())",
                "SELECT ledger.retire(gen_random_uuid(), '2023-01-01', sha256('x'), 1, sha256('x'), now(), 'a')",
            ]
        // That readers read only by default is theirs to lift.
        _ = try connection.readText("SET default_transaction_read_only = off", limit: 1)
        for statement in statements { expectNotPermitted(statement, connection) }
        if login == .auditor {
            expectNotPermitted("SELECT * FROM ledger.entry", connection)
            expectNotPermitted("SELECT directory.put_device('{}', now(), '')", connection)
            #expect(
                try connection.readText("SELECT state FROM audit.issuance", limit: 1).rows == [["issued"]])
            #expect(try connection.readText("SHOW statement_timeout", limit: 1).rows.count == 1)
        }
    }

    /// What a person does to the record itself has no door for those who serve or read.
    @Test(arguments: [LedgerSchema.Login.writer, .auditor, .sequencer, .verifier])
    func onlyTheMigratorTouchesTheRecord(_ login: LedgerSchema.Login) async throws {
        let (fixture, _) = try await populated()
        let before = try fixture.count("ledger.private_value")
        let connection = try Connection(fixture.settings(login))
        for act in [
            "ledger.redact(ledger.new_id(), 'LT-1', NULL, now(), 'os:jane', 'why')",
            "ledger.accept_rollback(ledger.new_id(), 1, 9, sha256('x'), 0, sha256(''), now(), 'os:jane', 'why')",
            "ledger.retire(ledger.new_id(), '2023-01-01', sha256('x'), 1, sha256('x'), now(), 'os:jane')",
            "ledger.drop_retired()",
        ] {
            let call = act.replacing("ledger.new_id()", with: "'00000000-0000-7000-8000-00000000000a'")
            do {
                _ = try connection.readText("SELECT \(call)", limit: 1)
                Issue.record("\(act)")
            } catch { #expect(error.isForbidden, "\(act): \(error)") }
        }
        #expect(try fixture.count("ledger.private_value") == before)
        // Its login has no right but to become the owner.
        let migrator = try Connection(fixture.settings(.migrator))
        #expect(throws: DatabaseError.self) {
            try migrator.readText("SELECT * FROM ledger.redaction", limit: 1)
        }
        let ours = RedactionSubject.device(try required(DeviceID("LT-1")))
        #expect(try fixture.redact(ours).values == before)
    }

    /// What a gateway that turned hostile might hand to the ledger's own functions.
    @Test(arguments: [
        "denied", "over cap", "other key", "other device", "no serial", "unknown policy",
        "foreign credential",
        "assessment", "duplicate serial",
    ])
    func theDatabaseRefusesWhatWasNotPermitted(_ attack: String) async throws {
        let (fixture, first) = try await populated()
        var bad = Enrollment("bad", credential: nil, at: fixture.clock.now())
        bad.history.activeCertificates = 1
        var reservation = bad.reservation
        var attempt = bad.attempt
        switch attack {
        case "denied":
            bad.effect = .deny
            attempt = bad.attempt
        case "over cap":
            bad.validity = 91 * 86_400
            reservation = bad.reservation
        case "other key": reservation = Self.replacing(bad.reservation, key: Digest(of: [1]))
        case "other device":
            bad.credential = try await fixture.mint("BBBBBBBBBBBBBBBB", device: "LT-2")
            attempt = bad.attempt
        case "no serial":
            let other = [1] + FreshRandom().octets(16)
            reservation = Self.replacing(bad.reservation, serial: other)
        case "unknown policy": attempt = Self.replacing(bad.attempt, policy: Digest(of: [7]))
        case "foreign credential":
            bad.credential = CredentialID("CCCCCCCCCCCCCCCC")
            attempt = bad.attempt
        case "assessment":
            bad.kind = .assess
            attempt = bad.attempt
        default:
            bad.serial = first.serial
            reservation = bad.reservation
        }
        let before = try fixture.count("ledger.entry")
        do throws(LedgerError) {
            let result = try await fixture.ledger.reserve(attempt, reservation)
            Issue.record("\(result.name)")
        } catch {
            guard case .rejected = error else {
                Issue.record("not rejected: \(error)")
                return
            }
        }
        #expect(try fixture.count("ledger.entry") == before)
    }

    @Test func aCertificateCarriesExactlyItsReservedBytes() async throws {
        let fixture = try await LedgerFixture()
        let good = Enrollment("one", credential: nil, at: fixture.clock.now())
        let made = try required(try await fixture.ledger.reserve(good.attempt, good.reservation).reservation)
        var bad = good
        bad.spki = Array("spki two".utf8)
        let swapped = [bad.certificate, good.tbs, good.certificate + [0], [0x30, 3] + good.certificate, []]
        for certificate in swapped {
            await #expect(throws: LedgerError.self) {
                let signed = SignedCertificateRecord(certificate: certificate, signedAt: good.instant)
                _ = try await fixture.ledger.commit(signed, under: made)
            }
        }
        #expect(try await fixture.ledger.commit(good.signed, under: made) != nil)
    }

    @Test func theOwnerForgesNothingByInserting() async throws {
        let (fixture, first) = try await populated()
        let id = first.id.description
        let forgeries = [
            "INSERT INTO ledger.entry VALUES (gen_random_uuid(), 'admin', NULL, '{}', sha256('x'), now(), 'x')",
            "INSERT INTO ledger.outcome (request_id, result, entry_id, issuer, serial, reason) SELECT request_id, 'closed', entry_id, issuer, serial, 'x' FROM ledger.reservation",
            "INSERT INTO ledger.certificate (request_id, tbs_sha256, certificate_sha256, der, signed_at) VALUES ('\(id)', sha256('a'), sha256('b'), 'b', now())",
            "INSERT INTO ledger.credential_event (entry_id, credential_id, kind, at, request_id, transaction_key) SELECT entry_id, 'AAAAAAAAAAAAAAAA', 'consume', now(), '\(id)', transaction_key FROM ledger.reservation",
            "INSERT INTO ledger.account SELECT 'laptops', 'acct', entry_id, request_id, 'AAAAAAAAAAAAAAAA', 'LT-1', now() FROM ledger.reservation",
            "INSERT INTO ledger.policy_version VALUES (sha256('a'), 'b')",
        ]
        for forgery in forgeries {
            #expect(throws: PostgresCluster.Failure.self, "\(forgery)") { try fixture.asOwner(forgery) }
        }
        let stamped = try fixture.asOwner(
            """
            INSERT INTO ledger.entry VALUES ('00000000-0000-7000-8000-000000000001', 'admin', NULL, '{}',
              ledger.leaf_hash('{}'), '2001-01-01', 'somebody') RETURNING writer || (recorded_at > '2002-01-01')
            """)
        #expect(stamped.contains("postgrestrue"))
    }

    private static func replacing(
        _ made: ReservationRecord, key: Digest? = nil, serial: [UInt8]? = nil
    ) -> ReservationRecord {
        ReservationRecord(
            issuer: made.issuer, serial: serial ?? made.serial, tbsCertificate: made.tbsCertificate,
            publicKey: key ?? made.publicKey, names: made.names, notBefore: made.notBefore,
            notAfter: made.notAfter,
            signingDeadline: made.signingDeadline)
    }

    private static func replacing(_ made: AttemptRecord, policy: Digest) -> AttemptRecord {
        let decision = made.decision
        return AttemptRecord(
            id: made.id, kind: made.kind, receivedAt: made.receivedAt, key: made.key,
            reference: made.reference,
            input: made.input,
            decision: DecisionRecord(
                effect: decision.effect, reasonCode: decision.reasonCode, reason: decision.reason,
                ruleIDs: decision.ruleIDs, owner: decision.owner, policy: policy, profile: decision.profile,
                maximumNotAfter: decision.maximumNotAfter, obligations: decision.obligations,
                trace: decision.trace),
            credential: made.credential)
    }
}

extension DatabaseError {
    /// Whether the login has no right to it (SQLSTATE 42501).
    fileprivate var isForbidden: Bool { if case .refused("42501", _) = self { true } else { false } }
}
