import Database
import EnrollmentCore
import EnrollmentTesting
import Ledger

/// A ledger without a policy, with a clock that the seed sets.
struct AuditLedger {
    let cluster: PostgresCluster
    let database: String
    let ledger: PostgresLedger
    let clock = ManualClock()

    init(_ server: PostgresCluster) throws {
        cluster = server
        database = try server.database(template: "audit_tests") { name in
            let migrator = ConnectionSettings(server.parameters(database: name, user: "gatehouse_migrator"))
            _ = try Migrator(migrator, LedgerSchema.migrations).migrate()
            try server.believeGatewayClocks(in: name)
        }
        try server.superuser("ALTER DATABASE \(database) SET TimeZone = 'UTC'", database: "postgres")
        let settings = ConnectionSettings(server.parameters(database: database, user: "gatehouse_writer"))
        ledger = PostgresLedger(
            writer: BatchingWriter(settings), reader: ReadPool(settings, connections: 1), gateway: "gw-1",
            clock: clock, random: FreshRandom())
    }

    func settings(_ login: LedgerSchema.Login) -> ConnectionSettings {
        ConnectionSettings(cluster.parameters(database: database, user: login.rawValue))
    }
}

/// A small ledger in which something of everything has happened, for the questions of docs/auditing.md.
///
/// It is made by the ledger's own doors. Its noon is the last one that has passed, so that what is asked of
/// the last days finds the same rows at whatever time the tests run.
struct AuditSeed {
    static let faulty = Array("policy bundle with a fault".utf8)
    static let clear = Array("policy bundle".utf8)
    /// Serial number of the certificate that the questions ask about.
    static let serial: [UInt8] = [0x0b] + [UInt8](repeating: 0, count: 14) + [1]

    let fixture: AuditLedger
    /// Noon, in UTC.
    let noon: Timestamp
    private var number: UInt8 = 0
    private var policy = AuditSeed.clear

    /// - Parameter now: the real time.
    init(_ fixture: AuditLedger, now: Timestamp) {
        self.fixture = fixture
        noon = Timestamp(seconds: (now.seconds - 43_200) / 86_400 * 86_400 + 43_200)
    }

    private var ledger: PostgresLedger { fixture.ledger }

    /// What one enrollment is like; the rest is the same for all.
    struct Wish {
        var device = "LT-042"
        var days: Int64
        var hours: Int64 = 0
        var enrollmentProtocol = EnrollmentProtocol.est
        var proof = ProofKind.credential
        var algorithm = "ec-p256"
        var validity: Int64 = 80
        var effect = DecisionEffect.permit
        var reasonCode = "permitted"
        var rule = "corp-laptop-client-auth"
        var obligations: JSONValue = [:]
        var transaction: String?
        var credential: CredentialID?
        /// Names a key; otherwise it is the device's own, made anew.
        var key: String?
        var isReleased = true
    }
    enum ProofKind { case credential, certificate }

    mutating func fill() async throws {
        try await policies()
        try await issue()
        try await waitForPeople()
        try await refuse()
        try await fail()
        try await administer()
        try sequence()
        try await ledger.append(act("os:operator", "device.set", "LT-042", "groups: corp-laptops", days: 0))
    }

    private func instant(_ days: Int64, _ hours: Int64 = 0) -> Timestamp {
        noon.adding(seconds: days * 86_400 + hours * 3_600)
    }

    private mutating func policies() async throws {
        fixture.clock.set(instant(-14))
        for (bundle, days) in [(Self.faulty, Int64(-13)), (Self.clear, -11)] {
            _ = try await ledger.activate(
                PolicyProposal(
                    digest: Digest(of: bundle), canonicalBytes: bundle, meaning: Digest(of: bundle),
                    owner: "Device Identity", byName: true, by: "os:jane", at: instant(days)))
        }
        _ = try await ledger.refuse(
            PolicyRefusalRecord(
                candidate: Digest(of: [1]), at: instant(-9), actor: "gw-1", owner: "Device Identity",
                faults: "rules/corp.yaml:3: no such group", detail: "1 fault"))
    }

    private mutating func issue() async throws {
        policy = Self.faulty
        _ = try await enroll(Wish(device: "LT-001", days: -12, validity: 100))
        policy = Self.clear
        _ = try await enroll(Wish(device: "LT-002", days: -10, validity: 30))
        _ = try await enroll(Wish(device: "LT-003", days: -9, proof: .certificate))
        _ = try await enroll(Wish(device: "LT-003", days: -3, hours: 11))
        _ = try await enroll(
            Wish(device: "SW-1", days: -4, enrollmentProtocol: .scep, algorithm: "rsa-2048"))
        for (device, days) in [("LT-004", Int64(-8)), ("LT-005", -3)] {
            _ = try await enroll(Wish(device: device, days: days, key: "copied image"))
        }
        let lost = try await enroll(Wish(device: "LT-006", days: -5))
        _ = try await ledger.revoke(
            issuer: "issuing", serial: lost.serial, at: instant(-3), reason: .keyCompromise,
            by: "os:operator",
            because: "the laptop was stolen")
        _ = try await enroll(Wish(device: "LT-006", days: -2))
        try await ledger.alertSpent(
            try required(lost.credential), state: .spent, request: lost.id, owner: "Device Identity",
            at: instant(-2))
        _ = try Custody(fixture.settings(.migrator)).redact(
            .device(try required(DeviceID("LT-001"))), at: instant(-1), by: "os:privacy",
            because: "the person has left",
            id: RequestID(at: instant(-1), random: FreshRandom().octets(10)))
    }

    private mutating func waitForPeople() async throws {
        let asks: JSONValue = [
            "approvals": [
                [
                    "rule": "contractor-client-auth", "from": "Contractor Office", "count": 1,
                    "within_seconds": 86_400, "four_eyes": false, "members": ["os:jane", "os:operator"],
                    "received": [],
                ]
            ]
        ]
        var wish = Wish(
            device: "LT-042", days: -7, effect: .defer, reasonCode: "approval.waiting",
            rule: "contractor-client-auth", obligations: asks, transaction: "contractor")
        let asked = try await enroll(wish)
        _ = try await ledger.append(
            SpokenWord(
                request: asked.id,
                word: Approval(approver: "os:operator", verdict: .approve, at: instant(-7, 1)),
                reason: "contract 4711"))
        (wish.effect, wish.reasonCode, wish.hours, wish.obligations) = (.permit, "permitted", 2, [:])
        wish.credential = asked.credential
        _ = try await enroll(wish, serial: Self.serial)
        wish = Wish(
            device: "CX-9", days: -1, effect: .defer, reasonCode: "approval.waiting",
            rule: "contractor-client-auth", obligations: asks)
        _ = try await enroll(wish)
        for (device, reason) in [("LT-007", "posture.stale"), ("LT-008", "posture.unknown")] {
            _ = try await enroll(Wish(device: device, days: -2, effect: .defer, reasonCode: reason))
        }
    }

    private mutating func refuse() async throws {
        for (device, hours) in [("LT-009", Int64(0)), ("LT-010", 1), ("LT-010", 2)] {
            _ = try await enroll(
                Wish(device: device, days: -2, hours: hours, effect: .deny, reasonCode: "no-rule"))
        }
        for hours in Int64(0)..<3 {
            let at = instant(-1, hours)
            try await ledger.record(
                RefusalRecord(
                    request: RefusedRequest(
                        id: RequestID(at: at, random: FreshRandom().octets(10)), receivedAt: at,
                        service: LedgerFixture.service, enrollmentProtocol: .est, kind: .noUsableProof,
                        reasonCode: "credential.wrong", reason: "a wrong secret",
                        peer: Peer(address: "198.51.100.7", isSecure: true)),
                    owner: "Device Identity", policy: Digest(of: Self.clear), decidedAt: at))
        }
        try await ledger.flush(
            UnrecordedCounts(traffic: [
                TrafficCount(
                    minute: instant(-1), service: "laptops", source: "198.51.100.7", kind: .throttled,
                    requests: 412)
            ]))
    }

    /// One signer is lost, and one is at work.
    private mutating func fail() async throws {
        _ = try await enroll(Wish(device: "LT-011", days: -1, isReleased: false))
        _ = try await ledger.reconcile(gateway: nil, now: instant(-1, 1))
        _ = try await enroll(Wish(device: "LT-012", days: 0, isReleased: false))
    }

    private func act(_ who: String, _ what: String, _ target: String, _ why: String, days: Int64)
        -> AdminEvent
    {
        AdminEvent(at: instant(days), actor: who, action: what, target: target, reason: why)
    }

    private mutating func administer() async throws {
        fixture.clock.set(instant(-6))
        _ = try await mint("LT-013")
        try await ledger.append(act("os:jane", "device.import", "14 devices", "inventory", days: -13))
        try await ledger.append(act("os:operator", "device.set", "LT-042", "owner: jo", days: -6))
    }

    private mutating func mint(_ device: String) async throws -> CredentialID {
        number += 1
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let id =
            String(repeating: "A", count: 14) + String(letters[Int(number) / 32])
            + String(letters[Int(number) % 32])
        let now = fixture.clock.now()
        let credential = CredentialRecord(
            id: try required(CredentialID(id)), masterKeyVersion: 1, service: LedgerFixture.service,
            device: try required(DeviceID(device)), restrictedTo: nil, mintedAt: now,
            expiresAt: now.adding(seconds: 3_600), mintedBy: "os:operator")
        try await ledger.mint(credential, by: "os:operator")
        return credential.id
    }

    /// Makes one request, and what comes of it.
    @discardableResult
    private mutating func enroll(_ wish: Wish, serial: [UInt8]? = nil) async throws -> AuditedRequest {
        fixture.clock.set(instant(wish.days, wish.hours))
        var made = wish
        if wish.proof == .credential, wish.credential == nil { made.credential = try await mint(wish.device) }
        number += 1
        let request = try AuditedRequest(
            made, number: number, serial: serial, policy: policy, at: fixture.clock.now())
        let known = try await ledger.circumstances(
            device: request.device, service: LedgerFixture.service, publicKey: Digest(of: request.spki),
            credential: made.credential, transaction: request.key, at: fixture.clock.now())
        let attempt = request.attempt(known)
        guard wish.effect == .permit else {
            try await ledger.record(attempt)
            return request
        }
        let reservation = try required(try await ledger.reserve(attempt, request.reservation).reservation)
        if wish.isReleased {
            _ = try await ledger.commit(
                SignedCertificateRecord(certificate: request.certificate, signedAt: fixture.clock.now()),
                under: reservation)
        }
        return request
    }

    /// Writes the log as a sequencer would; what is recorded after that waits.
    private func sequence() throws {
        let waiting = try fixture.cluster.superuser(
            """
            SELECT string_agg(quote_literal(p.entry_id), ',' ORDER BY e.recorded_at)
            FROM ledger.pending_leaf AS p JOIN ledger.entry AS e USING (entry_id)
            """, database: fixture.database
        ).filter { !$0.isNewline }
        let size = waiting.split(separator: ",").count
        let root = String(repeating: "5a", count: 32)
        let connection = try Connection(fixture.settings(.sequencer))
        for sql in [
            "SELECT ledger.take_lease('gw-1', NULL, 60)",
            """
            SELECT ledger.extend_log(1, 'gw-1', 0, ARRAY[\(waiting)]::uuid[], '\\x\(root)',
              '{}', '{}', '{}')
            """,
            """
            SELECT ledger.publish_checkpoint(1, \(size), '\\x\(root)', 'gate.example/ledger',
              E'gate.example/ledger\\n\(size)\\n' || encode('\\x\(root)', 'base64') || E'\\n')
            """,
            "SELECT ledger.add_cosignature(1, \(size), 'witness.example', 'a line')",
        ] { _ = try connection.readText(sql, limit: 1) }
    }
}
