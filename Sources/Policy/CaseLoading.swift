import EnrollmentCore

/// Reads the cases beside a rule: a base request, and what each case changes in it and expects.
struct CaseLoader {
    let rule: Rule
    let catalog: Catalog
    let faults: DiagnosticCollector

    func cases(_ document: YAMLNode) -> [PolicyCase] {
        guard
            let reader = MappingReader(
                document, named: "the cases", known: ["tests", "base", "cases"], faults)
        else { return [] }
        if let version = reader.text("tests"), version != "v1", let place = reader["tests"]?.position {
            faults.report(place, "unknown version `\(version)`", remedy: "write `tests: v1`")
        }
        guard let base = reader.required("base"), let list = reader.required("cases") else { return [] }
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
        let known = ["name", "with", "without", "expect"]
        guard let reader = MappingReader(node, named: "a case", known: known, faults) else { return nil }
        var patched = base
        for path in reader["without"].flatMap({ $0.names("without", faults) }) ?? [] {
            guard let smaller = patched.removing(path.split(separator: ".").map(String.init)) else {
                faults.report(
                    reader["without"]?.position ?? node.position, "`\(path)` is not in the base",
                    remedy: "`without` takes away what the base gives")
                continue
            }
            patched = smaller
        }
        if let changes = reader["with"] {
            guard let entries = changes.entries else {
                faults.report(changes.position, "`with` must be a mapping, not \(changes.kind)")
                return nil
            }
            for entry in entries {
                patched = patched.setting(entry.key.split(separator: ".").map(String.init), to: entry)
            }
        }
        let name = reader.text("name")
        let expectation = reader.required("expect").flatMap(readExpectation)
        let subject = CaseInputLoader(rule: rule, catalog: catalog, faults: faults).input(patched)
        guard let name, let expectation, let subject else { return nil }
        return PolicyCase(
            name: name, rule: rule.id, position: node.position, input: subject.input,
            question: subject.question, expectation: expectation)
    }

    private func readExpectation(_ node: YAMLNode) -> CaseExpectation? {
        let effects = CaseExpectation.Effect.allCases
        let known = effects.map(\.rawValue) + ["kind", "validity", "common_name", "dns"]
        guard let reader = MappingReader(node, named: "expect", known: known, faults) else { return nil }
        let given = effects.filter { reader[$0.rawValue] != nil }
        guard given.count == 1, let effect = given.first, let by = reader.names(effect.rawValue) else {
            faults.report(node.position, "`expect` needs one of permit, defer and deny")
            return nil
        }
        var expectation = CaseExpectation(effect: effect, by: by)
        if reader["kind"] != nil { expectation.kind = reader.choice("kind", of: RefusalKind.self) }
        expectation.validity = reader["validity"].flatMap { $0.duration("validity", faults) }
        expectation.commonName = reader["common_name"].flatMap { $0.text("common_name", faults) }
        expectation.dns = reader["dns"].flatMap { $0.names("dns", faults) }
        return expectation
    }
}

extension YAMLNode {
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

    /// The tree with the member at `path` replaced or added.
    func setting(_ path: [String], to entry: Entry) -> YAMLNode {
        guard let first = path.first else { return entry.value }
        var changed = entries ?? []
        let index = changed.firstIndex { $0.key == first }
        let old = index.map { changed[$0].value } ?? YAMLNode(position: entry.position, content: .mapping([]))
        let new = Entry(
            key: first, position: entry.position, value: old.setting(Array(path.dropFirst()), to: entry))
        if let index { changed[index] = new } else { changed.append(new) }
        return YAMLNode(position: position, content: .mapping(changed))
    }
}
