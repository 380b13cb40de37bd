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
    package func decide(_ input: consuming PolicyInput) -> Decision { decision(input, .request) }

    /// Whether a request could be granted once its key and the proofs still missing are there. A permit means
    /// "possible"; its grant is not to be used.
    package func assess(_ input: consuming PolicyInput) -> Decision { decision(input, .inquiry) }

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

    /// Takes the input over, which is long to copy.
    private func decision(_ input: consuming PolicyInput, _ question: PolicyQuestion) -> Decision {
        decision(ConditionEvaluation(input: input, question: question))
    }

    private func decision(_ conditions: ConditionEvaluation) -> Decision {
        let scope = BuiltInChecks(conditions: conditions, bundle: bundle).scope()
        switch scope {
        case .failure(let error):
            let owner = bundle.service(named: conditions.input.service)?.owner ?? bundle.owner
            return DecisionMaker(
                policy: bundle.digest, conditions: conditions, owner: owner, evaluations: []
            )
            .deny(error.block.code, error.block.kind, rules: [])
        case .success(let (service, profile)):
            let rules = bundle.rules(for: service.name, profile.name)
            let groups = conditions.input.device?.groups ?? []
            var maker = DecisionMaker(
                policy: bundle.digest, conditions: conditions, owner: service.owner, profile: profile,
                evaluations: evaluate(rules?.candidates(groups: groups) ?? [], conditions, profile))
            maker.strangers = {
                evaluate(rules?.strangers(groups: groups) ?? [], conditions, profile)
            }
            guard let rules, !rules.shadows.isEmpty else { return maker.decide(profile) }
            var decision = maker.decide(profile)
            let shadows = evaluate(rules.shadows, conditions, profile)
            if !shadows.isEmpty { decision.shadow = maker.shadow(shadows) }
            return decision
        }
    }

    private func evaluate(
        _ rules: [SharedRule], _ conditions: ConditionEvaluation, _ profile: CertificateProfile
    ) -> [RuleEvaluation] {
        var evaluations: [RuleEvaluation] = []
        evaluations.reserveCapacity(rules.count)
        for rule in rules where rule.rule.scope.covers(conditions.input) {
            let isOverdue = bundle.refuses(reviewBy: rule.rule.reviewBy, at: conditions.input.instant)
            evaluations.append(RuleEvaluation(rule, conditions, profile, isOverdue: isOverdue))
        }
        return evaluations
    }
}

extension Decision {
    fileprivate var isPermit: Bool { if case .permit = outcome { true } else { false } }
    fileprivate var isDeferral: Bool { if case .defer = outcome { true } else { false } }
}
