import EnrollmentCore
import Testing

@testable import Policy
@testable import PolicyAnalysis

struct GeneratedBundleTests {
    /// What analysis finds is what trying every kind of request finds, on a thousand bundles and more.
    @Test func agreesWithBruteForce() throws {
        let catalog = try TestBundle.starter()
        let profile = try #require(catalog.profile(named: TestBundle.profile))
        var decided = 0
        var found: Set<String> = []
        var seed: UInt64 = 0
        while decided < 1_010, seed < 20_000 {
            seed += 1
            var random = RandomRules(seed: seed)
            let bundle = try TestBundle.make(catalog, random.rules())
            let side = PolicySide(bundle, TestBundle.service, TestBundle.profile)
            guard let partition = try? Partition(TestBundle.service, TestBundle.profile, [side]),
                partition.dimensions.map(\.cells.count).reduce(1, *) <= 300
            else { continue }
            decided += 1
            let analysis = ProfileAnalysis(bundle, TestBundle.service, TestBundle.profile)
            #expect(analysis.limits.isEmpty)
            let brute = BruteForce(partition, side, profile)
            let expected = expectation(brute, hasOpenNames: partition.use.hasOpenNames)
            let actual = summary(analysis, hasOpenNames: partition.use.hasOpenNames)
            #expect(actual == expected, "seed \(seed): \(bundle.rules.map(\.conditions))")
            expectExamples(analysis, bundle, seed)
            expectIdle(analysis, brute, profile, seed)
            found.formUnion(actual.map { String($0.prefix { $0 != " " }) })
            guard actual == expected else { return }
        }
        #expect(decided == 1_010)
        #expect(
            found == ["never", "shadow", "overlap", "contradictory", "denied", "silent"],
            "the generator makes all there is to find")
    }

    /// Requests made without regard to the partition are decided like the kind that they belong to: the one
    /// on which every test comes out as on them.
    @Test func decidesEveryRequestLikeItsKind() throws {
        let catalog = try TestBundle.starter()
        let profile = try #require(catalog.profile(named: TestBundle.profile))
        var compared = 0
        for seed in UInt64(1)...600 {
            var random = RandomRules(seed: seed)
            let bundle = try TestBundle.make(catalog, random.rules())
            let side = PolicySide(bundle, TestBundle.service, TestBundle.profile)
            guard let partition = try? Partition(TestBundle.service, TestBundle.profile, [side]),
                partition.dimensions.map(\.cells.count).reduce(1, *) <= 300
            else { continue }
            let brute = BruteForce(partition, side, profile)
            let known = Dictionary(
                brute.rows.filter(\.isPastGate).map { (signature($0, partition), effect($0.decision)) },
                uniquingKeysWith: { $0.isEmpty ? $1 : $0 })
            var requests = RandomRequests(numbers: random.numbers)
            for _ in 0..<40 {
                let row = BruteForce.row(requests.sketch(), side, profile)
                // What stands before all rules is no part of the partition.
                guard row.isPastGate else { continue }
                let kind = known[signature(row, partition)]
                #expect(kind != nil, "seed \(seed): \(row.sketch.yaml)")
                guard let kind, !kind.isEmpty, !effect(row.decision).isEmpty else { continue }
                compared += 1
                #expect(effect(row.decision) == kind, "seed \(seed): \(row.sketch.yaml)")
            }
        }
        #expect(compared > 5_000)
    }

    private func signature(_ row: BruteForce.Row, _ partition: Partition) -> [Int] {
        let approvals = partition.use.approvals.flatMap { terms -> [Int] in
            let finding = partition.approvalFinding(terms, row.sketch)
            return [finding.verdict.rawValue, finding.isVeto ? 1 : 0]
        }
        return partition.use.tests.map { Partition.verdict($0, row.sketch).rawValue } + approvals
            + row.verdicts
    }

    /// Outcome and rules; empty where it turns on names, which tests do not tell.
    private func effect(_ decision: Decision) -> String {
        if decision.reasonCode.hasPrefix("csr.") || decision.reasonCode == "obligation.conflict" { return "" }
        switch decision.outcome {
        case .permit: return "permit " + decision.ruleIDs.joined(separator: " ")
        case .defer: return "defer " + decision.ruleIDs.joined(separator: " ")
        case .deny: return "deny"
        }
    }

    private func summary(_ analysis: ProfileAnalysis, hasOpenNames: Bool) -> Set<String> {
        var lines: Set<String> = []
        for (rule, others) in analysis.covers { lines.formUnion(others.keys.map { "shadow \(rule) \($0)" }) }
        for rule in analysis.neverBlocking.keys { lines.insert("silent \(rule)") }
        if hasOpenNames { return lines.filter { !$0.hasPrefix("shadow") } }
        lines.formUnion(analysis.hindrances.keys.map { "never \($0)" })
        lines.formUnion(analysis.overlaps.map { "overlap \($0.first) \($0.second)" })
        if analysis.alwaysDenied != nil { lines.insert("denied") }
        if !analysis.contradictions.isEmpty { lines.insert("contradictory") }
        return lines
    }

    private func expectation(_ brute: BruteForce, hasOpenNames: Bool) -> Set<String> {
        var lines: Set<String> = []
        let permits = brute.side.rules.filter { $0.effect != .deny }
        let denials = brute.side.rules.filter { $0.effect == .deny }
        let permitted = permits.map { ($0.id, brute.permitted($0)) }
        if !hasOpenNames {
            for (id, own) in permitted where own.isEmpty { lines.insert("never \(id)") }
            for (place, first) in permitted.enumerated() {
                for second in permitted[(place + 1)...] where !first.1.isDisjoint(with: second.1) {
                    if second.1.isSubset(of: first.1) {
                        lines.insert("shadow \(second.0) \(first.0)")
                    } else if first.1.isSubset(of: second.1) {
                        lines.insert("shadow \(first.0) \(second.0)")
                    } else {
                        lines.insert("overlap \(first.0) \(second.0)")
                    }
                }
            }
            if permitted.allSatisfy(\.1.isEmpty) { lines.insert("denied") }
            if brute.rows.contains(where: { $0.decision.reasonCode == "obligation.conflict" }) {
                lines.insert("contradictory")
            }
        }
        let acting = denials.map {
            ($0.id, brute.places($0) { $0 < 2 }, brute.places($0) { $0 < 3 })
        }
        for (id, _, stops) in acting where stops.isEmpty { lines.insert("silent \(id)") }
        guard !hasOpenNames else { return lines }
        for (place, first) in acting.enumerated() where !first.2.isEmpty {
            for second in acting[(place + 1)...] where !second.2.isEmpty {
                if second.1.isSubset(of: first.1), second.2.isSubset(of: first.2) {
                    lines.insert("shadow \(second.0) \(first.0)")
                } else if first.1.isSubset(of: second.1), first.2.isSubset(of: second.2) {
                    lines.insert("shadow \(first.0) \(second.0)")
                }
            }
        }
        return lines
    }

    /// Every example shows what it is the example of.
    private func expectExamples(_ analysis: ProfileAnalysis, _ bundle: PolicyBundle, _ seed: UInt64) {
        let engine = PolicyEngine(bundle: bundle)
        let denials = Set(bundle.rules.filter { $0.effect == .deny }.map(\.id))
        for (first, second, example) in analysis.overlaps where analysis.limits.isEmpty {
            guard let example else { continue }
            let decision = engine.decide(example.input)
            #expect(Set(decision.ruleIDs).isSuperset(of: [first, second]), "seed \(seed)")
        }
        for (rule, others) in analysis.covers {
            for (other, example) in others {
                let ids = engine.decide(example.input).ruleIDs
                #expect(
                    denials.contains(rule) || Set(ids).isSuperset(of: [rule, other]), "seed \(seed)")
            }
        }
        for (rules, example) in analysis.contradictions {
            let decision = engine.decide(example.input)
            #expect(decision.reasonCode == "obligation.conflict" && decision.ruleIDs == rules, "seed \(seed)")
        }
        for (rule, reason) in analysis.hindrances {
            guard let example = reason.example else { continue }
            if case .permit = engine.decide(example.input).outcome {
                #expect(!engine.decide(example.input).ruleIDs.contains(rule), "seed \(seed)")
            }
        }
    }

    /// A rule decides alike without a condition exactly when that is said to change nothing.
    private func expectIdle(
        _ analysis: ProfileAnalysis, _ brute: BruteForce, _ profile: CertificateProfile, _ seed: UInt64
    ) {
        for rule in brute.side.rules where rule.conditions.count == 2 {
            guard analysis.hindrances[rule.id] == nil, analysis.neverBlocking[rule.id] == nil else {
                continue
            }
            let isIdle = rule.conditions.map { condition in
                var shorter = rule
                shorter.conditions = [condition]
                return brute.rows.allSatisfy { row in
                    guard row.isPastGate else { return true }
                    let conditions = ConditionEvaluation(input: row.sketch.input, question: .request)
                    func effect(_ rule: Rule) -> Int {
                        max(BruteForce.verdict(rule, conditions, row.sketch, profile), 1)
                    }
                    return effect(shorter) == effect(rule)
                }
            }
            let said = analysis.idle.keys.contains { $0.rule == rule.id }
            if isIdle.contains(true), rule.approval == nil { #expect(said, "seed \(seed)") }
        }
    }
}
