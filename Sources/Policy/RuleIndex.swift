import EnrollmentCore

/// A rule that evaluations refer to instead of copying it.
final class SharedRule: Sendable {
    let rule: Rule

    init(_ rule: Rule) { self.rule = rule }
}

/// Finds the rules that may apply to a request without looking at the others: by service and profile, and of
/// the permit rules that ask for a device group, those that ask for one the device is in.
struct RuleIndex: Sendable {
    private struct Key: Hashable, Sendable {
        let service: ServiceName
        let profile: ProfileName
    }

    private var selections: [Key: RuleSelection] = [:]

    /// - Parameter rules: sorted by id.
    init(_ rules: [Rule], _ services: [Service]) {
        let shared = rules.map(SharedRule.init)
        for service in services {
            for profile in service.profiles {
                let places = rules.indices.filter { rules[$0].scope.covers(service.name, profile) }
                selections[Key(service: service.name, profile: profile)] = RuleSelection(shared, places)
            }
        }
    }

    /// The rules for one profile of one service; nil when there are none for it.
    func rules(for service: ServiceName, _ profile: ProfileName) -> RuleSelection? {
        selections[Key(service: service, profile: profile)]
    }
}

/// The rules of one profile of one service, by their places in the bundle's list of rules, ascending.
final class RuleSelection: Sendable {
    private let rules: [SharedRule]
    private let general: [Int]
    private let byGroup: [String: [Int]]
    private let grouped: [Int]
    /// Rules in shadow, sorted by id.
    let shadows: [SharedRule]

    /// - Parameters:
    ///   - rules: all of the bundle.
    ///   - places: of those that are for the profile.
    init(_ rules: [SharedRule], _ places: [Int]) {
        self.rules = rules
        shadows = places.map { rules[$0] }.filter { $0.rule.mode == .shadow }
        let enforced = places.filter { rules[$0].rule.mode == .enforce }
        general = enforced.filter { rules[$0].rule.requiredGroups == nil }
        grouped = enforced.filter { rules[$0].rule.requiredGroups != nil }
        var byGroup: [String: [Int]] = [:]
        for place in grouped {
            for group in rules[place].rule.requiredGroups ?? [] { byGroup[group, default: []].append(place) }
        }
        self.byGroup = byGroup
    }

    /// Enforced rules that may apply to a device of these groups, sorted by id.
    func candidates(groups: [String]) -> [SharedRule] {
        let own = groups.compactMap { byGroup[$0] }
        // A rule may ask for one of several groups, and the device be in more than one of them.
        let places = own.count > 1 ? Array(Set(own.joined())) : own.first ?? []
        return (general + places).sorted().map { rules[$0] }
    }

    /// Enforced rules that cannot apply to a device of these groups: the first few by id, however many there
    /// are.
    func strangers(groups: [String]) -> [SharedRule] {
        let own = Set(groups.compactMap { byGroup[$0] }.joined())
        return grouped.lazy.filter { !own.contains($0) }.prefix(8).map { rules[$0] }
    }
}

extension Rule {
    /// The groups without one of which the rule cannot permit; nil when it may do so for any group.
    fileprivate var requiredGroups: Set<String>? {
        guard case .permit = effect else { return nil }
        for condition in conditions {
            if case .test(let test) = condition.content,
                case .attribute(.deviceGroup, .oneOf(let groups)) = test.subject
            {
                return Set(groups)
            }
        }
        return nil
    }
}
