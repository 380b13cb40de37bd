import EnrollmentCore

/// One rule's verdict on one input. A class, as it is passed about while the decision is made.
package final class RuleEvaluation: Sendable {
    private let shared: SharedRule
    /// Of the rule's conditions in their order; then of its approval and its review, where it has them.
    package let results: [ConditionResult]
    package let verdict: Verdict
    /// What the rule would grant; nil for a deny rule.
    let terms: GrantTerms?
    /// Whether the rule would grant but for an attribute that the device lacks.
    package let lacksName: Bool
    /// Whether the rule would grant, or might come to, but for somebody who denied the request.
    let isVetoed: Bool

    /// The rule.
    package var rule: Rule { shared.rule }

    /// - Parameter isOverdue: whether nobody reviewed the rule in time and the bundle refuses such rules.
    package convenience init(
        _ rule: Rule, _ conditions: ConditionEvaluation, _ profile: CertificateProfile, isOverdue: Bool
    ) {
        self.init(SharedRule(rule), conditions, profile, isOverdue: isOverdue)
    }

    init(
        _ shared: SharedRule, _ conditions: ConditionEvaluation, _ profile: CertificateProfile,
        isOverdue: Bool
    ) {
        self.shared = shared
        var results = shared.rule.conditions.map { conditions.evaluate($0) }
        let own = results.map(\.verdict).min() ?? .unsatisfied
        switch shared.rule.effect {
        case .deny:
            isDeny = true
            terms = nil
            lacksName = false
            isVetoed = false
            verdict = own
        case .permit(let wanted):
            isDeny = false
            var isDenied = false
            if let approval = shared.rule.approval {
                let evaluation = ApprovalEvaluation(terms: approval, conditions: conditions)
                results.append(ConditionResult(evaluation.finding))
                isDenied = conditions.question == .request && evaluation.isDenied
            }
            if isOverdue { results.append(ConditionResult(Self.overdue(shared.rule))) }
            terms = GrantTerms(wanted, profile: profile, conditions)
            lacksName = terms == nil
            isVetoed = isDenied && own >= .pending && !lacksName && !isOverdue
            let verdict = results.map(\.verdict).min() ?? .unsatisfied
            self.verdict = lacksName ? min(verdict, .unknown) : verdict
        }
        self.results = results
    }

    private static func overdue(_ rule: Rule) -> Finding {
        Finding(
            text: "reviewed by \(rule.reviewBy.rfc3339.prefix(10))", verdict: .unsatisfied,
            code: .reviewOverdue)
    }

    /// Whether it is a deny rule.
    package let isDeny: Bool
    /// Conditions that neither hold nor may come to hold.
    var unmet: [ConditionResult] { results.filter { $0.verdict < .pending } }
    /// The code of the first condition with the rule's own verdict.
    var code: ReasonCode? { results.first { $0.verdict == verdict && $0.code != nil }?.code }
}

extension ConditionResult {
    /// The result of a single test.
    fileprivate init(_ finding: Finding) { self.init(verdict: finding.verdict, findings: [finding]) }
}
