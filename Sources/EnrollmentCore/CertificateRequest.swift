/// A PKCS#10 certification request (RFC 2986) whose self-signature verified over a key that meets the floor
/// of this software: holding one means that possession of the private key is proven.
///
/// It supplies a key and name wishes; nothing else in it reaches a certificate.
package struct CertificateRequest: Sendable {
    /// The key, parsed and vetted.
    package let publicKey: PublicKey
    /// The names it wishes for.
    package let names: CertificateNames
    /// Extended key usages it wishes for, dotted; a wish beyond the grant denies.
    package let extendedKeyUsages: [String]
    /// SHA-256 of the CertificationRequestInfo re-encoded without its challengePassword attribute: equal for
    /// two requests that differ in the secret only (product: transaction key).
    package let digest: Digest
    /// The challengePassword attribute (RFC 2985 §5.4.1), if any, trailing white space and NUL trimmed.
    package let challengePassword: Secret?

    /// - Parameters: the parsed parts; `init(der:)` is the door for bytes from the network, this one is for
    ///   it, for a recorded request that is judged again, and for tests.
    package init(
        publicKey: PublicKey, names: CertificateNames, extendedKeyUsages: [String], digest: Digest,
        challengePassword: Secret?
    ) {
        self.publicKey = publicKey
        self.names = names
        self.extendedKeyUsages = extendedKeyUsages
        self.digest = digest
        self.challengePassword = challengePassword
    }
}

/// Why a certification request is not acceptable. Every case is recorded by way of `Registrar.refuse`.
package enum CertificateRequestError: Error, Sendable, Hashable {
    /// Over 16 KiB of DER.
    case tooLarge
    /// Not the DER of a CertificationRequest, or one that breaks RFC 2986; the text names the place.
    case malformed(String)
    /// The self-signature does not verify.
    case possessionNotProven
    /// Signed with an algorithm that we do not accept, e.g. MD5 or SHA-1; the text names it.
    case unacceptableAlgorithm(String)
    /// A key that no profile may grant: RSA below 2048 bits or an odd exponent, an unlisted curve, a known
    /// weakness; the text names it.
    case unacceptableKey(String)
    /// Names or extensions no profile may grant: CA:TRUE, control characters, several common names, …
    case unacceptableContents(String)
}

/// A public key that passed vetting.
package struct PublicKey: Sendable, Hashable, Codable {
    /// DER of the SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), octet for octet as requested.
    package let subjectPublicKeyInfo: [UInt8]
    package let algorithm: KeyAlgorithm

    /// - Parameters:
    ///   - subjectPublicKeyInfo: DER.
    ///   - algorithm: what it was found to hold.
    package init(subjectPublicKeyInfo: [UInt8], algorithm: KeyAlgorithm) {
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.algorithm = algorithm
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the name of a key in policy and ledger.
    package var digest: Digest { Digest(of: subjectPublicKeyInfo) }
}

/// The key kinds that Gatehouse knows. A profile lists those it grants.
package enum KeyAlgorithm: String, Sendable, Hashable, Codable, CaseIterable {
    case p256 = "ec-p256"
    case p384 = "ec-p384"
    case p521 = "ec-p521"
    case rsa2048 = "rsa-2048"
    case rsa3072 = "rsa-3072"
    case rsa4096 = "rsa-4096"
    case ed25519
}
