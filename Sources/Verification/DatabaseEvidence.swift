package import Database
import EnrollmentCore

/// A ledger as it lies in its database, read in one snapshot. Blocks its thread.
package final class DatabaseEvidence: Evidence {
    let entryCount: Int
    let checkpointCount: Int
    var hasTables: Bool { true }
    var isWithoutPrivateValues: Bool { false }

    let snapshot: DatabaseSnapshot
    private var leaves: RowStream
    private var checkpoints: RowStream
    private var heads: RowStream
    private var tiles: RowStream
    private var chains: ChainReader?
    private var waiting: RowStream?
    private var absent: RowStream?

    /// Opens the snapshot.
    ///
    /// - Parameter settings: the database, as `gatehouse_verifier`.
    /// - Throws: `VerificationError.database`.
    package init(_ settings: ConnectionSettings) throws(VerificationError) {
        snapshot = try DatabaseSnapshot(settings)
        entryCount = Int(clamping: try snapshot.integer(Self.entryCount))
        checkpointCount = Int(clamping: try snapshot.integer(Self.checkpointCount))
        leaves = try RowStream(snapshot, Self.leaves)
        checkpoints = try RowStream(snapshot, Self.checkpoints)
        heads = try RowStream(snapshot, Self.heads)
        tiles = try RowStream(snapshot, Self.tiles)
    }

    func nextLeaf() throws(VerificationError) -> EvidenceLeaf? {
        guard let row = try leaves.next() else { return nil }
        return try VerificationError.reading { () throws(DatabaseError) in try Self.leaf(row) }
    }

    func nextCheckpoint() throws(VerificationError) -> StoredCheckpoint? {
        guard let row = try checkpoints.next() else { return nil }
        return try VerificationError.reading { () throws(DatabaseError) in
            StoredCheckpoint(
                size: try row.integer(0), origin: try row.text(1), note: try row.text(2),
                cosignatures: try row.texts(3))
        }
    }

    func nextHead() throws(VerificationError) -> StoredHead? {
        guard let row = try heads.next() else { return nil }
        return try VerificationError.reading { () throws(DatabaseError) in
            StoredHead(size: try row.integer(0), root: try row.bytes(1))
        }
    }

    func nextTile() throws(VerificationError) -> StoredTile? {
        guard let row = try tiles.next() else { return nil }
        return try VerificationError.reading { () throws(DatabaseError) in
            StoredTile(level: try row.integer(0), index: try row.integer(1), hashes: try row.bytes(2))
        }
    }

    func nextChain() throws(VerificationError) -> EvidenceChain? {
        if chains == nil { chains = try ChainReader(snapshot) }
        return try chains?.next()
    }

    func nextWaiting() throws(VerificationError) -> WaitingEntry? {
        if waiting == nil { waiting = try RowStream(snapshot, Self.waiting) }
        guard let row = try waiting?.next() else { return nil }
        return try VerificationError.reading { () throws(DatabaseError) in
            WaitingEntry(id: try row.uuid(0), hash: try row.bytes(1), recordedAt: try row.timestamp(2))
        }
    }

    func nextAbsent() throws(VerificationError) -> (leaf: EvidenceLeaf, entry: [UInt8])? {
        if absent == nil { absent = try RowStream(snapshot, Self.absent) }
        guard let row = try absent?.next() else { return nil }
        return try VerificationError.reading { () throws(DatabaseError) in
            (try Self.leaf(row), try row.uuid(1))
        }
    }

    func bundle(_ digest: Digest) throws(VerificationError) -> [UInt8]? {
        let rows = try snapshot.query(Self.bundle, [.bytes(digest.bytes)])
        return try VerificationError.reading { () throws(DatabaseError) in try rows.first?.bytes(0) }
    }

    func leafIndex(ofEntry id: [UInt8]) throws(VerificationError) -> Int64? {
        let rows = try snapshot.query(Self.leafIndex, [.uuid(id)])
        return try VerificationError.reading { () throws(DatabaseError) in try rows.first?.integer(0) }
    }

    func firstLeaf(ofRequestsFrom id: [UInt8]) throws(VerificationError) -> Int64? {
        let rows = try snapshot.query(Self.firstLeaf, [.uuid(id)])
        return try VerificationError.reading { () throws(DatabaseError) in try rows.first?.integer(0) }
    }

    private static func leaf(_ row: Row) throws(DatabaseError) -> EvidenceLeaf {
        guard let hash = Digest(bytes: try row.bytes(2)) else { throw .unexpectedRow("a leaf hash") }
        return EvidenceLeaf(index: try row.integer(0), name: try row.uuid(1), hash: hash)
    }
}

extension DatabaseEvidence {
    private static let entryCount = Statement("SELECT count(*) FROM ledger.entry")
    private static let checkpointCount = Statement("SELECT count(*) FROM ledger.checkpoint")
    private static let bundle = Statement("SELECT bundle FROM ledger.policy_version WHERE policy_sha256 = $1")
    private static let leafIndex = Statement(
        "SELECT leaf_index FROM ledger.leaf WHERE entry_id = $1 ORDER BY leaf_index LIMIT 1")

    private static let firstLeaf = Statement(
        """
        SELECT l.leaf_index FROM ledger.leaf AS l JOIN ledger.entry AS e USING (entry_id)
        WHERE e.request_id >= $1 ORDER BY l.leaf_index LIMIT 1
        """)

    private static let leaves = (
        Statement(
            """
            DECLARE of_leaf NO SCROLL CURSOR FOR
            SELECT leaf_index, entry_id, leaf_hash FROM ledger.leaf ORDER BY leaf_index
            """), Statement("FETCH FORWARD 5000 FROM of_leaf")
    )
    private static let checkpoints = (
        Statement(
            """
            DECLARE of_checkpoint NO SCROLL CURSOR FOR
            SELECT p.tree_size, p.origin, p.note,
                   ARRAY(SELECT c.line FROM ledger.cosignature AS c WHERE c.tree_size = p.tree_size
                         ORDER BY c.witness)
            FROM ledger.checkpoint AS p ORDER BY p.tree_size
            """), Statement("FETCH FORWARD 500 FROM of_checkpoint")
    )
    private static let heads = (
        Statement(
            """
            DECLARE of_head NO SCROLL CURSOR FOR
            SELECT tree_size, root_hash FROM ledger.tree_head ORDER BY tree_size
            """), Statement("FETCH FORWARD 1000 FROM of_head")
    )
    /// In the order of the leaf that fills each.
    private static let tiles = (
        Statement(
            """
            DECLARE of_tile NO SCROLL CURSOR FOR
            SELECT level::integer, tile_index, hashes FROM ledger.tile
            ORDER BY (tile_index + 1) * power(256::float8, level + 1), level
            """), Statement("FETCH FORWARD 50 FROM of_tile")
    )
    private static let waiting = (
        Statement(
            """
            DECLARE of_waiting NO SCROLL CURSOR FOR
            SELECT e.entry_id, e.leaf_hash, e.recorded_at FROM ledger.entry AS e
            WHERE NOT EXISTS (SELECT FROM ledger.leaf AS l WHERE l.entry_id = e.entry_id) ORDER BY e.entry_id
            """), Statement("FETCH FORWARD 1000 FROM of_waiting")
    )
    private static let absent = (
        Statement(
            """
            DECLARE of_absent NO SCROLL CURSOR FOR
            SELECT l.leaf_index, l.entry_id, l.leaf_hash FROM ledger.leaf AS l
            WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.entry_id = l.entry_id)
            ORDER BY l.leaf_index
            """), Statement("FETCH FORWARD 1000 FROM of_absent")
    )
}
