/// What a condition is worth, from worst to best. Conjunction is the smallest of its parts and disjunction
/// the largest: Kleene's logic, with its "unknown" split by whether asking again can help.
package enum Verdict: Int, Sendable, Comparable, CaseIterable {
    case unsatisfied
    /// A fact is missing and will stay so for this request.
    case unknown
    /// A fact is missing, stale or out of reach, and a later request may find it.
    case pending
    case satisfied

    package static func < (left: Verdict, right: Verdict) -> Bool { left.rawValue < right.rawValue }

    /// The verdict of "not": what is unknown stays so.
    package var negated: Verdict {
        switch self {
        case .unsatisfied: return .satisfied
        case .unknown: return .unknown
        case .pending: return .pending
        case .satisfied: return .unsatisfied
        }
    }

    /// As it stands in a trace.
    package var name: String {
        switch self {
        case .unsatisfied: return "false"
        case .unknown: return "unknown"
        case .pending: return "pending"
        case .satisfied: return "true"
        }
    }
}
