import Policy

/// A rule all of whose requests others decide alike. One that asks for more than those, or grants for a
/// shorter time, is no idle rule: it means to hold back what the others let through.
struct CoveredRule {
    let rule: Rule
    /// By id.
    let rules: [String: Rule]
    /// Profiles that it covers, all decided.
    let places: [ProfileAnalysis]

    var findings: [AnalysisFinding] {
        let here = places.filter { $0.hindrances[rule.id] == nil && $0.neverBlocking[rule.id] == nil }
        guard let first = here.first, let known = first.covers[rule.id] else { return [] }
        let others = known.keys.filter { other in
            here.allSatisfy { $0.covers[rule.id]?[other] != nil }
        }.sorted()
        guard let other = others.first else { return [] }
        let (message, remedy) = texts(others, here)
        return [
            AnalysisFinding(
                kind: .covered, rules: [rule.id] + others, service: first.service, profile: first.profile,
                position: rule.position, message: message, remedy: remedy, example: known[other])
        ]
    }

    private func texts(_ others: [String], _ here: [ProfileAnalysis]) -> (message: String, remedy: String) {
        let covered = "`\(rule.id)` is covered by \(AnalysisFinding.list(others))"
        guard rule.effect != .deny else {
            return ("\(covered): all that it stops is stopped there too", "remove it")
        }
        let demands = others.map { (id: $0, asked: asked(beside: rules[$0])) }
        guard let looser = demands.first, demands.allSatisfy({ !$0.asked.isEmpty }) else {
            return (
                "\(covered): all that it permits is permitted there too",
                "remove it, unless it is there to narrow what is granted"
            )
        }
        let more = looser.asked.joined(separator: " and ")
        let isTwin = here.allSatisfy { $0.twins[rule.id]?.contains(looser.id) ?? false }
        return (
            isTwin
                ? "\(covered): both permit the same requests, and only `\(rule.id)` asks for \(more)"
                : "\(covered): who does not meet `\(rule.id)` gets this without \(more) that it asks for",
            "make `\(looser.id)` ask for as much, or keep it from what `\(rule.id)` is for; without "
                + "`\(rule.id)` everybody would get this so"
        )
    }

    /// What the rule asks for, or says of the certificate, and the other does not.
    private func asked(beside other: Rule?) -> [String] {
        guard let other, case .permit(let own) = rule.effect, case .permit(let theirs) = other.effect else {
            return []
        }
        var asked: [String] = []
        if let terms = rule.approval, !(other.approval?.isSame(as: terms) ?? false) {
            asked.append("the approvals")
        }
        if rule.asksForProof, !other.asksForProof { asked.append("the proof") }
        if own.maximumValidity < theirs.maximumValidity { asked.append("the shorter validity") }
        return asked
    }
}
