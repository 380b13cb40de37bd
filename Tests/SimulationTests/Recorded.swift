import EnrollmentCore
import Foundation

@testable import Policy
@testable import Simulation

/// Documents as the ledger has them, made from values.
struct Recorded {
    var id = 1
    var kind = "enroll"
    var decidedBy = DecisionAuthority.policy

    static func bundle(editing path: String? = nil, _ old: String = "", _ new: String = "") throws
        -> PolicyBundle
    {
        let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "policies").path(percentEncoded: false)
        let files = try BundleFile.read(directory: directory).map { file -> BundleFile in
            guard file.path == path else { return file }
            let text = String(decoding: file.bytes, as: UTF8.self).replacing(old, with: new)
            return BundleFile(path: file.path, bytes: Array(text.utf8))
        }
        return try PolicyBundle(files: files)
    }

    static func canonical(_ input: PolicyInput) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(input))
    }

    var requestID: RequestID { RequestID(at: Timestamp(seconds: 1_700_000_000 + Int64(id)), random: []) }

    func request(_ input: PolicyInput?) throws -> JSONValue {
        var members: [String: JSONValue] = [
            "request_id": .string(requestID.description), "kind": .string(kind), "gateway": "gw-1",
            "follows": .null, "attempt": 1, "proof_kinds": ["one_time_credential"],
        ]
        if let input { members["input"] = try Self.canonical(input) }
        return .object(members)
    }

    func decision(_ decision: Decision) -> JSONValue {
        var effect = "deny"
        var grant: Grant?
        switch decision.outcome {
        case .permit(let granted): (effect, grant) = ("permit", granted)
        case .defer: effect = "defer"
        case .deny: break
        }
        return [
            "request_id": .string(requestID.description), "decided_at": "2026-11-22T12:00:00.000000Z",
            "effect": .string(effect), "reason_code": .string(decision.reasonCode),
            "reason": .string(decision.reason),
            "rule_ids": .array(decision.ruleIDs.map(JSONValue.string)),
            "owner": .string(decision.owner.team), "policy_sha256": .string(decision.policy.description),
            "profile": JSONValue(grant?.profile.name.rawValue),
            "maximum_not_after": JSONValue(grant?.maximumNotAfter.description),
            "obligations": decision.obligations, "trace": decision.trace,
            "decided_by": .string(decidedBy.rawValue),
        ]
    }

    func documents(_ input: PolicyInput, by bundle: PolicyBundle) throws -> RecordBatch.Documents {
        let kind = RecordedRequest.Kind(rawValue: kind) ?? .enroll
        let answer = PolicyEngine(bundle: bundle).answer(input, kind)
        let decision = answer.map { self.decision($0).canonicalText } ?? "{}"
        return .init(
            request: Array(try request(input).canonicalText.utf8), decision: Array(decision.utf8))
    }

    /// A healthy laptop's first request.
    static func laptop() throws -> PolicyInput {
        let now = Timestamp(seconds: 1_790_000_000)
        guard let device = DeviceID("LT-042"), let credential = CredentialID("AAAAAAAAAAAAAAAA") else {
            throw CocoaError(.coderInvalidValue)
        }
        return PolicyInput(
            service: ServiceName("laptops"), enrollmentProtocol: .est, operation: .enroll, instant: now,
            request: RequestFacts(
                names: CertificateNames(commonName: "LT-042", dns: ["lt-042.devices.localhost"]),
                extendedKeyUsages: ["1.3.6.1.5.5.7.3.2"],
                publicKey: PublicKey(subjectPublicKeyInfo: [48, 0, 255], algorithm: .p256),
                digest: Digest(of: [1])),
            proofs: [.oneTimeCredential(id: credential, device: device, state: .usable)],
            provenDevice: device,
            device: DeviceFacts(
                id: device, groups: ["corp-laptops"], dns: ["lt-042.devices.localhost"],
                posture: [
                    PostureFact(
                        source: "intune", status: .compliant, jailbroken: false,
                        observedAt: now.adding(seconds: -600))
                ]),
            clientAddress: "192.0.2.7")
    }

    static func laptop(_ change: (inout PolicyInput) -> Void) throws -> PolicyInput {
        var input = try laptop()
        change(&input)
        return input
    }
}

/// A sequence of numbers that is the same in each run.
struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func flip() -> Bool { next() & 1 == 0 }
    mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() >> 1) % bound }

    mutating func text() -> String {
        let pieces = [
            "a", "lt-042.devices.localhost", "\"", "\\", "/", "\u{0}", "\n", "\u{1f}", "é", "漢字", "🦊",
            "\u{7f}",
            "\u{2028}", "{", "]", "", "null",
        ]
        return (0..<below(4)).map { _ in pieces[below(pieces.count)] }.joined()
    }

    mutating func texts() -> [String] { (0..<below(3)).map { _ in text() } }
    mutating func maybe<Value>(_ make: (inout Chance) -> Value) -> Value? { flip() ? make(&self) : nil }
    mutating func instant() -> Timestamp { Timestamp(microseconds: Int64(below(4_000_000_000_000_000))) }

    mutating func names() -> CertificateNames {
        CertificateNames(
            commonName: maybe { $0.text() }, otherSubjectAttributes: texts(), dns: texts(), email: texts(),
            uri: texts(), ip: texts(), upn: texts(), unsupported: texts())
    }

    mutating func one<Value: CaseIterable>(of type: Value.Type) -> Value {
        Array(type.allCases)[below(type.allCases.count)]
    }
}
