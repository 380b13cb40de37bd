/// Where a tile is: which hashes of a tree it holds (C2SP tlog-tiles, "Merkle Tree").
package struct TileAddress: Sendable, Hashable {
    /// 0 for leaf hashes, one more for each eight levels of the tree; at most 63.
    package let level: Int
    /// Counted from 0 within the level.
    package let index: Int64
    /// Hashes in the tile, 1 to 256; fewer than 256 make it partial.
    package let width: Int

    /// The arguments are within their limits.
    package init(level: Int, index: Int64, width: Int) {
        self.level = level
        self.index = index
        self.width = width
    }

    /// Relative to the log's prefix: `tile/0/x001/x234/067`, and with `.p/17` behind it for a partial tile.
    package var path: String {
        var groups: [String] = []
        var rest = index
        repeat {
            let digits = String(rest % 1_000)
            let padded = String(repeating: "0", count: max(0, 3 - digits.utf8.count)) + digits
            groups.append(groups.isEmpty ? padded : "x" + padded)
            rest /= 1_000
        } while rest > 0
        let suffix = width < Tile.width ? ".p/\(width)" : ""
        return "tile/\(level)/" + groups.reversed().joined(separator: "/") + suffix
    }

    /// The address whose `path` is exactly this text; nil if there is none.
    init?(path: String) {
        // The longest path names level 63, index 2^63 - 1 and a width of three digits.
        guard path.utf8.count <= 64 else { return nil }
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, let level = Decimal64.parse(parts[1]), level <= 63 else { return nil }
        var width = Int64(Tile.width)
        if parts[parts.count - 2].hasSuffix(".p") {
            guard let partial = Decimal64.parse(parts.removeLast()), (1..<width).contains(partial) else {
                return nil
            }
            width = partial
            parts[parts.count - 1].removeLast(2)
        }
        let digits = parts.dropFirst(2).joined().filter { $0 != "x" }
        guard let index = Int64(digits) else { return nil }
        self.init(level: Int(level), index: index, width: Int(width))
        // Prefix, signs, groups and leading zeros are right if, and only if, this writes the same path again.
        guard index >= 0, self.path.utf8.elementsEqual(path.utf8) else { return nil }
    }

    /// The rightmost tile of this level has fewer hashes in a tree of `size` leaves, and none is nil.
    init?(level: Int, index: Int64, treeSize size: Int64) {
        let hashes = size >> Int64(8 * level)
        let before = index << 8
        guard before < hashes else { return nil }
        self.init(level: level, index: index, width: Int(min(256, hashes - before)))
    }
}
