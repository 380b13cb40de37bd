package import EnrollmentCore
package import Ledger
package import TransparencyLog

/// The tiles of the stored log: full ones as they are stored, partial ones made from what lies below them.
package struct LogTiles: TileReader {
    /// The log does not have this tile, or not as wide.
    package struct Missing: Error, Sendable, Hashable, CustomStringConvertible {
        package let address: TileAddress
        package var description: String { "the log has no \(address.path)" }
    }

    private let log: PostgresLogReader

    /// - Parameter log: read with any login that may read the log's tables.
    package init(_ log: PostgresLogReader) { self.log = log }

    /// The hashes of a tile.
    ///
    /// - Throws: `Missing`; `LedgerError`.
    package func hashes(of address: TileAddress) async throws -> [Digest] {
        guard (0...7).contains(address.level), (1...Tile.width).contains(address.width),
            (0...(Int64.max >> 9)).contains(address.index)
        else { throw Missing(address: address) }
        let hashes = try await stored(address)
        guard hashes.count == address.width else { throw Missing(address: address) }
        return hashes
    }

    /// The tree over the first `size` leaves, from its partial tiles; whose root it has, the caller compares.
    ///
    /// - Throws: `Missing`; `LogFormatError`; `LedgerError`.
    func tree(size: Int64) async throws -> TreeBuilder {
        var partial: [TileAddress: [Digest]] = [:]
        for level in 0..<8 {
            let count = size >> Int64(8 * level)
            let address = TileAddress(level: level, index: count >> 8, width: Int(count & 255))
            if address.width > 0 { partial[address] = try await hashes(of: address) }
        }
        return try TreeBuilder(size: size) { address in
            guard let hashes = partial[address] else { throw Missing(address: address) }
            return hashes
        }
    }

    private func stored(_ address: TileAddress) async throws -> [Digest] {
        if address.width == Tile.width {
            return try await tiles(level: address.level, from: address.index, count: 1).first ?? []
        }
        let first = address.index * Int64(Tile.width)
        if address.level == 0 { return try await log.leafHashes(from: first, count: address.width) }
        return try await tiles(level: address.level - 1, from: first, count: address.width).map { hashes in
            var edge = MerkleEdge()
            for hash in hashes { edge.append(hash) }
            return edge.root()
        }
    }

    private func tiles(level: Int, from first: Int64, count: Int) async throws -> [[Digest]] {
        try await log.fullTiles(level: level, from: first, count: count).map { octets in
            guard let hashes = Tile.hashes(in: octets), hashes.count == Tile.width else {
                throw LogFormatError("a stored tile of level \(level) is malformed")
            }
            return hashes
        }
    }
}

extension StoredCheckpoint {
    /// The note with the lines of its witnesses.
    ///
    /// - Throws: `LogFormatError` when what is stored is no note.
    package func signedNote() throws(LogFormatError) -> SignedNote { try SignedNote(parsing: cosignedNote) }
}
