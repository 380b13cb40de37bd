package import EnrollmentCore

/// A policy bundle that loaded: catalog, rules, cases, all checked against each other. Holding one means that
/// every name in it resolves and that everything in it has an owner and a review date.
///
/// Immutable. A class, because every decision passes it on and nobody wants a copy.
package final class PolicyBundle: Sendable {
    /// How much of everything a bundle holds.
    package struct Counts: Sendable, Hashable {
        package let services: Int
        package let profiles: Int
        package let groups: Int
        package let sources: Int
        package let rules: Int
        package let cases: Int
    }

    /// SHA-256 of `canonicalBytes`: the policy version that every decision carries.
    package let digest: Digest
    /// RFC 8785 text of `{"files":{path:text}}`, which the ledger keeps; see `files(fromCanonical:)`.
    package let canonicalBytes: [UInt8]
    /// The bundle's own owner, who answers where nobody else does.
    package let owner: Owner
    /// By name.
    package let services: [Service]
    /// The service of paths that name none; nil only in `nothing`.
    package let defaultService: Service?
    /// By name.
    package let profiles: [CertificateProfile]
    package let counts: Counts

    /// Sorted by id; those in shadow and off too.
    package let rules: [Rule]
    /// In the order of files and lines.
    package let cases: [PolicyCase]
    /// Everything with a review date.
    package let reviews: [Review]
    /// What becomes of what is overdue.
    package let reviewTerms: ReviewTerms
    /// Contact by team.
    package let teams: [String: String]
    let catalog: Catalog
    private let servicesByName: [ServiceName: Service]
    private let profilesByName: [ProfileName: CertificateProfile]
    private let index: RuleIndex

    /// Loads a bundle. Pure: no file is read here.
    ///
    /// - Parameters:
    ///   - files: in any order, as `BundleFile.read(directory:)` gives them.
    ///   - withCases: whether its cases are loaded too, which no decision needs.
    /// - Throws: everything that is wrong with it, each with its place and a remedy.
    package convenience init(files: [BundleFile], withCases: Bool = true) throws(PolicyLoadError) {
        let loader = BundleLoader(files: files, readsCases: withCases)
        try self.init(loaded: loader.load(), canonicalText: BundleLoader.canonicalText(files))
    }

    /// What the digest of a bundle of these files is taken of, whether they load or not.
    package static func canonicalBytes(of files: [BundleFile]) -> [UInt8] {
        Array(BundleLoader.canonicalText(files).utf8)
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
        reviewTerms = catalog.reviewTerms
        teams = catalog.teams
        self.catalog = catalog
        servicesByName = catalog.services
        profilesByName = catalog.profiles
        counts = Counts(
            services: services.count, profiles: profiles.count, groups: catalog.groups.count,
            sources: catalog.sources.count, rules: rules.count, cases: cases.count)
        index = RuleIndex(rules, services)
    }

    private init() {
        canonicalBytes = Self.canonicalBytes(of: [])
        digest = Digest(of: canonicalBytes)
        owner = Owner(team: "nobody", contact: "nobody")
        (services, profiles, defaultService, rules, cases, reviews) = ([], [], nil, [], [], [])
        (reviewTerms, teams, servicesByName, profilesByName) = (ReviewTerms(), [:], [:], [:])
        catalog = Catalog()
        counts = Counts(services: 0, profiles: 0, groups: 0, sources: 0, rules: 0, cases: 0)
        index = RuleIndex([], [])
    }

    /// The bundle of no files: it has no service, so it denies everything. In force where there is no good
    /// one.
    package static let nothing = PolicyBundle()

    /// The same bundle with one rule changed, for asking what its cases would notice. Its digest stays that
    /// of the files.
    package func replacing(_ rule: Rule) -> PolicyBundle {
        PolicyBundle(self, rules: rules.map { $0.id == rule.id ? rule : $0 })
    }

    private init(_ other: PolicyBundle, rules: [Rule]) {
        (digest, canonicalBytes, owner) = (other.digest, other.canonicalBytes, other.owner)
        (services, defaultService, profiles) = (other.services, other.defaultService, other.profiles)
        (counts, cases, catalog, teams) = (other.counts, other.cases, other.catalog, other.teams)
        (reviews, reviewTerms) = (other.reviews, other.reviewTerms)
        (servicesByName, profilesByName) = (other.servicesByName, other.profilesByName)
        self.rules = rules
        index = RuleIndex(rules, services)
    }

    /// The declared service of that name.
    package func service(named name: ServiceName) -> Service? { servicesByName[name] }

    /// The declared profile of that name.
    package func profile(named name: ProfileName) -> CertificateProfile? {
        profilesByName[name]
    }

    /// One warning for each part whose review date is past at `instant`.
    package func reviewWarnings(at instant: Timestamp) -> [PolicyDiagnostic] {
        overdueReviews(at: instant).map { review in
            PolicyDiagnostic(
                file: review.position.file, line: review.position.line, column: review.position.column,
                message: "\(review.subject) was to be reviewed by \(review.reviewBy.rfc3339.prefix(10))",
                remedy: "ask \(review.owner.team), \(review.owner.contact)")
        }
    }

    /// What was to be reviewed before `instant`.
    package func overdueReviews(at instant: Timestamp) -> [Review] {
        reviews.filter { $0.reviewBy < instant }
    }

    /// Whether what was to be reviewed by `date` grants nothing any more.
    func refuses(reviewBy date: Timestamp, at instant: Timestamp) -> Bool {
        reviewTerms.refusesOverdue && instant >= date.adding(seconds: reviewTerms.grace)
    }

    /// The rules for one profile of one service; nil when there are none for it.
    func rules(for service: ServiceName, _ profile: ProfileName) -> RuleSelection? {
        index.rules(for: service, profile)
    }
}
