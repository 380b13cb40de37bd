package import EnrollmentCore
package import Policy

/// One way in which two bundles decide differently, with a request that shows it.
package struct PolicyChange: Sendable, Hashable {
    /// What becomes of the request. The raw values are stable.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Beyond the bounds of analysis, so anything may have changed.
        case notDecided = "not-decided"
        case newlyPermitted = "newly-permitted"
        case longerValidity = "longer-validity"
        case widerNames = "wider-names"
        case widerUsages = "wider-usages"
        case fewerApprovals = "fewer-approvals"
        /// Instead of a permit or a denial. It grants nothing: what the request may come to get when facts
        /// change is shown by the request with those facts.
        case newlyDeferred = "newly-deferred"
        case newlyDenied = "newly-denied"
        case shorterValidity = "shorter-validity"
        case narrowerNames = "narrower-names"
        case narrowerUsages = "narrower-usages"
        case moreApprovals = "more-approvals"
        /// The same outcome for another reason.
        case reasonOnly = "reason-only"
    }

    package let kind: Kind
    /// Whether somebody may get what they could not get before.
    package let widens: Bool
    package let service: ServiceName
    package let profile: ProfileName
    /// Rules that changed and took part, sorted; where none did, those that carried either decision.
    package let rules: [String]
    /// Whom to ask: the owners of these rules, or of the service.
    package let owners: [Owner]
    /// What the first bundle made of the request, in one line; for what is not decided, why.
    package let before: String
    package let after: String
    /// Nil for what is not decided.
    package let example: RequestSketch?
}

/// How a decision reads in one line, and what of it changed.
struct DecisionComparison {
    let sketch: RequestSketch
    let before: Decision
    let after: Decision

    /// What changed and whether that widens.
    var changes: [(kind: PolicyChange.Kind, widens: Bool)] {
        switch (before.outcome, after.outcome) {
        case (.permit(let old), .permit(let new)): return Self.changes(old, new)
        case (_, .permit): return [(.newlyPermitted, true)]
        case (.deny, .defer), (.permit, .defer): return [(.newlyDeferred, false)]
        case (.permit, .deny), (.defer, .deny): return [(.newlyDenied, false)]
        case (.defer, .defer):
            let (old, new) = (Self.approvals(before), Self.approvals(after))
            if old != new {
                return Self.isMore(old, new) ? [(.moreApprovals, false)] : [(.fewerApprovals, true)]
            }
            return reasonChange
        case (.deny, .deny): return reasonChange
        }
    }

    private var reasonChange: [(kind: PolicyChange.Kind, widens: Bool)] {
        before.reasonCode == after.reasonCode ? [] : [(.reasonOnly, false)]
    }

    private static func changes(_ old: Grant, _ new: Grant) -> [(kind: PolicyChange.Kind, widens: Bool)] {
        var changes: [(kind: PolicyChange.Kind, widens: Bool)] = []
        if new.maximumNotAfter > old.maximumNotAfter { changes.append((.longerValidity, true)) }
        if new.maximumNotAfter < old.maximumNotAfter { changes.append((.shorterValidity, false)) }
        let (oldNames, newNames) = (all(old.names), all(new.names))
        if !newNames.isSubset(of: oldNames) { changes.append((.widerNames, true)) }
        if !oldNames.isSubset(of: newNames) { changes.append((.narrowerNames, false)) }
        let (oldUsages, newUsages) = (Set(old.extendedKeyUsages), Set(new.extendedKeyUsages))
        if !newUsages.isSubset(of: oldUsages) { changes.append((.widerUsages, true)) }
        if !oldUsages.isSubset(of: newUsages) { changes.append((.narrowerUsages, false)) }
        return changes
    }

    private static func all(_ names: CertificateNames) -> Set<String> {
        Set(
            [names.commonName].compactMap { $0.map { "cn " + $0 } } + names.dns.map { "dns " + $0 }
                + names.email.map { "email " + $0 } + names.upn.map { "upn " + $0 })
    }

    /// What the obligations say of approvals, but for the words given so far.
    private static func approvals(_ decision: Decision) -> [[String: JSONValue]] {
        guard case .object(let obligations) = decision.obligations,
            case .array(let waiting)? = obligations["approvals"]
        else { return [] }
        return waiting.compactMap { item in
            guard case .object(var members) = item else { return nil }
            members["received"] = nil
            return members
        }
    }

    /// Whether what `new` asks for is at least what `old` asks for, in every respect.
    private static func isMore(_ old: [[String: JSONValue]], _ new: [[String: JSONValue]]) -> Bool {
        old.allSatisfy { terms in
            new.contains { other in
                other["rule"] == terms["rule"] && other["from"] == terms["from"]
                    && number(other["count"]) >= number(terms["count"])
                    && number(other["within_seconds"]) <= number(terms["within_seconds"])
                    && (terms["four_eyes"] == .bool(false) || other["four_eyes"] == .bool(true))
                    && texts(other["members"]).isSubset(of: texts(terms["members"]))
            }
        }
    }

    private static func number(_ value: JSONValue?) -> Int64 {
        if case .integer(let number)? = value { return number }
        return 0
    }

    private static func texts(_ value: JSONValue?) -> Set<String> {
        guard case .array(let items)? = value else { return [] }
        return Set(items.compactMap { if case .string(let text) = $0 { text } else { nil } })
    }

    static func text(_ decision: Decision, _ sketch: RequestSketch) -> String {
        let rules =
            decision.ruleIDs.isEmpty ? "" : " by " + decision.ruleIDs.prefix(5).joined(separator: ", ")
        switch decision.outcome {
        case .permit(let grant):
            let names = [grant.names.commonName].compactMap { $0 } + grant.names.dns + grant.names.email
            let span = RequestSketch.duration(grant.maximumNotAfter.seconds(since: sketch.instant))
            let usages = grant.extendedKeyUsages.map(\.rawValue)
            return "permit\(rules): \(span), \((names + grant.names.upn + usages).joined(separator: ", "))"
        case .defer:
            let asked = approvals(decision).map {
                "\(number($0["count"])) of \(texts($0["from"]).first ?? "a team")"
            }
            return "defer \(decision.reasonCode)\(rules)"
                + (asked.isEmpty ? "" : ": " + asked.joined(separator: ", "))
        case .deny: return "deny \(decision.reasonCode)\(rules)"
        }
    }
}
