package import EnrollmentCore

/// What policy says of one input, and why.
package struct Decision: Sendable, Hashable {
    /// The outcome and what belongs to it alone.
    package enum Outcome: Sendable, Hashable {
        case permit(Grant)
        /// Ask again after that many seconds.
        case `defer`(retryAfter: Int64)
        /// The kind is what the client may learn.
        case deny(RefusalKind)
    }

    package let outcome: Outcome
    /// Stable and documented, e.g. `no-rule`, `posture.stale`, `credential.spent`, `permitted`.
    package let reasonCode: String
    /// One sentence for an auditor.
    package let reason: String
    /// Every rule that carried the outcome, sorted.
    package let ruleIDs: [String]
    /// The team answerable for the outcome: the rule's, or the service's when no rule spoke.
    package let owner: Owner
    /// SHA-256 of the bundle that decided.
    package let policy: Digest
    package let obligations: JSONValue
    /// Every rule considered, each condition with its verdict, the value seen, its source and age.
    package var trace: JSONValue {
        guard let shadow, case .object(var members) = basis.json else { return basis.json }
        members["shadow"] = shadow.json
        return .object(members)
    }
    /// What rules in shadow would have made of it; nil when there are none.
    package internal(set) var shadow: ShadowTrace?
    /// What the trace is written from. It is long, and not everybody who decides wants it.
    private let basis: DecisionTrace

    init(
        outcome: Outcome, reasonCode: String, reason: String, ruleIDs: [String], owner: Owner, policy: Digest,
        obligations: JSONValue, basis: DecisionTrace
    ) {
        self.outcome = outcome
        self.reasonCode = reasonCode
        self.reason = reason
        self.ruleIDs = ruleIDs
        self.owner = owner
        self.policy = policy
        self.obligations = obligations
        self.basis = basis
    }

    /// Two decisions are the same when they would be recorded alike.
    package static func == (left: Decision, right: Decision) -> Bool {
        left.outcome == right.outcome && left.reasonCode == right.reasonCode && left.reason == right.reason
            && left.ruleIDs == right.ruleIDs && left.owner == right.owner && left.policy == right.policy
            && left.obligations == right.obligations && left.trace == right.trace
    }

    /// By outcome, reason and rules.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(outcome)
        hasher.combine(reasonCode)
        hasher.combine(ruleIDs)
    }
}
