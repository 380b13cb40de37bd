package import EnrollmentCore

/// A policy bundle that loaded: catalog, rules, cases, all checked against each other. Holding one means that
/// every name in it resolves and that everything in it has an owner and a review date.
package struct PolicyBundle: Sendable {
    /// How much of everything a bundle holds.
    package struct Counts: Sendable, Hashable {
        package let services: Int
        package let profiles: Int
        package let groups: Int
        package let sources: Int
        package let rules: Int
        package let cases: Int
    }

    private struct Scope: Hashable {
        let service: ServiceName
        let profile: ProfileName
    }

    /// SHA-256 of `canonicalBytes`: the policy version that every decision carries.
    package let digest: Digest
    /// RFC 8785 text of `{"files":{path:text}}`, which the ledger keeps; see `files(fromCanonical:)`.
    package let canonicalBytes: [UInt8]
    /// The bundle's own owner, who answers where nobody else does.
    package let owner: Owner
    /// By name.
    package let services: [Service]
    /// The service of paths that name none.
    package let defaultService: Service
    /// By name.
    package let profiles: [CertificateProfile]
    package let counts: Counts

    /// Sorted by id.
    let rules: [Rule]
    /// In the order of files and lines.
    let cases: [PolicyCase]
    private let reviews: [Review]
    private let index: [Scope: [Rule]]

    /// Loads a bundle. Pure: no file is read here.
    ///
    /// - Parameter files: in any order, as `BundleFile.read(directory:)` gives them.
    /// - Throws: everything that is wrong with it, each with its place and a remedy.
    package init(files: [BundleFile]) throws(PolicyLoadError) {
        var loader = BundleLoader(files: files)
        try self.init(loaded: loader.load(), canonicalText: BundleLoader.canonicalText(files))
    }

    init(loaded: BundleLoader.Loaded, canonicalText: String) {
        let catalog = loaded.catalog
        canonicalBytes = Array(canonicalText.utf8)
        digest = Digest(of: canonicalBytes)
        owner = catalog.owner
        services = catalog.services.values.sorted { $0.name.rawValue < $1.name.rawValue }
        profiles = catalog.profiles.values.sorted { $0.name.rawValue < $1.name.rawValue }
        defaultService = loaded.defaultService
        rules = loaded.rules.sorted { $0.id < $1.id }
        cases = loaded.cases
        reviews = catalog.reviews
        counts = Counts(
            services: services.count, profiles: profiles.count, groups: catalog.groups.count,
            sources: catalog.sources.count, rules: rules.count, cases: cases.count)
        var index: [Scope: [Rule]] = [:]
        for service in services {
            for profile in service.profiles {
                index[Scope(service: service.name, profile: profile)] = rules.filter {
                    $0.scope.services?.contains(service.name) ?? true
                        && $0.scope.profiles?.contains(profile) ?? true
                }
            }
        }
        self.index = index
    }

    /// The declared service of that name.
    package func service(named name: ServiceName) -> Service? { services.first { $0.name == name } }

    /// The declared profile of that name.
    package func profile(named name: ProfileName) -> CertificateProfile? {
        profiles.first { $0.name == name }
    }

    /// One warning for each part whose review date is past at `instant`.
    package func reviewWarnings(at instant: Timestamp) -> [PolicyDiagnostic] {
        reviews.filter { $0.reviewBy < instant }.map { review in
            PolicyDiagnostic(
                file: review.position.file, line: review.position.line, column: review.position.column,
                message: "\(review.subject) was to be reviewed by \(review.reviewBy.rfc3339.prefix(10))",
                remedy: "ask \(review.owner.team), \(review.owner.contact)")
        }
    }

    /// Rules for one profile of one service, sorted by id.
    func rules(for service: ServiceName, _ profile: ProfileName) -> [Rule] {
        index[Scope(service: service, profile: profile)] ?? []
    }
}
