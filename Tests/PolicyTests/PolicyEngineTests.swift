import EnrollmentCore
import Foundation
import Testing

@testable import Policy

/// One request that is wrong in one way, and what it must come to.
struct EngineCase: Sendable, CustomTestStringConvertible {
    let name: String
    let code: ReasonCode
    let kind: RefusalKind?
    let change: @Sendable (inout PolicyInput) throws -> Void

    init(
        _ code: ReasonCode, _ kind: RefusalKind?, _ name: String,
        _ change: @escaping @Sendable (inout PolicyInput) throws -> Void
    ) {
        self.name = name
        self.code = code
        self.kind = kind
        self.change = change
    }

    var testDescription: String { "\(code.rawValue): \(name)" }
}

private func device(_ id: String) throws -> DeviceID { try #require(DeviceID(id)) }

private func credential(_ state: CredentialState) throws -> VerifiedProof {
    .oneTimeCredential(
        id: try #require(CredentialID("AAAAAAAAAAAAAAAA")), device: try device("LT-042"), state: state)
}

private func certificate(
    _ state: CertificateState, names: CertificateNames? = nil
) throws -> VerifiedProof {
    .clientCertificate(
        certificate: Digest(of: [9]), device: try device("LT-042"), state: state,
        names: names ?? CertificateNames(commonName: "LT-042", dns: ["lt-042.devices.localhost"]))
}

private func posture(_ status: PostureStatus, _ jailbroken: Bool? = false, at offset: Int64? = -60)
    -> @Sendable (inout PolicyInput) -> Void
{
    { input in
        input.device?.posture = [
            PostureFact(
                source: "intune", status: status, jailbroken: jailbroken,
                observedAt: offset.map { input.instant.adding(seconds: $0) })
        ]
    }
}

struct PolicyEngineTests {
    static let denials: [EngineCase] = [
        EngineCase(.serviceUnknown, .denied, "no such service") { $0.service = ServiceName("nowhere") },
        EngineCase(.protocolNotEnabled, .denied, "protocol off") { $0.enrollmentProtocol = .cmp },
        EngineCase(.proofNone, .noUsableProof, "no proofs") {
            $0.proofs = []
            $0.provenDevice = nil
        },
        EngineCase(.proofNone, .noUsableProof, "a device nobody proved") { $0.proofs = [] },
        EngineCase(.proofConflict, .noUsableProof, "two devices") {
            let other = VerifiedProof.account(
                id: "a", credential: try #require(CredentialID("BBBBBBBBBBBBBBBB")),
                device: try device("LT-7"),
                state: .usable)
            $0.proofs.append(other)
            $0.provenDevice = nil
        },
        EngineCase(.proofConflict, .noUsableProof, "proven device is not the proof's") {
            $0.provenDevice = try device("LT-7")
        },
        EngineCase(.credentialOtherDevice, .noUsableProof, "claims another") { $0.claimedDevices = ["LT-7"] },
        EngineCase(.credentialSpent, .noUsableProof, "spent") { $0.proofs = [try credential(.spent)] },
        EngineCase(.credentialExpired, .noUsableProof, "expired") { $0.proofs = [try credential(.expired)] },
        EngineCase(.credentialRevoked, .noUsableProof, "revoked") { $0.proofs = [try credential(.revoked)] },
        EngineCase(.credentialForeignService, .noUsableProof, "foreign") {
            $0.proofs = [try credential(.foreignService)]
        },
        EngineCase(.certificateExpired, .noUsableProof, "expired") {
            $0.proofs = [try certificate(.expired)]
        },
        EngineCase(.certificateRevoked, .noUsableProof, "revoked") {
            $0.proofs = [try certificate(.revoked)]
        },
        EngineCase(.certificateForeignService, .noUsableProof, "foreign") {
            $0.proofs = [try certificate(.foreignService)]
        },
        EngineCase(.deviceUnknown, .denied, "not in the directory") { $0.device = nil },
        EngineCase(.deviceUnknown, .denied, "facts of another device") { $0.device?.id = try device("LT-7") },
        EngineCase(.keyBlocked, .denied, "compromised key") { $0.history.keyBlocked = true },
        EngineCase(.keyBlocked, .denied, "compromised key and stale posture") {
            $0.history.keyBlocked = true
            posture(.compliant, at: -90_000)(&$0)
        },
        EngineCase(.keyOtherDevice, .denied, "key of another") { $0.history.keySeenOnOtherDevice = true },
        EngineCase(.limitLiveCertificates, .denied, "ten live ones") { $0.history.activeCertificates = 10 },
        EngineCase(.limitLiveCertificates, .denied, "ten live ones beside the predecessor") {
            $0.operation = .rekey
            $0.proofs = [try certificate(.valid)]
            $0.history.activeCertificates = 11
        },
        EngineCase(.profileNotOffered, .denied, "another profile") {
            $0.requestedProfile = ProfileName("server-auth")
        },
        EngineCase(.keyNotAllowed, .denied, "P-521") {
            $0.request.publicKey = PublicKey(subjectPublicKeyInfo: [1], algorithm: .p521)
        },
        EngineCase(.keyMissing, .denied, "no key") { $0.request.publicKey = nil },
        EngineCase(.namesUnsupported, .denied, "a kind nobody grants") {
            $0.request.names.unsupported = ["registeredID:2a03"]
        },
        EngineCase(.validityPast, .denied, "ends before it starts") {
            $0.request.requestedNotAfter = $0.instant
        },
        EngineCase(.proofCertificateRequired, .noUsableProof, "renewal by credential") {
            $0.operation = .renew
        },
        EngineCase(.identityChanged, .denied, "renewal with other names") {
            $0.operation = .rekey
            $0.proofs = [try certificate(.valid, names: CertificateNames(commonName: "LT-042"))]
        },
        EngineCase(.namesDiffer, .denied, "another common name") { $0.request.names.commonName = "LT-7" },
        EngineCase(.namesDiffer, .denied, "other case of the device id") {
            $0.request.names.commonName = "lt-042"
        },
        EngineCase(.namesDiffer, .denied, "more subject") {
            $0.request.names.otherSubjectAttributes = ["2.5.4.10=Corp"]
        },
        EngineCase(.namesDiffer, .denied, "an address") { $0.request.names.ip = ["192.0.2.1"] },
        EngineCase(.namesDiffer, .denied, "an address book") { $0.request.names.email = ["a@corp.example"] },
        EngineCase(.usageDiffers, .denied, "code signing") {
            $0.request.extendedKeyUsages = ["1.3.6.1.5.5.7.3.3"]
        },
        EngineCase(.noRule, .denied, "in no group") { $0.device?.groups = [] },
        EngineCase(.noRule, .denied, "a stranger with stale posture") {
            $0.device?.groups = ["servers"]
            posture(.compliant, at: -90_000)(&$0)
        },
        EngineCase(.postureNoncompliant, .denied, "noncompliant") { posture(.noncompliant)(&$0) },
        EngineCase(.postureJailbroken, .denied, "jailbroken") { posture(.compliant, true)(&$0) },
        EngineCase(.postureJailbroken, .denied, "jailbroken, with no verdict") {
            posture(.unknown, true)(&$0)
        },
    ]

    static let deferrals: [EngineCase] = [
        EngineCase(.postureMissing, nil, "never reported") { $0.device?.posture = [] },
        EngineCase(.postureUnknown, nil, "no verdict") { posture(.unknown)(&$0) },
        EngineCase(.postureUnknown, nil, "jailbreak unseen") { posture(.compliant, nil)(&$0) },
        EngineCase(.postureUnavailable, nil, "source away") { posture(.unavailable)(&$0) },
        EngineCase(.postureUnavailable, nil, "never observed") { posture(.compliant, at: nil)(&$0) },
        EngineCase(.postureStale, nil, "a second too old") { posture(.compliant, at: -14_401)(&$0) },
        EngineCase(.postureStale, nil, "noncompliant long ago") { posture(.noncompliant, at: -90_000)(&$0) },
        EngineCase(.postureFuture, nil, "in a second") { posture(.compliant, at: 1)(&$0) },
    ]

    let engine: PolicyEngine

    init() throws { engine = PolicyEngine(bundle: try StarterBundle.load()) }

    @Test(arguments: denials)
    func denies(_ each: EngineCase) throws {
        var input = try StarterBundle.laptop()
        try each.change(&input)
        let decision = engine.decide(input)
        #expect(decision.reasonCode == each.code.rawValue)
        #expect(decision.refusal == each.kind)
        #expect(decision.reason.hasPrefix(each.code.meaning))
    }

    @Test(arguments: deferrals)
    func defers(_ each: EngineCase) throws {
        var input = try StarterBundle.laptop()
        try each.change(&input)
        let decision = engine.decide(input)
        #expect(decision.reasonCode == each.code.rawValue)
        #expect(decision.outcome == .defer(retryAfter: 60))
        #expect(decision.ruleIDs.contains("never-jailbroken") || each.code == .postureUnknown)
    }

    @Test func grantsWhatTheRuleSays() throws {
        let input = try StarterBundle.laptop()
        let decision = engine.decide(input)
        guard case .permit(let grant) = decision.outcome else {
            Issue.record("\(decision.reasonCode)")
            return
        }
        #expect(decision.reasonCode == "permitted" && decision.ruleIDs == ["corp-laptop-client-auth"])
        #expect(grant.names == CertificateNames(commonName: "LT-042", dns: ["lt-042.devices.localhost"]))
        #expect(grant.extendedKeyUsages == [.clientAuth])
        #expect(grant.maximumNotAfter == input.instant.adding(seconds: 90 * 86_400))
        #expect(decision.owner.team == "Device Identity")
    }

    @Test func sameRuleOverEveryProtocol() throws {
        var input = try StarterBundle.laptop()
        let account = VerifiedProof.account(
            id: "acct", credential: try #require(CredentialID("AAAAAAAAAAAAAAAA")),
            device: try device("LT-042"),
            state: .usable)
        let control = VerifiedProof.domainControl([
            DomainAuthorization(
                name: "lt-042.devices.localhost", method: "http-01", validatedAt: input.instant)
        ])
        let est = engine.decide(input)
        input.enrollmentProtocol = .scep
        #expect(engine.decide(input) == est)
        input.enrollmentProtocol = .acme
        input.proofs = [account, control]
        #expect(engine.decide(input).ruleIDs == est.ruleIDs)
        #expect(engine.decide(input).outcome == est.outcome)
    }

    @Test func assessNeedsNoKeyAndNoDomainControl() throws {
        var input = try StarterBundle.laptop()
        input.request.publicKey = nil
        #expect(engine.assess(input).isPermit)
        #expect(!engine.decide(input).isPermit)
        input.history.keyBlocked = true
        #expect(engine.assess(input).reasonCode == "key.blocked")
    }

    @Test(arguments: [EnrollmentOperation.renew, .rekey], [(9, true), (10, true), (11, false)])
    func renewalsAreBounded(_ operation: EnrollmentOperation, _ live: (Int, Bool)) throws {
        var input = try StarterBundle.laptop()
        input.operation = operation
        input.proofs = [try certificate(.valid)]
        input.history.activeCertificates = live.0
        #expect(engine.decide(input).isPermit == live.1)
    }

    @Test func traceNamesTheNearestMiss() throws {
        var input = try StarterBundle.laptop()
        input.device?.groups = ["servers"]
        let text = engine.decide(input).trace.canonicalText
        #expect(
            text.contains(
                #""nearest_miss":{"rule":"corp-laptop-client-auth","unmet":["device.group is corp-laptops"]}"#
            ))
        #expect(text.contains(#""age_seconds":600"#) && text.contains(#""source":"intune""#))
    }

    @Test func samplesArePure() throws {
        let inputs = try (Self.denials + Self.deferrals).map { each in
            var input = try StarterBundle.laptop()
            try each.change(&input)
            return input
        }
        for input in inputs {
            let recorded = try JSONDecoder().decode(PolicyInput.self, from: JSONEncoder().encode(input))
            #expect(engine.decide(input) == engine.decide(input))
            #expect(engine.decide(recorded) == engine.decide(input))
            #expect(engine.assess(recorded) == engine.assess(input))
            #expect(engine.assessAccount(recorded) == engine.assessAccount(input))
        }
    }
}
