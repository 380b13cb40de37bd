import Database
package import EnrollmentCore

extension PostgresLedger: CredentialStore {
    package func mint(_ credential: CredentialRecord, by actor: String) async throws(LedgerError) {
        let values: [Parameter] = [
            newID(), .text(credential.id.rawValue), .integer(Int64(credential.masterKeyVersion)),
            .text(credential.service.rawValue), .text(credential.device.rawValue),
            .text(credential.restrictedTo?.rawValue), .timestamp(credential.mintedAt),
            .timestamp(credential.expiresAt), .text(actor.storable),
        ]
        try await write { connection throws(DatabaseError) in _ = try connection.query(Self.mint, values) }
    }

    package func credential(_ id: CredentialID) async throws(LedgerError) -> CredentialRecord? {
        let values: [Parameter] = [.text(id.rawValue), .timestamp(clock.now())]
        return try await read { connection throws(DatabaseError) in
            try connection.query(Self.credential, values).first
                .map { row throws(DatabaseError) in try Self.credentialRecord(row) }
        }
    }

    package func credentials(
        service: ServiceName?, device: DeviceID?, limit: Int
    ) async throws(LedgerError) -> [CredentialRecord] {
        let values: [Parameter] = [
            .text(service?.rawValue), .text(device?.rawValue), .integer(Int64(limit)),
            .timestamp(clock.now()),
        ]
        return try await read { connection throws(DatabaseError) in
            var records: [CredentialRecord] = []
            for row in try connection.query(Self.credentials, values) {
                records.append(try Self.credentialRecord(row))
            }
            return records
        }
    }

    package func revoke(
        _ id: CredentialID, at now: Timestamp, by actor: String, because reason: String
    ) async throws(LedgerError) -> Bool {
        let values: [Parameter] = [
            newID(), .text(id.rawValue), .timestamp(now), .text(actor.storable), .text(reason.storable),
        ]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.revokeCredential, values).bool(0)
        }
    }

    package func accountBinding(
        service: ServiceName, account: String
    ) async throws(LedgerError) -> AccountBinding? {
        let values: [Parameter] = [.text(service.rawValue), .text(account.storable)]
        return try await read { connection throws(DatabaseError) in
            guard let row = try connection.query(Self.account, values).first else { return nil }
            return AccountBinding(
                credential: try row.credentialID(0), device: try row.device(1),
                orderUntil: try row.instant(2),
                isRevoked: try row.bool(3))
        }
    }

    package func bind(
        _ attempt: AttemptRecord, account: ProtocolRecord, accountID: String, orderUntil: Timestamp
    ) async throws(LedgerError) -> CredentialState {
        let key = attempt.key ?? Self.bindingKey(attempt.input.service, accountID)
        let documents = try AttemptDocuments(
            attempt, kind: "bind", key: key, gateway: gateway, random: random)
        let values: [Parameter] =
            documents.parameters + [
                .text(accountID.storable), .timestamp(orderUntil), .text(account.key.kind),
                .text(account.key.id),
                .text(account.document.storable.canonicalText), .timestamp(account.expiresAt), newID(),
            ] + documents.privateParameters
        return try await write { connection throws(DatabaseError) in
            guard let state = CredentialState(rawValue: try connection.row(Self.bind, values).text(0)) else {
                throw .unexpectedRow("not a credential state")
            }
            return state
        }
    }

    package func alertSpent(
        _ id: CredentialID, state: CredentialState, request: RequestID, owner: String, at instant: Timestamp
    ) async throws(LedgerError) {
        let values: [Parameter] = [
            newID(), .text(id.rawValue), .text(state.rawValue), .uuid(request), .text(owner),
            .timestamp(instant),
        ]
        try await write { connection throws(DatabaseError) in _ = try connection.query(Self.alert, values) }
    }

    /// The transaction key of a binding whose attempt has none: one account, one use.
    static func bindingKey(_ service: ServiceName, _ account: String) -> TransactionKey {
        TransactionKey(
            digest: Digest(ofFields: [Array("bind".utf8), Array(service.rawValue.utf8), Array(account.utf8)]))
    }

    private static func credentialRecord(_ row: Row) throws(DatabaseError) -> CredentialRecord {
        CredentialRecord(
            id: try row.credentialID(0), masterKeyVersion: Int(clamping: try row.integer(1)),
            service: ServiceName(try row.text(2)), device: try row.device(3),
            restrictedTo: try row.optionalText(4).flatMap(EnrollmentProtocol.init(rawValue:)),
            mintedAt: try row.instant(5), expiresAt: try row.instant(6), mintedBy: try row.text(7),
            revokedAt: try row.optionalInstant(8), consumedBy: try row.optionalKey(9),
            isUseEnded: try row.bool(12),
            deferredFor: try row.optionalKey(10), deferredUntil: try row.optionalInstant(11))
    }

    private static let mint = Statement("SELECT ledger.mint($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    private static let credential = Statement(
        """
        SELECT k.*, EXISTS (SELECT FROM ledger.standing(k.used_for, $2) WHERE status = 'ended')
        FROM ledger.known_credential AS k WHERE k.credential_id = $1
        """)
    private static let credentials = Statement(
        """
        SELECT k.*, EXISTS (SELECT FROM ledger.standing(k.used_for, $4) WHERE status = 'ended')
        FROM ledger.known_credential AS k
        WHERE ($1 IS NULL OR k.service = $1) AND ($2 IS NULL OR k.device_id = $2)
        ORDER BY k.minted_at DESC, k.credential_id LIMIT $3
        """)
    private static let revokeCredential = Statement("SELECT ledger.revoke_credential($1, $2, $3, $4, $5)")
    private static let account = Statement(
        """
        SELECT a.credential_id, a.device_id, a.order_until, EXISTS (SELECT FROM ledger.credential_event AS v
          WHERE v.credential_id = a.credential_id AND v.kind = 'revoke')
        FROM ledger.account AS a WHERE a.service = $1 AND a.account_id = $2
        """)
    private static let bind = Statement(
        """
        SELECT worth, ledger.keep_private($10, $11)
        FROM ledger.bind($1, $2, $3, $4, $5, $6, $7, $8, $9) AS worth
        """)
    private static let alert = Statement("SELECT ledger.alert_credential($1, $2, $3, $4, $5, $6)")
}
