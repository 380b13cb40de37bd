import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import Policy
import Registration
import Testing

/// What may happen around one credential.
enum Happening: String, CaseIterable, Sendable {
    /// The device asks with its key.
    case enroll
    /// Whoever asked last asks the same again.
    case retry
    /// Somebody asks with another key.
    case otherKey
    case revoke
    /// Two hours pass; the credential lives for one.
    case expire
    /// Posture is reported anew, and the first key's transaction is polled.
    case poll

    /// Every sequence of `length` happenings, but for those that only repeat a shorter one: a retry of
    /// nothing and a second revocation have no effect. Each step is looked at, shorter ones included.
    static func sequences(_ length: Int) -> [[Happening]] {
        (0..<length).reduce([[]]) { sequences, _ in
            sequences.flatMap { sequence in
                allCases.filter { next in
                    switch next {
                    case .retry: sequence.contains(.enroll) || sequence.contains(.otherKey)
                    case .revoke: !sequence.contains(.revoke)
                    case .enroll, .otherKey, .expire, .poll: true
                    }
                }.map { sequence + [$0] }
            }
        }
    }
}

/// What the contract says of one credential, written down apart from the code that keeps it.
struct CredentialModel {
    enum Key: Sendable { case first, second }

    private(set) var isFresh: Bool
    private var isRevoked = false
    private var hours = 0
    private var postureHours = 0
    private var issuedTo: Key?
    var isIssued: Bool { issuedTo != nil }
    private var heldBy: Key?
    private var last: Key?
    private var hasDeferredFirst = false

    init(isFresh: Bool) { self.isFresh = isFresh }

    /// The answer to expect; nil when there is none to look at.
    mutating func answer(_ happening: Happening) -> String? {
        switch happening {
        case .enroll: return ask(.first)
        case .otherKey: return ask(.second)
        case .retry: return last.map { ask($0) }
        case .revoke:
            isRevoked = true
            return nil
        case .expire:
            hours += 2
            postureHours += 2
            return nil
        case .poll:
            isFresh = true
            postureHours = 0
            return hasDeferredFirst ? ask(.first, isPoll: true) : "unknown"
        }
    }

    private mutating func ask(_ key: Key, isPoll: Bool = false) -> String {
        if !isPoll { last = key }
        if let issuedTo { return issuedTo == key ? "issued" : "no_usable_proof" }
        let isUsable = heldBy.map { $0 == key } ?? (hours == 0)
        guard !isRevoked, isUsable else { return "no_usable_proof" }
        guard isFresh, postureHours <= 4 else {
            heldBy = key
            if key == .first { hasDeferredFirst = true }
            return "deferred"
        }
        issuedTo = key
        return "issued"
    }
}

extension RegistrationTests {
    @Suite struct SequenceTests {
        /// Whatever happens around a credential, in whatever order, it has at most one live certificate, and
        /// every answer is the contract's.
        @Test(arguments: [(true, 3), (false, 4)])
        func aCredentialHasAtMostOneLiveCertificate(_ isFresh: Bool, _ length: Int) async throws {
            let house = try await Gatehouse()
            let lanes = try Happening.sequences(length).enumerated().map { number, sequence in
                try Lane(house, device: "S-\(number)", isFresh: isFresh, sequence)
            }
            try await house.directory.put(lanes.map(\.facts), at: house.clock.now(), by: "test")
            var issued = 0
            for start in stride(from: 0, to: lanes.count, by: 64) {
                let batch = Array(lanes[start..<min(start + 64, lanes.count)])
                issued += try await inParallel(batch) { try await $0.run() }.count { $0 }
            }
            let live = """
                SELECT credential_id FROM audit.issuance WHERE state = 'issued'
                GROUP BY credential_id HAVING count(*) > 1
                """
            #expect(try house.value(live) == "")
            #expect(try house.count("ledger.certificate") == issued)
            #expect(issued > 50)
            #expect(try house.count("audit.open_issuance") == 0)
        }
    }
}

/// One sequence with a device, a credential and a clock of its own.
struct Lane: Sendable {
    private let device: String
    private let sequence: [Happening]
    private let isFresh: Bool
    private let house: Gatehouse
    private let clock = ManualClock()
    private let ledger: PostgresLedger
    private let registrar: RegistrationAuthority
    let facts: DeviceFacts

    init(_ house: Gatehouse, device: String, isFresh: Bool, _ sequence: [Happening]) throws {
        self.house = house
        self.device = device
        self.isFresh = isFresh
        self.sequence = sequence
        facts = try house.facts(of: device, observed: isFresh ? 0 : 5 * 3_600)
        ledger = PostgresLedger(
            writer: house.writer, reader: house.reader, gateway: "gw-1", clock: clock, random: house.random)
        let verifier = LedgerProofVerifier(
            ledger: ledger, credentials: ledger, masterKeys: house.masterKeys, guesses: GuessLimiter())
        registrar = RegistrationAuthority(
            policy: ActivePolicy(house.engine), issuers: ["issuing": house.authority], verifier: verifier,
            directory: house.directory, ledger: ledger, credentials: ledger, clock: clock,
            serials: try #require(RandomSerialNumbers(instance: 1, random: house.random)),
            budget: UnverifiedBudget())
    }

    /// Returns whether a certificate was to be issued.
    func run() async throws -> Bool {
        let credential = try await house.credential(for: device)
        let first = try ask(credential, "first")
        let second = try ask(credential, "second")
        var model = CredentialModel(isFresh: isFresh)
        var last: Ask?
        for (step, happening) in sequence.enumerated() {
            var answer: String?
            switch happening {
            case .enroll: last = first
            case .otherKey: last = second
            case .retry: break
            case .revoke:
                _ = try await ledger.revoke(credential.id, at: clock.now(), by: "a", because: "b")
            case .expire: clock.advance(seconds: 7_200)
            case .poll: answer = try await poll(first)
            }
            switch happening {
            case .enroll, .otherKey, .retry:
                if let last { answer = await registrar.enroll(intent(last)).name }
            case .revoke, .expire, .poll: break
            }
            let expected = model.answer(happening)
            let story = "\(sequence.prefix(step + 1).map(\.rawValue)), fresh: \(isFresh)"
            #expect(answer == expected, "\(story)")
        }
        return model.isIssued
    }

    private func ask(_ credential: Credential, _ name: String) throws -> Ask {
        try Ask(try credential.proof(.scep), request: try certificateRequest(device: device)).with {
            $0.via = .scep
            $0.reference = TransactionReference(
                service: $0.service, text: "\(device) \(name)", isOrder: false)
        }
    }

    private func intent(_ ask: Ask) -> EnrollmentIntent {
        EnrollmentIntent(
            id: newID(), receivedAt: clock.now(), service: ask.service, enrollmentProtocol: ask.via,
            operation: ask.operation, request: ask.request, proofs: ask.proofs,
            transaction: ask.reference, peer: Peer(address: ask.address, isSecure: false))
    }

    private func newID() -> RequestID { RequestID(at: clock.now(), random: house.random.octets(10)) }

    private func poll(_ ask: Ask) async throws -> String {
        var fresh = facts
        for index in fresh.posture.indices { fresh.posture[index].observedAt = clock.now() }
        try await house.directory.put([fresh], at: clock.now(), by: "test")
        guard let reference = ask.reference else { return "unknown" }
        let outcome = await registrar.outcome(
            of: TransactionPoll(
                id: newID(), receivedAt: clock.now(), reference: reference, enrollmentProtocol: .scep,
                peer: Peer(address: ask.address, isSecure: false)))
        return outcome?.name ?? "unknown"
    }
}
