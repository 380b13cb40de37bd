import Database
package import EnrollmentCore

extension PostgresLedger: IssuanceLedger {
    package func standing(of key: TransactionKey) async throws(LedgerError) -> TransactionStanding {
        while true {
            let values: [Parameter] = [.digest(key.digest), .timestamp(clock.now())]
            let (standing, isOverdue) = try await read { connection throws(DatabaseError) in
                try Self.standing(try connection.query(Self.standing, values).first)
            }
            guard isOverdue, case .inFlight(let request) = standing else { return standing }
            _ = try await close(request, because: "signing deadline passed")
        }
    }

    private static func standing(_ row: Row?) throws(DatabaseError) -> (TransactionStanding, isOverdue: Bool)
    {
        guard let row else { return (.open, false) }
        switch try row.text(0) {
        case "issued": return (.issued(try issued(row, from: 1)), false)
        case "in_flight":
            return (.inFlight(request: try row.requestID(1)), try row.bool(7))
        default: return (.open, false)
        }
    }

    @discardableResult
    package func record(_ attempt: AttemptRecord) async throws(LedgerError) -> RequestID {
        let documents = try AttemptDocuments(
            attempt, kind: attempt.kind.rawValue, key: attempt.key, gateway: gateway, random: random)
        let hold = attempt.input.instant.adding(seconds: deferredHold(attempt.input.service))
        return try await write { connection throws(DatabaseError) in
            try connection.row(
                Self.recordAttempt,
                documents.parameters + [.timestamp(hold)] + documents.privateParameters
            ).requestID(0)
        }
    }

    package func record(_ refusal: RefusalRecord) async throws(LedgerError) {
        let documents = AttemptDocuments(refusal, gateway: gateway, random: random)
        try await write { connection throws(DatabaseError) in
            _ = try connection.row(
                Self.recordRefusal,
                documents.parameters + [.text(refusal.credential?.rawValue)] + documents.privateParameters)
        }
    }

    package func reserve(
        _ attempt: AttemptRecord, _ reservation: ReservationRecord
    ) async throws(LedgerError) -> ReservationResult {
        let documents = try AttemptDocuments(
            attempt, kind: attempt.kind.rawValue, key: attempt.key, gateway: gateway, random: random)
        let digest = Digest(of: reservation.tbsCertificate)
        let document = try Self.document(reservation, id: attempt.id, digest: digest)
        let values =
            documents.parameters + [.text(document), .bytes(reservation.tbsCertificate)]
            + documents.privateParameters
        return try await write { connection throws(DatabaseError) in
            try Self.reservationResult(try connection.row(Self.reserve, values), digest)
        }
    }

    package func commit(
        _ signed: SignedCertificateRecord, under reservation: Reservation
    ) async throws(LedgerError) -> IssuedCertificate? {
        let id = reservation.requestID
        return try await write { connection throws(DatabaseError) in
            let values: [Parameter] = [.uuid(id), .bytes(signed.certificate), .timestamp(signed.signedAt)]
            guard try connection.row(Self.commit, values).bool(0) else { return nil }
            return try Self.issued(try connection.row(Self.issuedCertificate, [.uuid(id)]), from: 0)
        }
    }

    package func close(_ request: RequestID, because reason: String) async throws(LedgerError) -> Bool {
        let values: [Parameter] = [.uuid(request), .text(reason), .timestamp(clock.now()), .text(gateway)]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.close, values).bool(0)
        }
    }

    private static func document(
        _ reservation: ReservationRecord, id: RequestID, digest: Digest
    ) throws(LedgerError) -> String {
        JSONValue.object([
            "request_id": .string(id.description), "issuer": .string(reservation.issuer),
            "serial": .string(Hex.encode(reservation.serial)), "tbs_sha256": .string(digest.description),
            "public_key": .string(reservation.publicKey.description),
            "names": try AttemptDocuments.document(of: reservation.names),
            "not_before": .string(reservation.notBefore.description),
            "not_after": .string(reservation.notAfter.description),
            "signing_deadline": .string(reservation.signingDeadline.description),
        ]).storable.canonicalText
    }

    private static func reservationResult(_ row: Row, _ digest: Digest) throws(DatabaseError)
        -> ReservationResult
    {
        switch try row.text(0) {
        case "reserved":
            return .reserved(
                Reservation(
                    requestID: try row.requestID(2), issuer: try row.text(4), serial: try row.bytes(5),
                    tbsDigest: digest))
        case "in_flight": return .inFlight(request: try row.requestID(2))
        case "issued": return .issued(try issued(row, from: 2))
        case "credential":
            guard let state = CredentialState(rawValue: try row.text(1)) else {
                throw .unexpectedRow("not a credential state")
            }
            return .credential(state)
        case "history": return .history
        default: throw .unexpectedRow("not a reservation result")
        }
    }

    /// Reads request id, DER, issuer, serial, device and notAfter from `first` on.
    static func issued(_ row: Row, from first: Int) throws(DatabaseError) -> IssuedCertificate {
        IssuedCertificate(
            requestID: try row.requestID(first), certificate: try row.bytes(first + 1),
            issuer: try row.text(first + 2), serial: try row.bytes(first + 3),
            device: try row.device(first + 4), notAfter: try row.instant(first + 5))
    }

    private static let standing = Statement(
        """
        SELECT status, request_id, der, issuer, serial, device_id, not_after, past_deadline
        FROM ledger.standing($1, $2)
        """)
    // The function in FROM has run before a column is made: private values are kept of what was recorded.
    private static let recordAttempt = Statement(
        "SELECT told, ledger.keep_private($4, $5) FROM ledger.record_attempt($1, $2, $3) AS told")
    private static let recordRefusal = Statement(
        "SELECT told, ledger.keep_private($4, $5) FROM ledger.record_refusal($1, $2, $3) AS told")
    private static let reserve = Statement(
        """
        SELECT status, detail, request_id, der, issuer, serial, device_id, not_after,
               ledger.keep_private($5, $6)
        FROM ledger.reserve($1, $2, $3, $4)
        """)
    private static let commit = Statement("SELECT ledger.commit($1, $2, $3)")
    private static let issuedCertificate = Statement(
        """
        SELECT r.request_id, c.der, r.issuer, r.serial, r.device_id, r.not_after
        FROM ledger.reservation AS r JOIN ledger.certificate AS c USING (request_id) WHERE r.request_id = $1
        """)
    private static let close = Statement("SELECT ledger.close($1, $2, $3, $4)")
}
