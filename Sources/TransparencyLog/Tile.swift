package import EnrollmentCore

/// Consecutive hashes of one level of the tree (C2SP tlog-tiles, "Merkle Tree").
package struct Tile: Sendable, Hashable {
    /// Hashes in a full tile.
    package static let width = 256

    /// 0 for leaf hashes; above it each hash is the root of a full tile of the level below.
    package let level: Int
    /// Counted from 0 within the level.
    package let index: Int64
    /// 1 to 256.
    package let hashes: [Digest]

    /// The arguments are within their limits.
    package init(level: Int, index: Int64, hashes: [Digest]) {
        self.level = level
        self.index = index
        self.hashes = hashes
    }

    /// Where this tile is.
    package var address: TileAddress { TileAddress(level: level, index: index, width: hashes.count) }

    /// Relative to the log's prefix: `tile/0/x001/x234/067`, and with `.p/17` behind it for a partial tile.
    package var path: String { address.path }

    /// The tile as it is served and stored: its hashes, 32 octets each.
    package var octets: [UInt8] { hashes.flatMap(\.bytes) }

    /// The address whose path is exactly this text; nil if there is none.
    package static func address(of path: String) -> TileAddress? { TileAddress(path: path) }

    /// The hashes in a tile's octets; nil unless they are 1 to 256 whole ones.
    package static func hashes(in octets: [UInt8]) -> [Digest]? {
        guard octets.count % 32 == 0, (1...width).contains(octets.count / 32) else { return nil }
        let hashes = stride(from: 0, to: octets.count, by: 32).compactMap {
            Digest(bytes: Array(octets[$0..<($0 + 32)]))
        }
        return hashes.count == octets.count / 32 ? hashes : nil
    }
}
