import EnrollmentCore
import Policy

/// Where the rules for one profile of one service stand on every request: one side's verdicts, and which
/// requests come through.
struct ProfileLandscape {
    /// One rule's part.
    struct Entry {
        let rule: Rule
        /// As it counts: outside its scope a rule permits and blocks nothing.
        let verdict: Diagram
        let isDeny: Bool
        /// Requests that it grants, or, a deny rule, lets pass.
        let holds: Diagram
        let waits: Diagram
        /// Requests that it blocks, whatever else holds.
        let blocks: Diagram
    }

    let side: PolicySide
    let entries: [Entry]
    /// Requests that get past the checks before all rules.
    let gate: Diagram
    /// Of those, the ones that nothing blocks and nothing keeps waiting.
    let clear: Diagram

    /// - Parameter rules: of a partition that this side is part of.
    init(_ side: PolicySide, _ rules: inout RuleDiagrams) throws(AnalysisLimit) {
        let diagrams = rules.diagrams
        self.side = side
        gate = try rules.gate(side)
        var clear = gate
        var entries: [Entry] = []
        for rule in side.rules {
            let conditions = try rules.verdict(rule.conditions)
            let entry = try Self.entry(rule, side, conditions, rules)
            let passes = entry.isDeny ? entry.holds : try diagrams.not(entry.blocks)
            clear = try diagrams.both(clear, diagrams.less(passes, entry.waits))
            entries.append(entry)
        }
        self.entries = entries
        self.clear = clear
    }

    /// - Parameter conditions: the verdict on the rule's conditions, or on others in their place.
    static func entry(
        _ rule: Rule, _ side: PolicySide, _ conditions: Diagram, _ rules: RuleDiagrams
    ) throws(AnalysisLimit) -> Entry {
        let diagrams = rules.diagrams
        let verdict = try rules.verdict(rule, on: side, conditions: conditions)
        let isDeny = rule.effect == .deny
        let blocks =
            isDeny
            ? try diagrams.map(verdict) { $0 < RuleDiagrams.pending ? 1 : 0 }
            : try rules.veto(rule, on: side, conditions: conditions)
        return Entry(
            rule: rule, verdict: verdict, isDeny: isDeny,
            holds: try diagrams.map(verdict) { $0 == RuleDiagrams.satisfied ? 1 : 0 },
            waits: try diagrams.map(verdict) { $0 == RuleDiagrams.pending ? 1 : 0 }, blocks: blocks)
    }

    /// What a rule says of one request; nil when there is no such rule.
    func verdict(of id: String, at cells: [Int: Int], _ diagrams: Diagrams) -> Int? {
        entries.first { $0.rule.id == id }.map { diagrams.value(of: $0.verdict, at: cells) }
    }

    var permits: [Entry] { entries.filter { !$0.isDeny } }
    var denials: [Entry] { entries.filter(\.isDeny) }

    /// Tells requests apart by what is granted on them: which rules' names and usages are merged, and the
    /// names there are. Zero where `filter` has zero.
    ///
    /// - Parameter counted: of a permit rule, the requests on which its grant takes part.
    func grants(
        _ rules: inout RuleDiagrams, within filter: Diagram, counted: (Entry) throws(AnalysisLimit) -> Diagram
    ) throws(AnalysisLimit) -> Diagram {
        let diagrams = rules.diagrams
        var byTerms: [GrantedTerms: Diagram] = [:]
        var order: [GrantedTerms] = []
        for entry in permits {
            guard let terms = GrantedTerms(entry.rule) else { continue }
            if byTerms[terms] == nil { order.append(terms) }
            byTerms[terms] = try diagrams.either(byTerms[terms] ?? .none, counted(entry))
        }
        var vector = Diagram.none
        for terms in order {
            let taken = try diagrams.both(byTerms[terms] ?? .none, filter)
            vector = try diagrams.apply(.pair, vector, taken)
        }
        for names in try rules.names() {
            vector = try diagrams.apply(.pair, vector, diagrams.apply(.masked, names, filter))
        }
        return try diagrams.choose(filter, diagrams.map(vector) { $0 + 1 }, .none)
    }
}

/// What a permit rule grants but for how long: rules alike in this never contradict each other.
struct GrantedTerms: Hashable {
    private let names: [[String]]
    private let usages: [ExtendedKeyUsage]?
    private let replacesDifferences: Bool

    /// Nil for a deny rule.
    init?(_ rule: Rule) {
        guard case .permit(let terms) = rule.effect else { return nil }
        names = [
            [terms.commonName].compactMap { $0?.text }, terms.dns.map(\.text), terms.email.map(\.text),
            terms.upn.map(\.text),
        ]
        usages = terms.extendedKeyUsages
        replacesDifferences = terms.replacesDifferences
    }
}
