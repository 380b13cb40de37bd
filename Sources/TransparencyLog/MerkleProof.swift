package import EnrollmentCore

/// Proofs that an entry is in a tree, and that a tree continues another (RFC 9162 §2.1.3 and §2.1.4).
package enum MerkleProof {
    /// The proof that the leaf at `index` is in the tree of `size` leaves, its sibling first.
    ///
    /// - Throws: `LogFormatError` when there is no such leaf or a tile is not as wide as its address says;
    ///   what the reader throws.
    package static func inclusion(
        index: Int64, size: Int64, from tiles: some TileReader
    ) async throws -> [Digest] {
        guard index >= 0, index < size else { throw LogFormatError("no leaf \(index) among \(size)") }
        var tree = TiledTree(size: size, reader: tiles)
        var leaves = 0..<size
        var siblings: [Range<Int64>] = []
        while leaves.count > 1 {
            let (left, right) = halves(leaves)
            siblings.append(index < right.lowerBound ? right : left)
            leaves = index < right.lowerBound ? left : right
        }
        var proof: [Digest] = []
        for sibling in siblings.reversed() { proof.append(try await tree.root(of: sibling)) }
        return proof
    }

    /// The proof that the tree of `size` leaves begins with those of the tree of `old`; empty when either has
    /// all leaves of the other or `old` is 0.
    ///
    /// - Throws: `LogFormatError` unless `old` is 0 to `size`, or when a tile is not as wide as its address
    ///   says; what the reader throws.
    package static func consistency(
        from old: Int64, to size: Int64, from tiles: some TileReader
    ) async throws -> [Digest] {
        guard old >= 0, old <= size else { throw LogFormatError("no tree of \(old) leaves before \(size)") }
        guard old > 0 else { return [] }
        var tree = TiledTree(size: size, reader: tiles)
        var leaves = 0..<size
        var parts: [Range<Int64>] = []
        while old < leaves.upperBound {
            let (left, right) = halves(leaves)
            parts.append(old <= right.lowerBound ? right : left)
            leaves = old <= right.lowerBound ? left : right
        }
        // The verifier knows the old root already when that is what remains.
        if leaves.lowerBound > 0 { parts.append(leaves) }
        var proof: [Digest] = []
        for part in parts.reversed() { proof.append(try await tree.root(of: part)) }
        return proof
    }

    /// Splits at the largest power of two below the count, which is two or more.
    private static func halves(_ leaves: Range<Int64>) -> (left: Range<Int64>, right: Range<Int64>) {
        let height = 63 - (leaves.upperBound - leaves.lowerBound - 1).leadingZeroBitCount
        let middle = leaves.lowerBound + (1 << Int64(height))
        return (leaves.lowerBound..<middle, middle..<leaves.upperBound)
    }

    /// Whether the proof leads from the leaf at `index` to the root of `size` leaves (RFC 9162 §2.1.3.2).
    package static func verifyInclusion(
        _ proof: [Digest], leaf: Digest, index: Int64, size: Int64, root: Digest
    ) -> Bool {
        guard index >= 0, index < size else { return false }
        var position = index
        var last = size - 1
        var hash = leaf
        for sibling in proof {
            guard last > 0 else { return false }
            if position & 1 == 1 || position == last {
                hash = MerkleHash.node(sibling, hash)
                let zeros = position.trailingZeroBitCount
                position >>= zeros
                last >>= zeros
            } else {
                hash = MerkleHash.node(hash, sibling)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    /// Whether the proof shows that the tree of `size` leaves begins with that of `old` (RFC 9162 §2.1.4.2).
    /// Every tree continues the empty one, and itself, by an empty proof.
    package static func verifyConsistency(
        _ proof: [Digest], from old: Int64, _ oldRoot: Digest, to size: Int64, _ root: Digest
    ) -> Bool {
        guard old >= 0, old <= size else { return false }
        if old == size { return proof.isEmpty && oldRoot == root && (size > 0 || root == MerkleHash.empty) }
        if old == 0 { return proof.isEmpty && oldRoot == MerkleHash.empty }
        let zeros = Int64(old.trailingZeroBitCount)
        var position = (old - 1) >> zeros
        var last = (size - 1) >> zeros
        // An old tree that is perfect is itself where the proof begins.
        let start = position == 0 ? oldRoot : proof.first
        guard var before = start, var after = start else { return false }
        for part in proof.dropFirst(position == 0 ? 0 : 1) {
            guard last > 0 else { return false }
            if position & 1 == 1 || position == last {
                before = MerkleHash.node(part, before)
                after = MerkleHash.node(part, after)
                let zeros = position.trailingZeroBitCount
                position >>= zeros
                last >>= zeros
            } else {
                after = MerkleHash.node(after, part)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && before == oldRoot && after == root
    }
}
