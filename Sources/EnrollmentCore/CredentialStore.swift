/// Where enrollment credentials are governed. It never sees a secret: secrets are derived from a master key
/// that the database does not have.
package protocol CredentialStore: Sendable {
    /// Records a minted credential.
    func mint(_ credential: CredentialRecord, by actor: String) async throws(LedgerError)

    /// The credential with that id, as of now; nil when it was never minted.
    func credential(_ id: CredentialID) async throws(LedgerError) -> CredentialRecord?

    /// All credentials, newest first, at most `limit`.
    func credentials(service: ServiceName?, device: DeviceID?, limit: Int) async throws(LedgerError)
        -> [CredentialRecord]

    /// Revokes; false when it was revoked before.
    func revoke(
        _ id: CredentialID, at now: Timestamp, by actor: String, because reason: String
    ) async throws(LedgerError) -> Bool

    /// What the account bound to a credential is worth; nil when no such account was ever bound.
    func accountBinding(service: ServiceName, account: String) async throws(LedgerError) -> AccountBinding?

    /// Records the binding, consumes the credential and stores the account in one transaction.
    ///
    /// Returns the credential's state when it is not usable: then nothing was stored.
    func bind(_ attempt: AttemptRecord, account: ProtocolRecord, accountID: String, orderUntil: Timestamp)
        async throws(LedgerError) -> CredentialState

    /// Records that an authentic but unusable credential was presented: a security alert, owned by `owner`.
    func alertSpent(
        _ id: CredentialID, state: CredentialState, request: RequestID, owner: String, at: Timestamp)
        async throws(LedgerError)
}

/// An enrollment credential as governed; the secret is not part of it.
package struct CredentialRecord: Sendable, Hashable {
    package var id: CredentialID
    /// The version of the master key its secrets derive from.
    package var masterKeyVersion: Int
    package var service: ServiceName
    package var device: DeviceID
    /// Nil when any protocol of the service may use it.
    package var restrictedTo: EnrollmentProtocol?
    package var mintedAt: Timestamp
    package var expiresAt: Timestamp
    package var mintedBy: String
    package var revokedAt: Timestamp?
    /// The transaction key that consumed it.
    package var consumedBy: TransactionKey?
    /// Whether the certificate it was consumed for is revoked or expired: then it is spent for that key too.
    package var isUseEnded: Bool
    /// While a deferred request holds it, expiry pauses for that key until `deferredUntil`.
    package var deferredFor: TransactionKey?
    package var deferredUntil: Timestamp?

    package init(
        id: CredentialID, masterKeyVersion: Int, service: ServiceName, device: DeviceID,
        restrictedTo: EnrollmentProtocol?, mintedAt: Timestamp, expiresAt: Timestamp, mintedBy: String,
        revokedAt: Timestamp? = nil, consumedBy: TransactionKey? = nil, isUseEnded: Bool = false,
        deferredFor: TransactionKey? = nil, deferredUntil: Timestamp? = nil
    ) {
        self.id = id
        self.masterKeyVersion = masterKeyVersion
        self.service = service
        self.device = device
        self.restrictedTo = restrictedTo
        self.mintedAt = mintedAt
        self.expiresAt = expiresAt
        self.mintedBy = mintedBy
        self.revokedAt = revokedAt
        self.consumedBy = consumedBy
        self.isUseEnded = isUseEnded
        self.deferredFor = deferredFor
        self.deferredUntil = deferredUntil
    }

    /// What it is worth to the transaction `key` in `service` at `now`.
    package func state(for key: TransactionKey, service: ServiceName, at now: Timestamp) -> CredentialState {
        if self.service != service { return .foreignService }
        if revokedAt != nil { return .revoked }
        if let consumedBy { return consumedBy == key && !isUseEnded ? .usable : .spent }
        if let deferredFor, let deferredUntil, now < deferredUntil {
            return deferredFor == key ? .usable : .spent
        }
        return now < expiresAt ? .usable : .expired
    }
}

/// An ACME account and the credential that bound it.
package struct AccountBinding: Sendable, Hashable {
    package let credential: CredentialID
    package let device: DeviceID
    /// Until when the account may order.
    package let orderUntil: Timestamp
    package let isRevoked: Bool

    package init(credential: CredentialID, device: DeviceID, orderUntil: Timestamp, isRevoked: Bool) {
        self.credential = credential
        self.device = device
        self.orderUntil = orderUntil
        self.isRevoked = isRevoked
    }
}
