package import EnrollmentCore

/// Runs the cases that stand beside a bundle's rules.
package struct PolicyTestRunner: Sendable {
    private let bundle: PolicyBundle

    /// - Parameter bundle: one that loaded; its cases did too.
    package init(bundle: PolicyBundle) { self.bundle = bundle }

    /// Every case against the whole bundle, and what the cases leave out.
    package func run() -> PolicyReport {
        let engine = PolicyEngine(bundle: bundle)
        let results = bundle.cases.map { policyCase -> PolicyReport.CaseResult in
            let decision = Self.decision(on: policyCase, by: engine)
            return PolicyReport.CaseResult(
                name: policyCase.name, rule: policyCase.rule, file: policyCase.position.file,
                line: policyCase.position.line, expected: policyCase.expectation.text,
                actual: Self.text(of: decision, at: policyCase.input.instant),
                passed: policyCase.expectation.isMet(by: decision, at: policyCase.input.instant),
                decision: decision)
        }
        return PolicyReport(results: results, problems: problems(results), policy: bundle.digest)
    }

    private static func decision(on policyCase: PolicyCase, by engine: PolicyEngine) -> Decision {
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
            let own = results.filter { $0.rule == rule.id && $0.decision.ruleIDs.contains(rule.id) }
            let isShown = own.contains { result in
                switch (rule.effect, result.decision.outcome) {
                case (.permit, .permit), (.deny, .deny): return true
                case (.permit, _), (.deny, _): return false
                }
            }
            if isShown { return nil }
            let (effect, remedy) =
                rule.effect == .deny
                ? ("denies", "add a case that it blocks") : ("permits", "add a case that it permits")
            return PolicyDiagnostic(
                file: rule.position.file, line: rule.position.line, column: rule.position.column,
                message: "no case shows that `\(rule.id)` \(effect)", remedy: remedy)
        }
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
