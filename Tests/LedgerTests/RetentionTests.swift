import Database
import EnrollmentCore
import EnrollmentTesting
import Foundation
import Ledger
import Testing

/// A month of long ago is taken out of the database, and nothing else is.
struct RetentionTests {
    /// 2023-01-15T12:00:00Z.
    static let old = Timestamp(seconds: 1_673_784_000)

    /// Facts that name themselves do so as of this instant.
    private func date(_ fixture: LedgerFixture, _ instant: Timestamp) throws {
        fixture.clock.set(instant)
        _ = try fixture.cluster.superuser(
            """
            CREATE OR REPLACE FUNCTION ledger.new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $f$
              SELECT (left(replace(ledger.first_id('\(instant)')::text, '-', ''), 12) || '7'
                      || right(replace(gen_random_uuid()::text, '-', ''), 19))::uuid
            $f$
            """, database: fixture.database)
    }

    private func issue(
        _ fixture: LedgerFixture, _ name: String, credential: String? = nil, at instant: Timestamp
    ) async throws -> Enrollment {
        try date(fixture, instant)
        var id: CredentialID?
        if let credential { id = try await fixture.mint(credential) }
        var enrollment = Enrollment(name, credential: id, at: instant)
        enrollment.device = DeviceID("LT-1")
        let history = try await fixture.ledger.history(
            device: try required(enrollment.device), service: LedgerFixture.service,
            publicKey: Digest(of: enrollment.spki), at: instant)
        enrollment.history = HistoryFacts(activeCertificates: history.activeCertificates)
        let made = try required(
            try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation).reservation)
        _ = try required(try await fixture.ledger.commit(enrollment.signed, under: made))
        return enrollment
    }

    /// Numbers whatever waits, as the sequencer would, and publishes a checkpoint over it.
    private func sequence(_ fixture: LedgerFixture, publishing: Bool = true) throws -> RetentionManifest {
        _ = try fixture.cluster.superuser(
            """
            SELECT ledger.take_lease('test', 1, 60);
            INSERT INTO ledger.leaf (leaf_index, entry_id, leaf_hash)
            SELECT (SELECT count(*) FROM ledger.leaf) + row_number() OVER (ORDER BY entry_id) - 1,
              entry_id, leaf_hash
            FROM ledger.pending_leaf;
            DELETE FROM ledger.pending_leaf;
            INSERT INTO ledger.tree_head (tree_size, root_hash, epoch, sequencer, at)
            SELECT count(*), sha256(count(*)::text::bytea), 1, 'test', now() FROM ledger.leaf;
            """, database: fixture.database)
        if publishing {
            _ = try fixture.cluster.superuser(
                """
                INSERT INTO ledger.checkpoint (tree_size, origin, note, published_at)
                SELECT tree_size, 'test', E'test\n' || tree_size || E'\n' || encode(root_hash, 'base64') || E'\n', now()
                FROM ledger.tree_head ORDER BY tree_size DESC LIMIT 1
                """, database: fixture.database)
        }
        return try manifest(size: try fixture.count("ledger.leaf"))
    }

    private func databaseNow(_ fixture: LedgerFixture) throws -> Timestamp {
        let text = try fixture.cluster.superuser(
            "SELECT extract(epoch FROM now())::bigint", database: fixture.database)
        return Timestamp(seconds: try required(Int64(text.filter(\.isNumber))))
    }

    private func manifest(size: Int, root: Digest? = nil) throws -> RetentionManifest {
        let root = root ?? Digest(of: Array(String(size).utf8))
        return try required(
            RetentionManifest(
                Array(
                    #"{"format":"gatehouse-export/1","root_sha256":"\#(root)","tree_size":\#(size)}"#.utf8)))
    }

    private func retire(
        _ fixture: LedgerFixture, _ manifest: RetentionManifest, month: String = "2023-01",
        isTrial: Bool = false
    ) throws -> RetirementExtent {
        let now = Timestamp(seconds: 1_795_348_800)
        return try fixture.custody.retire(
            month, manifest, at: now, by: "os:jane",
            id: RequestID(at: now, random: FreshRandom().octets(10)), isTrial: isTrial)
    }

    @Test func anOldMonthGoesWithAllThatCameOfIt() async throws {
        let fixture = try await LedgerFixture()
        let now = fixture.clock.now()
        let first = try await issue(fixture, "one", credential: "AAAAAAAAAAAAAAAA", at: Self.old)
        _ = try await issue(fixture, "two", at: Self.old.adding(seconds: 60))
        let revoked = try await issue(fixture, "three", at: Self.old.adding(seconds: 90))
        #expect(
            try await fixture.ledger.revoke(
                issuer: "issuing", serial: revoked.serial, at: Self.old.adding(seconds: 100),
                reason: .superseded, by: "a", because: "b"))
        let live = try await issue(fixture, "four", credential: "BBBBBBBBBBBBBBBB", at: now)
        let manifest = try sequence(fixture)
        let before = try fixture.count("ledger.entry")
        let leaves = try fixture.count("ledger.leaf")
        let extent = try retire(fixture, manifest, isTrial: true)
        #expect(try fixture.count("ledger.entry") == before)
        #expect(try fixture.count("ledger.retention") == 0)
        #expect(try retire(fixture, manifest) == extent && extent.taken > 12 && extent.kept == 0)
        #expect(try fixture.count("ledger.entry") == before - Int(extent.taken) + 1)
        #expect(try fixture.count("ledger.leaf") == leaves)
        for table in ["request", "decision", "reservation", "outcome", "certificate", "credential"] {
            #expect(try fixture.count("ledger.\(table)") == 1, "\(table)")
        }
        #expect(try fixture.count("ledger.revocation") == 0)
        #expect(try fixture.count("ledger.private_value") == 1)
        #expect(try await fixture.ledger.requestRecord(first.id) == nil)
        #expect(try await fixture.ledger.why(live.id)?.state == "issued")
        let auditor = AuditorQuery(fixture.settings(.writer))
        #expect(try auditor.run("SELECT state FROM issuance", limit: 9).rows == [["issued"]])
        #expect(
            try auditor.run("SELECT to_char(month, 'YYYY-MM'), entries, actor FROM retentions", limit: 9).rows
                == [["2023-01", "\(extent.taken)", "os:jane"]])
        #expect(
            try fixture.count(
                "ledger.entry WHERE kind = 'retention' AND position('\(manifest.digest)' IN body) > 0") == 1)
        try await expectRetired(fixture)
        _ = try await issue(fixture, "five", at: now.adding(seconds: 60))
        #expect(throws: DatabaseError.refused(sqlState: "GH020", message: "2023-01 was retired already")) {
            try retire(fixture, manifest)
        }
    }

    /// Certificates of the month are not taken for rogue, and none that was of use since is of it.
    private func expectRetired(_ fixture: LedgerFixture) async throws {
        func met(_ from: Int64, _ to: Int64, isListeners: Bool = false) -> MetCertificate {
            MetCertificate(
                fingerprint: Digest(of: [9]), issuer: "issuing", serial: [1, 2, 3, 4, 5, 6, 7, 8],
                notBefore: from, notAfter: to, isListeners: isListeners)
        }
        // From 2023-01-01 to 2023-02-01.
        let (first, after) = (Int64(1_672_531_200), Int64(1_675_209_600))
        let retired = try required(
            Int64(fixture.lines("SELECT extract(epoch FROM at)::bigint FROM ledger.retention")[0]))
        let cutoff = retired - 731 * 86_400
        let cases: [(MetCertificate, CertificateStanding)] = [
            (met(first, cutoff - 1), .retired), (met(after - 1, cutoff - 1), .retired),
            (met(first - 600, cutoff - 1), .retired), (met(first - 86_401, cutoff - 1), .unreserved),
            (met(after, cutoff - 1), .unreserved), (met(first, cutoff + 172_800), .unreserved),
            (met(first, retired - 1, isListeners: true), .retired),
            (met(first, retired + 1, isListeners: true), .unreserved),
            (met(after, retired - 1, isListeners: true), .unreserved),
            (met(first, 253_402_300_799), .unreserved), (met(-62_167_219_200, 0), .unreserved),
        ]
        let standings = try await fixture.ledger.standings(of: cases.map(\.0))
        for (found, (certificate, expected)) in zip(standings, cases) {
            #expect(found == expected, "\(certificate.notBefore) to \(certificate.notAfter)")
        }
        #expect(!CertificateStanding.retired.isRogue)
    }

    /// Where a clock ran ahead for a while, a verifier could not tell what went from what was taken.
    @Test func aMonthOutOfOrderStays() async throws {
        let fixture = try await LedgerFixture()
        _ = try await issue(fixture, "one", at: Self.old)
        _ = try sequence(fixture)
        // 2023-02-10, and back.
        _ = try await issue(fixture, "ahead", at: Self.old.adding(seconds: 26 * 86_400))
        _ = try sequence(fixture)
        let ahead = try fixture.count("ledger.leaf") - 1
        _ = try await issue(fixture, "two", at: Self.old.adding(seconds: 86_400))
        let manifest = try sequence(fixture)
        let before = try fixture.count("ledger.entry")
        for isTrial in [true, false] {
            let error = #expect(throws: DatabaseError.self) {
                try retire(fixture, manifest, isTrial: isTrial)
            }
            guard case .refused("GH020", let message) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(message.contains("a request dated 2023-02-02 or later became leaf "))
        }
        #expect(try fixture.count("ledger.entry") == before && fixture.count("ledger.retention") == 0)
        // The month that was ahead has nothing after it.
        #expect(try retire(fixture, manifest, month: "2023-02").taken > 0)
        #expect(try retire(fixture, manifest).taken > 0 && ahead > 0)
    }

    /// A month's name is not used up while there is nothing to retire.
    @Test func anEmptyMonthIsNotRetired() async throws {
        let fixture = try await LedgerFixture()
        let manifest = try sequence(fixture)
        let before = try fixture.count("ledger.entry")
        for isTrial in [true, false, false] {
            #expect(
                throws: DatabaseError.refused(
                    sqlState: "GH021", message: "nothing of 2023-01 is in the ledger")
            ) { try retire(fixture, manifest, isTrial: isTrial) }
        }
        #expect(try fixture.count("ledger.entry") == before)
        _ = try await issue(fixture, "late", at: Self.old)
        #expect(try retire(fixture, try sequence(fixture)).taken > 0)
    }

    /// What something that stays refers to stays, whole: a key's compromise, a credential that was used
    /// again, a transaction that went on.
    @Test func whatIsReferredToStays() async throws {
        let fixture = try await LedgerFixture()
        let now = fixture.clock.now()
        let stolen = try await issue(fixture, "stolen", at: Self.old)
        _ = try await fixture.ledger.revoke(
            issuer: "issuing", serial: stolen.serial, at: Self.old.adding(seconds: 9), reason: .keyCompromise,
            by: "a", because: "b")
        let renewed = try await issue(
            fixture, "renewed", credential: "AAAAAAAAAAAAAAAA", at: Self.old.adding(seconds: 10))
        let lapsed = try await issue(fixture, "lapsed", at: Self.old.adding(seconds: 20))
        let tried = try await issue(
            fixture, "tried", credential: "BBBBBBBBBBBBBBBB", at: Self.old.adding(seconds: 30))
        _ = try await issue(fixture, "renewed", at: now)
        try await fixture.ledger.alertSpent(
            try required(tried.credential), state: .spent, request: renewed.id, owner: "Team", at: now)
        let manifest = try sequence(fixture)
        let extent = try retire(fixture, manifest)
        #expect(extent.kept > 12)
        for (enrollment, stays) in [(stolen, true), (renewed, true), (lapsed, false), (tried, true)] {
            #expect(try await (fixture.ledger.requestRecord(enrollment.id) != nil) == stays)
            #expect(
                try fixture.count("ledger.reservation WHERE request_id = '\(enrollment.id)'")
                    == (stays ? 1 : 0))
        }
        #expect(try fixture.count("ledger.credential") == 2)
        let history = try await fixture.ledger.history(
            device: try required(DeviceID("LT-9")), service: LedgerFixture.service,
            publicKey: Digest(of: stolen.spki), at: now)
        #expect(history.keyBlocked)
        let again = Enrollment("again", credential: tried.credential, at: now)
        #expect(try await fixture.ledger.reserve(again.attempt, again.reservation).name == "credential spent")
    }

    @Test(arguments: [
        "certificate lives", "not sequenced", "not in the export", "no checkpoint", "other tree",
        "young month",
    ])
    func refusals(_ obstacle: String) async throws {
        let fixture = try await LedgerFixture()
        let here = try databaseNow(fixture)
        let instant = obstacle == "young month" ? here.adding(seconds: -400 * 86_400) : Self.old
        if obstacle == "certificate lives" {
            try date(fixture, instant)
            var enrollment = Enrollment("long", credential: nil, at: instant)
            // The month is old enough, its certificate is not.
            enrollment.validity = here.seconds(since: instant) - 700 * 86_400
            enrollment.cap = enrollment.validity
            let made = try await fixture.ledger.reserve(enrollment.attempt, enrollment.reservation)
            #expect(made.name == "reserved")
        } else {
            _ = try await issue(fixture, "one", at: instant)
        }
        var manifest = try sequence(fixture)
        switch obstacle {
        case "not sequenced": _ = try await issue(fixture, "late", at: instant.adding(seconds: 9))
        case "not in the export":
            _ = try await issue(fixture, "late", at: instant.adding(seconds: 9))
            _ = try sequence(fixture)
        case "no checkpoint":
            _ = try await issue(fixture, "late", at: instant.adding(seconds: 9))
            manifest = try sequence(fixture, publishing: false)
        case "other tree": manifest = try self.manifest(size: Int(manifest.treeSize), root: Digest(of: [9]))
        default: break
        }
        let before = try fixture.count("ledger.entry")
        do {
            let extent = try retire(fixture, manifest, month: String(instant.description.prefix(7)))
            Issue.record("retired: \(extent)")
        } catch {
            guard case .refused("GH020", _)? = error as? DatabaseError else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(try fixture.count("ledger.entry") == before)
        #expect(try fixture.count("ledger.retention") == 0)
    }

    @Test func aPartitionOfWhichNothingStaysIsDropped() async throws {
        let fixture = try await LedgerFixture(template: "ledger_of_months") { cluster, name in
            // As if the ledger had been there in 2023: the months have partitions of their own.
            try cluster.superuser(
                """
                SET ROLE gatehouse_owner;
                ALTER TABLE ledger.entry DETACH PARTITION ledger.entry_earlier;
                CREATE TABLE ledger.entry_2023_01 (LIKE ledger.entry INCLUDING CONSTRAINTS);
                DO $$ BEGIN EXECUTE format(
                  'ALTER TABLE ledger.entry ATTACH PARTITION ledger.entry_2023_01 FOR VALUES FROM (%L) TO (%L)',
                  ledger.first_id('2023-01-01Z'), ledger.first_id('2023-02-01Z'));
                END $$
                """, database: name)
        }
        _ = try await issue(fixture, "one", at: Self.old)
        let live = try await issue(fixture, "two", at: Timestamp(seconds: 1_795_348_800))
        #expect(try fixture.count("ledger.entry_2023_01") == 4)
        let extent = try retire(fixture, try sequence(fixture))
        #expect(extent.taken == 4 && extent.kept == 0)
        #expect(try fixture.custody.dropRetired() == 0, "its file is not given back yet")
        _ = try fixture.cluster.superuser("VACUUM ledger.entry_2023_01", database: fixture.database)
        // A long read is not waited for, and issuance does not wait behind it.
        let reader = try Connection(fixture.settings(.verifier))
        try reader.begin()
        _ = try reader.readText("SELECT FROM ledger.entry LIMIT 1", limit: 1)
        #expect(throws: DatabaseError.self) { try fixture.custody.dropRetired() }
        reader.rollback()
        #expect(try fixture.custody.dropRetired() == 1)
        #expect(try fixture.count("pg_class WHERE relname = 'entry_2023_01'") == 0)
        #expect(try await fixture.ledger.why(live.id)?.state == "issued")
    }

    /// The trigger that lets retired rows go lets no other go, and in no other transaction.
    @Test func onlyRetiredRowsGo() async throws {
        let fixture = try await LedgerFixture()
        _ = try await issue(fixture, "one", at: Self.old)
        let live = try await issue(fixture, "two", at: Timestamp(seconds: 1_795_348_800))
        let manifest = try sequence(fixture)
        let record = """
            INSERT INTO ledger.retention
              (entry_id, month, from_id, to_id, entries, tree_size, manifest_sha256, at, actor)
            SELECT entry_id, '2023-01-01', ledger.first_id('2023-01-01'), ledger.first_id('2023-02-01'), 0,
              \(manifest.treeSize), sha256('x'), now(), 'a' FROM ledger.policy_activation LIMIT 1;
            """
        for attack in [
            "DELETE FROM ledger.certificate",
            "\(record) DELETE FROM ledger.certificate WHERE request_id = '\(live.id)'",
            "\(record) DELETE FROM ledger.policy_succession", "\(record) DELETE FROM ledger.leaf",
            "\(record) UPDATE ledger.entry SET writer = writer",
            "\(record) TRUNCATE ledger.certificate CASCADE", "\(record) DELETE FROM ledger.retention",
            record.replacingOccurrences(of: "'2023-01-01',", with: "'2023-01-02',"),
            record.replacingOccurrences(of: "first_id('2023-02-01')", with: "first_id('2027-02-01')"),
        ] {
            #expect(throws: PostgresCluster.Failure.self, "\(attack)") { try fixture.asOwner(attack) }
        }
        _ = try retire(fixture, manifest)
        #expect(throws: PostgresCluster.Failure.self, "afterwards") {
            try fixture.asOwner("DELETE FROM ledger.policy_activation; DELETE FROM ledger.entry")
        }
        for login in [LedgerSchema.Login.writer, .auditor, .sequencer, .verifier] {
            let connection = try Connection(fixture.settings(login))
            #expect(throws: DatabaseError.self) {
                try connection.readText(
                    "SELECT ledger.retire(gen_random_uuid(), '2023-01-01', sha256('x'), 1, sha256('x'), now(), 'a')",
                    limit: 1)
            }
        }
    }
}
