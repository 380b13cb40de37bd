import Database
import EnrollmentCore
import EnrollmentTesting
import Foundation
import Identity
import Issuance
import Ledger
import PKIX
import Policy
import Registration
import Testing

/// All tests of registration: one at a time, since each has a database of its own and some send 64 requests.
@Suite(.serialized) struct RegistrationTests {}

/// The registration authority as the gateway assembles it, on a fresh database, its clock standing still.
struct Gatehouse {
    static let laptops = ServiceName("laptops")
    static let bundle = Result {
        try PolicyBundle(files: BundleFile.read(directory: repository.appending(path: "policies").path))
    }
    static let start = ManualClock().now()
    static let authorities = Task {
        try await AuthorityBootstrap(rootKey: .p256, at: start, random: SeededRandom(seed: 7))
    }
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    let cluster: PostgresCluster
    let database: String
    let writer: BatchingWriter
    let reader: ReadPool
    let clock: ManualClock
    let random = SeededRandom()
    let engine: PolicyEngine
    let ledger: PostgresLedger
    let directory: PostgresDeviceDirectory
    let masterKeys: MasterKeys
    let mint: CredentialMint
    let budget = UnverifiedBudget()
    let authority: CertificateAuthority
    let verifier: LedgerProofVerifier
    let registrar: RegistrationAuthority

    /// - Parameters:
    ///   - patience: milliseconds the database may be out of reach before a call gives up.
    ///   - through: what stands between registration and the ledger.
    ///   - signer: what stands in for the issuing key.
    ///   - activates: whether the bundle is in force; nothing is otherwise.
    ///   - bundle: the starter bundle by default.
    init(
        cluster server: PostgresCluster? = nil, clock: ManualClock = ManualClock(), patience: Int = 10_000,
        timing: RegistrationTiming = RegistrationTiming(),
        through wrap: (PostgresLedger) -> any IssuanceLedger = { $0 },
        signer wrapSigner: (SoftwareSigner) -> any Signer = { $0 }, activates: Bool = true,
        bundle: PolicyBundle? = nil
    ) async throws {
        let server = try server ?? PostgresCluster.shared()
        cluster = server
        database = try server.database(template: "registration_tests") { name in
            let migrator = ConnectionSettings(server.parameters(database: name, user: "gatehouse_migrator"))
            _ = try Migrator(migrator, LedgerSchema.migrations).migrate()
            try server.believeGatewayClocks(in: name)
        }
        let settings = ConnectionSettings(server.parameters(database: database, user: "gatehouse_writer"))
        writer = BatchingWriter(settings, waitLimit: .milliseconds(patience))
        reader = ReadPool(settings, connections: 3, waitLimit: .milliseconds(patience))
        self.clock = clock
        engine = PolicyEngine(bundle: try bundle ?? Self.bundle.get())
        ledger = PostgresLedger(
            writer: writer, reader: reader, gateway: "gw-1", clock: clock, random: random)
        directory = PostgresDeviceDirectory(writer: writer, reader: reader)
        masterKeys = try #require(MasterKeys([1: Secret(Array(repeating: 7, count: 32))]))
        mint = CredentialMint(store: ledger, masterKeys: masterKeys, clock: clock, random: random)
        verifier = LedgerProofVerifier(
            ledger: ledger, credentials: ledger, masterKeys: masterKeys, guesses: GuessLimiter(limit: 3))
        authority = try await Self.authority(wrapSigner)
        registrar = RegistrationAuthority(
            policy: activates ? ActivePolicy(engine) : ActivePolicy(), issuers: ["issuing": authority],
            verifier: verifier,
            directory: directory, ledger: wrap(ledger), credentials: ledger, clock: clock,
            serials: try #require(RandomSerialNumbers(instance: 1, random: random)), budget: budget,
            timing: timing)
        if activates {
            try await ledger.activatePolicy(
                digest: engine.bundle.digest, canonicalBytes: engine.bundle.canonicalBytes, by: "test",
                at: clock.now())
        }
        try await register("LT-042")
        try await register("LT-043")
        try await register("SRV-1", group: "servers")
    }

    private static func authority(_ wrap: (SoftwareSigner) -> any Signer) async throws
        -> CertificateAuthority
    {
        let made = try await authorities.value
        return try CertificateAuthority(
            name: "issuing", certificate: try X509Certificate(der: made.issuing.certificate),
            chain: [made.root.certificate], signer: wrap(made.issuing.signer))
    }

    /// Makes the directory say that a device is healthy, as observed `age` seconds ago.
    func register(_ device: String, group: String = "corp-laptops", observed age: Int64 = 600) async throws {
        try await directory.put(
            [try facts(of: device, group: group, observed: age)], at: clock.now(), by: "test")
    }

    func facts(of device: String, group: String = "corp-laptops", observed age: Int64 = 600) throws
        -> DeviceFacts
    {
        DeviceFacts(
            id: try #require(DeviceID(device)), groups: [group],
            dns: ["\(device.lowercased()).devices.localhost"],
            posture: [
                PostureFact(
                    source: "intune", status: .compliant, jailbroken: false,
                    observedAt: clock.now().adding(seconds: -age))
            ])
    }

    func credential(
        for device: String = "LT-042", service: ServiceName = laptops, only: EnrollmentProtocol? = nil,
        ttl: Int64 = 3_600
    ) async throws -> Credential {
        let (record, shapes) = try await mint.mint(
            service: service, device: try #require(DeviceID(device)), restrictedTo: only, timeToLive: ttl,
            actor: "test")
        return Credential(id: record.id, shapes: shapes)
    }

    /// Enrolls and expects a certificate.
    func issue(_ ask: Ask) async throws -> IssuedCertificate {
        try #require(await registrar.enroll(intent(ask)).certificate)
    }

    /// Each call is a new request with an id of its own.
    func intent(_ ask: Ask) -> EnrollmentIntent {
        EnrollmentIntent(
            id: newID(), receivedAt: clock.now(), service: ask.service, enrollmentProtocol: ask.via,
            operation: ask.operation, request: ask.request, proofs: ask.proofs, claimedDevices: ask.claims,
            transaction: ask.reference,
            peer: Peer(address: ask.address, isSecure: true))
    }

    func poll(_ reference: TransactionReference) async -> EnrollmentOutcome? {
        await registrar.outcome(
            of: TransactionPoll(
                id: newID(), receivedAt: clock.now(), reference: reference, enrollmentProtocol: .scep,
                peer: Peer(address: "192.0.2.7", isSecure: false)))
    }

    func newID() -> RequestID { RequestID(at: clock.now(), random: random.octets(10)) }

    /// What the superuser reads, one value.
    func value(_ sql: String) throws -> String {
        try cluster.superuser(sql, database: database).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func count(_ from: String) throws -> Int { Int(try value("SELECT count(*) FROM \(from)")) ?? -1 }

    func issuedCount() throws -> Int { try count("audit.issuance WHERE state = 'issued'") }

    /// The reason code on the row of a request; nil when it has no row.
    func reason(_ id: RequestID) async throws -> String? {
        guard case .object(let decision)? = try await ledger.why(id)?.decision,
            case .string(let code)? = decision["reason_code"]
        else { return nil }
        return code
    }
}
