import Database
package import EnrollmentCore

extension PostgresLedger {
    package func deferredRequest(
        under reference: TransactionReference
    ) async throws(LedgerError) -> DeferredRequest? {
        let values: [Parameter] = [.text(reference.service.rawValue), .text(reference.text.storable)]
        return try await read { connection throws(DatabaseError) in
            guard let row = try connection.query(Self.deferred, values).first,
                let key = try row.optionalKey(1), try !row.bool(3)
            else { return nil }
            let document = try AttemptDocuments.decode(RecordedRequestDocument.self, from: try row.text(2))
            return DeferredRequest(key: key, request: try row.requestID(0), input: document.input)
        }
    }

    package func conflict(
        under reference: TransactionReference, operation: EnrollmentOperation, request: Digest,
        at now: Timestamp
    ) async throws(LedgerError) -> RequestID? {
        let values: [Parameter] = [
            .text(reference.service.rawValue), .text(reference.text.storable), .text(operation.rawValue),
            .digest(request), .timestamp(now),
        ]
        return try await read { connection throws(DatabaseError) in
            let row = try connection.row(Self.conflict, values)
            return try row.optionalUUID(0).flatMap { RequestID(bytes: $0) }
        }
    }

    package func certificate(digest: Digest) async throws(LedgerError) -> CertificateRecord? {
        try await read { connection throws(DatabaseError) in
            guard let row = try connection.query(Self.certificate, [.digest(digest)]).first else {
                return nil
            }
            return try Self.certificateRecord(row)
        }
    }

    /// Certificates of a device, newest first, at most `limit`; all devices for nil.
    package func certificates(device: DeviceID?, limit: Int) async throws(LedgerError) -> [CertificateRecord]
    {
        let values: [Parameter] = [.text(device?.rawValue), .integer(Int64(limit))]
        return try await read { connection throws(DatabaseError) in
            var records: [CertificateRecord] = []
            for row in try connection.query(Self.certificates, values) {
                records.append(try Self.certificateRecord(row))
            }
            return records
        }
    }

    package func circumstances(
        device: DeviceID, service: ServiceName, publicKey: Digest?, credential: CredentialID?,
        transaction: TransactionKey?, at now: Timestamp
    ) async throws(LedgerError) -> Circumstances {
        let values: [Parameter] = [
            .text(device.rawValue), .text(service.rawValue), .digest(publicKey), .timestamp(now),
            .text(credential?.rawValue), .digest(transaction?.digest),
        ]
        return try await read { connection throws(DatabaseError) in
            let row = try connection.row(Self.circumstances, values)
            let history = HistoryFacts(
                activeCertificates: Int(clamping: try row.integer(0)), keySeenOnOtherDevice: try row.bool(1),
                keyBlocked: try row.bool(2), failedAttempts: Int(clamping: try row.integer(3)),
                lastProofs: try row.texts(5), mintedBy: try row.optionalText(4))
            return Circumstances(
                history: history,
                approvals: try AttemptDocuments.decode([Approval].self, from: try row.text(6)))
        }
    }

    private static func certificateRecord(_ row: Row) throws(DatabaseError) -> CertificateRecord {
        guard let names = try row.optionalJSON(7) else { throw .unexpectedRow("no names") }
        return CertificateRecord(
            digest: try row.digest(0), certificate: try row.bytes(1), issuer: try row.text(2),
            serial: try row.bytes(3), service: ServiceName(try row.text(4)),
            profile: ProfileName(try row.text(5)),
            device: try row.device(6), names: try AttemptDocuments.decode(CertificateNames.self, from: names),
            publicKey: try row.digest(8), notBefore: try row.instant(9), notAfter: try row.instant(10),
            isRevoked: try row.bool(11))
    }

    private static let deferred = Statement(
        """
        SELECT q.request_id, q.transaction_key, ledger.reveal(q.request_id, e.body),
               EXISTS (SELECT FROM ledger.redacted_commitment AS r WHERE r.request_id = q.request_id)
        FROM ledger.request AS q JOIN ledger.entry AS e ON e.entry_id = q.request_id
        JOIN ledger.decision AS d ON d.request_id = q.request_id
        WHERE q.service = $1 AND q.reference = $2 AND q.kind = 'enroll' AND d.effect = 'defer'
        ORDER BY e.recorded_at DESC LIMIT 1
        """)
    private static let certificate = Statement(
        """
        SELECT c.certificate_sha256, c.der, r.issuer, r.serial, r.service, r.profile, r.device_id, r.names,
               r.public_key, r.not_before, r.not_after, v.serial IS NOT NULL
        FROM ledger.certificate AS c JOIN ledger.reservation AS r USING (request_id)
        LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
        WHERE c.certificate_sha256 = $1
        """)
    private static let certificates = Statement(
        """
        SELECT c.certificate_sha256, c.der, r.issuer, r.serial, r.service, r.profile, r.device_id, r.names,
               r.public_key, r.not_before, r.not_after, v.serial IS NOT NULL
        FROM ledger.certificate AS c JOIN ledger.reservation AS r USING (request_id)
        LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
        WHERE $1 IS NULL OR r.device_id = $1 ORDER BY c.signed_at DESC LIMIT $2
        """)
    private static let circumstances = Statement(
        """
        SELECT active, elsewhere, blocked, failed, minted_by, coalesce(last_proofs, '{}'), words
        FROM ledger.circumstances($1, $2, $3, $4, $5, $6)
        """)
    private static let conflict = Statement("SELECT ledger.conflict($1, $2, $3, $4, $5)")
}
