import EnrollmentCore

/// Reads `require` and `block_unless`.
struct ConditionLoader {
    private static let combinators = ["all_of", "any_of", "none_of"]
    private static let proofKinds = ["one_time_credential", "certificate_of_ours", "domain_control"]
    private static let facts = ["device.posture", "device.jailbroken"]

    let catalog: Catalog
    let faults: DiagnosticCollector
    /// Below `proof`, conditions are kinds of proof.
    var isProof = false
    /// Below `none_of`, facts that may be missing are refused: "not compliant" must never satisfy anything.
    var isNegated = false

    /// The members of a mapping, all of which must hold; nil after reporting why there are none.
    func conditions(_ node: YAMLNode, named name: String, depth: Int) -> [Condition]? {
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

    private var knownKeys: [String] {
        let own = isProof ? Self.proofKinds : Attribute.allCases.map(\.rawValue) + Self.facts + ["proof"]
        return own + Self.combinators
    }

    private func condition(_ entry: YAMLNode.Entry, depth: Int) -> Condition? {
        if Self.combinators.contains(entry.key) { return combination(entry, depth: depth) }
        if isProof, Self.proofKinds.contains(entry.key) { return proof(entry) }
        if !isProof {
            if let attribute = Attribute(rawValue: entry.key) {
                return AttributeLoader(catalog: catalog, faults: faults)
                    .matcher(attribute, entry.value)
                    .map { matcher, text in .test(Test(subject: .attribute(attribute, matcher), text: text)) }
            }
            if entry.key == "proof" || Self.facts.contains(entry.key) {
                guard !isNegated else {
                    faults.report(
                        entry.position, "`\(entry.key)` cannot stand in `none_of`",
                        remedy: "name the state that is safe instead")
                    return nil
                }
                return entry.key == "proof" ? proofs(entry, depth: depth) : posture(entry)
            }
        }
        faults.report(
            entry.position, "unknown \(isProof ? "proof" : "attribute") `\(entry.key)`",
            remedy: spellingRemedy(entry.key, among: knownKeys))
        return nil
    }

    private func combination(_ entry: YAMLNode.Entry, depth: Int) -> Condition? {
        guard depth < 2 else {
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
                $0.count == 1 ? $0[0] : .all($0)
            }
        }
        guard parts.count == items.count else { return nil }
        switch entry.key {
        case "all_of": return .all(parts)
        case "any_of": return .any(parts)
        default: return .none(parts)
        }
    }

    private func proofs(_ entry: YAMLNode.Entry, depth: Int) -> Condition? {
        var inner = self
        inner.isProof = true
        return inner.conditions(entry.value, named: "proof", depth: depth).map {
            $0.count == 1 ? $0[0] : .all($0)
        }
    }

    private func proof(_ entry: YAMLNode.Entry) -> Condition? {
        switch entry.key {
        case "one_time_credential":
            guard let reader = reader(entry, ["bound_to"]), expect(reader, "bound_to", "device.id") else {
                return nil
            }
            return .test(Test(subject: .oneTimeCredential, text: "a one-time credential of the device"))
        case "certificate_of_ours":
            guard let reader = reader(entry, ["for"]) else { return nil }
            guard reader["for"] != nil else {
                return .test(
                    Test(subject: .certificateOfOurs(renewalOnly: false), text: "a certificate of ours"))
            }
            guard expect(reader, "for", "renewal") else { return nil }
            return .test(
                Test(
                    subject: .certificateOfOurs(renewalOnly: true), text: "a certificate of ours, to renew it"
                ))
        default:
            guard let reader = reader(entry, ["covers", "max_age"]) else { return nil }
            let coversNames = expect(reader, "covers", "request.dns")
            guard let age = maximumAge(reader), coversNames else { return nil }
            return .test(
                Test(
                    subject: .domainControl(maximumAge: age),
                    text: "control shown of every name in request.dns"))
        }
    }

    private func reader(_ entry: YAMLNode.Entry, _ known: [String]) -> MappingReader? {
        MappingReader(entry.value, named: entry.key, known: known, faults)
    }

    private func expect(_ reader: MappingReader, _ key: String, _ only: String) -> Bool {
        guard let value = reader.text(key) else { return false }
        if value != only, let place = reader[key]?.position {
            faults.report(place, "`\(key)` cannot be `\(value)`", remedy: "write `\(key): \(only)`")
        }
        return value == only
    }

    private func maximumAge(_ reader: MappingReader) -> Int64? {
        reader.required("max_age", remedy: "a fact of any age proves nothing; write max_age: 4h")
            .flatMap { $0.duration("max_age", faults) }
    }

    private func posture(_ entry: YAMLNode.Entry) -> Condition? {
        if entry.key == "device.posture" {
            guard let reader = reader(entry, ["source", "status", "max_age"]) else { return nil }
            let isCompliant = expect(reader, "status", "compliant")
            let source = reader.text("source").flatMap { known($0, reader) }
            guard let age = maximumAge(reader), let source, isCompliant else { return nil }
            return .test(
                Test(subject: .posture(source: source, maximumAge: age), text: "device.posture is compliant"))
        }
        guard let reader = reader(entry, ["is", "source", "max_age"]) else { return nil }
        let safe = reader.required("is").flatMap { $0.boolean("is", faults) }
        if safe == true, let place = reader["is"]?.position {
            faults.report(
                place, "`device.jailbroken` can only be required to be false", remedy: "write `is: false`")
        }
        let age = maximumAge(reader)
        let source = reader["source"].map { $0.text("source", faults).flatMap { known($0, reader) } }
        guard let age, safe == false, (reader["source"] == nil) == (source == nil) else { return nil }
        if case .some(.none) = source { return nil }
        return .test(
            Test(
                subject: .notJailbroken(source: source ?? nil, maximumAge: age),
                text: "device.jailbroken is false"))
    }

    private func known(_ source: String, _ reader: MappingReader) -> String? {
        if catalog.sources[source] != nil { return source }
        faults.report(
            reader["source"]?.position ?? reader.position, "unknown source `\(source)`",
            remedy: spellingRemedy(source, among: catalog.sources.keys.sorted()))
        return nil
    }
}

/// Reads the matcher of one attribute.
struct AttributeLoader {
    private static let matchers = [
        "is", "glob", "within", "at_most", "at_least", "between", "equals", "subset_of",
    ]

    let catalog: Catalog
    let faults: DiagnosticCollector

    /// The matcher and how it reads; nil after reporting why it is none.
    func matcher(_ attribute: Attribute, _ node: YAMLNode) -> (AttributeMatcher, String)? {
        guard let entries = node.entries else { return values(attribute, node) }
        guard entries.count == 1, let entry = entries.first else {
            faults.report(node.position, "`\(attribute.rawValue)` takes exactly one matcher")
            return nil
        }
        switch (entry.key, attribute.kind) {
        case ("is", _): return values(attribute, entry.value)
        case ("glob", .text), ("glob", .names): return glob(attribute, entry.value)
        case ("within", .address): return ranges(attribute, entry.value)
        case ("at_most", .number), ("at_least", .number), ("between", .number):
            return numbers(attribute, entry)
        case ("equals", .text): return comparison(attribute, entry, .text) { .equals($0) }
        case ("subset_of", .names): return comparison(attribute, entry, .names) { .subsetOf($0) }
        default:
            let isKnown = Self.matchers.contains(entry.key)
            faults.report(
                entry.position,
                isKnown
                    ? "`\(attribute.rawValue)` cannot be matched with `\(entry.key)`"
                    : "unknown matcher `\(entry.key)`",
                remedy: isKnown ? nil : spellingRemedy(entry.key, among: Self.matchers))
            return nil
        }
    }

    private func values(_ attribute: Attribute, _ node: YAMLNode) -> (AttributeMatcher, String)? {
        switch attribute.kind {
        case .address: return ranges(attribute, node)
        case .number:
            return node.integer(attribute.rawValue, in: 0...1_000_000, faults).map {
                (.between($0...$0), "\(attribute.rawValue) is \($0)")
            }
        case .text, .names:
            guard let names = node.names(attribute.rawValue, faults), accepted(names, attribute, node) else {
                return nil
            }
            let wanted = names.map {
                attribute == .deviceDNS || attribute == .requestDNS ? asciiLowercased($0) : $0
            }
            return (.oneOf(wanted), "\(attribute.rawValue) is \(wanted.joined(separator: " or "))")
        }
    }

    /// Values that the catalog or the code knows all of must be among them.
    private func accepted(_ names: [String], _ attribute: Attribute, _ node: YAMLNode) -> Bool {
        let (kind, known): (String, [String]) =
            switch attribute {
            case .deviceGroup: ("group", catalog.groups.keys.sorted())
            case .requestKeyAlgorithm: ("key algorithm", KeyAlgorithm.allCases.map(\.rawValue))
            case .deviceID, .deviceSerial, .deviceUDID, .deviceDNS, .deviceActiveCertificates,
                .requestCommonName,
                .requestDNS, .clientAddress:
                ("", names)
            }
        let strangers = names.filter { !known.contains($0) }
        for name in strangers {
            faults.report(
                node.position, "unknown \(kind) `\(name)`", remedy: spellingRemedy(name, among: known))
        }
        return strangers.isEmpty
    }

    private func glob(_ attribute: Attribute, _ node: YAMLNode) -> (AttributeMatcher, String)? {
        guard let text = node.text("glob", faults) else { return nil }
        guard attribute != .deviceGroup, let glob = Glob(text) else {
            faults.report(
                node.position,
                attribute == .deviceGroup ? "groups are named, not globbed" : "`\(text)` is not a glob",
                remedy: attribute == .deviceGroup ? "list them" : "exactly one * beside other characters")
            return nil
        }
        return (.glob(glob), "\(attribute.rawValue) matches \(text)")
    }

    private func ranges(_ attribute: Attribute, _ node: YAMLNode) -> (AttributeMatcher, String)? {
        guard let items = node.items(attribute.rawValue, faults) else { return nil }
        var ranges: [AddressRange] = []
        for item in items {
            guard let text = item.text(attribute.rawValue, faults) else { return nil }
            do throws(AddressRange.Fault) {
                ranges.append(try AddressRange(text))
            } catch {
                switch error {
                case .malformed:
                    faults.report(item.position, "`\(text)` is not a network", remedy: "write 192.0.2.0/24")
                case .hostBits:
                    faults.report(
                        item.position, "`\(text)` has bits set after its prefix",
                        remedy: "give the network's own address")
                }
                return nil
            }
        }
        return (
            .within(ranges), "\(attribute.rawValue) is within \(ranges.map(\.text).joined(separator: " or "))"
        )
    }

    private func numbers(_ attribute: Attribute, _ entry: YAMLNode.Entry) -> (AttributeMatcher, String)? {
        let limits: ClosedRange<Int64> = 0...1_000_000
        if entry.key == "between" {
            guard case .sequence(let items) = entry.value.content, items.count == 2,
                let low = items[0].integer("between", in: limits, faults),
                let high = items[1].integer("between", in: limits, faults), low <= high
            else {
                faults.report(entry.value.position, "`between` takes two numbers, the smaller first")
                return nil
            }
            return (.between(low...high), "\(attribute.rawValue) is between \(low) and \(high)")
        }
        guard let bound = entry.value.integer(entry.key, in: limits, faults) else { return nil }
        return entry.key == "at_most"
            ? (.between(0...bound), "\(attribute.rawValue) is at most \(bound)")
            : (.between(bound...Int64.max), "\(attribute.rawValue) is at least \(bound)")
    }

    private func comparison(
        _ attribute: Attribute, _ entry: YAMLNode.Entry, _ kind: Attribute.Kind,
        _ make: (Attribute) -> AttributeMatcher
    ) -> (AttributeMatcher, String)? {
        guard let name = entry.value.text(entry.key, faults) else { return nil }
        let candidates = Attribute.allCases.filter { $0.kind == kind && $0 != attribute }
        guard let other = candidates.first(where: { $0.rawValue == name }) else {
            faults.report(
                entry.value.position, "`\(entry.key)` cannot be `\(name)`",
                remedy: spellingRemedy(name, among: candidates.map(\.rawValue)))
            return nil
        }
        let verb = entry.key == "equals" ? "equals" : "lies within"
        return (make(other), "\(attribute.rawValue) \(verb) \(name)")
    }
}
