/// The append-only record of every attempt. No certificate exists for anyone before its row here is durable.
package protocol IssuanceLedger: Sendable {
    /// What became of a transaction key so far. A reservation past its signing deadline is closed first.
    func standing(of key: TransactionKey) async throws(LedgerError) -> TransactionStanding

    /// The latest deferred request under a protocol's own reference, to be judged again.
    func deferredRequest(under reference: TransactionReference) async throws(LedgerError) -> DeferredRequest?

    /// Another request under a protocol's own reference, for the same operation, that waits or is in flight;
    /// nil when there is none. `request` is the digest of the request that asks. A transaction that has its
    /// certificate is over: clients that name theirs after their key (certmonger) begin another by that name.
    func conflict(
        under reference: TransactionReference, operation: EnrollmentOperation, request: Digest,
        at now: Timestamp
    ) async throws(LedgerError) -> RequestID?

    /// The certificate of ours with that SHA-256, revoked or not; nil when it is not ours.
    func certificate(digest: Digest) async throws(LedgerError) -> CertificateRecord?

    /// What the ledger knows that bears on a decision about a device.
    ///
    /// - Parameters:
    ///   - publicKey: digest of the key to certify; nil in an inquiry.
    ///   - credential: the one that is offered, or that stands behind the account; nil when there is none.
    ///   - transaction: whose approvals count; nil for what nobody can approve: an inquiry, a binding.
    func circumstances(
        device: DeviceID, service: ServiceName, publicKey: Digest?, credential: CredentialID?,
        transaction: TransactionKey?, at now: Timestamp
    ) async throws(LedgerError) -> Circumstances

    /// Appends a request and a decision that issues nothing: denied, deferred, or an assessment.
    ///
    /// A deferred one binds its credential to the transaction key; the same decision for the same transaction
    /// key as before is counted, not appended again. Returns the id of the row that tells it: the attempt's
    /// own, or that of the one before it is counted against.
    @discardableResult
    func record(_ attempt: AttemptRecord) async throws(LedgerError) -> RequestID

    /// Appends requests that never reached a decision of policy but are refused all the same.
    func record(_ refusal: RefusalRecord) async throws(LedgerError)

    /// Appends a security alert.
    func append(_ alert: AlertRecord) async throws(LedgerError)

    /// Appends request, decision and reservation, and consumes the credential, in one durable transaction
    /// (invariant I1), after looking again at credential and history under locks.
    func reserve(_ attempt: AttemptRecord, _ reservation: ReservationRecord) async throws(LedgerError)
        -> ReservationResult

    /// Makes a signed certificate durable (invariant I2). Nil when the reservation was closed meanwhile: the
    /// certificate must not leave, and its serial is already revoked.
    func commit(_ signed: SignedCertificateRecord, under reservation: Reservation) async throws(LedgerError)
        -> IssuedCertificate?

    /// Closes a reservation that has no certificate and revokes its serial, in one transaction. False when it
    /// was completed or closed meanwhile.
    func close(_ request: RequestID, because reason: String) async throws(LedgerError) -> Bool
}

/// Why the ledger did not do what it was asked. Never an answer about the device.
package enum LedgerError: Error, Sendable, Hashable {
    /// The database is out of reach, too slow, or the outcome of the last transaction is not known.
    case unavailable(String)
    /// The database refused a statement: our fault, or an attack on the ledger.
    case rejected(String)
}

/// What became of a transaction key.
package enum TransactionStanding: Sendable {
    /// Never permitted, or every reservation was closed.
    case open
    /// Reserved, neither committed nor closed yet.
    case inFlight(request: RequestID)
    /// Issued, unrevoked, unexpired: the final answer.
    case issued(IssuedCertificate)
}

/// What a reservation attempt led to.
package enum ReservationResult: Sendable {
    case reserved(Reservation)
    /// The same key got there first, within this or another replica.
    case inFlight(request: RequestID)
    case issued(IssuedCertificate)
    /// The credential, looked at again under its lock, is not usable for this key. Decide again with this
    /// fact.
    case credential(CredentialState)
    /// The history of the device or the key is not the one decided upon any more, or somebody has spoken for
    /// or against the transaction. Decide again.
    case history
}

/// What the ledger adds to a request before it is decided upon, read in one go.
package struct Circumstances: Sendable, Hashable {
    package let history: HistoryFacts
    /// The latest word of each person on the transaction, ordered by approver.
    package let approvals: [Approval]

    package init(history: HistoryFacts, approvals: [Approval]) {
        self.history = history
        self.approvals = approvals
    }
}

/// Leave to sign once: read back from the committed row. Only a ledger constructs one.
package struct Reservation: Sendable, Hashable {
    package let requestID: RequestID
    package let issuer: String
    package let serial: [UInt8]
    /// SHA-256 of the reserved TBSCertificate.
    package let tbsDigest: Digest

    package init(requestID: RequestID, issuer: String, serial: [UInt8], tbsDigest: Digest) {
        self.requestID = requestID
        self.issuer = issuer
        self.serial = serial
        self.tbsDigest = tbsDigest
    }
}

/// A certificate of ours as the ledger knows it.
package struct CertificateRecord: Sendable, Hashable {
    package let digest: Digest
    package let certificate: [UInt8]
    package let issuer: String
    package let serial: [UInt8]
    package let service: ServiceName
    package let profile: ProfileName
    package let device: DeviceID
    package let names: CertificateNames
    /// SHA-256 of its SubjectPublicKeyInfo.
    package let publicKey: Digest
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    package let isRevoked: Bool

    package init(
        digest: Digest, certificate: [UInt8], issuer: String, serial: [UInt8], service: ServiceName,
        profile: ProfileName, device: DeviceID, names: CertificateNames, publicKey: Digest,
        notBefore: Timestamp,
        notAfter: Timestamp, isRevoked: Bool
    ) {
        self.digest = digest
        self.certificate = certificate
        self.issuer = issuer
        self.serial = serial
        self.service = service
        self.profile = profile
        self.device = device
        self.names = names
        self.publicKey = publicKey
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.isRevoked = isRevoked
    }
}

/// A deferred request as recorded, enough to judge it again and to issue.
package struct DeferredRequest: Sendable {
    package let key: TransactionKey
    package let request: RequestID
    package let input: PolicyInput

    package init(key: TransactionKey, request: RequestID, input: PolicyInput) {
        self.key = key
        self.request = request
        self.input = input
    }
}
