package import EnrollmentCore

/// A growing tree: of each level the hashes that do not fill a tile yet, which is all that appending needs.
package struct TreeBuilder: Sendable {
    /// The partial tile of a level, and what is hashed of it so far.
    private struct Level: Sendable {
        var hashes: [Digest] = []
        var edge = MerkleEdge()

        mutating func append(_ hash: Digest) {
            hashes.append(hash)
            edge.append(hash)
        }
    }

    /// Leaves.
    package private(set) var size: Int64 = 0
    private var levels: [Level] = []

    /// A tree without leaves.
    package init() {}

    /// A tree of `size` leaves, from its partial tiles. The caller compares `root()` with the root it knows.
    ///
    /// - Parameter tiles: the hashes of the tile at an address, which is always partial and asked for once.
    /// - Throws: `LogFormatError` when a tile has another width or `size` is negative; what `tiles` throws.
    package init(size: Int64, tiles: (TileAddress) throws -> [Digest]) throws {
        guard size >= 0 else { throw LogFormatError("a tree of \(size) leaves") }
        self.size = size
        var count = size
        while count > 0 {
            var level = Level()
            let address = TileAddress(level: levels.count, index: count >> 8, width: Int(count & 255))
            if address.width > 0 {
                let hashes = try tiles(address)
                guard hashes.count == address.width else {
                    throw LogFormatError("\(address.path) has \(hashes.count) hashes")
                }
                for hash in hashes { level.append(hash) }
            }
            levels.append(level)
            count >>= 8
        }
    }

    /// The root of the whole tree.
    package func root() -> Digest {
        MerkleEdge.root(of: levels.reversed().flatMap(\.edge.subtrees))
    }

    /// The partial tiles of this tree, the lowest level first; empty ones are left out.
    package var partialTiles: [Tile] {
        levels.enumerated().filter { !$1.hashes.isEmpty }.map { level, content in
            Tile(level: level, index: size >> Int64(8 * (level + 1)), hashes: content.hashes)
        }
    }

    /// Appends the hash of a leaf.
    ///
    /// - Returns: the tiles this leaf made full, the lowest level first.
    package mutating func append(_ leaf: Digest) -> [Tile] {
        var full: [Tile] = []
        var hash = leaf
        size += 1
        for level in 0... {
            if level == levels.count { levels.append(Level()) }
            levels[level].append(hash)
            guard levels[level].hashes.count == Tile.width else { break }
            let index = (size >> Int64(8 * (level + 1))) - 1
            full.append(Tile(level: level, index: index, hashes: levels[level].hashes))
            hash = levels[level].edge.root()
            levels[level] = Level()
        }
        return full
    }
}
