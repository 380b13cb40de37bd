package import EnrollmentCore
package import Policy

/// Which cases put which condition of which rule to the test, and how.
package struct PolicyCoverage: Sendable, Hashable {
    /// One condition. Cases are named `rule/name`, in the order of the bundle.
    package struct Line: Sendable, Hashable {
        /// As it reads in traces.
        package let text: String
        package let position: SourcePosition
        package fileprivate(set) var met: [String] = []
        package fileprivate(set) var notMet: [String] = []
        /// What it asks for is missing and may come.
        package fileprivate(set) var pending: [String] = []
        /// What it asks for is missing and stays so.
        package fileprivate(set) var unknown: [String] = []
    }

    /// One rule.
    package struct RuleLines: Sendable, Hashable {
        package let rule: String
        package let mode: Rule.Mode
        package fileprivate(set) var conditions: [Line]
        /// Cases whose outcome it carried, by `permit`, `defer` and `deny`.
        package fileprivate(set) var carried: [String: [String]] = [:]
    }

    /// Sorted by id.
    package let rules: [RuleLines]

    /// - Parameters:
    ///   - bundle: whose rules and cases they are.
    ///   - report: of its cases, each of which it holds once.
    package init(bundle: PolicyBundle, report: PolicyReport) {
        rules = bundle.rules.map { rule in
            let leaves = rule.conditions.flatMap { $0.leaves() }
            var lines = RuleLines(
                rule: rule.id, mode: rule.mode,
                conditions: leaves.map { Line(text: $0.test.text, position: $0.position) })
            for (policyCase, result) in zip(bundle.cases, report.results) {
                let name = "\(policyCase.rule)/\(policyCase.name)"
                if result.decision.ruleIDs.contains(rule.id) {
                    lines.carried[result.decision.outcome.effectName, default: []].append(name)
                }
                guard result.decision.askedRules,
                    policyCase.kinds(in: bundle).contains(where: rule.scope.takesIn)
                else { continue }
                let evaluation = ConditionEvaluation(input: policyCase.input, question: policyCase.question)
                for (index, leaf) in leaves.enumerated() {
                    let finding = evaluation.evaluate(leaf.test, leaf.isNegated)
                    lines.conditions[index].note(finding.verdict, name)
                }
            }
            return lines
        }
    }

    /// The whole as a document.
    package var json: JSONValue {
        .array(
            rules.map { rule in
                [
                    "rule": .string(rule.rule), "mode": .string(rule.mode.rawValue),
                    "carried": .object(rule.carried.mapValues { .array($0.map(JSONValue.string)) }),
                    "conditions": .array(rule.conditions.map(\.json)),
                ]
            })
    }
}

extension PolicyCoverage.Line {
    fileprivate mutating func note(_ verdict: Verdict, _ name: String) {
        switch verdict {
        case .satisfied: met.append(name)
        case .unsatisfied: notMet.append(name)
        case .pending: pending.append(name)
        case .unknown: unknown.append(name)
        }
    }

    fileprivate var json: JSONValue {
        func names(_ list: [String]) -> JSONValue { .array(list.map(JSONValue.string)) }
        return [
            "condition": .string(text), "file": .string(position.file),
            "line": .integer(Int64(position.line)), "met": names(met), "not_met": names(notMet),
            "pending": names(pending), "unknown": names(unknown),
        ]
    }
}

extension RuleScope {
    fileprivate func takesIn(_ kind: RequestKind) -> Bool {
        covers(kind.service, kind.profile) && protocols?.contains(kind.enrollmentProtocol) ?? true
            && operations?.contains(kind.operation) ?? true
    }
}
