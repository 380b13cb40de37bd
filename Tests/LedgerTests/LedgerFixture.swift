import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger

/// A ledger in a database of its own, with one policy in force and a clock that stands still.
struct LedgerFixture {
    static let policy = Array("policy bundle".utf8)
    static let service = ServiceName("laptops")

    let cluster: PostgresCluster
    let database: String
    let ledger: PostgresLedger
    let clock = ManualClock()

    /// - Parameters:
    ///   - template: names the database that this one is copied from.
    ///   - prepare: changes that one, once it has its schema.
    init(
        template: String = "ledger_tests",
        prepare: (PostgresCluster, String) throws -> Void = { _, _ in }
    ) async throws {
        let server = try PostgresCluster.shared()
        cluster = server
        database = try server.database(template: template) { name in
            let migrator = ConnectionSettings(server.parameters(database: name, user: "gatehouse_migrator"))
            _ = try Migrator(migrator, LedgerSchema.migrations).migrate()
            try server.believeGatewayClocks(in: name)
            try prepare(server, name)
        }
        let settings = ConnectionSettings(server.parameters(database: database, user: "gatehouse_writer"))
        ledger = PostgresLedger(
            writer: BatchingWriter(settings), reader: ReadPool(settings, connections: 2), gateway: "gw-1",
            clock: clock,
            random: FreshRandom())
        try await ledger.activatePolicy(
            digest: Digest(of: Self.policy), canonicalBytes: Self.policy, by: "test", at: clock.now())
    }

    func settings(_ login: LedgerSchema.Login) -> ConnectionSettings {
        ConnectionSettings(cluster.parameters(database: database, user: login.rawValue))
    }

    var custody: Custody { Custody(settings(.migrator)) }

    /// Erases personal values, or says what that would take.
    func redact(
        _ subject: RedactionSubject, because reason: String = "asked to", isTrial: Bool = false
    ) throws -> RedactionExtent {
        let now = clock.now()
        return try custody.redact(
            subject, at: now, by: "os:jane", because: reason,
            id: RequestID(at: now, random: FreshRandom().octets(10)), isTrial: isTrial)
    }

    /// A second gateway on the same database.
    func replica(_ name: String) -> PostgresLedger {
        PostgresLedger(
            writer: BatchingWriter(settings(.writer)), reader: ReadPool(settings(.writer), connections: 1),
            gateway: name, clock: clock, random: FreshRandom())
    }

    /// Runs SQL as the superuser turned owner: DML by the owner of every table.
    func asOwner(_ sql: String) throws -> String {
        try cluster.superuser("SET ROLE gatehouse_owner; " + sql, database: database)
    }

    /// The rows of a query, as psql prints them.
    func lines(_ sql: String) throws -> [String] {
        try cluster.superuser(sql, database: database).split(separator: "\n").map(String.init)
    }

    func count(_ table: String) throws -> Int {
        Int(try cluster.superuser("SELECT count(*) FROM \(table)", database: database).filter(\.isNumber))
            ?? -1
    }

    func mint(_ id: String = "AAAAAAAAAAAAAAAA", device: String = "LT-1", ttl: Int64 = 3_600) async throws
        -> CredentialID
    {
        let credential = CredentialRecord(
            id: try required(CredentialID(id)), masterKeyVersion: 1, service: Self.service,
            device: try required(DeviceID(device)), restrictedTo: nil, mintedAt: clock.now(),
            expiresAt: clock.now().adding(seconds: ttl), mintedBy: "admin")
        try await ledger.mint(credential, by: "admin")
        return credential.id
    }
}

/// Unpredictable octets, since several ledgers of one test must not name two facts alike.
struct FreshRandom: RandomSource {
    func octets(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }
}

/// One enrollment as the registration authority would hand it to the ledger.
struct Enrollment {
    var id: RequestID
    var key: TransactionKey
    var device = DeviceID("LT-1")
    var credential: CredentialID?
    var effect = DecisionEffect.permit
    var reasonCode = "permitted"
    var instant: Timestamp
    var spki: [UInt8]
    var serial: [UInt8]
    var validity: Int64 = 80 * 86_400
    var cap: Int64 = 90 * 86_400
    var reference: TransactionReference?
    var kind = AttemptRecord.Kind.enroll
    var consumes = true
    var history = HistoryFacts()
    var approvals: [Approval] = []
    var obligations: JSONValue = [:]
    var trace: JSONValue = []
    /// Changes what is decided about.
    var adjust: @Sendable (inout PolicyInput) -> Void = { _ in }
    /// Seconds.
    var deadline: Int64 = 30

    init(_ name: String, credential: CredentialID?, at instant: Timestamp) {
        id = RequestID(at: instant, random: FreshRandom().octets(10))
        key = TransactionKey(digest: Digest(of: Array(name.utf8)))
        self.credential = credential
        self.instant = instant
        spki = Array("spki \(name)".utf8)
        serial = [1] + FreshRandom().octets(16)
    }

    var input: PolicyInput {
        var input = PolicyInput(
            service: LedgerFixture.service, enrollmentProtocol: .est, operation: .enroll, instant: instant,
            request: RequestFacts(
                names: CertificateNames(commonName: device?.rawValue, dns: ["a.example"]),
                publicKey: PublicKey(subjectPublicKeyInfo: spki, algorithm: .p256), digest: Digest(of: spki)),
            proofs: credential.flatMap { id in
                device.map { [.oneTimeCredential(id: id, device: $0, state: .usable)] }
            } ?? [],
            provenDevice: device, device: nil, history: history, approvals: approvals,
            clientAddress: "192.0.2.1")
        adjust(&input)
        return input
    }

    var attempt: AttemptRecord {
        let isPermit = effect == .permit
        return AttemptRecord(
            id: id, kind: kind, receivedAt: instant, key: key, reference: reference, input: input,
            decision: DecisionRecord(
                effect: effect, reasonCode: reasonCode, reason: "because", ruleIDs: ["rule-1"], owner: "Team",
                policy: Digest(of: LedgerFixture.policy),
                profile: isPermit ? ProfileName("client-auth") : nil,
                maximumNotAfter: isPermit ? instant.adding(seconds: cap) : nil, obligations: obligations,
                trace: trace),
            credential: credential.flatMap { id in
                device.map {
                    CredentialUse(id: id, device: $0, service: LedgerFixture.service, consumes: consumes)
                }
            })
    }

    /// A DER SEQUENCE that carries the serial: all the ledger looks at.
    var tbs: [UInt8] { Self.sequence([0x02, UInt8(serial.count)] + serial + spki) }

    var certificate: [UInt8] { Self.sequence(tbs + [0x30, 0, 0x03, 1, 0]) }

    var reservation: ReservationRecord {
        ReservationRecord(
            issuer: "issuing", serial: serial, tbsCertificate: tbs, publicKey: Digest(of: spki),
            names: CertificateNames(commonName: device?.rawValue), notBefore: instant,
            notAfter: instant.adding(seconds: validity), signingDeadline: instant.adding(seconds: deadline))
    }

    var signed: SignedCertificateRecord {
        SignedCertificateRecord(certificate: certificate, signedAt: instant)
    }

    static func sequence(_ content: [UInt8]) -> [UInt8] {
        content.count < 128
            ? [0x30, UInt8(content.count)] + content
            : [0x30, 0x82, UInt8(content.count >> 8), UInt8(content.count & 255)] + content
    }
}

extension ReservationResult {
    var reservation: Reservation? { if case .reserved(let made) = self { made } else { nil } }
    var name: String {
        switch self {
        case .reserved: "reserved"
        case .inFlight: "in flight"
        case .issued: "issued"
        case .credential(let state): "credential \(state.rawValue)"
        case .history: "history"
        }
    }
}

extension PostgresLedger {
    /// What is known without a credential or a transaction.
    func history(
        device: DeviceID, service: ServiceName, publicKey: Digest?, at now: Timestamp
    ) async throws -> HistoryFacts {
        try await circumstances(
            device: device, service: service, publicKey: publicKey, credential: nil, transaction: nil, at: now
        ).history
    }
}

struct Missing: Error {}
func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Missing() }
    return value
}
