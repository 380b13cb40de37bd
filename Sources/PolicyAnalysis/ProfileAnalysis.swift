import EnrollmentCore
import Policy

/// What is found out about the rules for one profile of one service, before it is known what they do
/// elsewhere.
struct ProfileAnalysis {
    /// Why a permit rule never permits here.
    enum Hindrance: Hashable {
        /// No request meets the rule's own conditions; with one that contradicts the others, if one does.
        case ownConditions(SourcePosition?)
        case approval
        /// These rules block, or keep waiting, all that meets them.
        case rules([String])
        /// What is granted contradicts itself or the request; the engine's code.
        case grant(String)
    }

    /// A condition that can be taken away.
    struct IdleCondition: Hashable {
        let rule: String
        let position: SourcePosition
    }

    let service: ServiceName
    let profile: ProfileName
    let ruleIDs: [String]
    private(set) var limits: [AnalysisLimit] = []
    private(set) var hasPermitRule = false
    /// With the deny rules that block everything, and a request that shows it.
    private(set) var alwaysDenied: (rules: [String], example: RequestSketch)?
    private(set) var hindrances: [String: (hindrance: Hindrance, example: RequestSketch?)] = [:]
    /// By rule, those that decide all of its requests alike, each with a request.
    private(set) var covers: [String: [String: RequestSketch]] = [:]
    /// Of those, by rule the ones that decide no others alike.
    private(set) var twins: [String: Set<String>] = [:]
    /// With a request for the first overlap of each rule.
    private(set) var overlaps: [(first: String, second: String, example: RequestSketch?)] = []
    private(set) var contradictions: [(rules: [String], example: RequestSketch)] = []
    private(set) var idle: [IdleCondition: RequestSketch] = [:]
    private(set) var neverBlocking: [String: RequestSketch] = [:]
    /// Whether everything but contradictions was decided.
    private(set) var isDecided = false

    init(_ bundle: PolicyBundle, _ service: ServiceName, _ profile: ProfileName) {
        self.service = service
        self.profile = profile
        let side = PolicySide(bundle, service, profile)
        ruleIDs = side.rules.map(\.id)
        do throws(AnalysisLimit) {
            guard side.rules.count <= AnalysisLimit.maximumRules else {
                throw .rules(AnalysisLimit.maximumRules)
            }
            hasPermitRule = side.rules.contains { $0.effect != .deny }
            var rules = try RuleDiagrams(Partition(service, profile, [side]))
            let landscape = try ProfileLandscape(side, &rules)
            try analyse(landscape, &rules)
            isDecided = true
        } catch { limits.append(error) }
    }

    private mutating func analyse(
        _ landscape: ProfileLandscape, _ rules: inout RuleDiagrams
    ) throws(AnalysisLimit) {
        let granted = try grantedRequests(landscape, &rules)
        if granted == .none { try explainDenial(landscape, rules) }
        var grants: [String: Diagram] = [:]
        for entry in landscape.permits {
            let own = try rules.diagrams.both(entry.holds, granted)
            grants[entry.rule.id] = own
            if own == .none { try explain(entry, landscape, &rules) }
        }
        try compare(landscape.permits, grants, rules)
        try compareDenials(landscape, rules)
        for entry in landscape.entries where hindrances[entry.rule.id] == nil {
            guard neverBlocking[entry.rule.id] == nil else { continue }
            try findIdleConditions(entry, landscape, &rules)
        }
    }

    /// Requests that the engine grants. Beyond the bounds of telling grants apart: those that nothing blocks.
    private mutating func grantedRequests(
        _ landscape: ProfileLandscape, _ rules: inout RuleDiagrams
    ) throws(AnalysisLimit) -> Diagram {
        let diagrams = rules.diagrams
        var some = Diagram.none
        for entry in landscape.permits { some = try diagrams.either(some, entry.holds) }
        let open = try diagrams.both(some, landscape.clear)
        let whole = diagrams.nodeLimit
        // Half of the nodes stay for the other questions.
        diagrams.nodeLimit = whole / 2
        defer { diagrams.nodeLimit = whole }
        do throws(AnalysisLimit) {
            let vector = try landscape.grants(&rules, within: open) { $0.holds }
            let examples = diagrams.examples(of: vector).filter { $0.value != 0 }
            guard examples.count <= AnalysisLimit.maximumGrants else {
                throw .grants(AnalysisLimit.maximumGrants)
            }
            let granting = granting(examples, landscape, rules)
            return try diagrams.map(vector) { granting.contains($0) ? 1 : 0 }
        } catch {
            limits.append(error)
            return open
        }
    }

    /// Numbers of combinations that the engine grants; those that contradict themselves are kept.
    private mutating func granting(
        _ examples: [(value: Int, cells: [Int: Int])], _ landscape: ProfileLandscape, _ rules: RuleDiagrams
    ) -> Set<Int> {
        var granting: Set<Int> = []
        var conflicts: [Conflict] = []
        let terms = Dictionary(
            landscape.permits.compactMap { entry in GrantedTerms(entry.rule).map { (entry.rule.id, $0) } },
            uniquingKeysWith: { first, _ in first })
        for (value, cells) in examples {
            let sketch = rules.partition.sketch(cells)
            let decision = landscape.side.engine.decide(sketch.input)
            switch decision.outcome {
            case .permit: granting.insert(value)
            case .defer: break
            case .deny:
                if decision.reasonCode == ReasonCode.obligationConflict.rawValue {
                    let kinds = Set(decision.ruleIDs.compactMap { terms[$0] })
                    conflicts.append(Conflict(rules: decision.ruleIDs, terms: kinds, example: sketch))
                } else if rules.partition.use.hasOpenNames {
                    // Other names may be covered where these are not.
                    granting.insert(value)
                }
            }
        }
        contradictions = Self.smallest(conflicts)
        return granting
    }

    private struct Conflict {
        let rules: [String]
        let terms: Set<GrantedTerms>
        let example: RequestSketch
    }

    /// Those without more than it takes to contradict, one of each.
    private static func smallest(_ conflicts: [Conflict]) -> [(rules: [String], example: RequestSketch)] {
        var kept: [Conflict] = []
        for conflict in conflicts {
            guard !conflicts.contains(where: { $0.terms.isStrictSubset(of: conflict.terms) }),
                !kept.contains(where: { $0.terms == conflict.terms })
            else { continue }
            kept.append(conflict)
        }
        return kept.map { ($0.rules, $0.example) }
    }

    private mutating func explainDenial(
        _ landscape: ProfileLandscape, _ rules: RuleDiagrams
    ) throws(AnalysisLimit) {
        var blocking: [String] = []
        for entry in landscape.denials where !rules.diagrams.meet(entry.holds, landscape.gate) {
            blocking.append(entry.rule.id)
        }
        let cells = rules.diagrams.example(of: landscape.gate) ?? [:]
        alwaysDenied = (blocking, rules.partition.sketch(cells))
    }

    /// Why nothing is granted on a permit rule.
    private mutating func explain(
        _ entry: ProfileLandscape.Entry, _ landscape: ProfileLandscape, _ rules: inout RuleDiagrams
    ) throws(AnalysisLimit) {
        let diagrams = rules.diagrams
        let partition = rules.partition
        let own = try diagrams.both(entry.holds, landscape.gate)
        func example(_ set: Diagram) -> RequestSketch? {
            diagrams.example(of: set).map { partition.sketch($0) }
        }
        guard own != .none else {
            hindrances[entry.rule.id] = try ownHindrance(entry, landscape, &rules)
            return
        }
        let others = landscape.entries.filter { $0.rule.id != entry.rule.id }
        var passing = own
        for other in others {
            let stops = try diagrams.both(own, passes(other, diagrams))
            if stops == .none {
                hindrances[entry.rule.id] = (.rules([other.rule.id]), example(own))
                return
            }
        }
        var together: [String] = []
        for other in others {
            let less = try diagrams.both(passing, passes(other, diagrams))
            if less != passing { together.append(other.rule.id) }
            passing = less
        }
        if passing == .none {
            hindrances[entry.rule.id] = (.rules(together), example(own))
        } else {
            let sketch = example(passing)
            let code = sketch.map { landscape.side.engine.decide($0.input).reasonCode } ?? ""
            hindrances[entry.rule.id] = (.grant(code), sketch)
        }
    }

    /// The condition that stands in the way of the rule's others, where there is one, and a request that
    /// meets those others.
    private func ownHindrance(
        _ entry: ProfileLandscape.Entry, _ landscape: ProfileLandscape, _ rules: inout RuleDiagrams
    ) throws(AnalysisLimit) -> (Hindrance, RequestSketch?) {
        if let terms = entry.rule.approval, terms.members.count < terms.count { return (.approval, nil) }
        for (place, condition) in entry.rule.conditions.enumerated() {
            let rest = Array(entry.rule.conditions[..<place]) + entry.rule.conditions[(place + 1)...]
            let verdict = rest.isEmpty ? Diagram(RuleDiagrams.satisfied) : try rules.verdict(rest)
            let looser = try ProfileLandscape.entry(entry.rule, landscape.side, verdict, rules)
            let met = try rules.diagrams.both(looser.holds, landscape.gate)
            if let cells = rules.diagrams.example(of: met) {
                return (.ownConditions(condition.position), rules.partition.sketch(cells))
            }
        }
        return (.ownConditions(nil), nil)
    }

    /// Requests that a rule neither blocks nor keeps waiting.
    private func passes(_ entry: ProfileLandscape.Entry, _ diagrams: Diagrams) throws(AnalysisLimit)
        -> Diagram
    {
        try diagrams.not(diagrams.either(entry.blocks, entry.waits))
    }

    private mutating func compare(
        _ permits: [ProfileLandscape.Entry], _ grants: [String: Diagram], _ rules: RuleDiagrams
    ) throws(AnalysisLimit) {
        let diagrams = rules.diagrams
        let own = permits.map { (id: $0.rule.id, set: grants[$0.rule.id] ?? .none) }.filter {
            $0.set != .none
        }
        for (place, first) in own.enumerated() {
            for second in own[(place + 1)...] where diagrams.meet(first.set, second.set) {
                let isInSecond = !diagrams.meet(first.set, second.set, isOutside: true)
                let isInFirst = !diagrams.meet(second.set, first.set, isOutside: true)
                func example() throws(AnalysisLimit) -> RequestSketch {
                    let both = try diagrams.both(first.set, second.set)
                    return rules.partition.sketch(diagrams.example(of: both) ?? [:])
                }
                if isInFirst {
                    if isInSecond { twins[second.id, default: []].insert(first.id) }
                    covers[second.id, default: [:]][first.id] = try example()
                } else if isInSecond {
                    covers[first.id, default: [:]][second.id] = try example()
                } else {
                    let isKnown = overlaps.last?.first == first.id
                    overlaps.append((first.id, second.id, isKnown ? nil : try example()))
                }
            }
        }
    }

    private mutating func compareDenials(
        _ landscape: ProfileLandscape, _ rules: RuleDiagrams
    ) throws(AnalysisLimit) {
        let diagrams = rules.diagrams
        var acting: [(id: String, blocks: Diagram, stops: Diagram)] = []
        for entry in landscape.denials {
            let blocks = try diagrams.both(entry.blocks, landscape.gate)
            let stops = try diagrams.either(blocks, diagrams.both(entry.waits, landscape.gate))
            if stops != .none {
                acting.append((entry.rule.id, blocks, stops))
            } else {
                let cells = diagrams.example(of: landscape.gate) ?? [:]
                neverBlocking[entry.rule.id] = rules.partition.sketch(cells)
            }
        }
        for (place, first) in acting.enumerated() {
            for second in acting[(place + 1)...] {
                let isInSecond =
                    !diagrams.meet(first.blocks, second.blocks, isOutside: true)
                    && !diagrams.meet(first.stops, second.stops, isOutside: true)
                let isInFirst =
                    !diagrams.meet(second.blocks, first.blocks, isOutside: true)
                    && !diagrams.meet(second.stops, first.stops, isOutside: true)
                guard isInFirst || isInSecond else { continue }
                let inner = isInFirst ? second : first
                let set = inner.blocks == .none ? inner.stops : inner.blocks
                let sketch = rules.partition.sketch(diagrams.example(of: set) ?? [:])
                covers[inner.id, default: [:]][isInFirst ? first.id : second.id] = sketch
            }
        }
    }

    /// Conditions without which the rule would permit, wait and block on the same requests.
    private mutating func findIdleConditions(
        _ entry: ProfileLandscape.Entry, _ landscape: ProfileLandscape, _ rules: inout RuleDiagrams
    ) throws(AnalysisLimit) {
        let diagrams = rules.diagrams
        func effect(_ entry: ProfileLandscape.Entry) throws(AnalysisLimit) -> Diagram {
            let kinds = try diagrams.map(entry.verdict) { max($0, RuleDiagrams.unknown) }
            return try diagrams.apply(
                .masked, diagrams.apply(.pair, kinds, entry.blocks), landscape.gate)
        }
        let whole = try effect(entry)
        for (position, rest) in entry.rule.conditions.withoutOne {
            let conditions =
                rest.isEmpty ? Diagram(RuleDiagrams.satisfied) : try rules.verdict(rest)
            let shorter = try ProfileLandscape.entry(entry.rule, landscape.side, conditions, rules)
            guard try effect(shorter) == whole else { continue }
            let shown = try diagrams.both(entry.isDeny ? entry.blocks : entry.holds, landscape.gate)
            let cells = diagrams.example(of: shown) ?? [:]
            idle[IdleCondition(rule: entry.rule.id, position: position)] = rules.partition.sketch(cells)
        }
    }
}

extension [Condition] {
    /// The conditions with one taken away, at every depth, each with the place of that one. A combination
    /// does not lose its only part: the whole of it goes.
    fileprivate var withoutOne: [(SourcePosition, [Condition])] {
        var results: [(SourcePosition, [Condition])] = []
        for (place, condition) in enumerated() {
            let others = Array(self[..<place]) + self[(place + 1)...]
            results.append((condition.position, others))
            for (position, smaller) in condition.withoutOnePart {
                var changed = self
                changed[place] = smaller
                results.append((position, changed))
            }
        }
        return results
    }
}

extension Condition {
    fileprivate var withoutOnePart: [(SourcePosition, Condition)] {
        let parts: [Condition]
        let rebuild: ([Condition]) -> Content
        switch content {
        case .test: return []
        case .all(let inside): (parts, rebuild) = (inside, { .all($0) })
        case .any(let inside): (parts, rebuild) = (inside, { .any($0) })
        case .none(let inside): (parts, rebuild) = (inside, { .none($0) })
        }
        return parts.withoutOne.filter { !$0.1.isEmpty }.map {
            ($0.0, Condition(rebuild($0.1), at: position))
        }
    }
}
