package import EnrollmentCore
package import Policy

/// What became of a candidate, or of the bundle that the ledger says is in force.
package enum PolicyVerdict: Sendable {
    /// Put in force here, and thereby everywhere.
    case activated(PolicyActivationRecord)
    /// Put in force here after the ledger.
    case followed(PolicyActivationRecord)
    /// In force already.
    case unchanged(PolicyActivationRecord)
    /// The candidate, or one that says the same, once was in force and another bundle is now, which stays.
    case superseded(Digest, by: PolicyActivationRecord)
    /// Not fit to be in force; what was in force stays. `isNew` is false when the ledger knows already.
    case refused(Digest, [PolicyDiagnostic], isNew: Bool)

    /// In one word, for counting.
    package var name: String {
        switch self {
        case .activated: "activated"
        case .followed: "followed"
        case .unchanged: "unchanged"
        case .superseded: "superseded"
        case .refused: "refused"
        }
    }
}

extension PolicyRefusalRecord {
    /// Bounded: a broken bundle can have very many faults, and very long ones.
    init(
        candidate: Digest, faults: [PolicyDiagnostic], owner: Owner, by actor: String, at now: Timestamp
    ) {
        self.init(
            candidate: candidate, at: now, actor: actor, owner: owner.team,
            faults: Self.lines(faults, limit: 50).joined(separator: "\n"),
            detail: Self.lines(faults, limit: 3).joined(separator: "; "))
    }

    private static func lines(_ faults: [PolicyDiagnostic], limit: Int) -> [String] {
        let lines = faults.prefix(limit).map { String($0.description.prefix(400)) }
        return faults.count > limit ? lines + ["and \(faults.count - limit) more"] : lines
    }
}
