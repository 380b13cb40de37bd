import EnrollmentCore
import Policy

// Facts with an age: posture, control of domains, the word of people.
extension Partition {
    /// The name of a source that no rule names.
    private var otherSource: String { "another-source" }

    /// Seconds that stand for each span between the bounds, and one beyond them.
    private static func ages(_ bounds: Set<Int64>) -> [Int64] {
        var last: Int64 = -1
        var ages: [Int64] = []
        for bound in bounds.sorted() where bound > last {
            let middle = bound - (bound - last - 1) / 2
            // Round figures read better.
            let round = [86_400, 3_600, 60].map { middle / $0 * $0 }.first { $0 > last && $0 > 0 }
            ages.append(round ?? middle)
            last = bound
        }
        return ages + [last == .max ? last : last + 1]
    }

    /// One dimension for each source that rules name, and one for any other.
    func postureDimensions() -> [Dimension] {
        var named: Set<String> = []
        var bounds: Set<Int64> = []
        for test in use.tests {
            switch test.subject {
            case .posture(let source, let age):
                named.insert(source)
                bounds.insert(age)
            case .notJailbroken(let source, let age):
                if let source { named.insert(source) }
                bounds.insert(age)
            case .attribute, .oneTimeCredential, .certificateOfOurs, .domainControl: break
            }
        }
        guard !bounds.isEmpty else { return [] }
        let ages = Self.ages(bounds).map(Optional.some) + [-600, nil]
        return (named.sorted() + [otherSource]).map { source in
            let cells = Self.facts(from: source, ages).map { fact in
                Cell(label: Self.label(fact)) { $0.posture.append(fact) }
            }
            let absent = Cell(label: "missing") { _ in }
            let all = source == otherSource ? [absent] + cells : cells + [absent]
            return Dimension(name: "posture \(source)", cells: all.distinct { postureSignature(source, $0) })
        }
    }

    private static func facts(from source: String, _ ages: [Int64?]) -> [RequestSketch.Posture] {
        PostureStatus.allCases.flatMap { status in
            [false, nil, true].flatMap { jailbroken in
                ages.map {
                    RequestSketch.Posture(source: source, status: status, jailbroken: jailbroken, age: $0)
                }
            }
        }
    }

    private static func label(_ fact: RequestSketch.Posture) -> String {
        let jailbroken = fact.jailbroken.map { $0 ? ", jailbroken" : ", not jailbroken" } ?? ""
        let age = fact.age.map { $0 < 0 ? ", from the future" : ", \(RequestSketch.duration($0)) old" }
        return fact.status.rawValue + jailbroken + (age ?? ", undated")
    }

    /// What a source's fact does to each test: its own finding, and whether it is a bad one, which counts for
    /// tests of other sources too.
    private func postureSignature(_ source: String, _ cell: Cell) -> [Int] {
        var sketch = base
        cell.apply(&sketch)
        let fact = sketch.posture.first
        return use.tests.flatMap { test -> [Int] in
            let verdict = Self.verdict(test, sketch).rawValue
            switch test.subject {
            case .posture(let own, _):
                if own == source { return [verdict] }
                return [fact?.status == .noncompliant ? verdict : -1]
            case .notJailbroken(let own, _):
                let isBad = fact?.jailbroken == true
                if own == nil || own == source { return [verdict, isBad ? 1 : 0, fact == nil ? 1 : 0] }
                return [isBad ? verdict : -1]
            case .attribute, .oneTimeCredential, .certificateOfOurs, .domainControl: return []
            }
        }
    }

    /// Whether control of all names asked for was shown, and how long ago.
    func domainControlDimension() -> Dimension? {
        let bounds = use.tests.compactMap { test -> Int64? in
            if case .domainControl(let age) = test.subject { return age }
            return nil
        }
        guard !bounds.isEmpty else { return nil }
        let shown = Self.ages(Set(bounds)).map { age in
            Cell(label: "\(RequestSketch.duration(age)) ago") { $0.domainControlAge = age }
        }
        return Dimension(
            name: "domain control", cells: shown + [Cell(label: "not shown") { $0.domainControlAge = nil }])
    }

    /// What people said of the request, as far as the rules' approvals tell it apart.
    func approvalDimension() throws(AnalysisLimit) -> Dimension? {
        guard !use.approvals.isEmpty else { return nil }
        let teams = Dictionary(grouping: use.approvals, by: \.team).sorted { $0.key < $1.key }.map(\.value)
        var cells = [Cell.untouched]
        for terms in teams {
            let own = Self.words(on: terms)
            guard cells.count * own.count <= AnalysisLimit.maximumCells else {
                throw .cells(AnalysisLimit.maximumCells)
            }
            cells = cells.flatMap { cell in
                own.map { next in
                    Cell(label: [cell.label, next.label].filter { !$0.isEmpty }.joined(separator: "; ")) {
                        cell.apply(&$0)
                        next.apply(&$0)
                    }
                }
            }
        }
        return Dimension(name: "approvals", cells: cells.distinct { approvalSignature($0) })
    }

    /// - Parameter terms: of one team; between two bundles its members may differ.
    private static func words(on terms: [ApprovalTerms]) -> [Cell] {
        let members = Set(terms.flatMap(\.members)).sorted()
        let common = members.filter { member in terms.allSatisfy { $0.members.contains(member) } }
        let orders = [common + members.filter { !common.contains($0) }] + terms.map(\.members)
        var outsider = "os:minter"
        while members.contains(outsider) { outsider += "-x" }
        var cells = [Cell(label: "") { _ in }]
        for order in Set(orders).sorted(by: { $0.lexicographicallyPrecedes($1) }) where !order.isEmpty {
            // Four eyes look at who minted the credential, and whether that is known.
            let minters = terms.contains(where: \.needsFourEyes) ? [outsider, order[0], nil] : [nil]
            for count in Set(terms.map(\.count)).sorted() where count <= order.count {
                for age in ages(Set(terms.map(\.within))) {
                    let words = order.prefix(count).map {
                        RequestSketch.Word(approver: $0, verdict: .approve, age: age)
                    }
                    for minter in minters {
                        let label = "\(count) approved \(RequestSketch.duration(age)) ago"
                        cells.append(
                            Cell(label: label + (minter.map { ", minted by \($0)" } ?? "")) {
                                $0.say(words)
                                $0.mintedBy = minter
                            })
                    }
                }
            }
        }
        for member in members {
            let words = [RequestSketch.Word(approver: member, verdict: .deny, age: 60)]
            cells.append(Cell(label: "denied by \(member)") { $0.say(words) })
        }
        return cells
    }

    private func approvalSignature(_ cell: Cell) -> [Int] {
        [true, false].flatMap { hasCredential -> [Int] in
            var sketch = base
            cell.apply(&sketch)
            (sketch.hasCredential, sketch.hasCertificate) = (hasCredential, true)
            return use.approvals.flatMap { terms -> [Int] in
                let finding = approvalFinding(terms, sketch)
                return [finding.verdict.rawValue, finding.isVeto ? 1 : 0]
            }
        }
    }

    /// Whether a request asks for more than any rule grants: another name where no rule looks at the one
    /// asked for, otherwise another usage, which the engine answers alike.
    func excessDimension() -> Dimension? {
        guard use.treatsExcessDifferently else { return nil }
        let more =
            use.tested.contains(.requestCommonName)
            ? Cell(label: "another usage") { $0.usages = [Self.foreignUsage] }
            : Cell(label: "another name") { $0.commonName = Self.foreignName }
        return Dimension(name: "asks for", cells: [Cell(label: "no more than is granted") { _ in }, more])
    }

    /// In a domain that nobody can have (RFC 6761 §6.4).
    private static var foreignName: String { "somebody-else.invalid" }
    /// Code signing, which no profile grants.
    private static var foreignUsage: String { "1.3.6.1.5.5.7.3.3" }

    /// What an approval comes to, by the judgement of a rule that asks for nothing else.
    func approvalFinding(_ terms: ApprovalTerms, _ sketch: RequestSketch) -> (verdict: Verdict, isVeto: Bool)
    {
        let asks = sides.lazy.flatMap(\.rules).first { $0.approval?.isSame(as: terms) ?? false }
        guard var rule = asks, let profile = sides.lazy.compactMap(\.profile).first else {
            return (.unsatisfied, false)
        }
        rule.conditions = []
        let evaluation = RuleEvaluation(
            rule, ConditionEvaluation(input: sketch.input, question: .request), profile, isOverdue: false)
        let result = evaluation.results.first
        return (result?.verdict ?? .unsatisfied, result?.code == .approvalDenied)
    }
}

extension RequestSketch {
    /// Adds words; of each person the last one counts.
    fileprivate mutating func say(_ words: [Word]) {
        let speakers = Set(words.map(\.approver))
        approvals = approvals.filter { !speakers.contains($0.approver) } + words
    }
}
