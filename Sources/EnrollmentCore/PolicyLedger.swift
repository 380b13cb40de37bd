/// What activation asks of the ledger. The ledger's latest activation is what is in force on every replica,
/// so activations have one order, and each call that writes is one transaction.
package protocol PolicyLedger: Sendable {
    /// The activation in force; nil before the first one.
    func latestActivation() async throws(LedgerError) -> PolicyActivationRecord?

    /// The canonical bytes of a bundle that was ever in force, or of the one without files; nil for any
    /// other.
    func bundle(digest: Digest) async throws(LedgerError) -> [UInt8]?

    /// Whether a bundle once was in force, or one that says the same, and it is neither in force nor says
    /// what the bundle in force does.
    func isSuperseded(digest: Digest, meaning: Digest) async throws(LedgerError) -> Bool

    /// Records that a bundle is in force, unless it is already or, not being asked for by name, is
    /// superseded: going back is deliberate. Raises an alert when a bundle that was asked for by name is
    /// replaced by one that was not.
    func activate(_ proposal: PolicyProposal) async throws(LedgerError) -> PolicyActivationResult

    /// Records a refused candidate and raises its alert, once for each candidate and bundle in force; false
    /// when both are there already.
    func refuse(_ refusal: PolicyRefusalRecord) async throws(LedgerError) -> Bool

    /// Raises the alert of an overdue review, once for each subject and date; false when it is there already.
    func alert(_ overdue: OverdueReviewRecord) async throws(LedgerError) -> Bool
}

/// A bundle that is fit to be in force.
package struct PolicyProposal: Sendable, Hashable {
    /// SHA-256 of `canonicalBytes`; the database checks it.
    package let digest: Digest
    /// The whole bundle, enough to decide again.
    package let canonicalBytes: [UInt8]
    /// The same for bundles that say the same, however they are written.
    package let meaning: Digest
    /// The team answerable for the bundle.
    package let owner: String
    /// Whether somebody asks for this very bundle, instead of a gateway's directory having changed.
    package let byName: Bool
    package let actor: String
    package let at: Timestamp

    /// - Parameters: as the properties.
    package init(
        digest: Digest, canonicalBytes: [UInt8], meaning: Digest, owner: String, byName: Bool,
        by actor: String, at now: Timestamp
    ) {
        self.digest = digest
        self.canonicalBytes = canonicalBytes
        self.meaning = meaning
        self.owner = owner
        self.byName = byName
        self.actor = actor
        at = now
    }
}

/// One activation of a policy bundle, as recorded.
package struct PolicyActivationRecord: Sendable, Hashable {
    /// Its place in the order of activations; later ones have larger numbers, with gaps.
    package let number: Int64
    package let digest: Digest
    /// The bundle that was in force before; nil for the first.
    package let previous: Digest?
    package let at: Timestamp
    package let actor: String

    /// - Parameters: as the properties.
    package init(number: Int64, digest: Digest, previous: Digest?, at: Timestamp, actor: String) {
        self.number = number
        self.digest = digest
        self.previous = previous
        self.at = at
        self.actor = actor
    }
}

/// What came of an activation, with the activation that is in force after it.
package enum PolicyActivationResult: Sendable, Hashable {
    case activated(PolicyActivationRecord)
    /// The bundle was in force already; nothing was written.
    case unchanged(PolicyActivationRecord)
    /// The bundle, or one that says the same, once was in force and another is now; nothing was written.
    case superseded(by: PolicyActivationRecord)
}

/// A candidate that must not be in force, with the alert that says so.
package struct PolicyRefusalRecord: Sendable, Hashable {
    /// What names the candidate, even one that does not load.
    package let candidate: Digest
    package let at: Timestamp
    package let actor: String
    /// The team it is for: the owner of the bundle in force.
    package let owner: String
    /// One fault a line, bounded.
    package let faults: String
    /// What the alert says: the first few faults.
    package let detail: String

    /// - Parameters: as the properties.
    package init(
        candidate: Digest, at: Timestamp, actor: String, owner: String, faults: String, detail: String
    ) {
        self.candidate = candidate
        self.at = at
        self.actor = actor
        self.owner = owner
        self.faults = faults
        self.detail = detail
    }
}

/// A part of the policy whose review date is past.
package struct OverdueReviewRecord: Sendable, Hashable {
    /// E.g. `service laptops`.
    package let subject: String
    /// The date by which it was to be reviewed, `YYYY-MM-DD`.
    package let reviewBy: String
    /// The team it is for.
    package let owner: String
    /// One sentence.
    package let detail: String
    package let at: Timestamp

    /// - Parameters: as the properties.
    package init(subject: String, reviewBy: String, owner: String, detail: String, at: Timestamp) {
        self.subject = subject
        self.reviewBy = reviewBy
        self.owner = owner
        self.detail = detail
        self.at = at
    }
}
