import EnrollmentCore
import Policy

/// Which facts the rules for one profile of one service look at, and how.
struct FactUse {
    /// Different tests, in the order in which rules make them.
    private(set) var tests: [Test] = []
    private(set) var approvals: [ApprovalTerms] = []
    /// Attributes that are tested, or compared with.
    private(set) var tested: Set<Attribute> = []
    /// Attributes that granted names are made of.
    private(set) var granted: Set<Attribute> = []
    /// Attributes that granted common names are made of.
    private var grantedInCommonName: Set<Attribute> = []
    /// Common names that rules grant, as they are written.
    private(set) var commonNames: [NameTemplate] = []
    private(set) var scopes: Set<RuleScope> = []
    private var subjects: Set<Test.Subject> = []
    /// Whether a request's names may be covered by the grant in ways that are not told apart.
    private(set) var hasOpenNames = false
    /// Whether it differs from rule to rule what becomes of requests that ask for more than is granted. Where
    /// all rules leave it out, or all refuse, such a request is decided like another, or denied.
    private(set) var treatsExcessDifferently = false

    /// - Throws: when there are more different tests than analysis bears.
    init(rules: [Rule]) throws(AnalysisLimit) {
        for rule in rules {
            scopes.insert(rule.scope)
            for test in rule.conditions.flatMap(\.tests) { add(test) }
            guard tests.count <= AnalysisLimit.maximumTests else {
                throw .tests(AnalysisLimit.maximumTests)
            }
            guard tests.map(\.valueCount).reduce(0, +) <= AnalysisLimit.maximumValues else {
                throw .values(AnalysisLimit.maximumValues)
            }
            if let terms = rule.approval, !approvals.contains(where: { $0.isSame(as: terms) }) {
                approvals.append(terms)
            }
            if case .permit(let terms) = rule.effect { add(terms) }
        }
        let answers = rules.compactMap { rule -> Bool? in
            if case .permit(let terms) = rule.effect { return terms.replacesDifferences }
            return nil
        }
        treatsExcessDifferently = Set(answers).count > 1
        hasOpenNames = rules.contains { rule in
            guard case .permit(let terms) = rule.effect else { return false }
            return tested.contains(.requestCommonName) && !terms.dns.isEmpty
                || tested.contains(.requestDNS) && terms.dns.contains { $0.list == nil }
                || tested.contains(.requestEmail) && terms.email.contains { $0.list == nil }
                || tested.contains(.requestUPN) && terms.upn.contains { $0.list == nil }
        }
    }

    private mutating func add(_ test: Test) {
        guard subjects.insert(test.subject).inserted else { return }
        tests.append(test)
        switch test.subject {
        case .attribute(let attribute, let matcher):
            tested.formUnion([attribute] + (matcher.other.map { [$0] } ?? []))
        case .domainControl: tested.insert(.requestDNS)
        case .posture, .notJailbroken, .oneTimeCredential, .certificateOfOurs: break
        }
    }

    private mutating func add(_ terms: CertificateTerms) {
        if let template = terms.commonName, !commonNames.contains(template) { commonNames.append(template) }
        let common = (terms.commonName?.variables ?? []).map(\.attribute)
        let others = (terms.dns + terms.email + terms.upn).flatMap(\.variables).map(\.attribute)
        grantedInCommonName.formUnion(common)
        granted.formUnion(common + others)
    }

    /// Tests of attributes, all of which are in `attributes`.
    func tests(of attributes: Set<Attribute>) -> [Test] {
        tests.filter { test in
            if case .attribute(let attribute, _) = test.subject { return attributes.contains(attribute) }
            return false
        }
    }

    /// Constants and globs that the attributes' values are matched with.
    func patterns(of attributes: Set<Attribute>) -> (constants: Set<String>, globs: Set<Glob>) {
        var (constants, globs): (Set<String>, Set<Glob>) = ([], [])
        for test in tests(of: attributes) {
            guard case .attribute(_, let matcher) = test.subject else { continue }
            switch matcher {
            case .oneOf(let values): constants.formUnion(values)
            case .glob(let glob): globs.insert(glob)
            case .within, .between, .equals, .subsetOf: break
            }
        }
        return (constants, globs)
    }

    /// Ranges that the attribute's number is compared with.
    func ranges(of attribute: Attribute) -> [ClosedRange<Int64>] {
        tests.compactMap { test in
            if case .attribute(attribute, .between(let range)) = test.subject { return range }
            return nil
        }
    }

    /// Attributes of `kinds` that are looked at, in groups whose values must be chosen together: those
    /// compared with each other, and a name that is asked for with what it may be granted from.
    func groups(of kinds: Set<Attribute.Kind>) -> [[Attribute]] {
        var groups = Attribute.allCases.filter {
            kinds.contains($0.kind) && (tested.contains($0) || granted.contains($0)) && !$0.isOfOwnDimension
        }.map { Set([$0]) }
        for (first, second) in ties {
            let joined = groups.filter { $0.contains(first) || $0.contains(second) }
            guard joined.count > 1 else { continue }
            groups.removeAll { joined.contains($0) }
            groups.append(joined.reduce([]) { $0.union($1) })
        }
        // A device always has an id; granting it alone tells nothing apart.
        if !tested.contains(.deviceID) { groups.removeAll { $0 == [.deviceID] } }
        return groups.map { group in Attribute.allCases.filter(group.contains) }
            .sorted { $0.first?.rawValue ?? "" < $1.first?.rawValue ?? "" }
    }

    private var ties: [(Attribute, Attribute)] {
        var ties: [(Attribute, Attribute)] = tests.compactMap { test in
            guard case .attribute(let attribute, let matcher) = test.subject else { return nil }
            return matcher.other.map { (attribute, $0) }
        }
        let wishes: [(Attribute, Attribute)] = [
            (.requestDNS, .deviceDNS), (.requestEmail, .deviceEmail), (.requestUPN, .deviceUPN),
        ]
        ties += wishes.filter { granted.contains($0.1) }
        if comparesCommonNames {
            let parts = grantedInCommonName.union(tested.intersection([.requestCommonName]))
                .sorted { $0.rawValue < $1.rawValue }
            ties += zip(parts, parts.dropFirst())
        }
        return ties
    }

    /// Whether it matters which of the common names that are granted or asked for are the same.
    var comparesCommonNames: Bool { tested.contains(.requestCommonName) || commonNames.count > 1 }
}

extension Attribute {
    /// Whether it is one of the facts that every request is told apart by besides.
    var isOfOwnDimension: Bool {
        self == .requestProtocol || self == .requestOperation || self == .requestKeyAlgorithm
    }

    /// Whether a device always has it.
    var isAlwaysPresent: Bool { self == .deviceID }
}

extension NameTemplate.Variable {
    /// The attribute it stands for; every variable is one.
    var attribute: Attribute {
        switch self {
        case .deviceID: return .deviceID
        case .deviceSerial: return .deviceSerial
        case .deviceDNS: return .deviceDNS
        case .deviceEmail: return .deviceEmail
        case .deviceUPN: return .deviceUPN
        case .requestDNS: return .requestDNS
        }
    }
}

extension ApprovalTerms {
    /// Whether both ask for the same, wherever they stand.
    func isSame(as other: ApprovalTerms) -> Bool {
        team == other.team && members == other.members && count == other.count && within == other.within
            && needsFourEyes == other.needsFourEyes
    }
}

extension Test {
    /// How many values it lists.
    fileprivate var valueCount: Int {
        switch subject {
        case .attribute(_, .oneOf(let values)): return values.count
        case .attribute(_, .within(let ranges)): return ranges.count
        case .attribute, .posture, .notJailbroken, .oneTimeCredential, .certificateOfOurs, .domainControl:
            return 1
        }
    }
}
