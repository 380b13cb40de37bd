import ArgumentParser
import Database
import EnrollmentCore
import Ledger
import Policy

/// Measures durable issuances a second on the database of a state directory and prints JSON;
/// `scripts/bench` runs it. Hidden, since it fills a ledger with certificates that nobody signed.
struct LedgerBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Fill a ledger that will be thrown away, and measure.",
        shouldDisplay: false)

    @OptionGroup var common: CommonOptions
    @Option(help: "Clients at the same time.") var clients: Int = 64
    @Option(help: "Issuances to measure.") var issuances: Int = 1_000
    @Option(help: "The most writes in one transaction; 1 is the plain loop.") var batch: Int = 128
    @Option(help: "Connections that write; 0 takes as many as a gateway does.") var connections: Int = 0

    func validate() throws {
        guard clients > 0, issuances > 0, batch > 0, connections >= 0 else {
            throw ValidationError("numbers must be positive")
        }
    }

    func run() async throws {
        let stores = try Stores.open(common)
        let database = stores.configuration.database
        let settings = ConnectionSettings([
            "host": database.host, "port": String(database.port), "dbname": database.name,
            "user": database.writer,
        ])
        let writers = connections == 0 ? BatchingWriter.usualConnections : connections
        let ledger = PostgresLedger(
            writer: BatchingWriter(settings, connections: writers, batch: batch), reader: ReadPool(settings),
            gateway: "bench", clock: SystemClock(), random: SystemRandom())
        let prepared = try await prepare(ledger)
        let start = ContinuousClock.now
        let times = try await Self.together(clients, prepared) { try await Self.issue($0, ledger) }.sorted()
        let elapsed = Self.microseconds(ContinuousClock.now - start)
        Output.write(
            JSONValue.object([
                "clients": .integer(Int64(clients)), "batch": .integer(Int64(batch)),
                "connections": .integer(Int64(writers)), "issuances": .integer(Int64(times.count)),
                "microseconds": .integer(elapsed),
                "per_second": .integer(Int64(times.count) * 1_000_000 / max(1, elapsed)),
                "p50_microseconds": .integer(times.isEmpty ? 0 : times[times.count / 2]),
                "p99_microseconds": .integer(times.isEmpty ? 0 : times[times.count * 99 / 100]),
            ]).canonicalText + "\n")
    }

    // MARK: Before the clock starts

    /// What one client hands to the ledger, apart from the time.
    private struct Enrollment: Sendable {
        let credential: CredentialUse
        let input: PolicyInput
        let effect: DecisionRecord
        let serial: [UInt8]
    }

    /// Decisions with their traces, and a credential for each, on the ledger.
    private func prepare(_ ledger: PostgresLedger) async throws -> [Enrollment] {
        guard let inForce = try await ledger.latestActivation() else {
            throw StartupError("no policy is in force", remedy: "start gatehouse up on this state first")
        }
        let workload = PolicyBenchWorkload(shape: .groups, ruleCount: 20)
        let engine = PolicyEngine(bundle: try PolicyBundle(files: workload.files()))
        let now = SystemClock().now()
        let made = (0..<issuances).compactMap { Self.enrollment($0, workload, engine, inForce.digest, now) }
        _ = try await Self.together(64, made) { one in
            try await ledger.mint(
                CredentialRecord(
                    id: one.credential.id, masterKeyVersion: 1, service: one.credential.service,
                    device: one.credential.device, restrictedTo: nil, mintedAt: now,
                    expiresAt: now.adding(seconds: 3_600), mintedBy: "bench"), by: "bench")
        }
        return made
    }

    private static func enrollment(
        _ number: Int, _ workload: PolicyBenchWorkload, _ engine: PolicyEngine, _ policy: Digest,
        _ now: Timestamp
    ) -> Enrollment? {
        // The workload's requests that are permitted have such numbers.
        let random = SystemRandom().octets(34)
        let name = Hex.encode(random.prefix(8))
        guard var input = workload.input(number * 40), let device = DeviceID("bench-\(name)"),
            let id = CredentialID(Self.letters(random.suffix(16)))
        else { return nil }
        input.instant = now
        input.provenDevice = device
        input.device?.id = device
        input.device?.posture[0].observedAt = now.adding(seconds: -720)
        input.request.publicKey = PublicKey(subjectPublicKeyInfo: random, algorithm: .p256)
        input.request.digest = Digest(of: random)
        input.history = HistoryFacts()
        input.proofs = [.oneTimeCredential(id: id, device: device, state: .usable)]
        let decision = engine.decide(input)
        let record = DecisionRecord(
            effect: .permit, reasonCode: decision.reasonCode, reason: decision.reason,
            ruleIDs: decision.ruleIDs, owner: decision.owner.team, policy: policy,
            profile: ProfileName("client-auth"), maximumNotAfter: now.adding(seconds: 90 * 86_400),
            obligations: decision.obligations, trace: decision.trace)
        return Enrollment(
            credential: CredentialUse(id: id, device: device, service: input.service, consumes: true),
            input: input, effect: record, serial: [1] + random.prefix(16))
    }

    /// Sixteen letters of base32.
    private static func letters(_ octets: some Sequence<UInt8>) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        return String(octets.map { alphabet[Int($0 & 31)] })
    }

    // MARK: While the clock runs

    private static func issue(_ one: Enrollment, _ ledger: PostgresLedger) async throws {
        let now = SystemClock().now()
        let spki = one.input.request.publicKey?.subjectPublicKeyInfo ?? []
        let tbs = sequence([0x02, UInt8(clamping: one.serial.count)] + one.serial + spki + Self.filler)
        let attempt = AttemptRecord(
            id: RequestID(at: now, random: SystemRandom().octets(10)), kind: .enroll, receivedAt: now,
            key: TransactionKey(digest: Digest(of: spki)), reference: nil, input: one.input,
            decision: one.effect, credential: one.credential)
        let reservation = ReservationRecord(
            issuer: "bench", serial: one.serial, tbsCertificate: tbs, publicKey: Digest(of: spki),
            names: one.input.request.names, notBefore: now, notAfter: now.adding(seconds: 80 * 86_400),
            signingDeadline: now.adding(seconds: 10))
        guard case .reserved(let reserved) = try await ledger.reserve(attempt, reservation) else {
            throw StartupError("the ledger did not reserve", remedy: "measure on a fresh state")
        }
        let signed = SignedCertificateRecord(certificate: sequence(tbs + Self.signature), signedAt: now)
        guard try await ledger.commit(signed, under: reserved) != nil else {
            throw StartupError("the ledger closed a reservation", remedy: "measure on a quiet computer")
        }
    }

    /// As much as a leaf certificate has besides serial and key.
    private static let filler = [UInt8](repeating: 0, count: 500)
    private static let signature: [UInt8] = [0x30, 0x4e] + [UInt8](repeating: 0, count: 78)

    /// A DER SEQUENCE (X.690 §8.9) of fewer than 65,536 octets.
    private static func sequence(_ content: [UInt8]) -> [UInt8] {
        [0x30, 0x82, UInt8(content.count >> 8 & 255), UInt8(content.count & 255)] + content
    }

    /// Runs `body` on every element, so many at a time; microseconds of each.
    private static func together(
        _ width: Int, _ elements: [Enrollment], _ body: @escaping @Sendable (Enrollment) async throws -> Void
    ) async throws -> [Int64] {
        try await withThrowingTaskGroup(of: [Int64].self) { group in
            for client in 0..<min(width, elements.count) {
                group.addTask {
                    var times: [Int64] = []
                    for index in stride(from: client, to: elements.count, by: width) {
                        let start = ContinuousClock.now
                        try await body(elements[index])
                        times.append(microseconds(ContinuousClock.now - start))
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private static func microseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
    }
}
