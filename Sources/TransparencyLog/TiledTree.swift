import EnrollmentCore

/// The subtrees of a tree of a certain size, computed from its tiles. Each tile is read once.
struct TiledTree<Reader: TileReader> {
    let size: Int64
    let reader: Reader
    private var tiles: [TileAddress: [Digest]] = [:]

    init(size: Int64, reader: Reader) {
        self.size = size
        self.reader = reader
    }

    /// The root over some leaves, which start at a multiple of the largest power of two in their count.
    mutating func root(of leaves: Range<Int64>) async throws -> Digest {
        var subtrees: [Digest] = []
        var start = leaves.lowerBound
        while start < leaves.upperBound {
            let height = 63 - (leaves.upperBound - start).leadingZeroBitCount
            subtrees.append(try await perfectSubtree(at: start, height: height))
            start += 1 << Int64(height)
        }
        return MerkleEdge.root(of: subtrees)
    }

    /// The root over 2^`height` leaves.
    private mutating func perfectSubtree(at start: Int64, height: Int) async throws -> Digest {
        let level = height / 8
        let first = start >> Int64(8 * level)
        let hashes = try await tile(level: level, index: first >> 8)
        let offset = Int(first & 255)
        let end = offset + (1 << (height % 8))
        guard end <= hashes.count else { throw LogFormatError("a subtree beyond a tree of \(size) leaves") }
        var edge = MerkleEdge()
        for hash in hashes[offset..<end] { edge.append(hash) }
        return edge.root()
    }

    private mutating func tile(level: Int, index: Int64) async throws -> [Digest] {
        guard let address = TileAddress(level: level, index: index, treeSize: size) else {
            throw LogFormatError("a tile beyond a tree of \(size) leaves")
        }
        if let known = tiles[address] { return known }
        let hashes = try await reader.hashes(of: address)
        guard hashes.count == address.width else {
            throw LogFormatError("\(address.path) has \(hashes.count) hashes")
        }
        tiles[address] = hashes
        return hashes
    }
}
