import EnrollmentCore

/// Reads one rule file.
struct RuleLoader {
    private enum Names { case any, these([String]) }

    let document: YAMLNode
    let faults: DiagnosticCollector

    /// The rule; nil after reporting why it is none.
    ///
    /// - Parameter loader: holds the catalog, and takes the rule's review date.
    func rule(_ loader: inout CatalogLoader) -> Rule? {
        guard let reader = MappingReader(document, named: "the rule", as: RuleShapes.rule, faults) else {
            return nil
        }
        let id = readID(reader)
        let governed = loader.governed(reader, "rule \(id ?? "?")", document.position)
        let scope = reader.mapping("applies_to").flatMap { readScope($0, loader.catalog) }
        let effect = reader.choice("effect", of: RuleShapes.EffectName.self)
        let conditions = effect.flatMap { readConditions(reader, $0, loader.catalog) }
        let terms = effect.flatMap { readEffect(reader, $0, scope, loader.catalog) }
        let approval =
            effect == .deny ? nil : reader.mapping("approval").flatMap { readApproval($0, loader.catalog) }
        guard let id, let title = reader.text("title"), let governed,
            let mode = reader.choice("mode", of: Rule.Mode.self), let scope, let conditions, let terms,
            (approval == nil) == (reader["approval"] == nil)
        else { return nil }
        return Rule(
            id: id, title: title, owner: governed.owner, reviewBy: governed.reviewBy, mode: mode,
            effect: terms, scope: scope, conditions: conditions, approval: approval,
            because: reader.text("because"), position: document.position)
    }

    private func readID(_ reader: MappingReader) -> String? {
        guard let id = reader.text("id"), let place = reader["id"]?.position else { return nil }
        let name = BundleLoader.stem(document.position.file)
        if !isName(id) {
            faults.report(
                place, "`\(id)` is not a rule id",
                remedy: "1 to 64 lower-case letters, digits and hyphens, a letter first")
        } else if id != name {
            faults.report(place, "the rule `\(id)` is in the file `\(name).yaml`", remedy: "name them alike")
        }
        return id
    }

    private func readScope(_ reader: MappingReader, _ catalog: Catalog) -> RuleScope? {
        guard let services = readNames(reader, "service", .service, catalog),
            let profiles = readNames(reader, "profile", .profile, catalog)
        else { return nil }
        let protocols = reader.choices("protocol", of: EnrollmentProtocol.self)
        let operations = reader.choices("operation", of: EnrollmentOperation.self)
        guard (reader["protocol"] == nil) == (protocols == nil),
            (reader["operation"] == nil) == (operations == nil)
        else { return nil }
        return RuleScope(
            services: set(services) { ServiceName($0) }, profiles: set(profiles) { ProfileName($0) },
            protocols: protocols.map { Set($0) }, operations: operations.map { Set($0) })
    }

    private func set<Name: Hashable>(_ names: Names, _ make: (String) -> Name) -> Set<Name>? {
        switch names {
        case .any: return nil
        case .these(let names): return Set(names.map(make))
        }
    }

    private func readNames(
        _ reader: MappingReader, _ key: String, _ kind: Catalog.Kind, _ catalog: Catalog
    ) -> Names? {
        guard let names = reader.placedNames(key) else { return nil }
        if names.map(\.text) == ["any"] { return .any }
        let known = names.filter { catalog.expect($0.text, kind, at: $0.position, faults) }
        return known.count == names.count ? .these(names.map(\.text)) : nil
    }

    private func readConditions(
        _ reader: MappingReader, _ effect: RuleShapes.EffectName, _ catalog: Catalog
    ) -> [Condition]? {
        let places: [ConditionPlace] =
            switch effect {
            case .permit: [.required]
            case .deny: [.safe, .alwaysKnown]
            }
        for place in places {
            guard let node = reader[place.rawValue] else { continue }
            let loader = ConditionLoader(catalog: catalog, faults: faults, place: place)
            return loader.whole(node)
        }
        return nil
    }

    private func readEffect(
        _ reader: MappingReader, _ effect: RuleShapes.EffectName, _ scope: RuleScope?, _ catalog: Catalog
    ) -> Rule.Effect? {
        switch effect {
        case .deny: return .deny
        case .permit:
            guard let certificate = reader.mapping("certificate") else { return nil }
            let profiles = catalog.profiles.values.filter { scope?.profiles?.contains($0.name) ?? true }
                .sorted { $0.name.rawValue < $1.name.rawValue }
            return CertificateTermsLoader(profiles: scope == nil ? [] : profiles, faults: faults)
                .terms(certificate).map { .permit($0) }
        }
    }

    private func readApproval(_ reader: MappingReader, _ catalog: Catalog) -> ApprovalTerms? {
        let count = reader["count"] == nil ? 1 : reader.integer("count")
        let needsFourEyes = reader["four_eyes"] == nil ? false : reader.boolean("four_eyes")
        guard let team = reader.text("from"), let place = reader["from"]?.position,
            catalog.expect(team, .team, at: place, faults), let members = catalog.members[team], let count,
            let within = reader.duration("within"), let needsFourEyes
        else { return nil }
        guard members.count >= count else {
            faults.report(
                place, "`\(team)` lists \(members.count) of the \(count) people who must approve",
                remedy: "list them in owners.yaml: members: [\"os:jane\"]")
            return nil
        }
        return ApprovalTerms(
            team: team, members: members.sorted(), count: Int(count), within: within,
            needsFourEyes: needsFourEyes, position: reader.position)
    }
}

/// Reads a permit rule's `certificate`.
struct CertificateTermsLoader {
    /// The profiles the rule applies to.
    let profiles: [CertificateProfile]
    let faults: DiagnosticCollector

    func terms(_ reader: MappingReader) -> CertificateTerms? {
        let names = reader.mapping("san")
        if reader["common_name"] == nil, names?.isEmpty ?? (reader["san"] == nil) {
            faults.report(
                reader.position, "`certificate` grants no name", remedy: "add `common_name` or `san`")
        }
        let commonName = reader["common_name"].map { template($0, "common_name", listAllowed: false) }
        let usages = readUsages(reader)
        let difference =
            reader["if_csr_differs"] == nil
            ? .deny : reader.choice("if_csr_differs", of: RuleShapes.Difference.self)
        let ceiling = reader.mapping("validity")?.duration("at_most")
        guard let ceiling, let difference, (usages == nil) == (reader["extended_key_usage"] == nil) else {
            return nil
        }
        return CertificateTerms(
            commonName: commonName ?? nil, dns: templates(names, "dns"), email: templates(names, "email"),
            upn: templates(names, "upn"), extendedKeyUsages: usages, maximumValidity: ceiling,
            replacesDifferences: difference == .replace, position: reader.position)
    }

    private func readUsages(_ reader: MappingReader) -> [ExtendedKeyUsage]? {
        let names = reader.placedNames("extended_key_usage") ?? []
        for name in names {
            guard let usage = ExtendedKeyUsage(rawValue: name.text) else { continue }
            for profile in profiles where !profile.extendedKeyUsages.contains(usage) {
                faults.report(
                    name.position, "the profile `\(profile.name)` does not grant `\(usage.rawValue)`",
                    remedy: "it grants " + profile.extendedKeyUsages.map(\.rawValue).joined(separator: ", "))
            }
        }
        return reader.choices("extended_key_usage", of: ExtendedKeyUsage.self)
    }

    private func templates(_ reader: MappingReader?, _ key: String) -> [NameTemplate] {
        guard let items = reader?[key]?.items(key, faults) else { return [] }
        return items.compactMap { template($0, key, listAllowed: true) }
    }

    /// What keeps the text between a template's attributes from being part of a name. A rule grants no
    /// wildcards: a certificate for every name below one is for devices that nobody has decided on.
    private static func literalFault(_ template: NameTemplate, _ key: String) -> AttributeValue.Fault? {
        guard let sample = template.sample else { return nil }
        if sample.contains("*") {
            return AttributeValue.Fault(message: "`\(key)` cannot be a wildcard", remedy: "name each device")
        }
        switch key {
        case "dns": return AttributeValue.nameFault(sample)
        case "email", "upn":
            return sample.split(separator: "@", omittingEmptySubsequences: false).count == 2
                ? nil
                : AttributeValue.Fault(
                    message: "`\(template.text)` makes no address", remedy: "write {device.id}@corp.example")
        default: return nil
        }
    }

    private func template(_ node: YAMLNode, _ key: String, listAllowed: Bool) -> NameTemplate? {
        guard let text = node.text(key, faults) else { return nil }
        do throws(NameTemplate.Fault) {
            let template = try NameTemplate(text)
            guard listAllowed || template.list == nil else {
                faults.report(node.position, "`\(key)` takes one name, and `\(text)` is a list")
                return nil
            }
            if let fault = Self.literalFault(template, key) {
                faults.report(node.position, fault.message, remedy: fault.remedy)
                return nil
            }
            return template
        } catch {
            switch error {
            case .unbalanced: faults.report(node.position, "braces in `\(text)` do not match")
            case .unknown(let name):
                faults.report(
                    node.position, "unknown attribute `\(name)`",
                    remedy: spellingRemedy(name, among: NameTemplate.Variable.allCases.map(\.rawValue)))
            case .listInText(let name):
                faults.report(node.position, "`{\(name)}` is a list, and must stand alone")
            }
            return nil
        }
    }
}
