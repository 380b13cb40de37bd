/// One request for a certificate, freed of its protocol. Nothing in it is believed yet.
package struct EnrollmentIntent: Sendable {
    /// Also the correlation id that the client sees.
    package let id: RequestID
    package let receivedAt: Timestamp
    package let service: ServiceName
    /// For audit and rule conditions only (invariant I4).
    package let enrollmentProtocol: EnrollmentProtocol
    package let operation: EnrollmentOperation
    package let request: CertificateRequest
    /// Whether the request names all it wants, so that nothing is filled in from the decision: an ACME order
    /// is for its identifiers and no others (RFC 8555 §7.4).
    package let namesAreComplete: Bool
    /// Asked for by name, when the protocol can (ACME profiles); nil takes the service's.
    package let requestedProfile: ProfileName?
    /// Asked for, when the protocol can (ACME `notAfter`); only ever shortens.
    package let requestedNotAfter: Timestamp?
    package let proofs: [Proof]
    /// Devices the client says it is, outside its certificate request (EST user name, ACME identifier).
    /// A claim that differs from the proven device denies.
    package let claimedDevices: [String]
    /// The protocol's own transaction, when it has one; see `TransactionReference`.
    package let transaction: TransactionReference?
    package let peer: Peer

    package init(
        id: RequestID, receivedAt: Timestamp, service: ServiceName, enrollmentProtocol: EnrollmentProtocol,
        operation: EnrollmentOperation, request: CertificateRequest, namesAreComplete: Bool = false,
        requestedProfile: ProfileName? = nil,
        requestedNotAfter: Timestamp? = nil, proofs: [Proof], claimedDevices: [String] = [],
        transaction: TransactionReference? = nil, peer: Peer
    ) {
        self.id = id
        self.receivedAt = receivedAt
        self.service = service
        self.enrollmentProtocol = enrollmentProtocol
        self.operation = operation
        self.request = request
        self.namesAreComplete = namesAreComplete
        self.requestedProfile = requestedProfile
        self.requestedNotAfter = requestedNotAfter
        self.proofs = proofs
        self.claimedDevices = claimedDevices
        self.transaction = transaction
        self.peer = peer
    }
}

/// A protocol's own name for a transaction: an ACME order, or a SCEP transactionID with its signer's key.
///
/// It is part of the transaction key when `isOrder`; otherwise it only lets a later poll find the transaction
/// (SCEP CertPoll, RFC 8894 §3.3.3), and the same reference with another request is refused.
package struct TransactionReference: Sendable, Hashable {
    package let service: ServiceName
    /// At most 400 characters; protocols hash what is longer.
    package let text: String
    package let isOrder: Bool

    package init(service: ServiceName, text: String, isOrder: Bool) {
        self.service = service
        self.text = text
        self.isOrder = isOrder
    }
}

/// The idempotency key of a request: SHA-256 over service, operation, verified requester, ACME order if any,
/// and the digest of the certificate request without its challenge password.
///
/// One credential use, one live reservation and one certificate belong to one transaction key.
package struct TransactionKey: Sendable, Hashable, CustomStringConvertible {
    package let digest: Digest
    package init(digest: Digest) { self.digest = digest }
    package var description: String { digest.description }
}
