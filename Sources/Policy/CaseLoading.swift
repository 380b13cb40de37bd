import EnrollmentCore

/// Reads the cases beside a rule: a base request, and what each case changes in it and expects.
struct CaseLoader {
    /// How many values a base may hold. Every case is made by changing it, so this bounds the work.
    static let largestBase = 1_000
    /// How many changes one case may make.
    static let mostChanges = 64

    let ruleID: String
    /// What the rule is about; nil when it did not load.
    let scope: RuleScope?
    /// Of all rules of the bundle, loaded or not.
    let ruleIDs: Set<String>
    let catalog: Catalog
    let faults: DiagnosticCollector

    func cases(_ document: YAMLNode) -> [PolicyCase] {
        guard let reader = MappingReader(document, named: "the cases", as: CaseShapes.file, faults),
            let base = reader["base"], let list = reader["cases"]
        else { return [] }
        guard base.size <= Self.largestBase else {
            faults.report(base.position, "`base` holds more than \(Self.largestBase) values")
            return []
        }
        guard case .sequence(let items) = list.content, !items.isEmpty else {
            faults.report(list.position, "`cases` must be a list of at least one case")
            return []
        }
        var names: Set<String> = []
        return items.compactMap { item in
            let found = policyCase(item, base)
            if let found, !names.insert(found.name).inserted {
                faults.report(item.position, "the case name `\(found.name)` is given twice")
            }
            return found
        }
    }

    private func policyCase(_ node: YAMLNode, _ base: YAMLNode) -> PolicyCase? {
        guard let reader = MappingReader(node, named: "a case", as: CaseShapes.policyCase, faults),
            let patched = patched(base, reader)
        else { return nil }
        let expectation = reader.mapping("expect").flatMap(readExpectation)
        let subject = input(patched)
        guard let name = reader.text("name"), let expectation, let subject else { return nil }
        return PolicyCase(
            name: name, rule: ruleID, position: node.position, input: subject.input,
            question: subject.question, expectation: expectation)
    }

    private func input(_ node: YAMLNode) -> (input: PolicyInput, question: PolicyQuestion)? {
        // Of a rule that did not load nobody knows for how many services it is.
        if scope == nil, node["service"] == nil { return nil }
        let only = scope?.services.flatMap { $0.count == 1 ? $0.first?.rawValue : nil }
        return CaseInputLoader(onlyService: only, catalog: catalog, faults: faults).input(node)
    }

    private func patched(_ base: YAMLNode, _ reader: MappingReader) -> YAMLNode? {
        var patched = base
        for path in reader.placedNames("without") ?? [] {
            guard let smaller = patched.removing(path.text.split(separator: ".").map(String.init)) else {
                faults.report(
                    path.position, "`\(path.text)` is not in the base",
                    remedy: "`without` takes away what the base gives")
                continue
            }
            patched = smaller
        }
        guard let changes = reader["with"] else { return patched }
        guard let entries = changes.entries else {
            faults.report(changes.position, "`with` must be a mapping, not \(changes.kind)")
            return nil
        }
        guard entries.count <= Self.mostChanges else {
            faults.report(changes.position, "`with` makes more than \(Self.mostChanges) changes")
            return nil
        }
        for entry in entries {
            guard let larger = patched.setting(entry.key.split(separator: ".").map(String.init), to: entry)
            else {
                faults.report(
                    entry.position, "`\(entry.key)` leads into something that is not a mapping",
                    remedy: "set the whole of it")
                continue
            }
            patched = larger
        }
        return patched
    }

    private func readExpectation(_ reader: MappingReader) -> CaseExpectation? {
        let effects = CaseExpectation.Effect.allCases.filter { reader[$0.rawValue] != nil }
        guard effects.count == 1, let effect = effects.first,
            let by = reader.placedNames(effect.rawValue)
        else { return nil }
        for name in by { checkName(name, effect) }
        var expectation = CaseExpectation(effect: effect, by: by.map(\.text))
        expectation.kind = reader.choice("kind", of: RefusalKind.self)
        expectation.validity = reader.duration("validity")
        expectation.commonName = reader.text("common_name")
        expectation.dns = reader.names("dns")
        expectation.usages = reader.choices("usages", of: ExtendedKeyUsage.self)
        expectation.shadow = reader.choice("shadow", of: CaseExpectation.Effect.self)
        return expectation
    }

    /// A permit names rules, a refusal reason codes or rules.
    private func checkName(_ name: PlacedText, _ effect: CaseExpectation.Effect) {
        if ruleIDs.contains(name.text) { return }
        switch effect {
        case .permit:
            faults.report(
                name.position, "unknown rule `\(name.text)`",
                remedy: spellingRemedy(name.text, among: ruleIDs))
        case .defer, .deny:
            if ReasonCode(rawValue: name.text) != nil { return }
            let codes = ReasonCode.allCases.map(\.rawValue)
            faults.report(
                name.position, "`\(name.text)` is neither a reason code nor a rule",
                remedy: nearestSpelling(of: name.text, among: codes + ruleIDs).map { "did you mean `\($0)`?" }
                    ?? "the codes are listed in docs/policy-language.md")
        }
    }
}

extension YAMLNode {
    /// How many values it is made of.
    fileprivate var size: Int {
        switch content {
        case .scalar: return 1
        case .sequence(let items): return items.reduce(1) { $0 + $1.size }
        case .mapping(let entries): return entries.reduce(1) { $0 + $1.value.size }
        }
    }

    /// The tree without the member at `path`; nil when there is none.
    func removing(_ path: [String]) -> YAMLNode? {
        guard let entries, let first = path.first, let index = entries.firstIndex(where: { $0.key == first })
        else {
            return nil
        }
        var changed = entries
        if path.count == 1 {
            changed.remove(at: index)
        } else {
            guard let value = entries[index].value.removing(Array(path.dropFirst())) else { return nil }
            changed[index] = Entry(key: first, position: entries[index].position, value: value)
        }
        return YAMLNode(position: position, content: .mapping(changed))
    }

    /// The tree with the member at `path` replaced or added; nil when the path leads through anything but
    /// mappings.
    func setting(_ path: [String], to entry: Entry) -> YAMLNode? {
        guard let first = path.first else { return entry.value }
        guard var changed = entries else { return nil }
        let index = changed.firstIndex { $0.key == first }
        let old = index.map { changed[$0].value } ?? YAMLNode(position: entry.position, content: .mapping([]))
        guard let value = old.setting(Array(path.dropFirst()), to: entry) else { return nil }
        let new = Entry(key: first, position: entry.position, value: value)
        if let index { changed[index] = new } else { changed.append(new) }
        return YAMLNode(position: position, content: .mapping(changed))
    }
}
