import Database
package import EnrollmentCore

extension PostgresLedger: PolicyLedger {
    package func latestActivation() async throws(LedgerError) -> PolicyActivationRecord? {
        try await read { connection throws(DatabaseError) in
            guard let row = try connection.query(Self.latest).first else { return nil }
            return try Self.activation(row)
        }
    }

    package func bundle(digest: Digest) async throws(LedgerError) -> [UInt8]? {
        try await read { connection throws(DatabaseError) in
            try connection.query(Self.bundle, [.digest(digest)]).first?.bytes(0)
        }
    }

    package func isSuperseded(digest: Digest, meaning: Digest) async throws(LedgerError) -> Bool {
        try await read { connection throws(DatabaseError) in
            try connection.row(Self.superseded, [.digest(digest), .digest(meaning)]).bool(0)
        }
    }

    package func activate(_ proposal: PolicyProposal) async throws(LedgerError) -> PolicyActivationResult {
        let values: [Parameter] = [
            newID(), .digest(proposal.digest), .bytes(proposal.canonicalBytes), .digest(proposal.meaning),
            .timestamp(proposal.at), .text(proposal.actor.storable), .text(proposal.owner.storable),
            .bool(proposal.byName),
        ]
        return try await write { connection throws(DatabaseError) in
            let verdict = try connection.row(Self.activate, values).text(0)
            let latest = try Self.activation(try connection.row(Self.latest))
            switch verdict {
            case "activated": return .activated(latest)
            case "unchanged": return .unchanged(latest)
            case "superseded": return .superseded(by: latest)
            default: throw .unexpectedRow("no verdict of activation: \(verdict)")
            }
        }
    }

    /// Records that a bundle is in force, asked for by name, whether or not it once was. It means what no
    /// other does.
    @discardableResult
    package func activatePolicy(
        digest: Digest, canonicalBytes: [UInt8], by actor: String, at now: Timestamp
    ) async throws(LedgerError) -> PolicyActivationResult {
        try await activate(
            PolicyProposal(
                digest: digest, canonicalBytes: canonicalBytes, meaning: digest, owner: "nobody",
                byName: true, by: actor, at: now))
    }

    package func refuse(_ refusal: PolicyRefusalRecord) async throws(LedgerError) -> Bool {
        let values: [Parameter] = [
            newID(), newID(), .digest(refusal.candidate), .timestamp(refusal.at),
            .text(refusal.actor.storable), .text(refusal.faults.storable), .text(refusal.owner.storable),
            .text(refusal.detail.storable),
        ]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.refuse, values).bool(0)
        }
    }

    package func alert(_ overdue: OverdueReviewRecord) async throws(LedgerError) -> Bool {
        let values: [Parameter] = [
            newID(), .text(overdue.subject.storable), .text(overdue.reviewBy), .text(overdue.owner.storable),
            .text(overdue.detail.storable), .timestamp(overdue.at),
        ]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.overdue, values).bool(0)
        }
    }

    private static func activation(_ row: Row) throws(DatabaseError) -> PolicyActivationRecord {
        PolicyActivationRecord(
            number: try row.integer(0), digest: try row.digest(1),
            previous: try row.optionalBytes(2).flatMap { Digest(bytes: $0) }, at: try row.instant(3),
            actor: try row.text(4))
    }

    private static let latest = Statement(
        """
        SELECT s.number, a.policy_sha256, s.previous_sha256, a.activated_at, a.actor
        FROM ledger.policy_succession AS s JOIN ledger.policy_activation AS a USING (entry_id)
        ORDER BY s.number DESC LIMIT 1
        """)
    private static let bundle = Statement(
        "SELECT v.bundle FROM ledger.policy_version AS v WHERE v.policy_sha256 = $1")
    private static let superseded = Statement("SELECT ledger.is_superseded($1, $2)")
    private static let activate = Statement("SELECT ledger.activate_policy($1, $2, $3, $4, $5, $6, $7, $8)")
    private static let refuse = Statement("SELECT ledger.refuse_policy($1, $2, $3, $4, $5, $6, $7, $8)")
    private static let overdue = Statement(
        "SELECT ledger.alert_overdue_review($1, $2, $3::text::date, $4, $5, $6)")
}
