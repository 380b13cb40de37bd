import Database
package import EnrollmentCore

/// Why a certificate is revoked (RFC 5280 §5.3.1); the names are the RFC's.
package enum RevocationReason: String, Sendable, Hashable, CaseIterable {
    case unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn
}

extension PostgresLedger {
    /// Closes reservations that were never signed and revokes their serials: those past their signing
    /// deadline, and all of `gateway` when it is named, which only its own start-up may do. Returns how many.
    package func reconcile(gateway: String?, now: Timestamp) async throws(LedgerError) -> Int {
        let values: [Parameter] = [.text(gateway), .timestamp(now)]
        return try await write { connection throws(DatabaseError) in
            Int(clamping: try connection.row(Self.reconcile, values).integer(0))
        }
    }

    /// Forgets expired protocol state, a bounded number of rows; returns how many.
    package func forgetExpiredState(now: Timestamp) async throws(LedgerError) -> Int {
        try await write { connection throws(DatabaseError) in
            Int(clamping: try connection.row(Self.forget, [.timestamp(now)]).integer(0))
        }
    }

    /// Revokes an issued certificate; false when it was revoked before.
    package func revoke(
        issuer: String, serial: [UInt8], at now: Timestamp, reason: RevocationReason, by actor: String,
        because why: String
    ) async throws(LedgerError) -> Bool {
        let values: [Parameter] = [
            .text(issuer), .bytes(serial), .timestamp(now), .text(reason.rawValue), .text(actor.storable),
            .text(why.storable),
        ]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.revoke, values).bool(0)
        }
    }

    /// Appends an act of an administrator.
    package func append(_ event: AdminEvent) async throws(LedgerError) {
        let values: [Parameter] = [
            newID(), .timestamp(event.at), .text(event.actor.storable), .text(event.action),
            .text(event.target.storable), .text(event.reason.storable),
        ]
        try await write { connection throws(DatabaseError) in _ = try connection.query(Self.admin, values) }
    }

    /// Appends a security alert.
    package func append(_ alert: AlertRecord) async throws(LedgerError) {
        let values: [Parameter] = [
            newID(), .timestamp(alert.at), .text(alert.detector), .text(alert.severity.rawValue),
            .text(alert.owner), .text(alert.subject.storable), .uuid(alert.request),
            .text(alert.detail.storable),
        ]
        try await write { connection throws(DatabaseError) in _ = try connection.query(Self.alert, values) }
    }

    /// Appends counts of requests that have no row of their own, all in one transaction.
    package func flush(_ counts: UnrecordedCounts) async throws(LedgerError) {
        let traffic: [[Parameter]] = counts.traffic.filter { $0.requests > 0 }.map { count in
            [
                newID(), .timestamp(count.minute), .text(gateway),
                .text(String(count.service.storable.prefix(200))),
                .text(count.source), .text(count.kind.rawValue), .integer(count.requests),
            ]
        }
        // In one order everywhere, since each locks its credential.
        let guesses: [[Parameter]] = counts.guesses.filter { $0.guesses > 0 }
            .sorted { $0.credential.rawValue < $1.credential.rawValue }
            .map { count in
                [
                    newID(), .text(count.credential.rawValue), .timestamp(count.minute),
                    .integer(count.guesses),
                ]
            }
        guard !traffic.isEmpty || !guesses.isEmpty else { return }
        try await write { connection throws(DatabaseError) in
            for row in traffic { _ = try connection.query(Self.traffic, row) }
            for row in guesses { _ = try connection.query(Self.guesses, row) }
        }
    }

    private static let reconcile = Statement("SELECT ledger.reconcile($1, $2, 1000)")
    private static let forget = Statement("SELECT state.forget($1, 10000)")
    private static let revoke = Statement("SELECT ledger.revoke($1, $2, $3, $4, $5, $6)")
    private static let admin = Statement("SELECT ledger.append_admin_event($1, $2, $3, $4, $5, $6)")
    private static let traffic = Statement("SELECT ledger.count_traffic($1, $2, $3, $4, $5, $6, $7)")
    private static let guesses = Statement("SELECT ledger.count_guesses($1, $2, $3, $4)")
    private static let alert = Statement(
        "SELECT ledger.append_alert($1, $2, $3, $4, $5, $6, ARRAY[$7::uuid], $8, $7::uuid)")
}
