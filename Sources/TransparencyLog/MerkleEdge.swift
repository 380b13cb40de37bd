package import EnrollmentCore

/// The right edge of a Merkle tree: the roots of the perfect subtrees it is made of. Enough to append leaves
/// and to know the root (RFC 9162 §2.1.2).
package struct MerkleEdge: Sendable, Hashable {
    /// Leaves.
    package private(set) var size: Int64 = 0
    /// One root for each bit set in `size`, the largest subtree first.
    package private(set) var subtrees: [Digest] = []

    /// A tree without leaves.
    package init() {}

    /// - Parameters:
    ///   - size: leaves, at most 2^62.
    ///   - subtrees: the largest first; nil unless there are as many as bits set in `size`.
    package init?(size: Int64, subtrees: [Digest]) {
        guard (0...(1 << 62)).contains(size), subtrees.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.subtrees = subtrees
    }

    /// Appends the hash of a leaf.
    package mutating func append(_ leaf: Digest) {
        var subtree = leaf
        var rest = size
        while rest & 1 == 1, let left = subtrees.popLast() {
            subtree = MerkleHash.node(left, subtree)
            rest >>= 1
        }
        subtrees.append(subtree)
        size += 1
    }

    /// The root of the whole tree.
    package func root() -> Digest { Self.root(of: subtrees) }

    /// The root above perfect subtrees, the largest first.
    static func root(of subtrees: some BidirectionalCollection<Digest>) -> Digest {
        guard let last = subtrees.last else { return MerkleHash.empty }
        return subtrees.dropLast().reversed().reduce(last) { MerkleHash.node($1, $0) }
    }
}
