package import EnrollmentCore

/// Runs the cases that stand beside a bundle's rules.
package struct PolicyTestRunner: Sendable {
    private let bundle: PolicyBundle
    private let engine: PolicyEngine

    /// - Parameter bundle: one that loaded; its cases did too.
    package init(bundle: PolicyBundle) {
        self.bundle = bundle
        engine = PolicyEngine(bundle: bundle)
    }

    /// Every case against the whole bundle, and what the cases leave out.
    package func run() -> PolicyReport {
        let results = bundle.cases.map { policyCase -> PolicyReport.CaseResult in
            let decision = decision(on: policyCase)
            return PolicyReport.CaseResult(
                name: policyCase.name, rule: policyCase.rule, file: policyCase.position.file,
                line: policyCase.position.line, expected: policyCase.expectation.text,
                actual: Self.text(of: decision, at: policyCase.input.instant),
                passed: policyCase.expectation.isMet(by: decision, at: policyCase.input.instant),
                decision: decision)
        }
        return PolicyReport(results: results, problems: problems(results), policy: bundle.digest)
    }

    /// Whether a case comes out as it expects.
    package func passes(_ policyCase: PolicyCase) -> Bool {
        policyCase.expectation.isMet(by: decision(on: policyCase), at: policyCase.input.instant)
    }

    /// What the bundle says to the request of a case.
    package func decision(on policyCase: PolicyCase) -> Decision {
        switch policyCase.question {
        case .request: return engine.decide(policyCase.input)
        case .inquiry: return engine.assess(policyCase.input)
        case .account: return engine.assessAccount(policyCase.input)
        }
    }

    private static func text(of decision: Decision, at instant: Timestamp) -> String {
        let rules = decision.ruleIDs.joined(separator: ", ")
        switch decision.outcome {
        case .permit(let grant):
            let names = [grant.names.commonName.map { ["common_name \($0)"] } ?? [], grant.names.dns]
            return "permit \(rules); validity \(grant.maximumNotAfter.seconds(since: instant))s; "
                + names.flatMap(\.self).joined(separator: " ")
        case .defer: return "defer \(decision.reasonCode)" + (rules.isEmpty ? "" : " by \(rules)")
        case .deny(let kind):
            return "deny \(decision.reasonCode)" + (rules.isEmpty ? "" : " by \(rules)")
                + "; kind \(kind.rawValue)"
        }
    }

    /// A rule whose effect no case shows is not tested, however many cases stand beside it.
    private func problems(_ results: [PolicyReport.CaseResult]) -> [PolicyDiagnostic] {
        bundle.rules.compactMap { rule in
            if results.contains(where: { $0.rule == rule.id && Self.shows(rule, $0.decision) }) { return nil }
            let (effect, remedy) =
                rule.effect == .deny
                ? ("denies", "add a case that it blocks") : ("permits", "add a case that it permits")
            return PolicyDiagnostic(
                file: rule.position.file, line: rule.position.line, column: rule.position.column,
                message: "no case shows that `\(rule.id)` \(effect)", remedy: remedy)
        }
    }
}

extension PolicyTestRunner {
    /// Whether the rule has its effect in a decision; a rule in shadow, in what is written beside it. A rule
    /// that is off has none to show.
    private static func shows(_ rule: Rule, _ decision: Decision) -> Bool {
        let effect = rule.effect == .deny ? "deny" : "permit"
        switch rule.mode {
        case .enforce: return decision.outcome.effectName == effect && decision.ruleIDs.contains(rule.id)
        case .shadow:
            return decision.shadow.map { $0.effect == effect && $0.ruleIDs.contains(rule.id) } ?? false
        case .off: return true
        }
    }
}

extension ApprovalTerms {
    /// The same terms with some of them changed, for asking what a bundle's cases would notice.
    package func replacing(count: Int? = nil, within: Int64? = nil, needsFourEyes: Bool? = nil)
        -> ApprovalTerms
    {
        ApprovalTerms(
            team: team, members: members, count: count ?? self.count, within: within ?? self.within,
            needsFourEyes: needsFourEyes ?? self.needsFourEyes, position: position)
    }
}

/// What running a bundle's cases found.
package struct PolicyReport: Sendable, Hashable {
    /// One case.
    package struct CaseResult: Sendable, Hashable {
        package let name: String
        /// The id of the rule it stands beside.
        package let rule: String
        package let file: String
        package let line: Int
        /// How the expectation reads.
        package let expected: String
        /// How the decision reads.
        package let actual: String
        package let passed: Bool
        package let decision: Decision
    }

    /// In the order of files and lines.
    package let results: [CaseResult]
    /// Rules that no case puts to the test.
    package let problems: [PolicyDiagnostic]
    /// Digest of the bundle that was tested.
    package let policy: Digest

    /// Whether every case passed and no rule is untested.
    package var passed: Bool { problems.isEmpty && failures.isEmpty }
    /// The cases that did not come out as expected.
    package var failures: [CaseResult] { results.filter { !$0.passed } }
}
