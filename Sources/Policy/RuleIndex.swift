import EnrollmentCore

/// A rule that evaluations refer to instead of copying it.
final class SharedRule: Sendable, Hashable {
    let rule: Rule

    init(_ rule: Rule) { self.rule = rule }

    static func == (left: SharedRule, right: SharedRule) -> Bool {
        left === right || left.rule == right.rule
    }

    func hash(into hasher: inout Hasher) { hasher.combine(rule.id) }
}

/// Finds the rules that may apply to a request without looking at the others: by service and profile, and of
/// the permit rules that ask for a device group, those that ask for one the device is in.
struct RuleIndex: Sendable {
    fileprivate struct Key: Hashable, Sendable {
        let service: ServiceName
        let profile: ProfileName
    }

    /// Places in the bundle's list of rules, ascending.
    fileprivate struct Slot: Sendable {
        var general: [Int] = []
        var byGroup: [String: [Int]] = [:]
        var grouped: [Int] = []
        var shadows: [Int] = []
    }

    private let rules: [SharedRule]
    private var slots: [Key: Slot] = [:]

    /// - Parameter rules: sorted by id.
    init(_ rules: [Rule], _ services: [Service]) {
        self.rules = rules.map(SharedRule.init)
        for service in services {
            for profile in service.profiles {
                var slot = Slot()
                for (place, rule) in rules.enumerated() where rule.scope.covers(service.name, profile) {
                    slot.add(rule, at: place)
                }
                slots[Key(service: service.name, profile: profile)] = slot
            }
        }
    }

    /// The rules for one profile of one service; nil when there are none for it.
    func rules(for service: ServiceName, _ profile: ProfileName) -> RuleSelection? {
        slots[Key(service: service, profile: profile)].map { RuleSelection(rules: rules, slot: $0) }
    }
}

/// The rules of one profile of one service.
struct RuleSelection: Sendable {
    fileprivate let rules: [SharedRule]
    fileprivate let slot: RuleIndex.Slot

    /// Enforced rules that may apply to a device of these groups, sorted by id.
    func candidates(groups: [String]) -> [SharedRule] {
        let own = groups.compactMap { slot.byGroup[$0] }
        // A rule may ask for one of several groups, and the device be in more than one of them.
        let places = own.count > 1 ? Array(Set(own.joined())) : own.first ?? []
        return (slot.general + places).sorted().map { rules[$0] }
    }

    /// Enforced rules that cannot apply to a device of these groups: the first few by id, however many there
    /// are.
    func strangers(groups: [String]) -> [SharedRule] {
        let own = Set(groups.compactMap { slot.byGroup[$0] }.joined())
        return slot.grouped.lazy.filter { !own.contains($0) }.prefix(8).map { rules[$0] }
    }

    /// Rules in shadow, sorted by id.
    var shadows: [SharedRule] { slot.shadows.map { rules[$0] } }
}

extension RuleIndex.Slot {
    fileprivate mutating func add(_ rule: Rule, at place: Int) {
        switch rule.mode {
        case .off: return
        case .shadow: shadows.append(place)
        case .enforce:
            guard let groups = rule.requiredGroups else { return general.append(place) }
            grouped.append(place)
            for group in groups { byGroup[group, default: []].append(place) }
        }
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
