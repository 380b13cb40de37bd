import Crypto
package import PKIX
import _CryptoExtras

extension PublicKey {
    /// Vets a key: a listed algorithm and size, a named curve with an uncompressed point on it, RSA 2048,
    /// 3072 or 4096 with exponent 65537 and none of the known weaknesses.
    ///
    /// - Parameter der: a SubjectPublicKeyInfo, nothing after it.
    /// - Throws: `.malformed` when it cannot be read, `.unacceptableKey` otherwise.
    package init(subjectPublicKeyInfo der: [UInt8]) throws(CertificateRequestError) {
        let parsed: SubjectPublicKeyInfo
        do { parsed = try SubjectPublicKeyInfo(der: der) } catch { throw CertificateRequestError(error) }
        try self.init(subjectPublicKeyInfo: parsed)
    }

    /// Vets a parsed key; see `init(subjectPublicKeyInfo: [UInt8])`.
    package init(subjectPublicKeyInfo: SubjectPublicKeyInfo) throws(CertificateRequestError) {
        let algorithm: KeyAlgorithm
        switch subjectPublicKeyInfo.algorithm.algorithm {
        case .rsaEncryption: algorithm = try RSAKeyVetting.vet(subjectPublicKeyInfo)
        case .ecPublicKey: algorithm = try Self.vetCurve(subjectPublicKeyInfo)
        case .ed25519: algorithm = try Self.vetEdwards(subjectPublicKeyInfo)
        default: throw .unacceptableKey("algorithm \(subjectPublicKeyInfo.algorithm.algorithm)")
        }
        self.init(subjectPublicKeyInfo: subjectPublicKeyInfo.der, algorithm: algorithm)
    }

    private static func vetCurve(_ info: SubjectPublicKeyInfo) throws(CertificateRequestError) -> KeyAlgorithm
    {
        guard let curve = info.namedCurve else { throw .unacceptableKey("explicit curve parameters") }
        // The loaders below check that the point is on the curve; the first octet says uncompressed.
        guard info.key.first == 0x04 else { throw .unacceptableKey("compressed point") }
        do {
            switch curve {
            case .p256:
                _ = try P256.Signing.PublicKey(x963Representation: info.key)
                return .p256
            case .p384:
                _ = try P384.Signing.PublicKey(x963Representation: info.key)
                return .p384
            case .p521:
                _ = try P521.Signing.PublicKey(x963Representation: info.key)
                return .p521
            default: break
            }
        } catch { throw .unacceptableKey("point not on its curve") }
        throw .unacceptableKey("curve \(curve)")
    }

    private static func vetEdwards(_ info: SubjectPublicKeyInfo) throws(CertificateRequestError)
        -> KeyAlgorithm
    {
        guard info.algorithm.parameters == nil, info.key.count == 32,
            (try? Curve25519.Signing.PublicKey(rawRepresentation: info.key)) != nil
        else { throw .unacceptableKey("Ed25519") }
        return .ed25519
    }
}

/// What is asked of an RSA key.
enum RSAKeyVetting {
    static func vet(_ info: SubjectPublicKeyInfo) throws(CertificateRequestError) -> KeyAlgorithm {
        // RFC 3279 §2.3.1: the parameters are NULL.
        guard info.algorithm.parameters == DERWriter.null else { throw .unacceptableKey("RSA parameters") }
        let key: RSAPublicKey
        do { key = try RSAPublicKey(der: info.key) } catch { throw .unacceptableKey("RSA numbers") }
        let algorithm: KeyAlgorithm
        switch key.bitCount {
        case 2048: algorithm = .rsa2048
        case 3072: algorithm = .rsa3072
        case 4096: algorithm = .rsa4096
        default: throw .unacceptableKey("RSA of \(key.bitCount) bits")
        }
        guard key.exponent == [0x01, 0x00, 0x01] else { throw .unacceptableKey("RSA exponent") }
        for prime in smallPrimes where remainder(of: key.modulus, by: prime) == 0 {
            throw .unacceptableKey("RSA modulus with a small factor")
        }
        guard !hasPowerStructure(key.modulus) else {
            throw .unacceptableKey("RSA key of a weak generator (ROCA)")
        }
        return algorithm
    }

    /// The primes up to 751.
    private static let smallPrimes: [UInt32] = (2...751).filter { candidate in
        !(2..<candidate).prefix { $0 * $0 <= candidate }.contains { candidate % $0 == 0 }
    }

    private static func remainder(of number: [UInt8], by divisor: UInt32) -> UInt32 {
        number.reduce(0) { ($0 << 8 | UInt32($1)) % divisor }
    }

    /// Whether the modulus looks made by the generator of CVE-2017-15361: its primes are powers of 65537
    /// modulo each of many small primes, and so is their product. A sound key passes for such with a chance
    /// below 2⁻²⁵.
    private static func hasPowerStructure(_ modulus: [UInt8]) -> Bool {
        fingerprint.allSatisfy { prime, powers in powers.contains(remainder(of: modulus, by: prime)) }
    }

    /// Each odd prime up to 167 with the powers of 65537 modulo it.
    private static let fingerprint: [(UInt32, Set<UInt32>)] = smallPrimes.filter { (3...167).contains($0) }
        .map { prime in
            var powers: Set<UInt32> = []
            var power: UInt32 = 1
            while powers.insert(power).inserted { power = power * (65_537 % prime) % prime }
            return (prime, powers)
        }
}
