package import Policy

/// Asks of every enforced rule whether the bundle's cases would notice if something in it were deleted or
/// loosened. What rules in shadow or off say changes no outcome, so no case can notice it.
package struct MutationTest: Sendable {
    private let bundle: PolicyBundle

    /// - Parameter bundle: whose cases pass; a case that fails is one that a mutant may make pass.
    package init(bundle: PolicyBundle) { self.bundle = bundle }

    /// Tries every mutant on the cases that can reach its rule, until one comes out otherwise.
    package func run() -> MutationReport {
        let runner = PolicyTestRunner(bundle: bundle)
        let subjects = bundle.cases.compactMap { policyCase -> Subject? in
            guard runner.decision(on: policyCase).askedRules else { return nil }
            return Subject(
                policyCase: policyCase, kinds: Set(policyCase.kinds(in: bundle)),
                passes: runner.passes(policyCase))
        }
        var report = MutationReport(killed: [], survivors: [])
        for rule in bundle.rules where rule.mode == .enforce {
            for group in MutantMaker(rule: rule, bundle: bundle).groups {
                for mutant in group {
                    guard let witness = witness(against: mutant, subjects) else {
                        report.survivors.append(mutant)
                        break
                    }
                    report.killed.append(MutationReport.Killed(mutant: mutant, by: witness))
                }
            }
        }
        return report
    }

    private struct Subject {
        let policyCase: PolicyCase
        let kinds: Set<RequestKind>
        let passes: Bool
    }

    /// The first case that comes out otherwise, those beside the rule tried first.
    private func witness(against mutant: Mutant, _ subjects: [Subject]) -> String? {
        let original = bundle.rules.first { $0.id == mutant.rule.id }
        let reach = [mutant.rule, original].compactMap { $0?.scope }.reduce(into: Set<RequestKind>()) {
            $0.formUnion(bundle.requests(within: $1))
        }
        let runner = PolicyTestRunner(bundle: bundle.replacing(mutant.rule))
        func differs(_ subject: Subject) -> Bool {
            !subject.kinds.isDisjoint(with: reach) && runner.passes(subject.policyCase) != subject.passes
        }
        let own = subjects.first { $0.policyCase.rule == mutant.rule.id && differs($0) }
        let found = own ?? subjects.first { $0.policyCase.rule != mutant.rule.id && differs($0) }
        return found.map { "\($0.policyCase.rule)/\($0.policyCase.name)" }
    }
}

/// What became of the mutants of a bundle.
package struct MutationReport: Sendable, Hashable {
    /// One that was noticed.
    package struct Killed: Sendable, Hashable {
        package let mutant: Mutant
        /// The case that came out otherwise, as `rule/name`.
        package let by: String
    }

    /// In the order of rules and their files.
    package fileprivate(set) var killed: [Killed]
    /// Those that no case noticed, in the same order.
    package fileprivate(set) var survivors: [Mutant]
    /// Whether every one was noticed.
    package var passed: Bool { survivors.isEmpty }
}
