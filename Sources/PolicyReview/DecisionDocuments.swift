package import EnrollmentCore
import Foundation
package import Policy

/// A request and the decision on it as documents, in the form in which the ledger keeps them.
package struct DecisionDocuments: Sendable, Hashable {
    package let request: JSONValue
    package let decision: JSONValue

    /// - Parameters: documents as the ledger has them.
    package init(request: JSONValue, decision: JSONValue) {
        self.request = request
        self.decision = decision
    }

    /// The documents of a decision that is on no ledger.
    ///
    /// - Parameters: what was asked, how, and what the bundle says to it.
    package init(input: PolicyInput, question: PolicyQuestion, bundle: PolicyBundle) {
        let data = try? JSONEncoder().encode(input)
        let encoded = data.flatMap { try? JSONDecoder().decode(JSONValue.self, from: $0) } ?? .null
        let kind =
            switch question {
            case .request: "enroll"
            case .inquiry: "assess"
            case .account: "bind"
            }
        request = [
            "kind": .string(kind), "service": .string(input.service.rawValue),
            "protocol": .string(input.enrollmentProtocol.rawValue),
            "operation": .string(input.operation.rawValue),
            "device_id": JSONValue(input.provenDevice?.rawValue),
            "client_address": .string(input.clientAddress), "input": encoded,
        ]
        decision = Self.decision(on: input, question, by: bundle)
    }

    /// The same request decided by a bundle; nil where policy was not asked.
    package func decided(by bundle: PolicyBundle) -> DecisionDocuments? {
        question.map { input, question in
            DecisionDocuments(
                request: request, decision: Self.decision(on: input, question, by: bundle))
        }
    }

    private static func decision(
        on input: PolicyInput, _ question: PolicyQuestion, by bundle: PolicyBundle
    ) -> JSONValue {
        let engine = PolicyEngine(bundle: bundle)
        switch question {
        case .request: return document(of: engine.decide(input), at: input.instant)
        case .inquiry: return document(of: engine.assess(input), at: input.instant)
        case .account: return document(of: engine.assessAccount(input), at: input.instant)
        }
    }

    private static func document(of decision: Decision, at instant: Timestamp) -> JSONValue {
        var grant: Grant?
        if case .permit(let granted) = decision.outcome { grant = granted }
        return [
            "decided_at": .string(instant.description), "decided_by": "policy",
            "effect": .string(decision.outcome.effectName),
            "maximum_not_after": JSONValue(grant?.maximumNotAfter.description),
            "obligations": decision.obligations, "owner": .string(decision.owner.team),
            "policy_sha256": .string(decision.policy.description),
            "profile": JSONValue(grant?.profile.name.rawValue), "reason": .string(decision.reason),
            "reason_code": .string(decision.reasonCode),
            "rule_ids": .array(decision.ruleIDs.map(JSONValue.string)), "trace": decision.trace,
        ]
    }

    /// Whether policy took the decision, rather than a check before it or issuance after it.
    package var isByPolicy: Bool { decision.text("decided_by") == "policy" }

    /// The bundle that decided.
    package var policy: Digest? { decision.text("policy_sha256").flatMap { Digest($0) } }

    /// The input that policy was asked about, and how; nil where policy was not asked.
    package var question: (input: PolicyInput, question: PolicyQuestion)? {
        let kinds: [String: PolicyQuestion] = ["enroll": .request, "assess": .inquiry, "bind": .account]
        guard let question = request.text("kind").flatMap({ kinds[$0] }), let document = request["input"],
            let input = try? JSONDecoder().decode(
                PolicyInput.self, from: Data(document.canonicalText.utf8))
        else { return nil }
        return (input, question)
    }
}
