package import EnrollmentCore

/// Where the tiles of a log are read from: a database, a folder, an export.
package protocol TileReader: Sendable {
    /// The hashes of one tile, exactly as many as `address.width`; a reader may cut them from a wider tile.
    func hashes(of address: TileAddress) async throws -> [Digest]
}
