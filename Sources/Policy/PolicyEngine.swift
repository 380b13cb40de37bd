package import EnrollmentCore

/// Decides. A pure function of bundle and input: no clock, no lookup, no randomness (invariant I5).
package struct PolicyEngine: Sendable {
    /// The bundle it decides by.
    package let bundle: PolicyBundle
    /// Seconds after which a deferred client asks again.
    package static let retryAfter: Int64 = 60

    /// - Parameter bundle: checked already; anything that loads can be decided by.
    package init(bundle: PolicyBundle) { self.bundle = bundle }

    /// The decision on a request for a certificate.
    package func decide(_ input: PolicyInput) -> Decision { decision(input, .request) }

    /// Whether a request could be granted once its key and the proofs still missing are there. A permit means
    /// "possible"; its grant is not to be used.
    package func assess(_ input: PolicyInput) -> Decision { decision(input, .inquiry) }

    /// Whether the device may have an account to order with (RFC 8555 §7.3.4): whether some request for some
    /// profile of the service could be granted. Proofs, device, history and rules are judged as ever; what a
    /// certificate request brings counts as given, and whatever of it the input holds is not looked at. A
    /// permit grants nothing.
    package func assessAccount(_ input: PolicyInput) -> Decision {
        guard input.requestedProfile == nil, let service = bundle.service(named: input.service) else {
            return decision(input, .account)
        }
        let answers = service.profiles.map { profile in
            var asked = input
            asked.requestedProfile = profile
            return decision(asked, .account)
        }
        return answers.first(where: \.isPermit) ?? answers.first(where: \.isDeferral) ?? answers.first
            ?? decision(input, .account)
    }

    private func decision(_ input: PolicyInput, _ question: PolicyQuestion) -> Decision {
        let scope = BuiltInChecks(input: input, bundle: bundle, question: question).scope()
        switch scope {
        case .failure(let error):
            let owner = bundle.service(named: input.service)?.owner ?? bundle.owner
            return DecisionMaker(
                bundle: bundle, input: input, question: question, owner: owner, evaluations: []
            )
            .deny(error.block.code, error.block.kind, rules: [])
        case .success(let (service, profile)):
            let conditions = ConditionEvaluation(input: input, question: question)
            let evaluations = bundle.rules(for: service.name, profile.name)
                .filter { $0.scope.covers(input) }
                .map { RuleEvaluation($0, conditions, profile) }
            return DecisionMaker(
                bundle: bundle, input: input, question: question, owner: service.owner,
                evaluations: evaluations
            )
            .decide(profile)
        }
    }
}

extension Decision {
    fileprivate var isPermit: Bool { if case .permit = outcome { true } else { false } }
    fileprivate var isDeferral: Bool { if case .defer = outcome { true } else { false } }
}

/// One rule's verdict on one input.
struct RuleEvaluation: Sendable {
    let rule: Rule
    let results: [ConditionResult]
    let verdict: Verdict
    /// What the rule would grant; nil for a deny rule.
    let terms: GrantTerms?
    /// Whether the rule would grant but for an attribute that the device lacks.
    let lacksName: Bool

    init(_ rule: Rule, _ conditions: ConditionEvaluation, _ profile: CertificateProfile) {
        self.rule = rule
        results = rule.conditions.map { conditions.evaluate($0) }
        let verdict = results.map(\.verdict).min() ?? .unsatisfied
        switch rule.effect {
        case .deny:
            terms = nil
            lacksName = false
            self.verdict = verdict
        case .permit(let wanted):
            terms = GrantTerms(wanted, profile: profile, input: conditions.input)
            lacksName = terms == nil
            self.verdict = lacksName ? min(verdict, .unknown) : verdict
        }
    }

    var isDeny: Bool { rule.effect == .deny }
    /// Conditions that neither hold nor may come to hold.
    var unmet: [ConditionResult] { results.filter { $0.verdict < .pending } }
    /// The code of the first condition with the rule's own verdict.
    var code: ReasonCode? { results.first { $0.verdict == verdict && $0.code != nil }?.code }
}

/// Turns rule verdicts into the decision, in the order of the product contract: a known block denies; nothing
/// that permits or may come to permit denies; a gap that may close defers; the rest permits.
struct DecisionMaker {
    let bundle: PolicyBundle
    let input: PolicyInput
    let question: PolicyQuestion
    /// Answers where no rule spoke.
    let owner: Owner
    /// Sorted by rule id.
    let evaluations: [RuleEvaluation]

    func decide(_ profile: CertificateProfile) -> Decision {
        let blocking = evaluations.filter { $0.isDeny && $0.verdict < .pending }
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
            let nothing = Grant(nothingOf: profile, at: input.instant)
            return make(.permit(nothing), .permitted, rules: candidates)
        }
        guard let merged = GrantTerms.merging(candidates.compactMap(\.terms)), !merged.isEmpty else {
            return deny(.obligationConflict, .denied, rules: candidates)
        }
        if let objection = merged.objection(to: input.request) {
            return deny(objection, .denied, rules: candidates)
        }
        return make(.permit(merged.grant(profile: profile, input: input)), .permitted, rules: candidates)
    }

    /// The first rule's objection to the request, when every rule has one.
    private func commonObjection(_ candidates: [RuleEvaluation]) -> ReasonCode? {
        guard question != .account else { return nil }
        let objections = candidates.compactMap { $0.terms?.objection(to: input.request) }
        return objections.count == candidates.count ? objections.first : nil
    }

    /// The permit rule with the fewest unmet conditions, the first by id of those.
    var nearestMiss: RuleEvaluation? {
        evaluations.filter { !$0.isDeny && $0.verdict < .pending }.min { $0.unmet.count < $1.unmet.count }
    }

    /// No rule, or, when one fact alone stands between the device and a rule and has a name, that fact.
    private func nothingPermits() -> Decision {
        guard let miss = nearestMiss, miss.unmet.count == 1, let code = miss.unmet.first?.code else {
            return deny(.noRule, .denied, rules: [])
        }
        return deny(code, .denied, rules: [miss])
    }

    func deny(_ code: ReasonCode, _ kind: RefusalKind, rules: [RuleEvaluation]) -> Decision {
        make(.deny(kind), code, rules: rules)
    }

    private func make(_ outcome: Decision.Outcome, _ code: ReasonCode, rules: [RuleEvaluation]) -> Decision {
        Decision(
            outcome: outcome, reasonCode: code.rawValue, reason: reason(code, rules),
            ruleIDs: rules.map(\.rule.id),
            owner: rules.first?.rule.owner ?? owner, policy: bundle.digest, obligations: obligations(outcome),
            trace: DecisionTrace(input: input, evaluations: evaluations, nearestMiss: nearestMiss)
                .json(code, outcome))
    }

    private func reason(_ code: ReasonCode, _ rules: [RuleEvaluation]) -> String {
        guard let rule = rules.first?.rule else { return code.meaning }
        let others = rules.count > 1 ? " and \(rules.count - 1) more" : ""
        return "\(code.meaning) Rule \(rule.id)\(others): \(rule.title)."
    }

    private func obligations(_ outcome: Decision.Outcome) -> JSONValue {
        guard question != .account else { return [:] }
        switch outcome {
        case .permit(let grant):
            return [
                "profile": .string(grant.profile.name.rawValue),
                "names": DecisionTrace.json(grant.names),
                "extended_key_usage": .array(grant.extendedKeyUsages.map { .string($0.rawValue) }),
                "not_after": .string(grant.maximumNotAfter.rfc3339),
            ]
        case .defer, .deny: return [:]
        }
    }
}
