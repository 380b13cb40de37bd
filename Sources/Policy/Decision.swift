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
    package let trace: JSONValue

    init(
        outcome: Outcome, reasonCode: String, reason: String, ruleIDs: [String], owner: Owner, policy: Digest,
        obligations: JSONValue, trace: JSONValue
    ) {
        self.outcome = outcome
        self.reasonCode = reasonCode
        self.reason = reason
        self.ruleIDs = ruleIDs
        self.owner = owner
        self.policy = policy
        self.obligations = obligations
        self.trace = trace
    }
}
