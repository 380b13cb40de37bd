import Database
import EnrollmentCore
import Foundation

/// The documents of one request and its decision, exactly as they are hashed, and the personal values that
/// were kept out of them.
struct AttemptDocuments: Sendable {
    let id: RequestID
    let request: String
    let decision: String
    private let privateValues: PrivateValues

    /// - Parameters:
    ///   - kind: how the row is called; an attempt's own kind, or `bind`.
    ///   - key: the transaction key; a binding may have one where its attempt has none.
    ///   - random: salts the commitments to personal values.
    init(
        _ attempt: AttemptRecord, kind: String, key: TransactionKey?, gateway: String,
        random: any RandomSource
    ) throws(LedgerError) {
        var values = PrivateValues(random: random)
        let input = values.withoutPersons(attempt.input)
        id = attempt.id
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
        decision =
            Self.document(
                attempt.decision, trace: values.withoutPersons(attempt.decision.trace), id: attempt.id,
                at: input.instant
            ).storable.canonicalText
        privateValues = values
    }

    init(_ refusal: RefusalRecord, gateway: String, random: any RandomSource) {
        let refused = refusal.request
        var values = PrivateValues(random: random)
        id = refused.id
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
                "client_address": .string(values.commit(refused.peer.address, "client_address")),
                "credential": .object(["id": JSONValue(refusal.credential?.rawValue)]),
                "proof_kinds": [],
            ]).storable.canonicalText
        let record = DecisionRecord(
            effect: .deny, reasonCode: refused.reasonCode, reason: String(refused.reason.prefix(1_000)),
            ruleIDs: [],
            owner: refusal.owner, policy: refusal.policy, profile: nil, maximumNotAfter: nil,
            obligations: [:], trace: [], decidedBy: .registration)
        decision =
            Self.document(record, trace: record.trace, id: refused.id, at: refusal.decidedAt)
            .storable.canonicalText
        privateValues = values
    }

    var parameters: [Parameter] { [.text(request), .text(decision)] }

    /// What `ledger.keep_private` takes, after the documents were recorded and in the same transaction.
    var privateParameters: [Parameter] { [.uuid(id), privateValues.parameter] }

    private static func document(
        _ decision: DecisionRecord, trace: JSONValue, id: RequestID, at instant: Timestamp
    ) -> JSONValue {
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
            "trace": trace,
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
