import EnrollmentCore

/// Writes down how a decision came about: every rule considered, each condition with its verdict, the value
/// seen, its source and its age.
struct DecisionTrace: Sendable, Hashable {
    /// As wished for.
    let names: CertificateNames
    let code: ReasonCode
    let isDenied: Bool
    let evaluations: [RuleEvaluation]
    let nearestMiss: RuleEvaluation?

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "reason": .string(code.rawValue),
            "rules": .array(evaluations.map(Self.json)),
        ]
        guard isDenied else { return .object(members) }
        if let nearestMiss {
            let unmet = nearestMiss.unmet.flatMap { result in
                result.findings.filter { $0.verdict < .pending }.map { JSONValue.string($0.text) }
            }
            members["nearest_miss"] = ["rule": .string(nearestMiss.rule.id), "unmet": .array(unmet)]
        }
        if code == .namesDiffer || code == .identityChanged { members["names_wished"] = Self.json(names) }
        if code == .namesDiffer {
            let granted = evaluations.compactMap { evaluation in
                evaluation.terms.map { (evaluation.rule.id, Self.json($0.names)) }
            }
            members["names_granted"] = .object(Dictionary(granted, uniquingKeysWith: { first, _ in first }))
        }
        return .object(members)
    }

    fileprivate static func json(_ evaluation: RuleEvaluation) -> JSONValue {
        var members: [String: JSONValue] = [
            "rule": .string(evaluation.rule.id),
            "title": .string(evaluation.rule.title),
            "effect": .string(evaluation.isDeny ? "deny" : "permit"),
            "verdict": .string(evaluation.verdict.name),
            "conditions": .array(evaluation.results.flatMap(\.findings).map(json)),
        ]
        if let because = evaluation.rule.because { members["because"] = .string(because) }
        if evaluation.lacksName { members["lacks"] = "an attribute that a name is made of" }
        return .object(members)
    }

    private static func json(_ finding: Finding) -> JSONValue {
        var members: [String: JSONValue] = [
            "condition": .string(finding.text),
            "verdict": .string(finding.verdict.name),
            "value": finding.value,
        ]
        if let code = finding.code { members["code"] = .string(code.rawValue) }
        if let source = finding.source { members["source"] = .string(source) }
        if let age = finding.age { members["age_seconds"] = .integer(age) }
        return .object(members)
    }

    /// Names, kinds that are empty left out.
    static func json(_ names: CertificateNames) -> JSONValue {
        var members: [String: JSONValue] = [:]
        if let commonName = names.commonName { members["common_name"] = .string(commonName) }
        let lists = [
            ("subject", names.otherSubjectAttributes), ("dns", names.dns), ("email", names.email),
            ("uri", names.uri), ("ip", names.ip), ("upn", names.upn), ("unsupported", names.unsupported),
        ]
        for (kind, values) in lists where !values.isEmpty {
            members[kind] = .array(values.prefix(64).map(JSONValue.string))
        }
        return .object(members)
    }
}

/// What rules in shadow found, and what the outcome would be if they were enforced.
package struct ShadowTrace: Sendable, Hashable {
    /// `permit`, `defer` or `deny`.
    package let effect: String
    package let reasonCode: String
    /// Rules that would carry that outcome, sorted.
    package let ruleIDs: [String]
    let evaluations: [RuleEvaluation]

    var json: JSONValue {
        [
            "effect": .string(effect), "reason": .string(reasonCode),
            "carried_by": .array(ruleIDs.map(JSONValue.string)),
            "rules": .array(evaluations.map(DecisionTrace.json)),
        ]
    }
}
