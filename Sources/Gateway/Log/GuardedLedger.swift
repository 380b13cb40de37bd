import EnrollmentCore
import Ledger

/// The ledger as enrollment sees it: out of reach while the stored log lacks what was published of it.
struct GuardedLedger: IssuanceLedger {
    let ledger: PostgresLedger
    let logGuard: LogGuard

    /// The one place where a rollback stops issuance.
    private var complete: PostgresLedger {
        get throws(LedgerError) {
            if let objection = logGuard.standing.objection { throw .unavailable(objection) }
            return ledger
        }
    }

    func standing(of key: TransactionKey) async throws(LedgerError) -> TransactionStanding {
        try await complete.standing(of: key)
    }

    func deferredRequest(
        under reference: TransactionReference
    ) async throws(LedgerError) -> DeferredRequest? {
        try await complete.deferredRequest(under: reference)
    }

    func conflict(
        under reference: TransactionReference, operation: EnrollmentOperation, request: Digest,
        at now: Timestamp
    ) async throws(LedgerError) -> RequestID? {
        try await complete.conflict(under: reference, operation: operation, request: request, at: now)
    }

    func certificate(digest: Digest) async throws(LedgerError) -> CertificateRecord? {
        try await complete.certificate(digest: digest)
    }

    func circumstances(
        device: DeviceID, service: ServiceName, publicKey: Digest?, credential: CredentialID?,
        transaction: TransactionKey?, at now: Timestamp
    ) async throws(LedgerError) -> Circumstances {
        try await complete.circumstances(
            device: device, service: service, publicKey: publicKey, credential: credential,
            transaction: transaction, at: now)
    }

    @discardableResult
    func record(_ attempt: AttemptRecord) async throws(LedgerError) -> RequestID {
        try await complete.record(attempt)
    }

    func record(_ refusal: RefusalRecord) async throws(LedgerError) {
        try await complete.record(refusal)
    }

    func append(_ alert: AlertRecord) async throws(LedgerError) { try await complete.append(alert) }

    func reserve(
        _ attempt: AttemptRecord, _ reservation: ReservationRecord
    ) async throws(LedgerError) -> ReservationResult {
        try await complete.reserve(attempt, reservation)
    }

    func commit(
        _ signed: SignedCertificateRecord, under reservation: Reservation
    ) async throws(LedgerError) -> IssuedCertificate? {
        try await complete.commit(signed, under: reservation)
    }

    func close(_ request: RequestID, because reason: String) async throws(LedgerError) -> Bool {
        try await complete.close(request, because: reason)
    }
}
