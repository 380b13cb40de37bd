import Crypto
import _CryptoExtras

/// The JWS algorithms that account keys may sign with (RFC 7518 §3.1, RFC 8037 §3.1). No MAC, no `none`.
package enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case rs256 = "RS256"
    case ps256 = "PS256"
    case edDSA = "EdDSA"

    /// Whether the algorithm is for that kind and curve of key, and is the one the key itself names, if any.
    package func fits(_ key: JSONWebKey) -> Bool {
        if let named = key.algorithm, named != rawValue { return false }
        switch (self, key.material) {
        case (.es256, .p256), (.es384, .p384), (.es512, .p521), (.rs256, .rsa), (.ps256, .rsa),
            (.edDSA, .ed25519):
            return true
        case (.es256, _), (.es384, _), (.es512, _), (.rs256, _), (.ps256, _), (.edDSA, _):
            return false
        }
    }

    /// Whether `signature` is the key's, over `content`. False also when algorithm and key do not fit.
    package func verifies(_ signature: [UInt8], over content: [UInt8], by key: JSONWebKey) -> Bool {
        guard fits(key) else { return false }
        switch key.material {
        case .p256(let x, let y):
            guard let key = try? P256.Signing.PublicKey(rawRepresentation: x + y),
                let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: SHA256.hash(data: content))
        case .p384(let x, let y):
            guard let key = try? P384.Signing.PublicKey(rawRepresentation: x + y),
                let signature = try? P384.Signing.ECDSASignature(rawRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: SHA384.hash(data: content))
        case .p521(let x, let y):
            guard let key = try? P521.Signing.PublicKey(rawRepresentation: x + y),
                let signature = try? P521.Signing.ECDSASignature(rawRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: SHA512.hash(data: content))
        case .ed25519(let x):
            guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x) else { return false }
            return key.isValidSignature(signature, for: content)
        case .rsa(let modulus, let exponent):
            guard let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent) else { return false }
            let padding: _RSA.Signing.Padding = self == .ps256 ? .PSS : .insecurePKCS1v1_5
            return key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: content),
                padding: padding)
        }
    }
}
