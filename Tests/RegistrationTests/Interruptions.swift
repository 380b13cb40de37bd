import EnrollmentCore
import Issuance
import Ledger
import PKIX
import Synchronization

/// A ledger before the real one that stops short of committing, as a gateway does that dies after signing.
final class InterruptedLedger: IssuanceLedger {
    enum Fault: Sendable { case none, diesBeforeCommit, isClosedBeforeCommit }
    struct Unfinished: Sendable {
        let signed: SignedCertificateRecord
        let reservation: Reservation
    }

    private let inner: PostgresLedger
    private let state = Mutex<(fault: Fault, unfinished: [Unfinished])>((.none, []))

    typealias Intrusion = @Sendable (PostgresLedger, AttemptRecord) async throws(LedgerError) -> Void

    private let intrusion: Intrusion

    /// - Parameter intrusion: what happens just before each reservation.
    init(_ inner: PostgresLedger, beforeReserving intrusion: @escaping Intrusion = { _, _ in }) {
        self.inner = inner
        self.intrusion = intrusion
    }

    var unfinished: [Unfinished] { state.withLock { $0.unfinished } }

    func fail(_ fault: Fault) { state.withLock { $0.fault = fault } }

    func commit(_ signed: SignedCertificateRecord, under reservation: Reservation) async throws(LedgerError)
        -> IssuedCertificate?
    {
        let fault = state.withLock { state in
            if state.fault != .none {
                state.unfinished.append(Unfinished(signed: signed, reservation: reservation))
            }
            return state.fault
        }
        switch fault {
        case .none: break
        case .diesBeforeCommit: throw .unavailable("interrupted")
        case .isClosedBeforeCommit:
            _ = try await inner.close(reservation.requestID, because: "another did it")
        }
        return try await inner.commit(signed, under: reservation)
    }

    func standing(of key: TransactionKey) async throws(LedgerError) -> TransactionStanding {
        try await inner.standing(of: key)
    }

    func deferredRequest(under reference: TransactionReference) async throws(LedgerError) -> DeferredRequest?
    {
        try await inner.deferredRequest(under: reference)
    }

    func certificate(digest: Digest) async throws(LedgerError) -> CertificateRecord? {
        try await inner.certificate(digest: digest)
    }

    func circumstances(
        device: DeviceID, service: ServiceName, publicKey: Digest?, credential: CredentialID?,
        transaction: TransactionKey?, at now: Timestamp
    ) async throws(LedgerError) -> Circumstances {
        try await inner.circumstances(
            device: device, service: service, publicKey: publicKey, credential: credential,
            transaction: transaction, at: now)
    }

    func record(_ attempt: AttemptRecord) async throws(LedgerError) -> RequestID {
        try await inner.record(attempt)
    }

    func append(_ alert: AlertRecord) async throws(LedgerError) { try await inner.append(alert) }

    func conflict(
        under reference: TransactionReference, operation: EnrollmentOperation, request: Digest,
        at now: Timestamp
    ) async throws(LedgerError) -> RequestID? {
        try await inner.conflict(under: reference, operation: operation, request: request, at: now)
    }

    func record(_ refusal: RefusalRecord) async throws(LedgerError) { try await inner.record(refusal) }

    func reserve(
        _ attempt: AttemptRecord, _ reservation: ReservationRecord
    ) async throws(LedgerError) -> ReservationResult {
        try await intrusion(inner, attempt)
        return try await inner.reserve(attempt, reservation)
    }

    func close(_ request: RequestID, because reason: String) async throws(LedgerError) -> Bool {
        try await inner.close(request, because: reason)
    }
}

/// A key that refuses as often as it is told to.
final class RefusingSigner: Signer {
    private let inner: SoftwareSigner
    private let refusals = Mutex(0)

    init(_ inner: SoftwareSigner) { self.inner = inner }

    func refuse(_ times: Int) { refusals.withLock { $0 = times } }

    var subjectPublicKeyInfo: [UInt8] { inner.subjectPublicKeyInfo }
    var signatureAlgorithm: AlgorithmIdentifier { inner.signatureAlgorithm }

    func sign(_ content: [UInt8]) async throws(SigningError) -> [UInt8] {
        let refuses = refusals.withLock { left in
            defer { left = max(0, left - 1) }
            return left > 0
        }
        if refuses { throw .unavailable("the module does not answer") }
        return try await inner.sign(content)
    }
}
