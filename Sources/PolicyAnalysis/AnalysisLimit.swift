/// A bound that keeps analysis from being exact. What is beyond it is said to be not decided, never guessed.
package enum AnalysisLimit: Error, Sendable, Hashable, CustomStringConvertible {
    /// More different tests than that.
    case tests(Int)
    /// More values in all lists of the tests together than that.
    case values(Int)
    /// Values of one fact, or of several compared with each other, fall into more kinds than that.
    case cells(Int)
    /// Combinations of verdicts that take more nodes to tell apart than that.
    case nodes(Int)
    /// More combinations of grants than that.
    case grants(Int)
    /// More rules than that for one profile of one service.
    case rules(Int)
    /// A comparison of too many facts with each other.
    case comparison(String)

    /// What was exceeded.
    package var description: String {
        switch self {
        case .tests(let limit): return "the rules make more than \(limit) different tests"
        case .values(let limit): return "the rules list more than \(limit) values"
        case .cells(let limit): return "the values of one fact fall into more than \(limit) kinds"
        case .nodes(let limit): return "telling requests apart takes more than \(limit) nodes"
        case .grants(let limit): return "the rules grant in more than \(limit) combinations"
        case .rules(let limit): return "there are more than \(limit) rules"
        case .comparison(let name): return "too much is compared with \(name)"
        }
    }

    static let maximumTests = 64
    static let maximumValues = 1_000
    static let maximumCells = 4_096
    static let maximumNodes = 200_000
    static let maximumGrants = 1_024
    static let maximumRules = 1_000
}
