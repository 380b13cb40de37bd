/// What a client offers to show who it is, as the front-end found it. A `ProofVerifier` checks it.
package enum Proof: Sendable {
    /// The text of an enrollment credential in the shape of one protocol.
    case oneTimeCredential(OfferedCredential)
    /// DER of a certificate whose private key the client proved to hold, in its TLS handshake or by a CMS
    /// signature over this very request.
    case clientCertificate([UInt8])
    /// An ACME external-account binding (RFC 8555 §7.3.4): an inner JWS keyed by an enrollment credential.
    case externalAccountBinding(ExternalAccountBinding)
    /// An ACME account whose key signed this request; `id` is the account's own, within `service`.
    case account(id: String)
    /// Names whose control was shown under this order (RFC 8555 §8).
    case domainControl([DomainAuthorization])
}

/// An enrollment credential as it arrived.
package struct OfferedCredential: Sendable {
    /// The shape it came in: SCEP challenge password, EST Basic password.
    package let shape: EnrollmentProtocol
    /// Credential id and secret in one string.
    package let text: Secret

    package init(shape: EnrollmentProtocol, text: Secret) {
        self.shape = shape
        self.text = text
    }
}

/// The inner JWS of an external-account binding, as it arrived.
package struct ExternalAccountBinding: Sendable {
    /// The `kid` of its protected header.
    package let keyID: String
    /// The JWS signing input (RFC 7515 §5.1): protected header, dot, payload, all ASCII.
    package let signingInput: [UInt8]
    /// HMAC-SHA-256 over it.
    package let authenticationCode: [UInt8]

    package init(keyID: String, signingInput: [UInt8], authenticationCode: [UInt8]) {
        self.keyID = keyID
        self.signingInput = signingInput
        self.authenticationCode = authenticationCode
    }
}

/// Control over one DNS name, shown at one moment by one method.
package struct DomainAuthorization: Sendable, Hashable, Codable {
    /// Lower-case A-label form.
    package let name: String
    /// The ACME challenge type, e.g. `http-01`.
    package let method: String
    package let validatedAt: Timestamp

    package init(name: String, method: String, validatedAt: Timestamp) {
        self.name = name
        self.method = method
        self.validatedAt = validatedAt
    }
}

/// A proof that was checked. Its secret is gone; what policy may know of it remains.
package enum VerifiedProof: Sendable, Hashable, Codable {
    case oneTimeCredential(id: CredentialID, device: DeviceID, state: CredentialState)
    /// A certificate of ours, by the SHA-256 of its DER.
    case clientCertificate(
        certificate: Digest, device: DeviceID, state: CertificateState, names: CertificateNames)
    /// An ACME account bound by an enrollment credential.
    case account(id: String, credential: CredentialID, device: DeviceID, state: CredentialState)
    case domainControl([DomainAuthorization])

    /// The device it speaks for; nil for a proof about names.
    package var device: DeviceID? {
        switch self {
        case .oneTimeCredential(_, let device, _), .clientCertificate(_, let device, _, _),
            .account(_, _, let device, _):
            return device
        case .domainControl: return nil
        }
    }
}

/// What an authentic enrollment credential (or the account it bound) is worth for one transaction key.
package enum CredentialState: String, Sendable, Hashable, Codable, CaseIterable {
    case usable, spent, expired, revoked
    /// Minted for another service.
    case foreignService = "foreign_service"
}

/// What a certificate of ours is worth as proof.
package enum CertificateState: String, Sendable, Hashable, Codable, CaseIterable {
    case valid, expired, revoked
    /// Issued through another service.
    case foreignService = "foreign_service"
}

/// What verification found out about the requester.
package struct VerifiedRequester: Sendable, Hashable {
    /// The one device all proofs name; nil when they name several or none.
    package let device: DeviceID?
    package let proofs: [VerifiedProof]
    /// Distinguishes requesters of the same device in the transaction key: the credential, the certificate
    /// or the account that proves it.
    package let identity: [UInt8]

    package init(device: DeviceID?, proofs: [VerifiedProof], identity: [UInt8]) {
        self.device = device
        self.proofs = proofs
        self.identity = identity
    }
}
