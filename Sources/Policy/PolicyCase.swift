package import EnrollmentCore

/// One table test beside a rule.
package struct PolicyCase: Sendable {
    package let name: String
    /// The rule whose file it stands beside.
    package let rule: String
    package let position: SourcePosition
    package let input: PolicyInput
    package let question: PolicyQuestion
    let expectation: CaseExpectation
}

/// What a case expects of the decision. Parts left out are not looked at.
struct CaseExpectation: Sendable, Hashable {
    enum Effect: String, Sendable, Hashable, CaseIterable { case permit, `defer`, deny }

    let effect: Effect
    /// Rule ids, all of them, for a permit; otherwise a reason code, or the id of a rule among those that
    /// carried the outcome.
    let by: [String]
    var kind: RefusalKind?
    /// Seconds from the instant of judgement to the latest notAfter.
    var validity: Int64?
    var commonName: String?
    var dns: [String]?
    var usages: [ExtendedKeyUsage]?
    /// What the outcome would be if rules in shadow were enforced.
    var shadow: Effect?

    /// How the expectation reads.
    var text: String {
        var parts = ["\(effect.rawValue) \(by.joined(separator: ", "))"]
        if let kind { parts.append("kind \(kind.rawValue)") }
        if let validity { parts.append("validity \(validity)s") }
        if let commonName { parts.append("common_name \(commonName)") }
        if let dns { parts.append("dns \(dns.joined(separator: " "))") }
        if let usages { parts.append("usages \(usages.map(\.rawValue).joined(separator: " "))") }
        if let shadow { parts.append("shadow \(shadow.rawValue)") }
        return parts.joined(separator: "; ")
    }

    /// Whether `decision` is what was expected.
    func isMet(by decision: Decision, at instant: Timestamp) -> Bool {
        if let shadow, decision.shadow?.effect != shadow.rawValue { return false }
        switch (effect, decision.outcome) {
        case (.permit, .permit(let grant)):
            return decision.ruleIDs == by.sorted()
                && validity.map { grant.maximumNotAfter.seconds(since: instant) == $0 } ?? true
                && commonName.map { grant.names.commonName == $0 } ?? true
                && dns.map { grant.names.dns == $0.sorted() } ?? true
                && usages.map { Set(grant.extendedKeyUsages) == Set($0) } ?? true
        case (.defer, .defer): return isExplained(decision)
        case (.deny, .deny(let actual)): return isExplained(decision) && kind.map { $0 == actual } ?? true
        case (.permit, _), (.defer, _), (.deny, _): return false
        }
    }

    private func isExplained(_ decision: Decision) -> Bool {
        by.allSatisfy { $0 == decision.reasonCode || decision.ruleIDs.contains($0) }
    }
}
