import EnrollmentCore

/// Turns rule verdicts into the decision, in the order of the product contract: a known block denies; nothing
/// that permits or may come to permit denies; a gap that may close defers; the rest permits.
struct DecisionMaker {
    /// Digest of the bundle.
    let policy: Digest
    let conditions: ConditionEvaluation
    /// Answers where no rule spoke.
    let owner: Owner
    /// Nil when a check that comes before all rules spoke.
    var profile: CertificateProfile?
    /// Of the rules that may apply, sorted by id.
    let evaluations: [RuleEvaluation]
    /// Evaluates some of the rules that cannot apply to the device for its groups.
    var strangers: () -> [RuleEvaluation] = { [] }

    private var question: PolicyQuestion { conditions.question }

    func decide(_ profile: CertificateProfile) -> Decision {
        let blocking = evaluations.filter { $0.isDeny && $0.verdict < .pending || $0.isVetoed }
        if let first = blocking.first {
            let fallback: ReasonCode = first.verdict == .unknown ? .ruleUnknown : .ruleBlocked
            return deny(first.code ?? fallback, .denied, rules: blocking)
        }
        let candidates = evaluations.filter { !$0.isDeny && $0.verdict >= .pending }
        guard !candidates.isEmpty else { return nothingPermits() }
        if let objection = commonObjection(candidates) {
            return deny(objection, .denied, rules: candidates)
        }
        let pending = evaluations.filter { $0.verdict == .pending }
        if let first = pending.first {
            return make(
                .defer(retryAfter: PolicyEngine.retryAfter), first.code ?? .postureUnknown, rules: pending)
        }
        guard question != .account else {
            let nothing = Grant(nothingOf: profile, at: conditions.input.instant)
            return make(.permit(nothing), .permitted, rules: candidates)
        }
        guard let merged = GrantTerms.merging(candidates.compactMap(\.terms)), !merged.isEmpty else {
            return deny(.obligationConflict, .denied, rules: candidates)
        }
        if let objection = merged.objection(to: conditions.input.request) {
            return deny(objection, .denied, rules: candidates)
        }
        return make(
            .permit(merged.grant(profile: profile, conditions)), .permitted, rules: candidates)
    }

    /// The first rule's objection to the request, when every rule has one.
    private func commonObjection(_ candidates: [RuleEvaluation]) -> ReasonCode? {
        guard question != .account else { return nil }
        let request = conditions.input.request
        let objections = candidates.compactMap { $0.terms?.objection(to: request) }
        return objections.count == candidates.count ? objections.first : nil
    }

    /// The permit rule with the fewest unmet conditions, the first by id of those; one for other groups where
    /// there is none for this device's.
    private var nearestMiss: RuleEvaluation? { Self.nearest(evaluations) ?? Self.nearest(strangers()) }

    private static func nearest(_ evaluations: [RuleEvaluation]) -> RuleEvaluation? {
        evaluations.filter { !$0.isDeny && $0.verdict < .pending }.min { $0.unmet.count < $1.unmet.count }
    }

    /// No rule, or, when one fact alone stands between the device and a rule and has a name, that fact.
    private func nothingPermits() -> Decision {
        let miss = nearestMiss
        guard let miss, miss.unmet.count == 1, let code = miss.unmet.first?.code else {
            return make(.deny(.denied), .noRule, rules: [], miss: miss)
        }
        return make(.deny(.denied), code, rules: [miss], miss: miss)
    }

    func deny(_ code: ReasonCode, _ kind: RefusalKind, rules: [RuleEvaluation]) -> Decision {
        make(.deny(kind), code, rules: rules, miss: profile == nil ? nil : nearestMiss)
    }

    /// - Parameter miss: the nearest miss, for a denial.
    private func make(
        _ outcome: consuming Decision.Outcome, _ code: ReasonCode, rules: [RuleEvaluation],
        miss: RuleEvaluation? = nil
    ) -> Decision {
        let approvals = approvals(outcome)
        let basis = DecisionTrace(
            conditions: conditions, code: code, isDenied: outcome.isDenial, evaluations: evaluations,
            nearestMiss: miss)
        return Decision(
            outcome: outcome, reasonCode: code.rawValue, reason: reason(code, rules),
            ruleIDs: rules.map(\.rule.id), owner: rules.first?.rule.owner ?? owner, policy: policy,
            approvals: approvals, basis: basis)
    }

    private func reason(_ code: ReasonCode, _ rules: [RuleEvaluation]) -> String {
        guard let rule = rules.first?.rule else { return code.meaning }
        let others = rules.count > 1 ? " and \(rules.count - 1) more" : ""
        return "\(code.meaning) Rule \(rule.id)\(others): \(rule.title)."
    }

    /// What the rules that wait for people ask for, when that is what the outcome waits for.
    private func approvals(_ outcome: Decision.Outcome) -> [JSONValue] {
        guard question != .account, case .defer = outcome else { return [] }
        return evaluations.filter { $0.verdict == .pending }.compactMap { evaluation in
            evaluation.rule.approval.map {
                ApprovalEvaluation(terms: $0, conditions: conditions).json(rule: evaluation.rule.id)
            }
        }
    }

    /// What the outcome would be if these rules were enforced too, to be written beside it.
    func shadow(_ shadows: [RuleEvaluation]) -> ShadowTrace? {
        guard let profile else { return nil }
        let all = (evaluations + shadows).sorted { $0.rule.id < $1.rule.id }
        let would = DecisionMaker(
            policy: policy, conditions: conditions, owner: owner, profile: profile,
            evaluations: all
        )
        .decide(profile)
        return ShadowTrace(
            effect: would.outcome.effectName, reasonCode: would.reasonCode, ruleIDs: would.ruleIDs,
            evaluations: shadows)
    }
}

extension Decision.Outcome {
    var isDenial: Bool { if case .deny = self { true } else { false } }

    /// `permit`, `defer` or `deny`.
    package var effectName: String {
        switch self {
        case .permit: return "permit"
        case .defer: return "defer"
        case .deny: return "deny"
        }
    }
}
