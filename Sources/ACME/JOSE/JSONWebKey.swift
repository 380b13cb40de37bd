import Crypto
package import EnrollmentCore
import _CryptoExtras

/// A public key as a JSON Web Key (RFC 7517) that meets the floor for account keys: P-256, P-384, P-521,
/// Ed25519, or RSA of 2048 to 4096 bits with exponent 65537.
package struct JSONWebKey: Sendable, Hashable {
    /// The key's numbers, big-endian; coordinates have the full width of their field.
    package enum Material: Sendable, Hashable {
        case p256(x: [UInt8], y: [UInt8])
        case p384(x: [UInt8], y: [UInt8])
        case p521(x: [UInt8], y: [UInt8])
        case ed25519(x: [UInt8])
        case rsa(modulus: [UInt8], exponent: [UInt8])
    }

    package let material: Material
    /// The `alg` member, if any: the one algorithm the key is for.
    package let algorithm: String?

    /// Reads and vets a key.
    ///
    /// - Throws: `.malformed` for a document that is no public JWK, `.unacceptable` for a key we do not take.
    package init(_ document: JSONValue) throws(JSONWebKeyError) {
        guard case .object(let members) = document else { throw .malformed }
        guard members["d"] == nil, members["k"] == nil else { throw .malformed }
        if let use = members["use"], use != "sig" { throw .unacceptable }
        if let alg = members["alg"] {
            guard let text = alg.string else { throw .malformed }
            algorithm = text
        } else {
            algorithm = nil
        }
        guard let type = members["kty"]?.string else { throw .malformed }
        switch type {
        case "EC": material = try Self.ellipticCurve(members)
        case "OKP": material = try Self.edwards(members)
        case "RSA": material = try Self.rsa(members)
        default: throw .unacceptable
        }
        guard isOnCurveOrSound else { throw .unacceptable }
    }

    private static func number(_ name: String, _ members: [String: JSONValue]) throws(JSONWebKeyError)
        -> [UInt8]
    {
        guard let text = members[name]?.string, let octets = Base64.decodeURLSafe(text.utf8), !octets.isEmpty
        else {
            throw .malformed
        }
        return octets
    }

    private static func ellipticCurve(_ members: [String: JSONValue]) throws(JSONWebKeyError) -> Material {
        guard let curve = members["crv"]?.string else { throw .malformed }
        let x = try number("x", members)
        let y = try number("y", members)
        let width: Int
        switch curve {
        case "P-256": width = 32
        case "P-384": width = 48
        case "P-521": width = 66
        default: throw .unacceptable
        }
        guard x.count == width, y.count == width else { throw .malformed }  // RFC 7518 §6.2.1.2
        switch curve {
        case "P-256": return .p256(x: x, y: y)
        case "P-384": return .p384(x: x, y: y)
        default: return .p521(x: x, y: y)
        }
    }

    private static func edwards(_ members: [String: JSONValue]) throws(JSONWebKeyError) -> Material {
        guard let curve = members["crv"]?.string else { throw .malformed }
        guard curve == "Ed25519" else { throw .unacceptable }
        let x = try number("x", members)
        guard x.count == 32 else { throw .malformed }
        return .ed25519(x: x)
    }

    private static func rsa(_ members: [String: JSONValue]) throws(JSONWebKeyError) -> Material {
        let modulus = try number("n", members)
        let exponent = try number("e", members)
        guard modulus[0] != 0, exponent[0] != 0 else { throw .malformed }  // RFC 7518 §2, Base64urlUInt
        let bits = modulus.count * 8 - modulus[0].leadingZeroBitCount
        guard (2_048...4_096).contains(bits), modulus[modulus.count - 1] & 1 == 1, exponent == [1, 0, 1]
        else {
            throw .unacceptable
        }
        return .rsa(modulus: modulus, exponent: exponent)
    }

    private var isOnCurveOrSound: Bool {
        switch material {
        case .p256(let x, let y): return (try? P256.Signing.PublicKey(rawRepresentation: x + y)) != nil
        case .p384(let x, let y): return (try? P384.Signing.PublicKey(rawRepresentation: x + y)) != nil
        case .p521(let x, let y): return (try? P521.Signing.PublicKey(rawRepresentation: x + y)) != nil
        case .ed25519(let x): return (try? Curve25519.Signing.PublicKey(rawRepresentation: x)) != nil
        case .rsa(let modulus, let exponent):
            return (try? _RSA.Signing.PublicKey(n: modulus, e: exponent)) != nil
        }
    }

    /// The members that make the key (RFC 7638 §3.2), and no others.
    package var requiredMembers: JSONValue {
        func text(_ octets: [UInt8]) -> JSONValue { .string(Base64.encodeURLSafe(octets)) }
        switch material {
        case .p256(let x, let y): return ["crv": "P-256", "kty": "EC", "x": text(x), "y": text(y)]
        case .p384(let x, let y): return ["crv": "P-384", "kty": "EC", "x": text(x), "y": text(y)]
        case .p521(let x, let y): return ["crv": "P-521", "kty": "EC", "x": text(x), "y": text(y)]
        case .ed25519(let x): return ["crv": "Ed25519", "kty": "OKP", "x": text(x)]
        case .rsa(let modulus, let exponent): return ["e": text(exponent), "kty": "RSA", "n": text(modulus)]
        }
    }

    /// The SHA-256 thumbprint (RFC 7638) in base64url: 43 characters.
    package var thumbprint: String {
        // Canonical text is what RFC 7638 §3.3 asks for: sorted names, no white space, ASCII values.
        Base64.encodeURLSafe(Digest(of: Array(requiredMembers.canonicalText.utf8)).bytes)
    }
}

/// Why a document is not a key we take.
package enum JSONWebKeyError: Error, Sendable, Hashable {
    case malformed
    /// Another kind, curve, size or exponent, or a point that is not on its curve.
    case unacceptable
}
