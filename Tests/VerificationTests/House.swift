import Crypto
import Database
import EnrollmentCore
import EnrollmentTesting
import Foundation
import Identity
import Issuance
import Ledger
import Logging
import PKIX
import Policy
import Registration
import Sequencing
import Synchronization
import Testing
import TransparencyLog

@testable import Verification

/// All tests of verification: one at a time, since each has a database of its own.
@Suite(.serialized) struct VerificationTests {}

/// A ledger with everything in it that can be in one, its log written and signed, and nobody connected.
struct House {
    static let origin = "gate.example/ledger"
    static let whole = Task { try await House() }

    let cluster: PostgresCluster
    let database: String
    let signer: NoteSigner
    let root: String
    /// About the time of the database: ids and rows are to be of one time.
    private static let start = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
    private let clock = ManualClock(start)
    private let random = SeededRandom()

    private init() async throws {
        let server = try PostgresCluster.shared()
        cluster = server
        database = try server.database(template: "verification_tests") { name in
            let migrator = ConnectionSettings(server.parameters(database: name, user: "gatehouse_migrator"))
            _ = try Migrator(migrator, LedgerSchema.migrations).migrate()
            try server.believeGatewayClocks(in: name)
        }
        root =
            URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        signer = try NoteSigner(name: Self.origin, privateKey: Secret([UInt8](repeating: 9, count: 32)))
        try await live()
        try server.superuser(Self.rest, database: database)
        try await sequence()
        try server.superuser(Self.retention, database: database)
        try await sequence()
        try server.superuser(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = '\(database)' AND pid <> pg_backend_pid()
            """, database: "postgres")
    }

    /// What no front-end does.
    private static let rest = """
        SELECT ledger.append_admin_event(overlay(ledger.first_id(at)::text PLACING '7' FROM 15)::uuid, at, 'os:jane',
          'device.set', 'LT-0', 'of long ago')
        FROM (VALUES ('2023-01-15'::timestamptz), ('2023-01-16')) AS old (at);
        ALTER TABLE ledger.entry DISABLE TRIGGER refuse_change;
        UPDATE ledger.entry AS e SET recorded_at = a.at FROM ledger.admin_event AS a
        WHERE a.entry_id = e.entry_id AND a.target = 'LT-0';
        ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER refuse_change;
        SELECT ledger.alert_overdue_review(ledger.new_id(), 'service laptops', '2026-01-31', 'Endpoint Team',
          'service laptops was to be reviewed by 2026-01-31; ask somebody', now());
        SELECT ledger.alert_rogue_certificate(ledger.new_id(), sha256('rogue'), 'PKI Team', 'on the network', now());
        SELECT ledger.append_alert(ledger.new_id(), now(), 'credential-reuse', 'high', 'PKI Team', 'AAAAAAAAAAAAAAAA',
          ARRAY[asked], 'an authentic credential was presented', asked)
        FROM (SELECT min(request_id::text)::uuid AS asked FROM ledger.request) AS first;
        SELECT ledger.accept_rollback(ledger.new_id(), 1, 12, sha256('lost'), 0, sha256(''), now(), 'os:jane',
          'the standby had not caught up');
        SELECT ledger.redact(ledger.new_id(), NULL,
          (SELECT entry_id FROM ledger.private_value ORDER BY 1 LIMIT 1),
          now(), 'os:dpo', 'asked for by the person');
        """

    /// A month of before there was a ledger.
    private static let retention = """
        ALTER TABLE ledger.retention DISABLE TRIGGER check_retention;
        INSERT INTO ledger.retention
        SELECT ledger.append(ledger.new_id(), 'retention', NULL, ledger.object('month', '2020-01', 'from_id', first::text,
          'to_id', after::text, 'entries', '0', 'manifest_sha256', encode(sha256(''), 'hex'), 'tree_size', size::text,
          'at', ledger.time_text(now()), 'actor', 'os:jane')), '2020-01-01', first, after, 0, size, sha256(''),
          now(), 'os:jane', '1'
        FROM ledger.first_id('2020-01-01') AS first, ledger.first_id('2020-02-01') AS after,
          (SELECT max(tree_size) AS size FROM ledger.checkpoint) AS published;
        """

    private func live() async throws {
        let settings = ConnectionSettings(cluster.parameters(database: database, user: "gatehouse_writer"))
        let writer = BatchingWriter(settings)
        let reader = ReadPool(settings, connections: 2)
        defer {
            writer.close()
            reader.close()
        }
        let ledger = PostgresLedger(
            writer: writer, reader: reader, gateway: "gw-1", clock: clock, random: random)
        let bundle = try await activatePolicies(ledger)
        let masterKeys = try #require(MasterKeys([1: Secret(Array(repeating: 7, count: 32))]))
        let directory = PostgresDeviceDirectory(writer: writer, reader: reader)
        for (device, group) in [
            ("LT-1", "corp-laptops"), ("LT-2", "corp-laptops"), ("LT-3", "corp-laptops"),
            ("CX-1", "contractors"),
            ("CX-2", "contractors"), ("SRV-1", "servers"),
        ] {
            try await directory.put([try facts(device, group)], at: clock.now(), by: "test")
        }
        let signer = MoodySigner(try await Self.authorities.value.issuing.signer)
        let made = try await Self.authorities.value
        let authority = try CertificateAuthority(
            name: "issuing", certificate: try X509Certificate(der: made.issuing.certificate),
            chain: [made.root.certificate], signer: signer)
        let registrar = RegistrationAuthority(
            policy: ActivePolicy(PolicyEngine(bundle: bundle)), issuers: ["issuing": authority],
            verifier: LedgerProofVerifier(
                ledger: ledger, credentials: ledger, masterKeys: masterKeys, guesses: GuessLimiter(limit: 3)),
            directory: directory, ledger: ledger, credentials: ledger, clock: clock,
            serials: try #require(RandomSerialNumbers(instance: 1, random: random)),
            budget: UnverifiedBudget(),
            timing: RegistrationTiming())
        let mint = CredentialMint(store: ledger, masterKeys: masterKeys, clock: clock, random: random)
        let days = Days(ledger: ledger, registrar: registrar, mint: mint, clock: clock, random: random)
        try await days.pass(signer)
    }

    /// Puts two bundles in force, one after the other; returns the second.
    private func activatePolicies(_ ledger: PostgresLedger) async throws -> PolicyBundle {
        let files = try BundleFile.read(directory: root + "/policies")
        let bundle = try PolicyBundle(files: files)
        // The same with a comment: another bundle.
        let first = try PolicyBundle(
            files: files.map { BundleFile(path: $0.path, bytes: $0.bytes + Array("# first\n".utf8)) })
        for bundle in [first, bundle] {
            try await ledger.activatePolicy(
                digest: bundle.digest, canonicalBytes: bundle.canonicalBytes, by: "test", at: clock.now())
        }
        return bundle
    }

    private static let authorities = Task {
        try await AuthorityBootstrap(rootKey: .p256, at: start, random: SeededRandom(seed: 7))
    }

    private func facts(_ device: String, _ group: String) throws -> DeviceFacts {
        DeviceFacts(
            id: try #require(DeviceID(device)), groups: [group],
            dns: ["\(device.lowercased()).devices.localhost"],
            posture: [
                PostureFact(
                    source: "intune", status: .compliant, jailbroken: false,
                    observedAt: clock.now().adding(seconds: -600))
            ])
    }

    /// Makes leaves of all that waits, in this database or a copy of it.
    func sequence(_ copy: String? = nil) async throws {
        let database = copy ?? database
        let settings = ConnectionSettings(
            cluster.parameters(database: database, user: "gatehouse_sequencer"))
        let writer = BatchingWriter(settings)
        let reader = ReadPool(settings, connections: 1)
        let log = PostgresLog(writer: writer, reader: reader, holder: "test")
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let sequencer = Sequencer(
            log: log, signer: signer,
            publisher: CheckpointPublisher([], tiles: LogTiles(log.reader), logger: logger), logger: logger)
        while try await sequencer.step() != .appended(0) {}
        // One entry more, so that there are two tree heads.
        try cluster.superuser(
            "SELECT ledger.append_admin_event(ledger.new_id(), now(), 'os:jane', 'device.set', 'LT-1', 'lost')",
            database: database)
        while try await sequencer.step() != .appended(0) {}
        await sequencer.resign()
        writer.close()
        reader.close()
    }
}

/// Signs, or does not.
final class MoodySigner: Signer {
    private let inner: SoftwareSigner
    private let works = Mutex(true)

    init(_ inner: SoftwareSigner) { self.inner = inner }

    var subjectPublicKeyInfo: [UInt8] { inner.subjectPublicKeyInfo }
    var signatureAlgorithm: AlgorithmIdentifier { inner.signatureAlgorithm }

    func sign(_ content: [UInt8]) async throws(SigningError) -> [UInt8] {
        guard works.withLock({ $0 }) else { throw .failed("moody") }
        return try await inner.sign(content)
    }

    func set(_ working: Bool) { works.withLock { $0 = working } }
}

extension House {
    func value(_ sql: String) throws -> String {
        try cluster.superuser(sql, database: database).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
