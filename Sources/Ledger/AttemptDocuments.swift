import Database
import EnrollmentCore
import Foundation

/// The documents of one request and its decision, exactly as they are hashed.
struct AttemptDocuments: Sendable {
    let request: String
    let decision: String

    /// - Parameters:
    ///   - kind: how the row is called; an attempt's own kind, or `bind`.
    ///   - key: the transaction key; a binding may have one where its attempt has none.
    init(_ attempt: AttemptRecord, kind: String, key: TransactionKey?, gateway: String) throws(LedgerError) {
        let input = attempt.input
        request =
            JSONValue.object([
                "request_id": .string(attempt.id.description),
                "kind": .string(kind),
                "transaction_key": JSONValue(key?.description),
                "follows": JSONValue(attempt.follows?.description),
                "received_at": .string(attempt.receivedAt.description),
                "gateway": .string(gateway),
                "service": .string(input.service.rawValue),
                "protocol": .string(input.enrollmentProtocol.rawValue),
                "operation": .string(input.operation.rawValue),
                "reference": JSONValue(attempt.reference?.text),
                "device_id": JSONValue(input.provenDevice?.rawValue),
                "client_address": .string(input.clientAddress),
                "credential": Self.document(attempt.credential),
                "proof_kinds": .array(input.proofs.map { .string($0.kindName) }),
                "public_key": JSONValue(input.request.publicKey?.digest.description),
                "request_digest": JSONValue(input.request.digest?.description),
                "input": try Self.document(of: input),
            ]).storable.canonicalText
        decision = Self.document(attempt.decision, id: attempt.id, at: input.instant).storable.canonicalText
    }

    init(_ refusal: RefusalRecord, gateway: String) {
        let refused = refusal.request
        request =
            JSONValue.object([
                "request_id": .string(refused.id.description),
                "kind": "refusal",
                "refusal": .string(refused.kind.rawValue),
                "received_at": .string(refused.receivedAt.description),
                "gateway": .string(gateway),
                "service": JSONValue(refused.service.map { String($0.rawValue.prefix(200)) }),
                "protocol": .string(refused.enrollmentProtocol.rawValue),
                "operation": JSONValue(refused.operation?.rawValue),
                "client_address": .string(refused.peer.address),
                "credential": .object(["id": JSONValue(refusal.credential?.rawValue)]),
                "proof_kinds": [],
            ]).storable.canonicalText
        let record = DecisionRecord(
            effect: .deny, reasonCode: refused.reasonCode, reason: String(refused.reason.prefix(1_000)),
            ruleIDs: [],
            owner: refusal.owner, policy: refusal.policy, profile: nil, maximumNotAfter: nil,
            obligations: [:], trace: [], decidedBy: .registration)
        decision = Self.document(record, id: refused.id, at: refusal.decidedAt).storable.canonicalText
    }

    var parameters: [Parameter] { [.text(request), .text(decision)] }

    private static func document(_ decision: DecisionRecord, id: RequestID, at instant: Timestamp)
        -> JSONValue
    {
        [
            "request_id": .string(id.description),
            "decided_at": .string(instant.description),
            "effect": .string(decision.effect.rawValue),
            "reason_code": .string(decision.reasonCode),
            "reason": .string(decision.reason),
            "rule_ids": .array(decision.ruleIDs.map(JSONValue.string)),
            "owner": .string(decision.owner),
            "policy_sha256": .string(decision.policy.description),
            "profile": JSONValue(decision.profile?.rawValue),
            "maximum_not_after": JSONValue(decision.maximumNotAfter?.description),
            "obligations": decision.obligations,
            "trace": decision.trace,
            "decided_by": .string(decision.decidedBy.rawValue),
        ]
    }

    private static func document(_ use: CredentialUse?) -> JSONValue {
        guard let use else { return .null }
        return [
            "id": .string(use.id.rawValue), "device_id": .string(use.device.rawValue),
            "service": .string(use.service.rawValue), "consumes": .bool(use.consumes),
        ]
    }

    static func document(of value: some Encodable) throws(LedgerError) -> JSONValue {
        do { return try JSONValue(encoding: value) } catch {
            throw .rejected("a record that cannot be encoded")
        }
    }

    /// Reads a document back.
    static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws(DatabaseError) -> Value
    {
        do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
            throw .unexpectedRow("a document that cannot be decoded")
        }
    }
}

/// A recorded request document, as far as it is read back.
struct RecordedRequestDocument: Decodable {
    let input: PolicyInput
}

extension VerifiedProof {
    /// The proof's name in the ledger.
    fileprivate var kindName: String {
        switch self {
        case .oneTimeCredential: return "one_time_credential"
        case .clientCertificate: return "client_certificate"
        case .account: return "account"
        case .domainControl: return "domain_control"
        }
    }
}
