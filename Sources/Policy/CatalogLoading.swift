import EnrollmentCore

/// Reads `owners.yaml` and `catalog/`.
struct CatalogLoader {
    static let paths = ["owners.yaml"] + CatalogShapes.sections.map { "catalog/\($0.name).yaml" }

    private(set) var catalog = Catalog()
    private let documents: [String: YAMLNode]
    let faults: DiagnosticCollector

    /// - Parameter documents: by path; what is missing or unreadable was reported before.
    init(documents: [String: YAMLNode], _ faults: DiagnosticCollector) {
        self.documents = documents
        self.faults = faults
    }

    mutating func load() {
        loadOwners()
        for (section, shape, keys) in CatalogShapes.sections {
            let file = CatalogShapes.file(section, shape, keys: keys)
            for entry in entries(of: section, file, keys) {
                guard let reader = MappingReader(entry.value, named: entry.key, as: shape, faults) else {
                    continue
                }
                load(entry, reader, section)
            }
        }
        expectOneDefault()
    }

    private mutating func load(_ entry: YAMLNode.Entry, _ reader: MappingReader, _ section: String) {
        let name = entry.key
        switch section {
        case "groups": catalog.groups[name] = governed(reader, "group \(name)", entry.position)
        case "profiles": loadProfile(entry, reader)
        case "proofs":
            guard let kind = ProofKind(rawValue: name) else { return }
            catalog.proofs[kind] = governed(reader, "proof \(name)", entry.position)
        case "services": loadService(entry, reader)
        default:
            let provides = reader.choices("provides", of: PostureFactKind.self)
            guard let governed = governed(reader, "source \(name)", entry.position), let provides else {
                return
            }
            catalog.sources[name] = PostureSource(
                name: name, provides: Set(provides), owner: governed.owner, reviewBy: governed.reviewBy)
        }
    }

    private func expectOneDefault() {
        let path = "catalog/services.yaml"
        guard let place = documents[path]?.position, let declared = catalog.declared[.service] else { return }
        let defaults = catalog.services.values.filter(\.isDefault).count
        // A service that did not load may be the one, and was reported itself.
        if defaults > 1 || defaults == 0 && catalog.services.count == declared.count {
            faults.report(
                place, "\(defaults) services say `default: true`",
                remedy: "exactly one service is the default")
        }
    }

    private mutating func loadOwners() {
        guard let document = documents["owners.yaml"],
            let reader = MappingReader(document, named: "owners.yaml", as: CatalogShapes.owners, faults)
        else { return }
        if let teams = reader["teams"] {
            guard let entries = teams.entries, !entries.isEmpty else {
                return faults.report(teams.position, "`teams` must name at least one team")
            }
            catalog.declared[.team] = Set(entries.map(\.key))
            for entry in entries {
                let shape = CatalogShapes.team
                guard let team = MappingReader(entry.value, named: entry.key, as: shape, faults) else {
                    continue
                }
                catalog.teams[entry.key] = team.text("contact")
                catalog.members[entry.key] = team.names("members") ?? []
            }
        }
        if let reviews = reader.mapping("reviews") {
            catalog.reviewTerms.refusesOverdue =
                reviews.choice("overdue", of: OverdueReviews.self) == .refuse
            catalog.reviewTerms.grace = reviews.duration("grace") ?? 0
        }
        guard let name = reader.text("default"), let place = reader["default"]?.position,
            catalog.expect(name, .team, at: place, faults)
        else { return }
        catalog.owner = Owner(team: name, contact: catalog.teams[name] ?? "")
    }

    /// The members of a catalog file's one section.
    private mutating func entries(
        of section: String, _ file: MappingShape, _ keys: KeyShape
    ) -> [YAMLNode.Entry] {
        let path = "catalog/\(section).yaml"
        guard let document = documents[path],
            let reader = MappingReader(document, named: path, as: file, faults),
            let members = reader[section]
        else { return [] }
        guard let entries = members.entries, !entries.isEmpty else {
            faults.report(members.position, "`\(section)` must declare at least one")
            return []
        }
        if let kind = Catalog.Kind(rawValue: String(section.dropLast())) {
            catalog.declared[kind] = Set(entries.map(\.key))
        }
        return entries.filter { isKey($0, keys, section) }
    }

    private func isKey(_ entry: YAMLNode.Entry, _ keys: KeyShape, _ section: String) -> Bool {
        switch keys {
        case .text, .path: return true
        case .name:
            if entry.key == "any" {
                faults.report(
                    entry.position, "nothing can be called `any`", remedy: "rules write `any` for all of them"
                )
                return false
            }
            if isName(entry.key) { return true }
            faults.report(
                entry.position, "`\(entry.key)` is not a name",
                remedy: "1 to 64 lower-case letters, digits and hyphens, a letter first")
        case .words(let words):
            if words.contains(entry.key) { return true }
            faults.report(
                entry.position, "unknown key `\(entry.key)` in `\(section)`",
                remedy: spellingRemedy(entry.key, among: words))
        }
        return false
    }

    /// Owner and review date, which everything declared has.
    mutating func governed(
        _ reader: MappingReader, _ subject: String, _ position: SourcePosition
    ) -> Catalog.Entry? {
        let owner = readOwner(reader)
        guard let reviewBy = reader.date("review_by"), let owner else { return nil }
        catalog.reviews.append(Review(subject: subject, owner: owner, reviewBy: reviewBy, position: position))
        return Catalog.Entry(owner: owner, reviewBy: reviewBy)
    }

    private func readOwner(_ reader: MappingReader) -> Owner? {
        guard let owner = reader.mapping("owner") else { return nil }
        let contact = owner.text("contact")
        guard let team = owner.text("team"), let place = owner["team"]?.position,
            catalog.expect(team, .team, at: place, faults), let contact
        else { return nil }
        return Owner(team: team, contact: contact)
    }

    private mutating func loadProfile(_ entry: YAMLNode.Entry, _ reader: MappingReader) {
        let governed = governed(reader, "profile \(entry.key)", entry.position)
        let algorithms = reader.choices("key_algorithms", of: KeyAlgorithm.self)
        let usages = reader.choices("key_usage", of: KeyUsage.self)
        let extended = reader.choices("extended_key_usage", of: ExtendedKeyUsage.self)
        let validity = reader.mapping("validity")?.duration("at_most")
        guard let description = reader.text("description"), let governed, let algorithms, let usages,
            let extended, let validity, let backdating = reader.duration("backdating")
        else { return }
        let name = ProfileName(entry.key)
        catalog.profiles[name] = CertificateProfile(
            name: name, description: description, owner: governed.owner, reviewBy: governed.reviewBy,
            keyAlgorithms: Set(algorithms), keyUsages: Set(usages), extendedKeyUsages: extended,
            maximumValidity: validity, backdating: backdating)
    }

    private mutating func loadService(_ entry: YAMLNode.Entry, _ reader: MappingReader) {
        let governed = governed(reader, "service \(entry.key)", entry.position)
        let protocols = reader.choices("protocols", of: EnrollmentProtocol.self)
        let profiles = readProfiles(reader)
        let limits = reader.mapping("limits").flatMap(readLimits)
        let isDefault = reader["default"] == nil ? false : reader.boolean("default")
        guard let description = reader.text("description"), let governed, let protocols,
            let issuer = reader.text("issuer"), let profiles, let limits, let isDefault
        else { return }
        let name = ServiceName(entry.key)
        catalog.services[name] = Service(
            name: name, description: description, owner: governed.owner, reviewBy: governed.reviewBy,
            protocols: Set(protocols), isDefault: isDefault, issuer: issuer, profiles: profiles,
            limits: limits)
    }

    private func readProfiles(_ reader: MappingReader) -> [ProfileName]? {
        guard let names = reader.placedNames("profiles") else { return nil }
        let known = names.filter { catalog.expect($0.text, .profile, at: $0.position, faults) }
        return known.count == names.count ? names.map { ProfileName($0.text) } : nil
    }

    private func readLimits(_ reader: MappingReader) -> ServiceLimits? {
        guard let live = reader.integer("live_certificates_per_device"),
            let rows = reader.integer("unverified_rows_per_second"),
            let hold = reader.duration("deferred_credential_hold"),
            let span = reader.duration("account_order_span")
        else { return nil }
        return ServiceLimits(
            liveCertificatesPerDevice: Int(live), unverifiedRowsPerSecond: Int(rows),
            deferredCredentialHold: hold, accountOrderSpan: span)
    }
}

/// Whether `text` may name a service, profile, group, source or rule.
func isName(_ text: String) -> Bool {
    let isLetter = { (byte: UInt8) in (0x61...0x7a).contains(byte) }
    return (1...64).contains(text.utf8.count) && text.utf8.first.map(isLetter) ?? false
        && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
}

extension EnrollmentProtocol {
    /// Those that this version serves.
    static let served = allCases.filter { $0 != .cmp }
}
