package import EnrollmentCore

/// What a report is about, so that nobody takes a part for the whole.
package struct SimulationScope: Sendable, Hashable {
    /// How many records there were to look at; nil when reading ended before that was known.
    package let available: Int?
    /// Where they came from, e.g. `since 2026-10-23T12:00:00Z`; empty says nothing.
    package let source: String

    /// - Parameters: as the properties.
    package init(available: Int?, source: String) {
        self.available = available
        self.source = source
    }

    fileprivate func text(_ total: Int) -> String {
        let amount: String
        switch available {
        case total?: amount = "\(total) recorded \(total == 1 ? "request" : "requests")"
        case let all?: amount = "\(total) of \(all) recorded requests"
        case nil: amount = "the first \(total == 1 ? "recorded request" : "\(total) recorded requests")"
        }
        return source.isEmpty ? amount : amount + " " + source
    }
}

extension SimulationReport {
    /// The report for people, line by line: what opens something first.
    ///
    /// - Parameters:
    ///   - candidate: digest of the bundle that was tried.
    ///   - scope: what was looked at, and out of how much.
    package func lines(candidate: Digest, of scope: SimulationScope) -> [String] {
        let compared =
            replayed > 0
            ? ", candidate \(candidate.description.prefix(12)) against what was decided"
            : ": nothing was compared"
        var lines = [scope.text(total) + compared]
        let byChange = Dictionary(grouping: groups, by: \.key.change)
        for change in Change.allCases {
            guard let count = counts[change] else { continue }
            lines.append(Self.line(change.title, count, change.isWidening ? "← review" : ""))
            for group in byChange[change] ?? [] { lines.append(Self.line("", group.count, group.text)) }
        }
        let others: [(DecisionAuthority, String)] = [
            (.registration, "NEVER CAME TO POLICY"), (.issuance, "STOPPED BY ISSUANCE"),
        ]
        for (authority, title) in others {
            if let count = notByPolicy[authority] { lines.append(Self.line(title, count, "not replayed")) }
        }
        guard unreadableCount > 0 else { return lines }
        lines.append(Self.line("UNREADABLE", unreadableCount, "not replayed"))
        return lines + unreadable.map { Self.line("", 1, "record \($0.record): \($0.error)") }
    }

    /// A heading, a number set to the right of its column, and what it counts.
    private static func line(_ title: String, _ count: Int, _ text: String) -> String {
        let number = String(count)
        let heading = title + String(repeating: " ", count: max(0, 36 - title.count))
        let gap = String(repeating: " ", count: max(1, 10 - number.count))
        return "  " + heading + gap + number + (text.isEmpty ? "" : "  " + text)
    }

    /// The report as a document: `counts` by change, `groups` with what opens something first.
    ///
    /// - Parameters:
    ///   - candidate: digest of the bundle that was tried.
    ///   - scope: what was looked at, and out of how much.
    package func document(candidate: Digest, of scope: SimulationScope) -> JSONValue {
        let changes = Change.allCases.map { ($0.rawValue, JSONValue.integer(Int64(counts[$0] ?? 0))) }
        let authorities: [DecisionAuthority] = [.registration, .issuance]
        let others = authorities.map { ($0.rawValue, JSONValue.integer(Int64(notByPolicy[$0] ?? 0))) }
        return [
            "candidate_sha256": .string(candidate.description),
            "requests": .integer(Int64(total)),
            "available": scope.available.map { .integer(Int64($0)) } ?? .null,
            "compared": .integer(Int64(replayed)),
            "widened": .integer(Int64(widened)),
            "changed": .integer(Int64(changed)),
            "counts": .object(Dictionary(changes, uniquingKeysWith: { first, _ in first })),
            "groups": .array(groups.map(\.document)),
            "not_by_policy": .object(Dictionary(others, uniquingKeysWith: { first, _ in first })),
            "unreadable": .integer(Int64(unreadableCount)),
            "unreadable_examples": .array(
                unreadable.map {
                    ["record": .integer(Int64($0.record)), "error": .string($0.error.description)]
                }),
        ]
    }
}

extension SimulationReport.Group {
    /// Owner, what carries the new answer, and examples.
    fileprivate var text: String {
        let rules = key.ruleIDs.isEmpty ? "no rule" : key.ruleIDs.joined(separator: ", ")
        let carried = key.profile.map { "by \(rules), profile \($0)" } ?? "\(key.reasonCode) by \(rules)"
        return "\(key.owner): \(carried)\(validity); e.g. "
            + examples.prefix(2).map(\.description).joined(separator: ", ")
    }

    private var validity: String {
        guard let now = candidateValidity else { return "" }
        guard let before = recordedValidity else { return ", \(Self.text(now))" }
        return before == now ? ", \(Self.text(now))" : ", \(Self.text(before)) → \(Self.text(now))"
    }

    private static func text(_ seconds: ClosedRange<Int64>) -> String {
        let (shortest, longest) = (duration(seconds.lowerBound), duration(seconds.upperBound))
        return shortest == longest ? shortest : "\(shortest) to \(longest)"
    }

    private static func duration(_ seconds: Int64) -> String {
        for (unit, name) in [(86_400, "d"), (3_600, "h"), (60, "m")] as [(Int64, String)]
        where seconds != 0 && seconds % unit == 0 {
            return "\(seconds / unit)\(name)"
        }
        return "\(seconds)s"
    }

    fileprivate var document: JSONValue {
        func range(_ seconds: ClosedRange<Int64>?) -> JSONValue {
            seconds.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) } ?? .null
        }
        return [
            "change": .string(key.change.rawValue),
            "widening": .bool(key.change.isWidening),
            "count": .integer(Int64(count)),
            "owner": .string(key.owner),
            "reason_code": .string(key.reasonCode),
            "rule_ids": .array(key.ruleIDs.map(JSONValue.string)),
            "profile": JSONValue(key.profile),
            "recorded_validity_seconds": range(recordedValidity),
            "candidate_validity_seconds": range(candidateValidity),
            "examples": .array(examples.map { .string($0.description) }),
        ]
    }
}

extension Change {
    /// The heading of its part of a report.
    fileprivate var title: String {
        switch self {
        case .denyToPermit: return "NEWLY PERMITTED"
        case .deferToPermit: return "PERMITTED INSTEAD OF DEFERRED"
        case .denyToDefer: return "DEFERRED INSTEAD OF DENIED"
        case .longerValidity: return "LONGER VALIDITY"
        case .widerCertificate: return "MORE NAMES, USAGES, OTHER PROFILE"
        case .permitToDeny: return "NEWLY DENIED"
        case .deferToDeny: return "DENIED INSTEAD OF DEFERRED"
        case .permitToDefer: return "NEWLY DEFERRED"
        case .shorterValidity: return "SHORTER VALIDITY"
        case .narrowerCertificate: return "FEWER NAMES OR USAGES"
        case .otherReason: return "SAME ANSWER, OTHER REASON OR RULE"
        case .unchanged: return "UNCHANGED"
        }
    }
}
