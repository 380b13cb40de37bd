import EnrollmentCore
import Policy

/// How two bundles' decisions on one profile of one service differ.
struct ProfileDifference {
    private let service: ServiceName
    private let profile: ProfileName
    private let sides: [PolicySide]
    /// Ids of enforced rules that only one side has, or that are not the same on both.
    private let changed: Set<String>
    private(set) var changes: [PolicyChange] = []

    init(from: PolicyBundle, to: PolicyBundle, _ service: ServiceName, _ profile: ProfileName) {
        self.service = service
        self.profile = profile
        let (old, new) = (PolicySide(from, service, profile), PolicySide(to, service, profile))
        sides = [old, new]
        let essences = sides.map { side in
            Dictionary(side.rules.map { ($0.id, RuleEssence($0)) }, uniquingKeysWith: { first, _ in first })
        }
        let ids = Set(sides.flatMap(\.rules).map(\.id))
        changed = ids.filter { essences[0][$0] != essences[1][$0] }
        guard !changed.isEmpty || Self.bounds(old) != Self.bounds(new) else { return }
        do throws(AnalysisLimit) {
            try compare()
        } catch { add(error.description) }
        changes = Self.smallest(changes)
    }

    /// What of service and profile bears on decisions.
    private struct Bounds: Hashable {
        let protocols: Set<EnrollmentProtocol>?
        let liveCertificates: Int?
        let keyAlgorithms: Set<KeyAlgorithm>?
        let usages: [ExtendedKeyUsage]?
        let validity: Int64?
        let refusesOverdue: Bool
        let grace: Int64
    }

    private static func bounds(_ side: PolicySide) -> Bounds {
        let terms = side.engine.bundle.reviewTerms
        return Bounds(
            protocols: side.service?.protocols,
            liveCertificates: side.service?.limits.liveCertificatesPerDevice,
            keyAlgorithms: side.profile?.keyAlgorithms, usages: side.profile?.extendedKeyUsages,
            validity: side.profile?.maximumValidity, refusesOverdue: terms.refusesOverdue, grace: terms.grace)
    }

    private mutating func compare() throws(AnalysisLimit) {
        guard sides.flatMap(\.rules).count <= 2 * AnalysisLimit.maximumRules else {
            throw .rules(2 * AnalysisLimit.maximumRules)
        }
        var rules = try RuleDiagrams(Partition(service, profile, sides))
        let diagrams = rules.diagrams
        let old = try ProfileLandscape(sides[0], &rules)
        let new = try ProfileLandscape(sides[1], &rules)
        let both = try diagrams.apply(.pair, outcomes(old, &rules), outcomes(new, &rules))
        let numbered = try diagrams.map(both) { $0 + 1 }
        // Apart for each rule, so that what one of them does is not hidden by another.
        for id in changed.sorted() {
            let region = try diagrams.either(reach(of: id, old, diagrams), reach(of: id, new, diagrams))
            judge(try diagrams.apply(.masked, numbered, region), rules, old, new)
        }
        judge(numbered, rules, old, new)
    }

    /// Tells requests apart by what becomes of them, as far as the rules' verdicts settle it.
    private func outcomes(
        _ landscape: ProfileLandscape, _ rules: inout RuleDiagrams
    ) throws(AnalysisLimit) -> Diagram {
        let diagrams = rules.diagrams
        var (blocked, waiting) = (Diagram.none, Diagram.none)
        let spans = Set(landscape.permits.compactMap { Self.span($0.rule) }).sorted()
        var span = Diagram(spans.count)
        for entry in landscape.entries {
            blocked = try diagrams.either(blocked, entry.blocks)
            waiting = try diagrams.either(waiting, entry.waits)
            guard let place = Self.span(entry.rule).flatMap(spans.firstIndex) else { continue }
            span = try diagrams.apply(
                .minimum, span, diagrams.choose(entry.holds, Diagram(place), Diagram(spans.count)))
        }
        let open = try diagrams.less(landscape.gate, blocked)
        let grants = try landscape.grants(&rules, within: open) { entry throws(AnalysisLimit) in
            try diagrams.either(entry.holds, entry.waits)
        }
        let rest = try diagrams.apply(
            .pair, diagrams.apply(.pair, waiting, diagrams.apply(.masked, span, open)), grants)
        let decided = try diagrams.choose(open, diagrams.map(rest) { $0 + 2 }, Diagram(1))
        return try diagrams.choose(landscape.gate, decided, .none)
    }

    /// Not inlined: the optimiser of Swift 6.3.1 dies of it where this stands inside a loop.
    @inline(never)
    private static func span(_ rule: Rule) -> Int64? {
        if case .permit(let terms) = rule.effect { return terms.maximumValidity }
        return nil
    }

    /// Requests in whose decision a rule may have a part.
    private func reach(
        of id: String, _ landscape: ProfileLandscape, _ diagrams: Diagrams
    ) throws(AnalysisLimit) -> Diagram {
        guard let entry = landscape.entries.first(where: { $0.rule.id == id }) else { return .none }
        let stops = try diagrams.either(entry.blocks, entry.waits)
        return entry.isDeny ? stops : try diagrams.either(stops, entry.holds)
    }

    /// Puts one request of each number to both engines; zero is left out.
    private mutating func judge(
        _ numbers: Diagram, _ rules: RuleDiagrams, _ before: ProfileLandscape, _ after: ProfileLandscape
    ) {
        let examples = rules.diagrams.examples(of: numbers).filter { $0.value != 0 }
        if examples.count > AnalysisLimit.maximumGrants {
            add(AnalysisLimit.grants(AnalysisLimit.maximumGrants).description)
        }
        for (value, cells) in examples.prefix(AnalysisLimit.maximumGrants) {
            let sketch = rules.partition.sketch(cells)
            let input = sketch.input
            let comparison = DecisionComparison(
                sketch: sketch, before: sides[0].engine.decide(input), after: sides[1].engine.decide(input))
            add(comparison) { id in
                [before, after].map { $0.verdict(of: id, at: cells, rules.diagrams) }
            }
            let (old, new) = rules.diagrams.parts(of: value - 1)
            if old != new, rules.partition.use.hasOpenNames, comparison.isAboutNames {
                add("the names asked for may be granted in ways that are not told apart")
            }
        }
    }

    /// - Parameter verdicts: what a rule of either side says of the request; nil where there is none.
    private mutating func add(_ comparison: DecisionComparison, verdicts: (String) -> [Int?]) {
        guard !comparison.changes.isEmpty else { return }
        let carrying = Set(comparison.before.ruleIDs + comparison.after.ruleIDs)
        var concerned = carrying.intersection(changed)
        if concerned.isEmpty { concerned = changed.filter { Set(verdicts($0)).count > 1 } }
        let rules = (concerned.isEmpty ? carrying : concerned).sorted()
        for (kind, widens) in comparison.changes {
            let isKnown = changes.contains {
                $0.kind == kind && $0.widens == widens && $0.rules == rules
            }
            guard !isKnown else { continue }
            changes.append(
                PolicyChange(
                    kind: kind, widens: widens, service: service, profile: profile, rules: rules,
                    owners: owners(of: rules),
                    before: DecisionComparison.text(comparison.before, comparison.sketch),
                    after: DecisionComparison.text(comparison.after, comparison.sketch),
                    example: comparison.sketch))
        }
    }

    private mutating func add(_ limit: String) {
        guard !changes.contains(where: { $0.kind == .notDecided && $0.before == limit }) else { return }
        let rules = changed.sorted()
        changes.append(
            PolicyChange(
                kind: .notDecided, widens: true, service: service, profile: profile, rules: rules,
                owners: owners(of: rules), before: limit, after: "", example: nil))
    }

    private func owners(of ids: [String]) -> [Owner] {
        var owners: [Owner] = []
        for side in sides.reversed() {
            for rule in side.rules where ids.contains(rule.id) && !owners.contains(rule.owner) {
                owners.append(rule.owner)
            }
        }
        if owners.isEmpty, let service = sides.reversed().compactMap(\.service).first {
            return [service.owner]
        }
        return owners.sorted { $0.team < $1.team }
    }

    /// Without those that fewer rules already show.
    private static func smallest(_ changes: [PolicyChange]) -> [PolicyChange] {
        changes.filter { change in
            !changes.contains { other in
                other.kind == change.kind && other.widens == change.widens && !other.rules.isEmpty
                    && Set(other.rules).isStrictSubset(of: change.rules)
            }
        }
    }
}

extension DecisionComparison {
    /// Whether both are denials for the names asked for.
    var isAboutNames: Bool {
        let codes = [ReasonCode.namesDiffer, .namesMissing, .identityChanged].map(\.rawValue)
        return codes.contains(before.reasonCode) && codes.contains(after.reasonCode)
    }
}
