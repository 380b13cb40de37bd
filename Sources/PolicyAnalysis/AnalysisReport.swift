import EnrollmentCore
import Policy

/// Puts together what was found out profile by profile: a rule for several profiles is at fault only for what
/// it does in none of them.
struct AnalysisReport {
    private let bundle: PolicyBundle
    private let profiles: [ProfileAnalysis]
    private let rules: [String: Rule]
    /// By rule, the profiles that it covers.
    private let covering: [String: [ProfileAnalysis]]

    init(bundle: PolicyBundle, profiles: [ProfileAnalysis]) {
        self.bundle = bundle
        self.profiles = profiles
        rules = Dictionary(bundle.rules.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        covering = profiles.reduce(into: [:]) { covering, profile in
            for rule in profile.ruleIDs { covering[rule, default: []].append(profile) }
        }
    }

    var findings: [AnalysisFinding] {
        profiles.flatMap(undecided) + profiles.compactMap(denied) + profiles.flatMap(contradictions)
            + bundle.rules.flatMap(findings)
    }

    /// Of what a rule does everywhere it applies, all of which was decided.
    private func findings(on rule: Rule) -> [AnalysisFinding] {
        guard let places = covering[rule.id] else { return unoffered(rule) }
        guard places.allSatisfy(\.isDecided) else { return overlaps(rule, places) }
        let hindered = places.filter { $0.hindrances[rule.id] != nil }
        if hindered.count == places.count { return hindered.prefix(1).compactMap { hindrance(rule, $0) } }
        let silent = places.compactMap { $0.neverBlocking[rule.id] }
        if silent.count == places.count {
            return [
                finding(
                    .neverBlocks, rule, places.first, example: silent.first,
                    "`\(rule.id)` blocks nothing: every request meets its safe state",
                    "say which state is safe, or remove it")
            ]
        }
        return CoveredRule(rule: rule, rules: rules, places: places).findings + idleConditions(rule, places)
            + overlaps(rule, places)
            + idleScope(rule, hindered)
    }

    private func finding(
        _ kind: AnalysisFinding.Kind, _ rule: Rule, _ place: ProfileAnalysis?, others: [String] = [],
        at position: SourcePosition? = nil, example: RequestSketch?, _ message: String, _ remedy: String
    ) -> AnalysisFinding {
        AnalysisFinding(
            kind: kind, rules: [rule.id] + others, service: place?.service, profile: place?.profile,
            position: position ?? rule.position, message: message, remedy: remedy, example: example)
    }

    /// Of a rule for what no service offers.
    private func unoffered(_ rule: Rule) -> [AnalysisFinding] {
        guard rule.mode == .enforce else { return [] }
        let (kind, verb): (AnalysisFinding.Kind, String) =
            rule.effect == .deny ? (.neverBlocks, "blocks nothing") : (.neverPermits, "never permits")
        return [
            finding(
                kind, rule, nil, example: nil,
                "`\(rule.id)` \(verb): no service that it names offers a profile that it names",
                "name a service and a profile of it in `applies_to`, or remove the rule")
        ]
    }

    private func undecided(_ place: ProfileAnalysis) -> [AnalysisFinding] {
        place.limits.map { limit in
            AnalysisFinding(
                kind: .notDecided, rules: [], service: place.service, profile: place.profile,
                position: position(of: place),
                message: place.isDecided
                    ? "not decided for \(Self.name(place)): whether its rules contradict each other; \(limit)"
                    : "not decided for \(Self.name(place)); \(limit)",
                remedy: "split the profile, or test fewer different values")
        }
    }

    private func denied(_ place: ProfileAnalysis) -> AnalysisFinding? {
        guard let (blocking, example) = place.alwaysDenied else { return nil }
        let kind: AnalysisFinding.Kind = place.hasPermitRule ? .alwaysDenied : .noPermitRule
        let cause =
            !place.hasPermitRule
            ? "no permit rule covers it"
            : blocking.isEmpty
                ? "no permit rule ever permits" : "blocked by " + AnalysisFinding.list(blocking)
        return AnalysisFinding(
            kind: kind, rules: blocking, service: place.service, profile: place.profile,
            position: position(of: place),
            message: "every request for \(Self.name(place)) is denied: \(cause)",
            remedy: place.hasPermitRule
                ? "mend these rules, or take the profile from the service"
                : "write a rule for it, or take the profile from the service", example: example)
    }

    private func contradictions(_ place: ProfileAnalysis) -> [AnalysisFinding] {
        place.contradictions.compactMap { names, example in
            guard let first = names.first.flatMap({ rules[$0] }) else { return nil }
            return finding(
                .contradictory, first, place, others: Array(names.dropFirst()), example: example,
                "what \(AnalysisFinding.list(names)) grant has nothing in common: "
                    + "requests that meet all are denied",
                "make them grant names and usages in common, or keep them from applying together")
        }
    }

    private func hindrance(_ rule: Rule, _ place: ProfileAnalysis) -> AnalysisFinding? {
        guard let (hindrance, example) = place.hindrances[rule.id] else { return nil }
        switch hindrance {
        case .ownConditions(let position):
            return finding(
                .neverPermits, rule, place, at: position, example: example,
                "`\(rule.id)` never permits: "
                    + (position == nil
                        ? "no request meets its conditions"
                        : "this condition never holds together with the others"),
                "remove the condition that contradicts, or the rule")
        case .approval:
            let terms = rule.approval
            return finding(
                .approvalImpossible, rule, place, at: terms?.position, example: example,
                "`\(rule.id)` never permits: \(terms?.count ?? 0) of \(terms?.team ?? "") must approve, "
                    + "which has \(terms?.members.count ?? 0) members",
                "list the team's members in owners.yaml, or ask for fewer")
        case .rules(let others):
            let verb = rules[others.first ?? ""]?.effect == .deny ? "blocked" : "kept waiting or blocked"
            return finding(
                .neverPermits, rule, place, others: others, example: example,
                "`\(rule.id)` never permits: whatever meets it is \(verb) by \(AnalysisFinding.list(others))",
                "mend one of them, or remove `\(rule.id)`")
        case .grant(let code):
            return finding(
                .neverPermits, rule, place, example: example,
                "`\(rule.id)` never permits: requests that meet it are denied \(code)",
                "grant what its conditions let through")
        }
    }

    private func idleConditions(_ rule: Rule, _ places: [ProfileAnalysis]) -> [AnalysisFinding] {
        let here = places.filter { $0.hindrances[rule.id] == nil && $0.neverBlocking[rule.id] == nil }
        guard let first = here.first else { return [] }
        return first.idle.filter { condition, _ in
            condition.rule == rule.id && here.allSatisfy { $0.idle[condition] != nil }
        }.map { condition, example in
            finding(
                .idleCondition, rule, first, at: condition.position, example: example,
                "this condition of `\(rule.id)` changes nothing: without it the rule decides alike",
                "remove it, or say what it was meant to keep out")
        }
    }

    private func overlaps(_ rule: Rule, _ places: [ProfileAnalysis]) -> [AnalysisFinding] {
        places.compactMap { place in
            let own = place.overlaps.filter { $0.first == rule.id }
            guard let example = own.lazy.compactMap(\.example).first else { return nil }
            let decision = PolicyEngine(bundle: bundle).decide(example.input)
            return finding(
                .overlapping, rule, place, others: own.map(\.second), example: example,
                "`\(rule.id)` and \(AnalysisFinding.list(own.map(\.second))) permit the same requests of "
                    + "\(Self.name(place)); the example gets \(Self.text(of: decision, example))",
                "nothing needs doing if the shortest validity and the names in common are meant")
        }
    }

    private func idleScope(_ rule: Rule, _ hindered: [ProfileAnalysis]) -> [AnalysisFinding] {
        guard rule.scope.services == nil || rule.scope.profiles == nil, let first = hindered.first else {
            return []
        }
        return [
            finding(
                .idleScope, rule, first, example: first.hindrances[rule.id]?.example,
                "`\(rule.id)` covers \(AnalysisFinding.list(hindered.map(Self.name), quoted: false)) "
                    + "and never permits there",
                "name the services and profiles that are meant instead of `any`")
        ]
    }

    private static func text(of decision: Decision, _ sketch: RequestSketch) -> String {
        guard case .permit(let grant) = decision.outcome else { return decision.reasonCode }
        let seconds = grant.maximumNotAfter.seconds(since: sketch.instant)
        let names = [grant.names.commonName].compactMap { $0 } + grant.names.dns + grant.names.email
        return (["\(RequestSketch.duration(seconds))"] + names + grant.names.upn).joined(separator: ", ")
    }

    private static func name(_ place: ProfileAnalysis) -> String {
        "profile `\(place.profile)` of service `\(place.service)`"
    }

    private func position(of place: ProfileAnalysis) -> SourcePosition {
        bundle.reviews.first { $0.subject == "service \(place.service)" }?.position
            ?? SourcePosition(file: "catalog/services.yaml", line: 0, column: 0)
    }
}
