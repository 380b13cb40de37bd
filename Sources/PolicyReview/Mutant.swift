import EnrollmentCore
package import Policy

/// A rule with one thing in it deleted or loosened, which some case of its bundle should notice.
package struct Mutant: Sendable, Hashable {
    /// The rule as changed.
    package let rule: Rule
    /// Where the change is.
    package let position: SourcePosition
    /// What was done, as it follows "if you", e.g. `delete this condition (device.group is servers)`.
    package let change: String

    /// `file:line:column: no test notices if you …`.
    package var complaint: PolicyDiagnostic {
        PolicyDiagnostic(
            file: position.file, line: position.line, column: position.column,
            message: "no test notices if you \(change)", remedy: nil)
    }
}

/// Makes the mutants of one rule.
///
/// What cannot change any decision is not made: a ceiling that is the profile's already, a scope that takes
/// in the same requests when widened.
struct MutantMaker {
    /// A fact of any age at all: the longest duration that a bundle may say.
    static let anyAge: Int64 = 3_650 * 86_400

    let rule: Rule
    let bundle: PolicyBundle

    /// In groups: of a group the later ones say nothing new when an earlier one goes unnoticed.
    var groups: [[Mutant]] {
        conditionGroups + scopeGroups + narrowerScopeGroups + certificateGroups + [approvalGroup]
            + (rule.effect == .deny && rule.conditions.count > 1 ? [[off]] : [])
    }

    private func mutant(_ position: SourcePosition, _ change: String, _ edit: (inout Rule) -> Void) -> Mutant
    {
        var copy = rule
        edit(&copy)
        return Mutant(rule: copy, position: position, change: change)
    }

    private var off: Mutant { mutant(rule.position, "switch this rule off") { $0.mode = .off } }

    private var conditionGroups: [[Mutant]] {
        ConditionMutants(parts: rule.conditions, kind: .rule) { parts, position, change in
            // A rule without conditions holds for nothing; one whose only condition is gone, for everything.
            mutant(position, change) {
                $0.conditions = parts.isEmpty ? [Condition.always(at: position)] : parts
            }
        }
        .groups
    }

    private var scopeGroups: [[Mutant]] {
        let edits: [(String, (inout RuleScope) -> Void)] = [
            ("service", { $0.services = nil }), ("profile", { $0.profiles = nil }),
            ("protocol", { $0.protocols = nil }), ("operation", { $0.operations = nil }),
        ]
        let reach = bundle.requests(within: rule.scope)
        return edits.compactMap { name, edit in
            let wider = mutant(rule.position, "widen `applies_to` to any \(name)") { edit(&$0.scope) }
            return bundle.requests(within: wider.rule.scope) == reach ? nil : [wider]
        }
    }

    /// A deny rule that applies to less blocks less.
    private var narrowerScopeGroups: [[Mutant]] {
        guard rule.effect == .deny else { return [] }
        let (scope, reach) = (rule.scope, bundle.requests(within: rule.scope))
        var edits: [(String, (inout RuleScope) -> Void)] = []
        if scope.services == nil {
            let own = Set(bundle.cases.filter { $0.rule == rule.id }.map(\.input.service))
            let names = own.map(\.rawValue).sorted().joined(separator: ", ")
            edits.append(("apply it only to the services of its cases (\(names))", { $0.services = own }))
        }
        for (service, rest) in Self.omissions(scope.services) {
            edits.append(("take service \(service) from `applies_to`", { $0.services = rest }))
        }
        for (profile, rest) in Self.omissions(scope.profiles) {
            edits.append(("take profile \(profile) from `applies_to`", { $0.profiles = rest }))
        }
        for (name, rest) in Self.omissions(scope.protocols) {
            edits.append(("take protocol \(name) from `applies_to`", { $0.protocols = rest }))
        }
        for (name, rest) in Self.omissions(scope.operations) {
            edits.append(("take operation \(name) from `applies_to`", { $0.operations = rest }))
        }
        return edits.compactMap { change, edit in
            let narrower = mutant(rule.position, change) { edit(&$0.scope) }
            return bundle.requests(within: narrower.rule.scope) == reach ? nil : [narrower]
        }
    }

    /// Each of several values, and those without it.
    private static func omissions<Value: RawRepresentable<String> & Hashable>(
        _ values: Set<Value>?
    ) -> [(name: String, rest: Set<Value>)] {
        guard let values, values.count > 1 else { return [] }
        return values.sorted { $0.rawValue < $1.rawValue }.map { ($0.rawValue, values.subtracting([$0])) }
    }

    private var certificateGroups: [[Mutant]] {
        guard case .permit(let terms) = rule.effect else { return [] }
        let profiles = bundle.pairs(within: rule.scope).map(\.profile)
        func edited(_ change: String, _ edit: (inout CertificateTerms) -> Void) -> [Mutant] {
            var copy = terms
            edit(&copy)
            return [mutant(terms.position, change) { $0.effect = .permit(copy) }]
        }
        var groups: [[Mutant]] = []
        if let ceiling = profiles.map(\.maximumValidity).max(), terms.maximumValidity < ceiling {
            groups.append(edited("raise the validity to the profile's") { $0.maximumValidity = ceiling })
        }
        if let usages = terms.extendedKeyUsages.map({ Set($0) }),
            profiles.contains(where: { !usages.isSuperset(of: $0.extendedKeyUsages) })
        {
            groups.append(edited("grant every usage of the profile") { $0.extendedKeyUsages = nil })
        }
        if !terms.replacesDifferences {
            groups.append(
                edited("write `if_csr_differs: replace`") { $0.replacesDifferences = true })
        }
        return groups
    }

    private var approvalGroup: [Mutant] {
        guard let approval = rule.approval else { return [] }
        func changed(_ change: String, _ terms: ApprovalTerms?) -> Mutant {
            mutant(approval.position, change) { $0.approval = terms }
        }
        var group = [changed("delete the approval", nil)]
        if approval.count > 1 {
            group.append(
                changed("take one approval less", approval.replacing(count: approval.count - 1)))
        }
        if approval.needsFourEyes {
            group.append(
                changed("let the minter approve (four_eyes: false)", approval.replacing(needsFourEyes: false))
            )
        }
        if approval.within < Self.anyAge {
            group.append(
                changed("let an approval count for ten years", approval.replacing(within: Self.anyAge)))
        }
        return group
    }
}
