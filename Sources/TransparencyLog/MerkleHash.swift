package import EnrollmentCore

import struct Crypto.SHA256

/// The hashes of a Merkle tree (RFC 9162 §2.1.1): leaves and inner nodes in domains of their own.
package enum MerkleHash {
    /// The root of a tree without leaves.
    package static let empty = Digest(of: [])

    /// The hash of an entry's octets.
    package static func leaf(_ body: [UInt8]) -> Digest {
        var hash = SHA256()
        withUnsafeBytes(of: UInt8(0)) { hash.update(bufferPointer: $0) }
        body.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Digest(hash.finalize())
    }

    /// The hash of the node above two subtrees.
    package static func node(_ left: Digest, _ right: Digest) -> Digest {
        var hash = SHA256()
        // One update instead of three: a tree is made of little else.
        withUnsafeTemporaryAllocation(byteCount: 65, alignment: 1) { octets in
            octets[0] = 1
            left.withUnsafeBytes { octets[1..<33].copyBytes(from: $0) }
            right.withUnsafeBytes { octets[33..<65].copyBytes(from: $0) }
            hash.update(bufferPointer: UnsafeRawBufferPointer(octets))
        }
        return Digest(hash.finalize())
    }
}

extension UnsafeMutableRawBufferPointer.SubSequence {
    fileprivate func copyBytes(from source: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: self).copyMemory(from: source)
    }
}
