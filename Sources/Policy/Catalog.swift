import EnrollmentCore

/// What a bundle declares besides rules.
struct Catalog {
    /// A group or a posture source.
    struct Entry: Sendable, Hashable {
        let owner: Owner
        let reviewBy: Timestamp
    }

    var owner = Owner(team: "", contact: "")
    /// Contact by team.
    var teams: [String: String] = [:]
    var services: [ServiceName: Service] = [:]
    var profiles: [ProfileName: CertificateProfile] = [:]
    var groups: [String: Entry] = [:]
    var sources: [String: Entry] = [:]
    /// Everything with a review date, to warn of the overdue.
    var reviews: [Review] = []
}

/// A part of the bundle that somebody must look at again by some day.
struct Review: Sendable, Hashable {
    /// E.g. "service laptops".
    let subject: String
    let owner: Owner
    let reviewBy: Timestamp
    let position: SourcePosition
}
