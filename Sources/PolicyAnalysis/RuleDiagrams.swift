import EnrollmentCore
import Policy

/// What rules find on every request of a partition, as diagrams of verdicts: 0 unsatisfied to 3 satisfied, as
/// `Verdict` counts.
///
/// The verdict on each kind of value is the engine's own, on a request of that kind.
struct RuleDiagrams {
    let partition: Partition
    let diagrams: Diagrams
    private var tests: [TestPlace: Diagram] = [:]
    private var memberships: [Attribute: Diagram] = [:]

    static let satisfied = Verdict.satisfied.rawValue
    static let pending = Verdict.pending.rawValue
    static let unknown = Verdict.unknown.rawValue

    init(_ partition: Partition) {
        self.partition = partition
        diagrams = Diagrams(
            widths: partition.dimensions.map(\.cells.count), nodeLimit: AnalysisLimit.maximumNodes)
    }

    /// The verdict of a rule as it counts: one that does not apply permits nothing and blocks nothing.
    func verdict(_ rule: Rule, on side: PolicySide, conditions: Diagram) throws(AnalysisLimit) -> Diagram {
        let isDeny = rule.effect == .deny
        var verdict = conditions
        if !isDeny {
            if let approval = rule.approval {
                verdict = try diagrams.apply(.minimum, verdict, approved(approval).verdict)
            }
            verdict = try diagrams.choose(lacksName(rule, side), least(verdict, Self.unknown), verdict)
            verdict = try diagrams.choose(isOverdue(rule, side), .none, verdict)
        }
        return try diagrams.choose(scope(rule), verdict, isDeny ? Diagram(Self.satisfied) : .none)
    }

    /// Requests that somebody's denial of the rule's approval blocks.
    func veto(_ rule: Rule, on side: PolicySide, conditions: Diagram) throws(AnalysisLimit) -> Diagram {
        guard let approval = rule.approval, rule.effect != .deny else { return .none }
        let own = try diagrams.map(conditions) { $0 >= Self.pending ? 1 : 0 }
        var veto = try diagrams.both(own, approved(approval).veto)
        veto = try diagrams.less(veto, lacksName(rule, side))
        veto = try diagrams.less(veto, isOverdue(rule, side))
        return try diagrams.both(veto, scope(rule))
    }

    /// The verdict on conditions all of which must hold.
    mutating func verdict(_ conditions: [Condition]) throws(AnalysisLimit) -> Diagram {
        try conjunction(conditions, isNegated: false)
    }

    private mutating func conjunction(
        _ parts: [Condition], isNegated: Bool
    ) throws(AnalysisLimit) -> Diagram {
        var result = Diagram(parts.isEmpty ? 0 : Self.satisfied)
        for part in parts {
            result = try diagrams.apply(.minimum, result, verdict(part, isNegated: isNegated))
        }
        return result
    }

    private mutating func disjunction(
        _ parts: [Condition], isNegated: Bool
    ) throws(AnalysisLimit) -> Diagram {
        var result = Diagram.none
        for part in parts {
            result = try diagrams.apply(.maximum, result, verdict(part, isNegated: isNegated))
        }
        return result
    }

    private mutating func verdict(
        _ condition: Condition, isNegated: Bool
    ) throws(AnalysisLimit) -> Diagram {
        switch condition.content {
        case .all(let parts): return try conjunction(parts, isNegated: isNegated)
        case .any(let parts): return try disjunction(parts, isNegated: isNegated)
        case .none(let parts):
            return try diagrams.map(disjunction(parts, isNegated: !isNegated)) {
                (Verdict(rawValue: $0) ?? .unsatisfied).negated.rawValue
            }
        case .test(let test):
            let key = TestPlace(subject: test.subject, isNegated: isNegated)
            if let known = tests[key] { return known }
            let diagram = try verdict(test, isNegated: isNegated)
            tests[key] = diagram
            return diagram
        }
    }

    private func least(_ verdict: Diagram, _ bound: Int) throws(AnalysisLimit) -> Diagram {
        try diagrams.apply(.minimum, verdict, Diagram(bound))
    }

    private mutating func verdict(_ test: Test, isNegated: Bool) throws(AnalysisLimit) -> Diagram {
        let partition = partition
        func tabulated(_ dimensions: [Int?]) throws(AnalysisLimit) -> Diagram {
            try table(dimensions.compactMap { $0 }) { Partition.verdict(test, $0).rawValue }
        }
        switch test.subject {
        case .attribute(.requestProtocol, _): return try tabulated([partition.transport])
        case .attribute(.requestOperation, _), .oneTimeCredential, .certificateOfOurs:
            return try tabulated([partition.requester])
        case .attribute(.requestKeyAlgorithm, _): return try tabulated([partition.key])
        case .attribute(let attribute, let matcher):
            if partition.elements[attribute] != nil { return try names(test, attribute, matcher, isNegated) }
            return try tabulated([partition.scalars[attribute]])
        case .posture, .notJailbroken: return try tabulated(partition.posture)
        case .domainControl:
            // Control is shown of all names asked for or of none, so any name shows which.
            let shown = try table([partition.domainControl].compactMap { $0 }) { sketch in
                var sketch = sketch
                sketch.requestDNS = ["shown.example"]
                return Partition.verdict(test, sketch).rawValue
            }
            return try diagrams.choose(presence(of: .requestDNS), shown, .none)
        }
    }

    /// A function of some dimensions, from its value on one request of each kind.
    func table(
        _ dimensions: [Int], _ value: (RequestSketch) -> Int
    ) throws(AnalysisLimit) -> Diagram {
        let sizes = dimensions.map { partition.dimensions[$0].cells.count }
        guard sizes.reduce(1, { min($0 * $1, 1 << 30) }) <= AnalysisLimit.maximumCells else {
            throw .cells(AnalysisLimit.maximumCells)
        }
        return try table(dimensions.sorted()[...], [:], value)
    }

    private func table(
        _ dimensions: ArraySlice<Int>, _ cells: [Int: Int], _ value: (RequestSketch) -> Int
    ) throws(AnalysisLimit) -> Diagram {
        guard let first = dimensions.first else { return Diagram(value(partition.sketch(cells))) }
        var children: [Diagram] = []
        for cell in partition.dimensions[first].cells.indices {
            var chosen = cells
            chosen[first] = cell
            children.append(try table(dimensions.dropFirst(), chosen, value))
        }
        return try diagrams.node(first, children)
    }
}

// Attributes of names, element by element.
extension RuleDiagrams {
    /// Requests that have an element in `attribute` of which `isCounted`.
    private func exists(
        in attribute: Attribute, _ isCounted: (Partition.Element, Set<Attribute>) -> Bool
    ) throws(AnalysisLimit) -> Diagram {
        var result = Diagram.none
        for element in partition.elements[attribute] ?? [] {
            let has = try diagrams.node(
                element.dimension,
                element.holders.map { Diagram($0.contains(attribute) && isCounted(element, $0) ? 1 : 0) })
            result = try diagrams.either(result, has)
        }
        return result
    }

    /// Requests in which the attribute is present.
    mutating func presence(of attribute: Attribute) throws(AnalysisLimit) -> Diagram {
        if let known = memberships[attribute] { return known }
        let diagram = try exists(in: attribute) { _, _ in true }
        memberships[attribute] = diagram
        return diagram
    }

    private mutating func names(
        _ test: Test, _ attribute: Attribute, _ matcher: AttributeMatcher, _ isNegated: Bool
    ) throws(AnalysisLimit) -> Diagram {
        let held: Diagram
        var isPresent = try presence(of: attribute)
        if let other = matcher.other {
            isPresent = try diagrams.both(isPresent, presence(of: other))
            held = try diagrams.not(exists(in: attribute) { !$1.contains(other) })
        } else {
            let base = partition.base
            let matches = { (element: Partition.Element) in
                var sketch = base
                sketch.add(element.text, to: attribute)
                return Partition.verdict(test, sketch) == .satisfied
            }
            // Every name asked for must match, of the others one (`ConditionEvaluation`).
            held =
                attribute.isOfRequest && !isNegated
                ? try diagrams.not(exists(in: attribute) { element, _ in !matches(element) })
                : try exists(in: attribute) { element, _ in matches(element) }
        }
        let verdict = try diagrams.map(held) { $0 == 0 ? 0 : Self.satisfied }
        return try diagrams.choose(isPresent, verdict, Diagram(Self.unknown))
    }

    /// Tells requests apart by which of the names that may be granted there are, and whether they are asked
    /// for: what a grant, and the engine's objections to a request, depend on.
    mutating func names() throws(AnalysisLimit) -> [Diagram] {
        let granted = partition.use.granted
        let wishes: Set<Attribute> = [.requestDNS, .requestEmail, .requestUPN]
        var result: [Diagram] = []
        var done: Set<Int> = []
        for attribute in Attribute.allCases where granted.contains(attribute) || wishes.contains(attribute) {
            let elements = partition.elements[attribute] ?? []
            guard elements.contains(where: { done.insert($0.dimension).inserted }) else { continue }
            done.formUnion(elements.map(\.dimension))
            let holders = Set(elements.flatMap(\.holders)).subtracting([[]])
            for holder in holders.sorted(by: { Self.text($0) < Self.text($1) }) {
                var isThere = Diagram.none
                for element in elements {
                    isThere = try diagrams.either(
                        isThere,
                        diagrams.node(
                            element.dimension, element.holders.map { Diagram($0 == holder ? 1 : 0) }))
                }
                result.append(isThere)
            }
        }
        if let dimension = partition.commonNames {
            var numbers: [[Int]: Int] = [:]
            let partition = partition
            result.append(
                try table([dimension]) { sketch in
                    let signature = partition.commonNameSignature(sketch)
                    let number = numbers[signature] ?? numbers.count
                    numbers[signature] = number
                    return number
                })
        }
        if let dimension = partition.excess { result.append(try diagrams.identity(dimension)) }
        return result
    }

    private static func text(_ attributes: Set<Attribute>) -> String {
        attributes.map(\.rawValue).sorted().joined(separator: " ")
    }
}

// What a rule depends on besides its conditions.
extension RuleDiagrams {
    private func scope(_ rule: Rule) throws(AnalysisLimit) -> Diagram {
        let scope = rule.scope
        let protocols = try table([partition.transport]) {
            scope.protocols?.contains($0.enrollmentProtocol) ?? true ? 1 : 0
        }
        let operations = try table([partition.requester]) {
            scope.operations?.contains($0.operation) ?? true ? 1 : 0
        }
        return try diagrams.both(protocols, operations)
    }

    private func approved(_ terms: ApprovalTerms) throws(AnalysisLimit) -> (verdict: Diagram, veto: Diagram) {
        let eyes = terms.needsFourEyes ? partition.requester : nil
        let dimensions = [eyes, partition.approvals].compactMap { $0 }
        let partition = partition
        return (
            try table(dimensions) { partition.approvalFinding(terms, $0).verdict.rawValue },
            try table(dimensions) { partition.approvalFinding(terms, $0).isVeto ? 1 : 0 }
        )
    }

    /// Requests of devices that lack an attribute which one of the rule's names is made of.
    private func lacksName(_ rule: Rule, _ side: PolicySide) throws(AnalysisLimit) -> Diagram {
        guard case .permit(let terms) = rule.effect, let profile = side.profile else { return .none }
        let templates = [terms.commonName].compactMap { $0 } + terms.dns + terms.email + terms.upn
        let single = templates.flatMap(\.variables).filter { !$0.isList && $0 != .deviceID }
        let dimensions = Set(single.compactMap { partition.scalars[$0.attribute] })
        guard !dimensions.isEmpty else { return .none }
        return try table(dimensions.sorted()) { sketch in
            RuleEvaluation(
                rule, ConditionEvaluation(input: sketch.input, question: .request), profile, isOverdue: false
            ).lacksName ? 1 : 0
        }
    }

    private func isOverdue(_ rule: Rule, _ side: PolicySide) throws(AnalysisLimit) -> Diagram {
        try isOverdue(rule.reviewBy, side)
    }

    private func isOverdue(_ date: Timestamp, _ side: PolicySide) throws(AnalysisLimit) -> Diagram {
        let terms = side.engine.bundle.reviewTerms
        guard terms.refusesOverdue else { return .none }
        let end = date.adding(seconds: terms.grace)
        return try table([partition.scalars[.requestInstant]].compactMap { $0 }) { $0.instant >= end ? 1 : 0 }
    }

    /// Requests that get past the checks that come before all rules.
    func gate(_ side: PolicySide) throws(AnalysisLimit) -> Diagram {
        guard let service = side.service, let profile = side.profile else { return .none }
        let dimensions = [
            partition.transport, partition.requester, partition.key,
            partition.scalars[.deviceActiveCertificates],
        ]
        let engine = side.engine
        let passes = try table(dimensions.compactMap { $0 }) { sketch in
            Self.blocks.contains(engine.decide(sketch.input).reasonCode) ? 0 : 1
        }
        return try diagrams.less(
            passes, diagrams.either(isOverdue(service.reviewBy, side), isOverdue(profile.reviewBy, side)))
    }

    /// Codes of the checks that a request of a partition may fail.
    private static let blocks = Set(
        [
            ReasonCode.serviceUnknown, .protocolNotEnabled, .profileNotOffered, .keyNotAllowed,
            .limitLiveCertificates, .proofCertificateRequired,
        ].map(\.rawValue))
}

/// A test, and whether it stands below a `none_of`, which changes what several names come to.
private struct TestPlace: Hashable {
    let subject: Test.Subject
    let isNegated: Bool
}
