import EnrollmentCore
import Policy

/// What of a rule bears on decisions: without its place, title, owner, review date and reasons.
struct RuleEssence: Hashable {
    private indirect enum Part: Hashable {
        case all([Part])
        case any([Part])
        case none([Part])
        case test(Test.Subject)

        init(_ condition: Condition) {
            switch condition.content {
            case .all(let parts): self = .all(parts.map { Part($0) })
            case .any(let parts): self = .any(parts.map { Part($0) })
            case .none(let parts): self = .none(parts.map { Part($0) })
            case .test(let test): self = .test(test.subject)
            }
        }
    }

    private struct Asked: Hashable {
        let team: String
        let members: [String]
        let count: Int
        let within: Int64
        let needsFourEyes: Bool
    }

    private let mode: Rule.Mode
    private let scope: RuleScope
    private let conditions: [Part]
    private let terms: GrantedTerms?
    private let validity: Int64?
    private let approval: Asked?

    init(_ rule: Rule) {
        mode = rule.mode
        scope = rule.scope
        conditions = rule.conditions.map { Part($0) }
        terms = GrantedTerms(rule)
        if case .permit(let terms) = rule.effect { validity = terms.maximumValidity } else { validity = nil }
        approval = rule.approval.map {
            Asked(
                team: $0.team, members: $0.members, count: $0.count, within: $0.within,
                needsFourEyes: $0.needsFourEyes)
        }
    }
}
