/// The answer to an intent. Front-ends turn it into wire codes by exhaustive switches.
package enum EnrollmentOutcome: Sendable {
    case issued(IssuedCertificate)
    /// A person or a fresh fact may change the decision; the client asks again after `retryAfter` seconds.
    case deferred(RequestID, retryAfter: Int64)
    case refused(Refusal)
    /// The ledger, a signer or a fact source is out of reach. Nothing was issued; ask again.
    case unavailable(retryAfter: Int64)
}

/// A refusal as the client may see it: a coarse reason and a correlation id, never why (product: Answers).
package struct Refusal: Sendable, Hashable {
    /// Correlation id, equal to the ledger's request id.
    package let id: RequestID
    package let kind: RefusalKind

    package init(id: RequestID, kind: RefusalKind) {
        self.id = id
        self.kind = kind
    }
}

/// The coarse reasons a client may learn.
package enum RefusalKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Policy says no. Unknown, foreign and blocked devices all look like this.
    case denied
    /// No proof, or one that is wrong, spent, expired, revoked, another device's or another service's.
    case noUsableProof = "no_usable_proof"
    /// The request cannot be read.
    case malformed
    /// The certificate request or its contents are not acceptable.
    case unacceptableRequest = "unacceptable_request"
    /// The key is not acceptable.
    case unacceptableKey = "unacceptable_key"
    /// A signature, digest or cipher algorithm is not acceptable.
    case unacceptableAlgorithm = "unacceptable_algorithm"
    /// Too many requests; ask again later.
    case throttled
}

/// A certificate on the ledger. Only a ledger constructs one, from a durable row (invariant I2).
package struct IssuedCertificate: Sendable, Hashable {
    /// The request that caused it.
    package let requestID: RequestID
    /// DER of the certificate.
    package let certificate: [UInt8]
    package let issuer: String
    /// The serial number's octets, big-endian.
    package let serial: [UInt8]
    package let device: DeviceID
    package let notAfter: Timestamp

    package init(
        requestID: RequestID, certificate: [UInt8], issuer: String, serial: [UInt8], device: DeviceID,
        notAfter: Timestamp
    ) {
        self.requestID = requestID
        self.certificate = certificate
        self.issuer = issuer
        self.serial = serial
        self.device = device
        self.notAfter = notAfter
    }
}
