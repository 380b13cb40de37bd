import Crypto

/// SHA-256 over octets that come a piece at a time.
package struct RunningDigest {
    private var hash = SHA256()

    package init() {}

    /// Takes in the next octets.
    package mutating func update(_ octets: [UInt8]) { hash.update(data: octets) }

    /// The digest of everything taken in.
    package func digest() -> Digest { Digest(hash.finalize()) }
}
