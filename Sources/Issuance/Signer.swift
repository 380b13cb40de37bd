package import PKIX

/// An issuing key, in software or behind a hardware module.
package protocol Signer: Sendable {
    /// DER of the SubjectPublicKeyInfo that verifies what it signs.
    var subjectPublicKeyInfo: [UInt8] { get }
    /// The one algorithm it signs with.
    var signatureAlgorithm: AlgorithmIdentifier { get }

    /// The signature over `content`, as it belongs into an X.509 BIT STRING.
    func sign(_ content: [UInt8]) async throws(SigningError) -> [UInt8]
}

/// Why a key did not sign.
package enum SigningError: Error, Sendable, Hashable {
    /// The key is out of reach for now.
    case unavailable(String)
    /// The key refused or failed.
    case failed(String)
}
