package import EnrollmentCore
package import Policy

/// What a bundle's rule asks of people for one request, and how far that has come. Policy looks again when
/// the request is judged; this is what people are told meanwhile.
package struct PolicyApproval: Sendable, Hashable {
    package let rule: String
    package let terms: ApprovalTerms
    /// Members whose approval counts now, sorted.
    package let approvers: [String]
    /// Members whose latest word is no, sorted; one is enough.
    package let deniers: [String]
    /// Members whose approval would count besides, sorted.
    package let others: [String]

    /// - Parameters:
    ///   - rule: the id of a rule that was asked about.
    ///   - words: the latest of each person.
    ///   - minter: who minted the credential offered, as the ledger names them; nil when nobody knows.
    /// - Returns: nil when the bundle has no such rule in force, or the rule asks nobody.
    package init?(
        rule: String, of bundle: PolicyBundle, words: [Approval], mintedBy minter: String?,
        at now: Timestamp
    ) {
        let found = bundle.rules.first { $0.id == rule && $0.mode == .enforce }
        guard let terms = found?.approval else { return nil }
        let approvers = terms.approvers(in: words, mintedBy: minter, at: now)
        self.rule = rule
        self.terms = terms
        self.approvers = approvers
        deniers = terms.deniers(in: words)
        others = terms.eligible(mintedBy: minter).filter { !approvers.contains($0) }
    }

    /// How many more members must approve; 0 when enough have.
    package var missing: Int { max(0, terms.count - approvers.count) }

    /// E.g. `1 of 2: still needs one more of os:ann, os:bob`.
    package var progress: String {
        guard deniers.isEmpty else {
            return "denied by \(deniers.joined(separator: ", "))"
        }
        let count = "\(approvers.count) of \(terms.count)"
        guard missing > 0 else { return count }
        let more = missing == 1 ? "one more" : "\(missing) more"
        guard !others.isEmpty else {
            return "\(count): still needs \(more), and there is nobody left who may give it"
        }
        return "\(count): still needs \(more) of \(others.joined(separator: ", "))"
    }
}
