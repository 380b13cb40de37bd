package import EnrollmentCore
package import Policy

/// One thing that analysis found out about a bundle's rules.
package struct AnalysisFinding: Sendable, Hashable, CustomStringConvertible {
    /// How much it matters.
    package enum Severity: String, Sendable, Hashable, CaseIterable {
        /// The bundle must not be activated.
        case error
        case warning
        case note
    }

    /// What was found. The raw values are stable.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A permit rule on which no request is granted.
        case neverPermits = "never-permits"
        /// A permit rule whose approval too few people may give.
        case approvalImpossible = "approval-impossible"
        /// A permit rule that grants whatever names a request asks for.
        case openNames = "open-names"
        /// A permit rule that asks for no proof.
        case noProof = "no-proof"
        /// Requests on which permit rules contradict each other in what they grant.
        case contradictory
        /// A profile of a service for which no request is granted.
        case alwaysDenied = "always-denied"
        /// A profile of a service for which there is no permit rule.
        case noPermitRule = "no-permit-rule"
        /// A rule that looks for a fact which no source reports.
        case noSource = "no-source"
        /// A rule all of whose requests others decide alike.
        case covered
        /// A deny rule that lets everything pass.
        case neverBlocks = "never-blocks"
        /// A condition without which the rule would be the same.
        case idleCondition = "idle-condition"
        /// A rule that takes no part in decisions and was not reviewed in time.
        case inactivePastReview = "inactive-past-review"
        /// Permit rules that grant on the same requests.
        case overlapping
        /// A permit rule whose validity the profile cuts.
        case aboveCeiling = "above-ceiling"
        /// A permit rule that covers a profile for which it never grants.
        case idleScope = "idle-scope"
        /// Beyond the bounds of analysis.
        case notDecided = "not-decided"

        /// How much a finding of the kind matters.
        package var severity: Severity {
            switch self {
            case .neverPermits, .approvalImpossible, .contradictory, .alwaysDenied, .noPermitRule, .noSource,
                .openNames:
                return .error
            case .covered, .noProof, .neverBlocks, .idleCondition, .inactivePastReview, .notDecided:
                return .warning
            case .overlapping, .aboveCeiling, .idleScope: return .note
            }
        }
    }

    package let kind: Kind
    /// The rule it is about, then others concerned, sorted; empty for a profile.
    package let rules: [String]
    /// Where it was seen; nil when it is not about one profile of one service.
    package var service: ServiceName?
    package var profile: ProfileName?
    /// Of the rule, or the part of it.
    package let position: SourcePosition
    package let message: String
    package let remedy: String
    /// A request that shows it; nil where there can be none.
    package var example: RequestSketch?

    /// How much it matters.
    package var severity: Severity { kind.severity }

    /// `file:line:column: severity: message (remedy)`, without the example.
    package var description: String {
        let place =
            position.line > 0 ? "\(position.file):\(position.line):\(position.column)" : position.file
        return "\(place): \(severity.rawValue): \(message) (\(remedy))"
    }

    /// At most ten, so that a message stays one line.
    static func list(_ names: [String], quoted: Bool = true) -> String {
        let shown = names.prefix(10).map { quoted ? "`\($0)`" : $0 }.joined(separator: ", ")
        return names.count > 10 ? "\(shown) and \(names.count - 10) more" : shown
    }
}
