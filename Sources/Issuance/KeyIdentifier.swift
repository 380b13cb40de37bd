import Crypto
import PKIX

/// The key identifier of RFC 7093 §2, method 1: the first 160 bits of SHA-256 over the key's bits.
func keyIdentifier(_ info: SubjectPublicKeyInfo) -> [UInt8] {
    Array(SHA256.hash(data: info.key).prefix(20))
}
