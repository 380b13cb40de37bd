import EnrollmentCore

/// Reads one rule file.
struct RuleLoader {
    private static let keys = [
        "policy", "id", "title", "citation", "because", "owner", "review_by", "mode", "effect", "applies_to",
        "require", "block_unless", "certificate",
    ]
    private enum Mode: String, CaseIterable { case enforce }
    private enum EffectName: String, CaseIterable { case permit, deny }

    let document: YAMLNode
    let faults: DiagnosticCollector

    /// The rule; nil after reporting why it is none.
    ///
    /// - Parameter loader: holds the catalog, and takes the rule's review date.
    func rule(_ loader: inout CatalogLoader) -> Rule? {
        guard let reader = MappingReader(document, named: "the rule", known: Self.keys, faults) else {
            return nil
        }
        if let version = reader.text("policy"), version != "v1", let place = reader["policy"]?.position {
            faults.report(place, "unknown version `\(version)`", remedy: "write `policy: v1`")
        }
        let id = readID(reader)
        let title = reader.text("title")
        let because = reader["because"].flatMap { $0.text("because", faults) }
        _ = reader["citation"].flatMap { $0.text("citation", faults) }
        let governed = loader.governed(reader, "rule \(id ?? "?")", document.position)
        _ = reader.choice("mode", of: Mode.self)
        let scope = reader.required("applies_to").flatMap { readScope($0, loader.catalog) }
        let effect = reader.choice("effect", of: EffectName.self)
        let conditions = effect.flatMap { readConditions(reader, $0, loader.catalog) }
        let terms = effect.flatMap { readEffect(reader, $0, scope, loader.catalog) }
        guard let id, let title, let governed, let scope, let conditions, let terms else { return nil }
        return Rule(
            id: id, title: title, owner: governed.owner, reviewBy: governed.reviewBy, effect: terms,
            scope: scope,
            conditions: conditions, because: because, position: document.position)
    }

    private func readID(_ reader: MappingReader) -> String? {
        guard let id = reader.text("id"), let place = reader["id"]?.position else { return nil }
        let name = document.position.file.split(separator: "/").last?.dropLast(5) ?? ""
        if !isName(id) {
            faults.report(
                place, "`\(id)` is not a rule id",
                remedy: "1 to 64 lower-case letters, digits and hyphens, a letter first")
        } else if id != name {
            faults.report(place, "the rule `\(id)` is in the file `\(name).yaml`", remedy: "name them alike")
        }
        return id
    }

    private func readScope(_ node: YAMLNode, _ catalog: Catalog) -> RuleScope? {
        let known = ["service", "profile", "protocol", "operation"]
        guard let reader = MappingReader(node, named: "applies_to", known: known, faults) else { return nil }
        let remedy = "write `any` to mean every one"
        let services = reader.required("service", remedy: remedy).map {
            readNames($0, "service", among: catalog.services.keys.map(\.rawValue))
        }
        let profiles = reader.required("profile", remedy: remedy).map {
            readNames($0, "profile", among: catalog.profiles.keys.map(\.rawValue))
        }
        let protocols =
            reader["protocol"] == nil ? nil : reader.choices("protocol", of: EnrollmentProtocol.self)
        let operations =
            reader["operation"] == nil ? nil : reader.choices("operation", of: EnrollmentOperation.self)
        guard let services, let profiles, (reader["protocol"] == nil) == (protocols == nil),
            (reader["operation"] == nil) == (operations == nil)
        else { return nil }
        return RuleScope(
            services: services.map { Set($0.map { ServiceName($0) }) },
            profiles: profiles.map { Set($0.map { ProfileName($0) }) }, protocols: protocols.map { Set($0) },
            operations: operations.map { Set($0) })
    }

    /// Nil for `any`; unknown names are reported and dropped.
    private func readNames(_ node: YAMLNode, _ kind: String, among declared: [String]) -> [String]? {
        if case .scalar("any", _) = node.content { return nil }
        let names = node.names(kind, faults) ?? []
        for name in names where !declared.contains(name) {
            faults.report(
                node.position, "unknown \(kind) `\(name)`", remedy: spellingRemedy(name, among: declared))
        }
        return names
    }

    private func readConditions(
        _ reader: MappingReader, _ effect: EffectName, _ catalog: Catalog
    ) -> [Condition]? {
        let (wanted, other) =
            switch effect {
            case .permit: ("require", "block_unless")
            case .deny: ("block_unless", "require")
            }
        if let stray = reader[other] {
            faults.report(
                stray.position, "a \(effect.rawValue) rule has no `\(other)`", remedy: "write `\(wanted)`")
        }
        guard let node = reader.required(wanted) else { return nil }
        return ConditionLoader(catalog: catalog, faults: faults).conditions(node, named: wanted, depth: 0)
    }

    private func readEffect(
        _ reader: MappingReader, _ effect: EffectName, _ scope: RuleScope?, _ catalog: Catalog
    ) -> Rule.Effect? {
        switch effect {
        case .deny:
            guard let stray = reader["certificate"] else { return .deny }
            faults.report(stray.position, "a deny rule has no `certificate`", remedy: "remove it")
            return nil
        case .permit:
            let profiles = catalog.profiles.values.filter { scope?.profiles?.contains($0.name) ?? true }
            return reader.required("certificate").flatMap {
                CertificateTermsLoader(profiles: profiles, faults: faults).terms($0)
            }.map { .permit($0) }
        }
    }
}

/// Reads a permit rule's `certificate`.
struct CertificateTermsLoader {
    private enum Difference: String, CaseIterable { case deny }

    /// The profiles the rule applies to.
    let profiles: [CertificateProfile]
    let faults: DiagnosticCollector

    func terms(_ node: YAMLNode) -> CertificateTerms? {
        let known = ["common_name", "san", "extended_key_usage", "validity", "if_csr_differs"]
        guard let reader = MappingReader(node, named: "certificate", known: known, faults) else { return nil }
        let commonName = reader["common_name"].map { template($0, "common_name", listAllowed: false) }
        let names = reader["san"].flatMap {
            MappingReader($0, named: "san", known: ["dns", "email", "upn"], faults)
        }
        let usages =
            reader["extended_key_usage"] == nil
            ? nil : reader.choices("extended_key_usage", of: ExtendedKeyUsage.self)
        for usage in usages ?? [] {
            for profile in profiles where !profile.extendedKeyUsages.contains(usage) {
                faults.report(
                    reader["extended_key_usage"]?.position ?? node.position,
                    "the profile `\(profile.name)` does not grant `\(usage.rawValue)`")
            }
        }
        if reader["if_csr_differs"] != nil { _ = reader.choice("if_csr_differs", of: Difference.self) }
        let validity = reader.required("validity", remedy: "validity: { at_most: 90d }")
        if reader["common_name"] == nil, names == nil {
            faults.report(node.position, "`certificate` grants no name", remedy: "add `common_name` or `san`")
        }
        guard let ceiling = validity.flatMap({ ceiling($0, faults) }) else { return nil }
        return CertificateTerms(
            commonName: commonName ?? nil, dns: templates(names, "dns"), email: templates(names, "email"),
            upn: templates(names, "upn"), extendedKeyUsages: usages, maximumValidity: ceiling)
    }

    private func templates(_ reader: MappingReader?, _ key: String) -> [NameTemplate] {
        guard let items = reader?[key]?.items(key, faults) else { return [] }
        return items.compactMap { template($0, key, listAllowed: true) }
    }

    private func template(_ node: YAMLNode, _ key: String, listAllowed: Bool) -> NameTemplate? {
        guard let text = node.text(key, faults) else { return nil }
        do throws(NameTemplate.Fault) {
            let template = try NameTemplate(text)
            guard listAllowed || template.list == nil else {
                faults.report(node.position, "`\(key)` takes one name, and `\(text)` is a list")
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
