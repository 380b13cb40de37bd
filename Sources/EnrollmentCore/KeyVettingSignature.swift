import Crypto
package import PKIX
import _CryptoExtras

/// Verification of the signatures that we accept: ECDSA and RSA PKCS#1 v1.5 with SHA-256, SHA-384 or SHA-512,
/// and Ed25519.
package enum SignatureVerification {
    /// Verifies `signature` over `content`.
    ///
    /// - Throws: `.unacceptableAlgorithm` for an algorithm outside the list, `.possessionNotProven` for one
    ///   that does not fit the key, and for a signature that does not verify.
    package static func verify(
        _ signature: [UInt8], over content: [UInt8], algorithm: AlgorithmIdentifier, by key: PublicKey
    ) throws(CertificateRequestError) {
        let isValid: Bool
        switch (algorithm.algorithm, algorithm.parameters) {
        case (.ecdsaWithSHA256, nil): isValid = ellipticCurve(signature, SHA256.hash(data: content), key)
        case (.ecdsaWithSHA384, nil): isValid = ellipticCurve(signature, SHA384.hash(data: content), key)
        case (.ecdsaWithSHA512, nil): isValid = ellipticCurve(signature, SHA512.hash(data: content), key)
        // RFC 4055 §5: the parameters are NULL; absent ones are to be accepted as well.
        case (.sha256WithRSA, DERWriter.null), (.sha256WithRSA, nil):
            isValid = rsa(signature, SHA256.hash(data: content), key)
        case (.sha384WithRSA, DERWriter.null), (.sha384WithRSA, nil):
            isValid = rsa(signature, SHA384.hash(data: content), key)
        case (.sha512WithRSA, DERWriter.null), (.sha512WithRSA, nil):
            isValid = rsa(signature, SHA512.hash(data: content), key)
        case (.ed25519, nil): isValid = edwards(signature, content, key)
        default: throw .unacceptableAlgorithm("signature algorithm \(algorithm.algorithm)")
        }
        guard isValid else { throw .possessionNotProven }
    }

    private static func ellipticCurve(
        _ signature: [UInt8], _ digest: some Crypto.Digest, _ key: PublicKey
    ) -> Bool {
        guard let point = (try? SubjectPublicKeyInfo(der: key.subjectPublicKeyInfo))?.key else {
            return false
        }
        switch key.algorithm {
        case .p256:
            guard let key = try? P256.Signing.PublicKey(x963Representation: point),
                let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: digest)
        case .p384:
            guard let key = try? P384.Signing.PublicKey(x963Representation: point),
                let signature = try? P384.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: digest)
        case .p521:
            guard let key = try? P521.Signing.PublicKey(x963Representation: point),
                let signature = try? P521.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: digest)
        case .rsa2048, .rsa3072, .rsa4096, .ed25519: return false
        }
    }

    private static func rsa(_ signature: [UInt8], _ digest: some Crypto.Digest, _ key: PublicKey) -> Bool {
        switch key.algorithm {
        case .rsa2048, .rsa3072, .rsa4096:
            guard let key = try? _RSA.Signing.PublicKey(derRepresentation: key.subjectPublicKeyInfo) else {
                return false
            }
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            return key.isValidSignature(signature, for: digest, padding: .insecurePKCS1v1_5)
        case .p256, .p384, .p521, .ed25519: return false
        }
    }

    private static func edwards(_ signature: [UInt8], _ content: [UInt8], _ key: PublicKey) -> Bool {
        guard key.algorithm == .ed25519, let info = try? SubjectPublicKeyInfo(der: key.subjectPublicKeyInfo),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: info.key)
        else { return false }
        return key.isValidSignature(signature, for: content)
    }
}
