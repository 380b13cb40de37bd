import Crypto
import EnrollmentCore
import _CryptoExtras

extension JSONWebKey {
    /// The key of a certificate request, so that it can be told from account keys (RFC 8555 §11.1); nil when
    /// its SubjectPublicKeyInfo cannot be read or is a key that no account can have.
    init?(certifying key: PublicKey) {
        let spki = key.subjectPublicKeyInfo
        let document: JSONValue?
        switch key.algorithm {
        case .p256:
            document = (try? P256.Signing.PublicKey(derRepresentation: spki))
                .flatMap { Self.point("P-256", Array($0.rawRepresentation)) }
        case .p384:
            document = (try? P384.Signing.PublicKey(derRepresentation: spki))
                .flatMap { Self.point("P-384", Array($0.rawRepresentation)) }
        case .p521:
            document = (try? P521.Signing.PublicKey(derRepresentation: spki))
                .flatMap { Self.point("P-521", Array($0.rawRepresentation)) }
        case .rsa2048, .rsa3072, .rsa4096:
            document = (try? _RSA.Signing.PublicKey(derRepresentation: spki).getKeyPrimitives()).map {
                [
                    "kty": "RSA", "n": Self.unsigned(Array($0.modulus)),
                    "e": Self.unsigned(Array($0.publicExponent)),
                ]
            }
        case .ed25519:
            // RFC 8410 §4: the key is the last 32 octets of a fixed structure.
            document = [
                "kty": "OKP", "crv": "Ed25519", "x": .string(Base64.encodeURLSafe(Array(spki.suffix(32)))),
            ]
        }
        guard let document, let key = try? JSONWebKey(document) else { return nil }
        self = key
    }

    private static func point(_ curve: String, _ raw: [UInt8]) -> JSONValue {
        let half = raw.count / 2
        return [
            "kty": "EC", "crv": .string(curve), "x": .string(Base64.encodeURLSafe(Array(raw.prefix(half)))),
            "y": .string(Base64.encodeURLSafe(Array(raw.suffix(half)))),
        ]
    }

    private static func unsigned(_ octets: [UInt8]) -> JSONValue {
        .string(Base64.encodeURLSafe(Array(octets.drop { $0 == 0 })))
    }
}
