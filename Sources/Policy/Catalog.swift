package import EnrollmentCore

/// What a bundle declares besides rules.
struct Catalog {
    /// A group or a kind of proof.
    struct Entry: Sendable, Hashable {
        let owner: Owner
        let reviewBy: Timestamp
    }

    /// What may be declared, by the word for one of it.
    enum Kind: String { case team, group, profile, proof, service, source }

    var owner = Owner(team: "", contact: "")
    /// Contact by team.
    var teams: [String: String] = [:]
    /// Members by team, as approvals name them.
    var members: [String: [String]] = [:]
    var reviewTerms = ReviewTerms()
    var services: [ServiceName: Service] = [:]
    var profiles: [ProfileName: CertificateProfile] = [:]
    var groups: [String: Entry] = [:]
    var proofs: [ProofKind: Entry] = [:]
    var sources: [String: PostureSource] = [:]
    /// Everything with a review date, to warn of the overdue.
    var reviews: [Review] = []
    /// Every name declared, what is wrong with its declaration or not; nothing for a kind whose file is
    /// missing or unreadable.
    var declared: [Kind: Set<String>] = [:]

    /// Whether `name` is declared, after reporting it otherwise. Where the declarations could not be read,
    /// any name will do: what is wrong was reported there.
    func expect(
        _ name: String, _ kind: Kind, at position: SourcePosition, _ faults: DiagnosticCollector
    ) -> Bool {
        guard let declared = declared[kind], !declared.contains(name) else { return true }
        faults.report(
            position, "unknown \(kind.rawValue) `\(name)`", remedy: spellingRemedy(name, among: declared))
        return false
    }
}

/// What a bundle does with what is past its review date.
package struct ReviewTerms: Sendable, Hashable {
    /// Whether the overdue grants nothing; otherwise it is warned of only.
    package var refusesOverdue = false
    /// Seconds past the review date at which that begins.
    package var grace: Int64 = 0
}

/// A part of the bundle that somebody must look at again by some day.
package struct Review: Sendable, Hashable {
    /// E.g. "service laptops".
    package let subject: String
    package let owner: Owner
    /// The start of the day by which it was to be reviewed.
    package let reviewBy: Timestamp
    package let position: SourcePosition
}

/// Facts that posture sources report.
package enum PostureFactKind: String, Sendable, Hashable, CaseIterable {
    /// Whether the device meets the source's security policy.
    case compliance
    /// Whether its operating system was tampered with.
    case jailbroken
}

/// Kinds of proof that rules may ask for, as the catalog and rules write them.
package enum ProofKind: String, Sendable, Hashable, CaseIterable {
    case oneTimeCredential = "one_time_credential"
    case certificateOfOurs = "certificate_of_ours"
    case domainControl = "domain_control"
}

/// A posture source that rules may trust, as the catalog declares it.
package struct PostureSource: Sendable, Hashable {
    package let name: String
    /// The facts that it reports; at least one.
    package let provides: Set<PostureFactKind>
    package let owner: Owner
    /// The start of the day by which it is to be reviewed.
    package let reviewBy: Timestamp
}

extension PolicyBundle {
    /// Declared posture sources, by name.
    package var sources: [PostureSource] { catalog.sources.values.sorted { $0.name < $1.name } }
    /// Declared device groups, sorted.
    package var groups: [String] { catalog.groups.keys.sorted() }
    /// Declared kinds of proof, by name.
    package var proofKinds: [ProofKind] { catalog.proofs.keys.sorted { $0.rawValue < $1.rawValue } }
}
