import Crypto
package import PKIX
import _CryptoExtras

/// A key held in memory: P-256 with SHA-256, P-384 with SHA-384, RSA PKCS#1 v1.5 with SHA-256.
package struct SoftwareSigner: Signer {
    /// Kinds of key that can be made.
    package enum Kind: Sendable, Hashable, CaseIterable { case p256, p384, rsa2048, rsa3072 }

    private enum Key: Sendable {
        case p256(P256.Signing.PrivateKey)
        case p384(P384.Signing.PrivateKey)
        case rsa(_RSA.Signing.PrivateKey)
    }

    private let key: Key

    /// A fresh key from the library's generator.
    ///
    /// - Throws: `SigningError.failed` when the generator fails.
    package init(generating kind: Kind) throws(SigningError) {
        do {
            switch kind {
            case .p256: key = .p256(P256.Signing.PrivateKey())
            case .p384: key = .p384(P384.Signing.PrivateKey())
            case .rsa2048: key = .rsa(try _RSA.Signing.PrivateKey(keySize: .bits2048))
            case .rsa3072: key = .rsa(try _RSA.Signing.PrivateKey(keySize: .bits3072))
            }
        } catch { throw .failed("key generation") }
    }

    /// Reads an unencrypted PKCS#8 key (RFC 5958) in PEM.
    ///
    /// - Throws: `SigningError.failed` for anything but one of the kinds above.
    package init(pkcs8PEM: String) throws(SigningError) {
        if let key = try? P256.Signing.PrivateKey(pemRepresentation: pkcs8PEM) {
            self.key = .p256(key)
        } else if let key = try? P384.Signing.PrivateKey(pemRepresentation: pkcs8PEM) {
            self.key = .p384(key)
        } else if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pkcs8PEM) {
            self.key = .rsa(key)
        } else {
            throw .failed("not a private key that can sign here")
        }
    }

    /// The key as PKCS#8 in PEM. Write it to a file of mode 0600 and nowhere else.
    package var pkcs8PEM: String {
        let text =
            switch key {
            case .p256(let key): key.pemRepresentation
            case .p384(let key): key.pemRepresentation
            case .rsa(let key): key.pkcs8PEMRepresentation
            }
        return text.hasSuffix("\n") ? text : text + "\n"
    }

    package var subjectPublicKeyInfo: [UInt8] {
        switch key {
        case .p256(let key): return Array(key.publicKey.derRepresentation)
        case .p384(let key): return Array(key.publicKey.derRepresentation)
        case .rsa(let key): return Array(key.publicKey.derRepresentation)
        }
    }

    package var signatureAlgorithm: AlgorithmIdentifier {
        switch key {
        case .p256: return AlgorithmIdentifier(.ecdsaWithSHA256)
        case .p384: return AlgorithmIdentifier(.ecdsaWithSHA384)
        case .rsa: return AlgorithmIdentifier(.sha256WithRSA, parameters: DERWriter.null)
        }
    }

    package func sign(_ content: [UInt8]) async throws(SigningError) -> [UInt8] {
        do {
            switch key {
            case .p256(let key): return Array(try key.signature(for: content).derRepresentation)
            case .p384(let key): return Array(try key.signature(for: content).derRepresentation)
            case .rsa(let key):
                let signature = try key.signature(
                    for: SHA256.hash(data: content), padding: .insecurePKCS1v1_5)
                return Array(signature.rawRepresentation)
            }
        } catch { throw .failed("signature") }
    }
}
