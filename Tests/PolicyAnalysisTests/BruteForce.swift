import EnrollmentCore
import Policy

@testable import PolicyAnalysis

/// Decides every kind of request of a partition by the engine, one after the other.
struct BruteForce {
    struct Row {
        let sketch: RequestSketch
        let decision: Decision
        /// By rule, in the order of the side.
        let verdicts: [Int]
        let isPastGate: Bool
    }

    let side: PolicySide
    let rows: [Row]

    init(_ partition: Partition, _ side: PolicySide, _ profile: CertificateProfile) {
        self.side = side
        var cells: [[Int: Int]] = [[:]]
        for (place, dimension) in partition.dimensions.enumerated() {
            cells = cells.flatMap { chosen in
                dimension.cells.indices.map { chosen.merging([place: $0]) { $1 } }
            }
        }
        rows = cells.map { Self.row(partition.sketch($0), side, profile) }
    }

    static func row(_ sketch: RequestSketch, _ side: PolicySide, _ profile: CertificateProfile) -> Row {
        let input = sketch.input
        let decision = side.engine.decide(input)
        let conditions = ConditionEvaluation(input: input, question: .request)
        return Row(
            sketch: sketch, decision: decision,
            verdicts: side.rules.map { verdict($0, conditions, sketch, profile) },
            isPastGate: !["limit.live_certificates", "csr.key_not_allowed"].contains(decision.reasonCode))
    }

    static func verdict(
        _ rule: Rule, _ conditions: ConditionEvaluation, _ sketch: RequestSketch,
        _ profile: CertificateProfile
    ) -> Int {
        let isCovered =
            rule.scope.protocols?.contains(sketch.enrollmentProtocol) ?? true
            && rule.scope.operations?.contains(sketch.operation) ?? true
        let verdict = RuleEvaluation(rule, conditions, profile, isOverdue: false).verdict.rawValue
        return isCovered ? verdict : rule.effect == .deny ? 3 : 0
    }

    /// Places of the requests that are granted on the rule.
    func permitted(_ rule: Rule) -> Set<Int> {
        Set(
            rows.indices.filter { place in
                if case .permit = rows[place].decision.outcome {
                    return rows[place].decision.ruleIDs.contains(rule.id)
                }
                return false
            })
    }

    func places(_ rule: Rule, _ isCounted: (Int) -> Bool) -> Set<Int> {
        guard let number = side.rules.firstIndex(of: rule) else { return [] }
        return Set(rows.indices.filter { rows[$0].isPastGate && isCounted(rows[$0].verdicts[number]) })
    }
}
