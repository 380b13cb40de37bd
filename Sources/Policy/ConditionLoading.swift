import EnrollmentCore

/// Reads `require`, `block_unless` and `block_if`.
struct ConditionLoader {
    let catalog: Catalog
    let faults: DiagnosticCollector
    let place: ConditionPlace
    /// Below `proof`, conditions are kinds of proof.
    private var isProof = false
    /// Below `none_of`, facts that may be missing are refused: "not compliant" must never satisfy anything.
    private var isNegated = false

    init(catalog: Catalog, faults: DiagnosticCollector, place: ConditionPlace) {
        self.catalog = catalog
        self.faults = faults
        self.place = place
    }

    /// The conditions of a rule, as the state in which it permits or does not block; nil after reporting why
    /// there are none.
    func whole(_ node: YAMLNode) -> [Condition]? {
        guard let found = conditions(node, named: place.rawValue, depth: 0) else { return nil }
        guard found.reduce(0, { $0 + $1.tests.count }) <= ConditionShapes.maximumTests else {
            faults.report(
                node.position, "more than \(ConditionShapes.maximumTests) conditions",
                remedy: "split the rule"
            )
            return nil
        }
        switch place {
        case .required, .safe: return found
        case .alwaysKnown:
            return [Condition(.none([Condition(.all(found), at: node.position)]), at: node.position)]
        }
    }

    /// The members of a mapping, all of which must hold.
    private func conditions(_ node: YAMLNode, named name: String, depth: Int) -> [Condition]? {
        guard let entries = node.entries else {
            faults.report(node.position, "`\(name)` must be a mapping, not \(node.kind)")
            return nil
        }
        guard !entries.isEmpty else {
            faults.report(node.position, "`\(name)` is empty", remedy: "name at least one condition")
            return nil
        }
        let found = entries.compactMap { condition($0, depth: depth) }
        return found.count == entries.count ? found : nil
    }

    private func condition(_ entry: YAMLNode.Entry, depth: Int) -> Condition? {
        if ConditionShapes.combinators.contains(entry.key) { return combination(entry, depth: depth) }
        if isProof {
            if let kind = ProofKind(rawValue: entry.key) { return proof(kind, entry) }
        } else if let attribute = Attribute(rawValue: entry.key) {
            return test(attribute, entry)
        } else if entry.key == "proof" || ConditionShapes.facts.contains(where: { $0.key == entry.key }) {
            guard mayBeMissing(entry) else { return nil }
            return entry.key == "proof" ? proofs(entry, depth: depth) : posture(entry)
        }
        let known =
            isProof
            ? ProofKind.allCases.map(\.rawValue)
            : Attribute.allCases.map(\.rawValue) + ConditionShapes.facts.map(\.key) + ["proof"]
        faults.report(
            entry.position, "unknown \(isProof ? "proof" : "attribute") `\(entry.key)`",
            remedy: spellingRemedy(entry.key, among: known + ConditionShapes.combinators))
        return nil
    }

    /// Whether a fact that may be missing may stand here; reported where it may not.
    private func mayBeMissing(_ entry: YAMLNode.Entry) -> Bool {
        if place == .alwaysKnown {
            refuseInBlockIf(entry.key, at: entry.position)
            return false
        }
        if isNegated {
            faults.report(
                entry.position, "`\(entry.key)` cannot stand in `none_of`",
                remedy: "name the state that is safe instead")
            return false
        }
        return true
    }

    private func refuseInBlockIf(_ name: String, at position: SourcePosition) {
        faults.report(
            position, "`\(name)` may be missing, and what is missing would pass `block_if`",
            remedy: "name the safe state in `block_unless`")
    }

    private func test(_ attribute: Attribute, _ entry: YAMLNode.Entry) -> Condition? {
        let loader = AttributeLoader(catalog: catalog, faults: faults)
        guard let (matcher, text) = loader.matcher(attribute, entry.value) else { return nil }
        if place == .alwaysKnown {
            let missing = ([attribute] + (matcher.other.map { [$0] } ?? [])).filter { !$0.isAlwaysKnown }
            for attribute in missing { refuseInBlockIf(attribute.rawValue, at: entry.position) }
            guard missing.isEmpty else { return nil }
        }
        return condition(.attribute(attribute, matcher), text, entry)
    }

    private func combination(_ entry: YAMLNode.Entry, depth: Int) -> Condition? {
        guard depth < ConditionShapes.maximumDepth else {
            faults.report(
                entry.position, "`\(entry.key)` is nested more than two deep", remedy: "split the rule")
            return nil
        }
        guard case .sequence(let items) = entry.value.content, !items.isEmpty else {
            faults.report(entry.value.position, "`\(entry.key)` must be a list of at least one condition")
            return nil
        }
        if isProof, entry.key == "none_of" {
            faults.report(
                entry.position, "`none_of` cannot stand in `proof`", remedy: "name the proofs that are wanted"
            )
            return nil
        }
        var inner = self
        inner.isNegated = isNegated || entry.key == "none_of"
        let parts = items.compactMap { item in
            inner.conditions(item, named: entry.key, depth: depth + 1).map {
                $0.count == 1 ? $0[0] : Condition(.all($0), at: item.position)
            }
        }
        guard parts.count == items.count else { return nil }
        switch entry.key {
        case "all_of": return Condition(.all(parts), at: entry.position)
        case "any_of": return Condition(.any(parts), at: entry.position)
        default: return Condition(.none(parts), at: entry.position)
        }
    }

    private func proofs(_ entry: YAMLNode.Entry, depth: Int) -> Condition? {
        var inner = self
        inner.isProof = true
        return inner.conditions(entry.value, named: "proof", depth: depth).map {
            $0.count == 1 ? $0[0] : Condition(.all($0), at: entry.position)
        }
    }

    private func proof(_ kind: ProofKind, _ entry: YAMLNode.Entry) -> Condition? {
        let shape = ConditionShapes.proof(kind)
        let isDeclared = catalog.expect(kind.rawValue, .proof, at: entry.position, faults)
        guard let reader = MappingReader(entry.value, named: entry.key, as: shape, faults), isDeclared else {
            return nil
        }
        switch kind {
        case .oneTimeCredential:
            return condition(.oneTimeCredential, "a one-time credential of the device", entry)
        case .certificateOfOurs:
            let renews = reader["for"] != nil
            return condition(
                .certificateOfOurs(renewalOnly: renews),
                "a certificate of ours" + (renews ? ", to renew it" : ""), entry)
        case .domainControl:
            return reader.duration("max_age").map {
                condition(
                    .domainControl(maximumAge: $0), "control shown of every name in request.dns", entry)
            }
        }
    }

    private func posture(_ entry: YAMLNode.Entry) -> Condition? {
        guard let shape = ConditionShapes.facts.first(where: { $0.key == entry.key })?.shape,
            let reader = MappingReader(entry.value, named: entry.key, as: shape, faults)
        else { return nil }
        let isCompliance = entry.key == "device.posture"
        // A source that is named and not known was reported, and then no rule loads.
        let source = known(reader, provides: isCompliance ? .compliance : .jailbroken)
        guard let age = reader.duration("max_age") else { return nil }
        guard isCompliance else {
            return condition(
                .notJailbroken(source: source, maximumAge: age), "device.jailbroken is false", entry)
        }
        return source.map {
            condition(.posture(source: $0, maximumAge: age), "device.posture is compliant", entry)
        }
    }

    /// The source that a condition names, when the catalog says that it reports the fact.
    private func known(_ reader: MappingReader, provides fact: PostureFactKind) -> String? {
        guard let name = reader.text("source"), let place = reader["source"]?.position,
            catalog.expect(name, .source, at: place, faults)
        else { return nil }
        guard let source = catalog.sources[name], !source.provides.contains(fact) else { return name }
        let others = catalog.sources.values.filter { $0.provides.contains(fact) }.map(\.name).sorted()
        faults.report(
            place, "the source `\(name)` does not provide `\(fact.rawValue)`",
            remedy: others.isEmpty
                ? "no source of the catalog does" : "those do: " + others.prefix(8).joined(separator: ", "))
        return nil
    }

    private func condition(_ subject: Test.Subject, _ text: String, _ entry: YAMLNode.Entry) -> Condition {
        Condition(.test(Test(subject: subject, text: text)), at: entry.position)
    }
}
