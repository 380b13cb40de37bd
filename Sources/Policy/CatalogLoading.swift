import EnrollmentCore

/// Reads `owners.yaml` and `catalog/`.
struct CatalogLoader {
    static let paths = [
        "owners.yaml", "catalog/groups.yaml", "catalog/profiles.yaml", "catalog/services.yaml",
        "catalog/sources.yaml",
    ]

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
        for entry in entries(of: "groups") {
            catalog.groups[entry.key] = declared(entry, "group")
        }
        for entry in entries(of: "sources") {
            catalog.sources[entry.key] = declared(entry, "source")
        }
        for entry in entries(of: "profiles") { loadProfile(entry) }
        let services = entries(of: "services")
        for entry in services { loadService(entry) }
        let defaults = catalog.services.values.filter(\.isDefault).count
        // A service that did not load may be the one, and was reported itself.
        if catalog.services.count == services.count, defaults != 1,
            let place = documents["catalog/services.yaml"]?.position
        {
            faults.report(
                place, "\(defaults) services say `default: true`",
                remedy: "exactly one service is the default")
        }
    }

    private mutating func loadOwners() {
        guard let document = documents["owners.yaml"],
            let reader = MappingReader(
                document, named: "owners.yaml", known: ["owners", "default", "teams"], faults)
        else { return }
        expectVersion(reader, "owners")
        guard let teams = reader.required("teams") else { return }
        guard let entries = teams.entries, !entries.isEmpty else {
            return faults.report(teams.position, "`teams` must name at least one team")
        }
        for entry in entries {
            guard
                let team = MappingReader(
                    entry.value, named: entry.key, known: ["contact", "escalation"], faults)
            else { continue }
            catalog.teams[entry.key] = team.text("contact")
            _ = team["escalation"]?.text("escalation", faults)
        }
        guard let name = reader.text("default") else { return }
        if let contact = catalog.teams[name] {
            catalog.owner = Owner(team: name, contact: contact)
        } else if !entries.contains(where: { $0.key == name }), let place = reader["default"]?.position {
            faults.report(
                place, "unknown team `\(name)`", remedy: spellingRemedy(name, among: entries.map(\.key)))
        }
    }

    /// The members of a catalog file's one section.
    private func entries(of section: String) -> [YAMLNode.Entry] {
        let path = "catalog/\(section).yaml"
        guard let document = documents[path],
            let reader = MappingReader(document, named: path, known: ["catalog", section], faults)
        else { return [] }
        expectVersion(reader, "catalog")
        guard let members = reader.required(section) else { return [] }
        guard let entries = members.entries, !entries.isEmpty else {
            faults.report(members.position, "`\(section)` must declare at least one")
            return []
        }
        return entries.filter { entry in
            if isName(entry.key) { return true }
            faults.report(
                entry.position, "`\(entry.key)` is not a name",
                remedy: "1 to 64 lower-case letters, digits and hyphens, a letter first")
            return false
        }
    }

    private func expectVersion(_ reader: MappingReader, _ key: String) {
        guard let version = reader.text(key), version != "v1", let place = reader[key]?.position else {
            return
        }
        faults.report(place, "unknown version `\(version)`", remedy: "write `\(key): v1`")
    }

    /// A group or a source: description, owner, review date.
    private mutating func declared(_ entry: YAMLNode.Entry, _ kind: String) -> Catalog.Entry? {
        guard
            let reader = MappingReader(
                entry.value, named: entry.key, known: ["description", "owner", "review_by"], faults)
        else { return nil }
        _ = reader.text("description")
        return governed(reader, "\(kind) \(entry.key)", entry.position)
    }

    /// Owner and review date, which everything declared has.
    mutating func governed(
        _ reader: MappingReader, _ subject: String, _ position: SourcePosition
    ) -> Catalog.Entry? {
        let owner = readOwner(reader)
        let date = reader.required("review_by", remedy: "the date by which the owner looks at it again")
        guard let reviewBy = date?.date("review_by", faults), let owner else { return nil }
        catalog.reviews.append(Review(subject: subject, owner: owner, reviewBy: reviewBy, position: position))
        return Catalog.Entry(owner: owner, reviewBy: reviewBy)
    }

    private func readOwner(_ reader: MappingReader) -> Owner? {
        guard let node = reader.required("owner", remedy: "owner: { team: …, contact: … }"),
            let owner = MappingReader(node, named: "owner", known: ["team", "contact"], faults)
        else { return nil }
        let contact = owner.text("contact")
        guard let team = owner.text("team"), let contact else { return nil }
        if catalog.teams[team] == nil, documents["owners.yaml"] != nil, let place = owner["team"]?.position {
            faults.report(
                place, "unknown team `\(team)`",
                remedy: spellingRemedy(team, among: Array(catalog.teams.keys)))
            return nil
        }
        return Owner(team: team, contact: contact)
    }

    private mutating func loadProfile(_ entry: YAMLNode.Entry) {
        let known = [
            "description", "owner", "review_by", "key_algorithms", "key_usage", "extended_key_usage",
            "validity",
            "backdating",
        ]
        guard let reader = MappingReader(entry.value, named: entry.key, known: known, faults) else { return }
        let description = reader.text("description")
        let governed = governed(reader, "profile \(entry.key)", entry.position)
        let algorithms = reader.choices("key_algorithms", of: KeyAlgorithm.self)
        let usages = reader.choices("key_usage", of: KeyUsage.self)
        let extended = reader.choices("extended_key_usage", of: ExtendedKeyUsage.self)
        let validity = reader.required("validity").flatMap { ceiling($0, faults) }
        let backdating = reader.duration("backdating")
        if let backdating, backdating > 86_400, let place = reader["backdating"]?.position {
            return faults.report(place, "`backdating` must be at most 24h")
        }
        guard let description, let governed, let algorithms, let usages, let extended, let validity,
            let backdating
        else { return }
        let name = ProfileName(entry.key)
        catalog.profiles[name] = CertificateProfile(
            name: name, description: description, owner: governed.owner, keyAlgorithms: Set(algorithms),
            keyUsages: Set(usages), extendedKeyUsages: extended, maximumValidity: validity,
            backdating: backdating)
    }

    private mutating func loadService(_ entry: YAMLNode.Entry) {
        let known = [
            "description", "owner", "review_by", "default", "protocols", "issuer", "profiles", "limits",
        ]
        guard let reader = MappingReader(entry.value, named: entry.key, known: known, faults) else { return }
        let description = reader.text("description")
        let governed = governed(reader, "service \(entry.key)", entry.position)
        let protocols = reader.choices("protocols", of: EnrollmentProtocol.self)
        let issuer = reader.text("issuer")
        let profiles = readProfiles(reader)
        let limits = reader.required("limits").flatMap(readLimits)
        let isDefault = reader["default"].map { $0.boolean("default", faults) } ?? false
        guard let description, let governed, let protocols, let issuer, let profiles, let limits,
            let isDefault
        else { return }
        let name = ServiceName(entry.key)
        catalog.services[name] = Service(
            name: name, description: description, owner: governed.owner, reviewBy: governed.reviewBy,
            protocols: Set(protocols), isDefault: isDefault, issuer: issuer, profiles: profiles,
            limits: limits)
    }

    private func readProfiles(_ reader: MappingReader) -> [ProfileName]? {
        guard let node = reader.required("profiles"), let names = node.names("profiles", faults) else {
            return nil
        }
        let declared = documents["catalog/profiles.yaml"]?["profiles"]?.entries?.map(\.key)
        for name in names where declared.map({ !$0.contains(name) }) ?? false {
            faults.report(
                node.position, "unknown profile `\(name)`",
                remedy: spellingRemedy(name, among: declared ?? []))
        }
        return names.map { ProfileName($0) }
    }

    private func readLimits(_ node: YAMLNode) -> ServiceLimits? {
        let known = [
            "live_certificates_per_device", "unverified_rows_per_second", "deferred_credential_hold",
            "account_order_span",
        ]
        guard let reader = MappingReader(node, named: "limits", known: known, faults) else { return nil }
        func number(_ key: String) -> Int64? {
            reader.required(key).flatMap { $0.integer(key, in: 1...100_000, faults) }
        }
        let live = number("live_certificates_per_device")
        let rows = number("unverified_rows_per_second")
        let hold = reader.duration("deferred_credential_hold")
        let span = reader.duration("account_order_span")
        guard let live, let rows, let hold, let span else { return nil }
        return ServiceLimits(
            liveCertificatesPerDevice: Int(live), unverifiedRowsPerSecond: Int(rows),
            deferredCredentialHold: hold,
            accountOrderSpan: span)
    }
}

/// Seconds of `{ at_most: 90d }`.
func ceiling(_ node: YAMLNode, _ faults: DiagnosticCollector) -> Int64? {
    MappingReader(node, named: "validity", known: ["at_most"], faults)?.duration("at_most")
}

/// Whether `text` may name a service, profile, group, source or rule.
func isName(_ text: String) -> Bool {
    let isLetter = { (byte: UInt8) in (0x61...0x7a).contains(byte) }
    return (1...64).contains(text.utf8.count) && text.utf8.first.map(isLetter) ?? false
        && text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
}
