import EnrollmentCore
import Synchronization
import TransparencyLog

/// Tiles by their path, and how often each was read.
final class StoredTiles: TileReader {
    struct Missing: Error, Equatable { let path: String }

    private let tiles: [String: [Digest]]
    private let counted = Mutex<[String: Int]>([:])

    init(_ tiles: [String: [Digest]]) { self.tiles = tiles }

    var reads: [String: Int] { counted.withLock { $0 } }

    func hashes(of address: TileAddress) async throws -> [Digest] {
        counted.withLock { $0[address.path, default: 0] += 1 }
        guard let hashes = tiles[address.path] else { throw Missing(path: address.path) }
        return hashes
    }
}
