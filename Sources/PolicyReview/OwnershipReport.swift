package import EnrollmentCore
package import Policy

/// Who answers for what in a bundle, what is due for review, and where nobody answers.
package struct OwnershipReport: Sendable, Hashable {
    /// How a review date stands.
    package enum State: String, Sendable, Hashable, CaseIterable {
        case good = "ok"
        case dueSoon = "due soon"
        case overdue
    }

    /// One thing that somebody answers for.
    package struct Line: Sendable, Hashable {
        /// `service`, `profile`, `group`, `source`, `proof`, `rule`.
        package let kind: String
        package let name: String
        package let owner: Owner
        package let reviewBy: Timestamp
        package let state: State
    }

    /// One team.
    package struct Team: Sendable, Hashable {
        package let name: String
        package let contact: String
        package let escalation: String?
        /// Who may give approvals.
        package let members: [String]
        /// How many things it answers for.
        package let things: Int
    }

    /// By review date, then kind and name.
    package let lines: [Line]
    /// By name.
    package let teams: [Team]
    /// What is missing, one sentence each.
    package let gaps: [String]
    /// Whether anything is past its date.
    package var isOverdue: Bool { lines.contains { $0.state == .overdue } }

    /// - Parameters:
    ///   - bundle: one that loaded.
    ///   - now: the day to judge dates by.
    ///   - span: seconds before a date within which it is due soon.
    package init(bundle: PolicyBundle, at now: Timestamp, within span: Int64) {
        lines = bundle.reviews.map { review in
            let words = review.subject.split(separator: " ", maxSplits: 1).map(String.init)
            let state: State =
                review.reviewBy < now
                ? .overdue : review.reviewBy <= now.adding(seconds: span) ? .dueSoon : .good
            return Line(
                kind: words.first ?? "", name: words.last ?? "", owner: review.owner,
                reviewBy: review.reviewBy, state: state)
        }
        .sorted { ($0.reviewBy, $0.kind, $0.name) < ($1.reviewBy, $1.kind, $1.name) }
        let (escalations, members) = (bundle.escalations, bundle.teamMembers)
        let things = Dictionary(grouping: bundle.reviews, by: \.owner.team).mapValues(\.count)
        teams = bundle.teams.sorted { $0.key < $1.key }.map { name, contact in
            Team(
                name: name, contact: contact, escalation: escalations[name], members: members[name] ?? [],
                things: things[name] ?? 0)
        }
        gaps = Self.gaps(bundle, teams)
    }

    private static func gaps(_ bundle: PolicyBundle, _ teams: [Team]) -> [String] {
        let approvals = bundle.rules.compactMap { rule in rule.approval.map { (rule, $0) } }
        var gaps: [String] = []
        for team in teams {
            let approves = approvals.contains { $0.1.team == team.name }
            if team.things == 0, !approves {
                gaps.append("\(team.name) answers for nothing and approves nothing")
            }
            if team.escalation == nil { gaps.append("\(team.name) names no escalation") }
        }
        for (rule, approval) in approvals {
            if approval.members.isEmpty {
                gaps.append("\(approval.team) has no members, and rule \(rule.id) waits for its approval")
            } else if approval.needsFourEyes, approval.members.count == approval.count {
                gaps.append(
                    """
                    every member of \(approval.team) must approve for rule \(rule.id): when one of \
                    them minted the credential, nobody can
                    """
                )
            }
        }
        for review in bundle.reviews {
            guard let contact = bundle.teams[review.owner.team], contact != review.owner.contact else {
                continue
            }
            gaps.append(
                """
                \(review.position.file):\(review.position.line): \(review.subject) names the contact \
                \(review.owner.contact), and owners.yaml \(contact) for \(review.owner.team)
                """
            )
        }
        return gaps
    }
}
