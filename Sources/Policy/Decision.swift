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
    /// What goes with the outcome: what is granted, or whose approval is waited for.
    package var obligations: JSONValue { DocumentValue.of { obligate(&$0) } }
    /// Every rule considered, each condition with its verdict, the value seen, its source and age.
    package var trace: JSONValue { DocumentValue.of { basis.write(to: &$0, shadow: shadow) } }
    /// What rules in shadow would have made of it; nil when there are none.
    package internal(set) var shadow: ShadowTrace?
    /// What the trace is written from. It is long, and not everybody who decides wants it.
    private let basis: DecisionTrace
    /// What each rule that waits for people asks for.
    private let approvals: [JSONValue]

    init(
        outcome: Outcome, reasonCode: String, reason: String, ruleIDs: [String], owner: Owner, policy: Digest,
        approvals: [JSONValue], basis: DecisionTrace
    ) {
        self.outcome = outcome
        self.reasonCode = reasonCode
        self.reason = reason
        self.ruleIDs = ruleIDs
        self.owner = owner
        self.policy = policy
        self.approvals = approvals
        self.basis = basis
    }

    /// Writes `obligations`.
    package func writeObligations(to text: inout CanonicalText) { obligate(&text) }

    /// Writes `trace`.
    package func writeTrace(to text: inout CanonicalText) { basis.write(to: &text, shadow: shadow) }

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

extension Decision {
    private func obligate(_ sink: inout some DocumentSink) {
        sink.object { sink in
            if !approvals.isEmpty {
                sink.name("approvals")
                sink.value(.array(approvals))
            }
            guard case .permit(let grant) = outcome, !grant.isOfNothing else { return }
            sink.member("extended_key_usage", grant.extendedKeyUsages.lazy.map(\.rawValue))
            sink.name("names")
            DecisionTrace.write(grant.names, to: &sink)
            sink.member("not_after", grant.maximumNotAfter.rfc3339)
            sink.member("profile", grant.profile.name.rawValue)
        }
    }
}
