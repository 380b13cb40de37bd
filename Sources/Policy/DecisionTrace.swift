import EnrollmentCore

/// Writes down how a decision came about: every rule considered, each condition with its verdict, the value
/// seen, its source and its age.
struct DecisionTrace: Sendable {
    let conditions: ConditionEvaluation
    let code: ReasonCode
    let isDenied: Bool
    let evaluations: [RuleEvaluation]
    let nearestMiss: RuleEvaluation?

    func write(to sink: inout some DocumentSink, shadow: ShadowTrace?) {
        sink.object { sink in
            if isDenied, code == .namesDiffer {
                let granted = evaluations.compactMap { evaluation in
                    evaluation.terms.map { terms in
                        (evaluation.rule.id, DocumentValue.of { Self.write(terms.names, to: &$0) })
                    }
                }
                sink.name("names_granted")
                sink.value(.object(Dictionary(granted, uniquingKeysWith: { first, _ in first })))
            }
            if isDenied, code == .namesDiffer || code == .identityChanged {
                sink.name("names_wished")
                // As wished for.
                Self.write(conditions.input.request.names, to: &sink)
            }
            if isDenied, let nearestMiss {
                sink.name("nearest_miss")
                Self.write(miss: nearestMiss, to: &sink)
            }
            sink.member("reason", code.rawValue)
            sink.name("rules")
            Self.write(evaluations, to: &sink)
            if let shadow {
                sink.name("shadow")
                shadow.write(to: &sink)
            }
        }
    }

    private static func write(miss: RuleEvaluation, to sink: inout some DocumentSink) {
        sink.object { sink in
            sink.member("rule", miss.rule.id)
            let unmet = miss.unmet.lazy.flatMap(\.findings).filter { $0.verdict < .pending }
            sink.member("unmet", unmet.map(\.text))
        }
    }

    fileprivate static func write(_ evaluations: [RuleEvaluation], to sink: inout some DocumentSink) {
        sink.array { sink in
            for evaluation in evaluations { write(evaluation, to: &sink) }
        }
    }

    private static func write(_ evaluation: RuleEvaluation, to sink: inout some DocumentSink) {
        sink.object { sink in
            sink.member("because", evaluation.rule.because)
            sink.name("conditions")
            sink.array { sink in
                for result in evaluation.results {
                    for finding in result.findings { write(finding, to: &sink) }
                }
            }
            sink.member("effect", evaluation.isDeny ? "deny" : "permit")
            if evaluation.lacksName { sink.member("lacks", "an attribute that a name is made of") }
            sink.member("rule", evaluation.rule.id)
            sink.member("title", evaluation.rule.title)
            sink.member("verdict", evaluation.verdict.name)
        }
    }

    private static func write(_ finding: Finding, to sink: inout some DocumentSink) {
        sink.object { sink in
            if let age = finding.age {
                sink.name("age_seconds")
                sink.value(.integer(age))
            }
            sink.member("code", finding.code?.rawValue)
            sink.member("condition", finding.text)
            sink.member("source", finding.source)
            sink.name("value")
            sink.value(finding.value)
            sink.member("verdict", finding.verdict.name)
        }
    }

    /// Names, kinds that are empty left out.
    static func write(_ names: CertificateNames, to sink: inout some DocumentSink) {
        sink.object { sink in
            sink.member("common_name", names.commonName)
            write("dns", names.dns, to: &sink)
            write("email", names.email, to: &sink)
            write("ip", names.ip, to: &sink)
            write("subject", names.otherSubjectAttributes, to: &sink)
            write("unsupported", names.unsupported, to: &sink)
            write("upn", names.upn, to: &sink)
            write("uri", names.uri, to: &sink)
        }
    }

    private static func write(_ kind: StaticString, _ names: [String], to sink: inout some DocumentSink) {
        if !names.isEmpty { sink.member(kind, names.prefix(64)) }
    }
}

/// What rules in shadow found, and what the outcome would be if they were enforced.
package struct ShadowTrace: Sendable {
    /// `permit`, `defer` or `deny`.
    package let effect: String
    package let reasonCode: String
    /// Rules that would carry that outcome, sorted.
    package let ruleIDs: [String]
    let evaluations: [RuleEvaluation]

    func write(to sink: inout some DocumentSink) {
        sink.object { sink in
            sink.member("carried_by", ruleIDs)
            sink.member("effect", effect)
            sink.member("reason", reasonCode)
            sink.name("rules")
            DecisionTrace.write(evaluations, to: &sink)
        }
    }
}
