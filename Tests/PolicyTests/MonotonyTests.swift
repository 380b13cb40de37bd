import EnrollmentCore
import Testing

@testable import Policy

/// Taking a fact away, ageing it or breaking it never opens the gate (invariant I6).
struct MonotonyTests {
    /// Every fact, and every way to lose it.
    static let losses: [@Sendable (inout PolicyInput) -> Void] = [
        { $0.device = nil },
        { $0.device?.serial = nil },
        { $0.device?.udid = nil },
        { $0.device?.groups = [] },
        { $0.device?.dns = [] },
        { $0.device?.email = [] },
        { $0.device?.upn = [] },
        { $0.device?.posture = [] },
        { $0.device?.posture.removeFirst() },
        { $0.proofs = [] },
        { $0.proofs.removeFirst() },
        { $0.proofs.removeLast() },
        { $0.provenDevice = nil },
        { $0.request.publicKey = nil },
        { $0.clientAddress = "" },
        { $0.clientAddress = "not an address" },
        { $0.history.activeCertificates = -1 },
        { $0.device?.sid = nil },
        { $0.device?.owner = nil },
        { $0.history.lastProofs = [] },
        { $0.history.failedAttempts = -1 },
        { $0.history.mintedBy = nil },
        { $0.approvals = $0.approvals.filter { $0.verdict == .deny } },
        { input in
            for index in input.approvals.indices { input.approvals[index].at = Timestamp(microseconds: .min) }
        },
        { input in
            for index in input.approvals.indices { input.approvals[index].at = Timestamp(microseconds: .max) }
        },
        { input in for index in input.approvals.indices { input.approvals[index].approver = "" } },
    ]

    /// Every way in which a posture fact may be worth less.
    static let spoils: [@Sendable (inout PostureFact, Timestamp) -> Void] = [
        { fact, _ in fact.status = .unknown },
        { fact, _ in fact.status = .unavailable },
        { fact, _ in fact.jailbroken = nil },
        { fact, _ in fact.observedAt = nil },
        { fact, now in fact.observedAt = now.adding(seconds: -400_000) },
        { fact, now in fact.observedAt = now.adding(seconds: 1) },
        { fact, _ in fact.observedAt = Timestamp(microseconds: .min) },
        { fact, _ in fact.observedAt = Timestamp(microseconds: .max) },
        { fact, _ in fact.source = "elsewhere" },
    ]

    /// Requests of all kinds: every case of the starter bundle, and a bundle that uses every attribute.
    private func subjects() throws -> [(PolicyBundle, [PolicyInput])] {
        let starter = try StarterBundle.load()
        let wide = try PolicyBundle(files: WideBundle.files())
        let inputs = starter.cases.map(\.input)
        return [(starter, inputs), (wide, inputs + wide.cases.map(\.input))]
    }

    /// A requester may lose a claim and gain by it: without a name that was not granted, the rest is. Only
    /// facts that we look up or verify are taken away here.
    @Test func losingAFactNeverPermits() throws {
        for (bundle, inputs) in try subjects() {
            let engine = PolicyEngine(bundle: bundle)
            for input in inputs where !engine.decide(input).isPermit {
                for (number, loss) in Self.losses.enumerated() where Self.applies(number, input) {
                    var poorer = input
                    loss(&poorer)
                    if isExcused(input, number) { continue }
                    #expect(!engine.decide(poorer).isPermit, "loss \(number) of \(input)")
                }
            }
        }
    }

    @Test func spoilingPostureNeverPermits() throws {
        for (bundle, inputs) in try subjects() {
            let engine = PolicyEngine(bundle: bundle)
            for input in inputs {
                let before = engine.decide(input)
                for index in input.device?.posture.indices ?? 0..<0 {
                    for (number, spoil) in Self.spoils.enumerated() {
                        guard !before.isPermit, var fact = input.device?.posture[index], !Self.isUnsafe(fact)
                        else { continue }
                        var poorer = input
                        spoil(&fact, input.instant)
                        poorer.device?.posture[index] = fact
                        #expect(!engine.decide(poorer).isPermit, "spoil \(number) of \(input)")
                    }
                }
            }
        }
    }

    private static func applies(_ loss: Int, _ input: PolicyInput) -> Bool {
        switch loss {
        case 8: return !(input.device?.posture.isEmpty ?? true)
        case 10, 11: return !input.proofs.isEmpty
        default: return true
        }
    }

    /// What blocks is not a fact that is needed: to lose an unusable or conflicting proof, an unsafe report,
    /// or a count over the limit may open what stays closed with it.
    private func isExcused(_ input: PolicyInput, _ loss: Int) -> Bool {
        switch loss {
        case 8: return Self.isUnsafe(input.device?.posture.first)
        case 10, 11: return true
        case 16: return input.history.activeCertificates > 0
        case 20: return input.history.failedAttempts > 0
        case 25: return input.approvals.contains { $0.verdict == .deny }
        default: return false
        }
    }

    private static func isUnsafe(_ fact: PostureFact?) -> Bool {
        fact.map { $0.status == .noncompliant || $0.jailbroken == true } ?? false
    }

    @Test func losingAnOnlyProofNeverPermits() throws {
        for (bundle, inputs) in try subjects() {
            let engine = PolicyEngine(bundle: bundle)
            for var input in inputs where input.proofs.count == 1 {
                input.proofs = []
                #expect(
                    engine.decide(input).refusal == .noUsableProof || engine.decide(input).refusal == .denied)
            }
        }
    }
}

/// Asking for more never opens the gate: a name, an address or a usage added to a request that is denied.
struct AddedWishTests {
    private static let wishes: [@Sendable (inout PolicyInput) -> Void] = [
        { $0.request.names.dns.append("x.apps.corp.example") },
        { $0.request.names.dns.append("vault.corp.example") },
        { $0.request.names.dns.append("lt-042.devices.localhost") },
        { $0.request.names.email.append("jane@corp.example") },
        { $0.request.names.upn.append("jane@corp.example") },
        { $0.request.names.uri.append("urn:x") },
        { $0.request.names.unsupported.append("x400") },
        { $0.request.extendedKeyUsages.append("1.3.6.1.5.5.7.3.1") },
    ]

    private static let rules = [
        "below-apps": """
        effect: permit
        applies_to: { service: laptops, profile: client-auth }
        require:
          device.group: corp-laptops
          request.dns: { glob: "*.apps.corp.example" }
        certificate: { san: { dns: ["{request.dns}"] }, validity: { at_most: 7d } }
        """,
        "deny-others": """
        effect: deny
        applies_to: { service: laptops, profile: client-auth }
        block_unless:
          none_of: [{ request.dns: vault.corp.example }]
        """,
    ]

    @Test func neverPermits() throws {
        for bundle in [try StarterBundle.load(), try SmallBundle.load(Self.rules)] {
            let engine = PolicyEngine(bundle: bundle)
            var inputs = try StarterBundle.load().cases.map(\.input)
            for dns in [[], ["vault.corp.example"], ["www.bank.example"], ["x.apps.corp.example"]] {
                var input = try StarterBundle.laptop()
                input.request.names = CertificateNames(dns: dns)
                inputs.append(input)
            }
            for input in inputs where !engine.decide(input).isPermit && !input.request.names.dns.isEmpty {
                for (number, wish) in Self.wishes.enumerated() {
                    var greedier = input
                    wish(&greedier)
                    #expect(!engine.decide(greedier).isPermit, "wish \(number) of \(input.request.names)")
                }
            }
        }
    }

    /// One name that fits does not carry another past the rule.
    @Test func everyNameMustMatch() throws {
        let engine = PolicyEngine(bundle: try SmallBundle.load(Self.rules))
        var input = try StarterBundle.laptop()
        func code(_ dns: [String]) -> String {
            input.request.names = CertificateNames(dns: dns)
            return engine.decide(input).reasonCode
        }
        #expect(code(["x.apps.corp.example"]) == "permitted")
        #expect(code(["x.apps.corp.example", "www.bank.example"]) == "no-rule")
        #expect(code(["x.apps.corp.example", "vault.corp.example"]) == "rule.blocked")
    }
}
