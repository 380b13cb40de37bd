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

    func candidates(for service: ServiceName, _ profile: ProfileName, _ input: PolicyInput) -> [SharedRule] {
        guard let slot = slots[Key(service: service, profile: profile)] else { return [] }
        let own = (input.device?.groups ?? []).compactMap { slot.byGroup[$0] }
        var places = slot.general
        // A rule may ask for one of several groups, and the device be in more than one of them.
        for place in own.joined() where own.count == 1 || !places.contains(place) { places.append(place) }
        return places.sorted().map { rules[$0] }
    }

    func strangers(
        for service: ServiceName, _ profile: ProfileName, _ input: PolicyInput, limit: Int
    ) -> [SharedRule] {
        guard let slot = slots[Key(service: service, profile: profile)] else { return [] }
        let groups = input.device?.groups ?? []
        let own = Set(groups.compactMap { slot.byGroup[$0] }.joined())
        return slot.grouped.lazy.filter { !own.contains($0) }.prefix(limit).map { rules[$0] }
    }

    func shadows(for service: ServiceName, _ profile: ProfileName) -> [SharedRule] {
        slots[Key(service: service, profile: profile)]?.shadows.map { rules[$0] } ?? []
    }
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
