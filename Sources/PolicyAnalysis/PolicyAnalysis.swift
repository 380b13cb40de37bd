package import EnrollmentCore
package import Policy

/// Finds out, for each profile of each service, what a bundle's rules make of all requests there can be:
/// which rules permit nothing, say the same, or contradict each other.
///
/// Exact: requests are split into finitely many kinds that the rules cannot tell apart, and every kind is
/// judged by the engine's own tests. What goes beyond fixed bounds is said to be not decided. Requests ask
/// for no names beyond those that rules test; a rule in shadow or off takes no part.
package struct PolicyAnalysis {
    private let bundle: PolicyBundle
    private let instant: Timestamp?

    /// - Parameters:
    ///   - bundle: one that loaded.
    ///   - instant: against which review dates count; nil leaves them alone.
    package init(bundle: PolicyBundle, at instant: Timestamp? = nil) {
        self.bundle = bundle
        self.instant = instant
    }

    /// Everything found, errors first, then by file and line.
    package func findings() -> [AnalysisFinding] {
        let profiles = bundle.services.flatMap { service in
            service.profiles.map { ProfileAnalysis(bundle, service.name, $0) }
        }
        let report = AnalysisReport(bundle: bundle, profiles: profiles)
        let found =
            report.findings + sourceFindings + ceilingFindings + reviewFindings
            + bundle.rules.flatMap { ProofFindings(rule: $0).findings }
        let order = AnalysisFinding.Severity.allCases
        return found.map { finding in
            (order.firstIndex(of: finding.severity) ?? 0, finding)
        }.sorted { left, right in
            let (first, second) = (left.1.position, right.1.position)
            return (left.0, first.file, first.line, first.column, left.1.message)
                < (right.0, second.file, second.line, second.column, right.1.message)
        }.map(\.1)
    }

    /// Rules that look for a fact which no source of the catalog reports.
    private var sourceFindings: [AnalysisFinding] {
        bundle.rules.filter { $0.mode == .enforce }.flatMap { rule in
            Set(rule.conditions.flatMap { $0.tests }).compactMap { test -> AnalysisFinding? in
                guard lacksSource(test) else { return nil }
                let effect =
                    rule.effect == .deny ? "keeps every request waiting" : "never comes to permit"
                return AnalysisFinding(
                    kind: .noSource, rules: [rule.id], position: rule.position,
                    message: "no source reports what `\(rule.id)` looks for (\(test.text)), so it \(effect)",
                    remedy: "name a source that provides it in catalog/sources.yaml")
            }
        }
    }

    private func lacksSource(_ test: Test) -> Bool {
        let fact: PostureFactKind
        let wanted: String?
        switch test.subject {
        case .posture(let source, _): (wanted, fact) = (source, .compliance)
        case .notJailbroken(let source, _): (wanted, fact) = (source, .jailbroken)
        case .attribute, .oneTimeCredential, .certificateOfOurs, .domainControl: return false
        }
        return !bundle.sources.contains { source in
            source.provides.contains(fact) && (wanted == nil || wanted == source.name)
        }
    }

    /// Permit rules whose validity is cut by a profile.
    private var ceilingFindings: [AnalysisFinding] {
        bundle.rules.compactMap { rule in
            guard case .permit(let terms) = rule.effect, rule.mode == .enforce else { return nil }
            let cutting = bundle.services.flatMap { service in
                service.profiles.filter { rule.scope.covers(service.name, $0) }
            }.compactMap { bundle.profile(named: $0) }.filter { $0.maximumValidity < terms.maximumValidity }
            guard let lowest = cutting.min(by: { $0.maximumValidity < $1.maximumValidity }) else {
                return nil
            }
            let (asked, given) = (terms.maximumValidity, lowest.maximumValidity)
            return AnalysisFinding(
                kind: .aboveCeiling, rules: [rule.id], profile: lowest.name, position: terms.position,
                message: "`\(rule.id)` says at most \(RequestSketch.duration(asked)), and the profile "
                    + "`\(lowest.name)` cuts it to \(RequestSketch.duration(given))",
                remedy: "write what is granted")
        }
    }

    /// Rules that take no part in decisions and were forgotten.
    private var reviewFindings: [AnalysisFinding] {
        guard let instant else { return [] }
        return bundle.rules.filter { $0.mode != .enforce && $0.reviewBy < instant }.map { rule in
            AnalysisFinding(
                kind: .inactivePastReview, rules: [rule.id], position: rule.position,
                message: "`\(rule.id)` is in mode \(rule.mode.rawValue) and was to be reviewed by "
                    + String(rule.reviewBy.rfc3339.prefix(10)),
                remedy: "enforce it or remove it; ask \(rule.owner.team), \(rule.owner.contact)")
        }
    }
}
