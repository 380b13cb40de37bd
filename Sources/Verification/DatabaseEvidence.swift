package import Database
import EnrollmentCore
import TransparencyLog

/// A ledger as it lies in its database, read in one snapshot. Blocks its thread.
package final class DatabaseEvidence: Evidence {
    let entryCount: Int
    let checkpointCount: Int
    var hasTables: Bool { true }
    var isWithoutPrivateValues: Bool { false }

    /// Read the same state side by side: what was hashed, and what repeats it.
    let bodies: SnapshotReader
    let tables: SnapshotReader
    private var leaves: RowStream
    private var checkpoints: RowStream
    private var heads: RowStream
    private var tiles: RowStream
    private var chains: ChainReader
    /// Reads by itself, beside the chains.
    private let orderReader: SnapshotReader
    private var orders: RowOrders
    /// Entries that were handed out.
    private var read = 0
    /// Begun when they are asked for.
    private var waiting: RowStream?
    private var absent: RowStream?

    /// Opens the snapshot.
    ///
    /// - Parameter settings: the database, as `gatehouse_verifier`.
    /// - Throws: `VerificationError.database`.
    package init(_ settings: ConnectionSettings) throws(VerificationError) {
        do {
            bodies = try SnapshotReader(settings)
            tables = try bodies.another()
            orderReader = try bodies.another()
            let entries = try tables.query(Self.entryCount).first?.optionalInteger(0) ?? 0
            // What somebody wrote there: it is to be reckoned with without overflow.
            entryCount = Int(clamping: max(0, min(entries, 1 << 48)))
            checkpointCount = Int(clamping: try tables.query(Self.checkpointCount).first?.integer(0) ?? 0)
        } catch { throw VerificationError(error) }
        leaves = bodies.stream(Self.leaves, batch: 2_000, depth: 3)
        heads = bodies.stream(Self.heads, batch: 1_000)
        tiles = bodies.stream(Self.tiles, batch: 50)
        checkpoints = bodies.stream(Self.checkpoints, batch: 500)
        orders = RowOrders(orderReader)
        // What is read later is begun now: the server has it ready by then.
        chains = ChainReader(bodies: bodies, tables: tables)
    }

    func nextLeaf() throws(VerificationError) -> EvidenceLeaf? {
        try VerificationError.reading { () throws(DatabaseError) in
            guard let row = try leaves.next() else { return nil }
            return try Self.leaf(row)
        }
    }

    func nextCheckpoint() throws(VerificationError) -> StoredCheckpoint? {
        try VerificationError.reading { () throws(DatabaseError) in
            guard let row = try checkpoints.next() else { return nil }
            return StoredCheckpoint(
                size: try row.integer(0), origin: try row.text(1), note: try row.text(2),
                cosignatures: try row.texts(3))
        }
    }

    func nextHead() throws(VerificationError) -> StoredHead? {
        try VerificationError.reading { () throws(DatabaseError) in
            guard let row = try heads.next() else { return nil }
            return StoredHead(size: try row.integer(0), root: try row.digest(1))
        }
    }

    func nextTile() throws(VerificationError) -> StoredTile? {
        try VerificationError.reading { () throws(DatabaseError) in
            guard let row = try tiles.next() else { return nil }
            return StoredTile(level: try row.integer(0), index: try row.integer(1), hashes: try row.bytes(2))
        }
    }

    func nextChain() throws(VerificationError) -> EvidenceChain? {
        let chain = try chains.next()
        read += chain?.entries.count ?? 0
        // One by one along the way: all at once they would have the server keep the chains waiting.
        while orders.begun * entryCount < RowOrders.count * read, orders.begin() {}
        return chain
    }

    func nextWaiting() throws(VerificationError) -> WaitingEntry? {
        try VerificationError.reading { () throws(DatabaseError) in
            if waiting == nil { waiting = tables.stream(Self.waiting, batch: 1_000) }
            guard let row = try waiting?.next() else { return nil }
            // As in a chain.
            let hash = try row.digest(1) ?? MerkleHash.empty
            return WaitingEntry(id: try row.id(0), hash: hash, recordedAt: try row.timestamp(2))
        }
    }

    func nextAbsent() throws(VerificationError) -> (leaf: EvidenceLeaf, entry: RecordID)? {
        try VerificationError.reading { () throws(DatabaseError) in
            if absent == nil { absent = tables.stream(Self.absent, batch: 1_000) }
            guard let row = try absent?.next() else { return nil }
            return (try Self.leaf(row), try row.id(1))
        }
    }

    func bundle(_ digest: Digest) throws(VerificationError) -> [UInt8]? {
        try VerificationError.reading { () throws(DatabaseError) in
            try tables.query(Self.bundle, [.bytes(digest.bytes)]).first?.bytes(0)
        }
    }

    func leafIndex(ofEntry id: RecordID) throws(VerificationError) -> Int64? {
        try VerificationError.reading { () throws(DatabaseError) in
            try tables.query(Self.leafIndex, [.uuid(id.octets)]).first?.integer(0)
        }
    }

    func firstLeaf(ofRequestsFrom id: RecordID) throws(VerificationError) -> Int64? {
        try VerificationError.reading { () throws(DatabaseError) in
            try tables.query(Self.firstLeaf, [.uuid(id.octets)]).first?.optionalInteger(0)
        }
    }

    func verifyOrders(_ findings: inout Findings) throws(VerificationError) { try orders.verify(&findings) }

    func nameAlteredLeaves(_ findings: inout Findings) throws(VerificationError) {
        var rows = bodies.stream(Self.bodiesOfLeaves, batch: 1_000)
        try rows.readAll { row throws(DatabaseError) in
            let (index, id) = (try row.integer(0), try row.id(1))
            guard try MerkleHash.leaf(row.octets(3)) != row.digest(2) else { return }
            let fault = "its body is not what the leaf was made of"
            findings.violate(.l8, "entry \(id.text)", fault) { index }
        }
    }

    private static func leaf(_ row: Row) throws(DatabaseError) -> EvidenceLeaf {
        guard let hash = try row.digest(2) else { throw .unexpectedRow("a leaf hash") }
        return EvidenceLeaf(index: try row.integer(0), name: try row.uuidNumber(1), hash: hash)
    }
}

extension DatabaseEvidence {
    private static let entryCount = Statement("SELECT max(leaf_index) FROM ledger.leaf")
    private static let checkpointCount = Statement("SELECT count(*) FROM ledger.checkpoint")
    private static let bundle = Statement("SELECT bundle FROM ledger.policy_version WHERE policy_sha256 = $1")
    private static let leafIndex = Statement(
        "SELECT leaf_index FROM ledger.leaf WHERE entry_id = $1 ORDER BY leaf_index LIMIT 1")

    /// Leaves come in the order of their requests but for what ran side by side: far less than a thousand.
    private static let firstLeaf = Statement(
        """
        SELECT min(l.leaf_index) FROM ledger.leaf AS l
        JOIN (SELECT entry_id FROM ledger.entry WHERE request_id >= $1 ORDER BY request_id LIMIT 1000) AS e
          USING (entry_id)
        """)

    private static let bodiesOfLeaves = Statement(
        """
        SELECT l.leaf_index, l.entry_id, l.leaf_hash, e.body
        FROM ledger.leaf AS l JOIN ledger.entry AS e USING (entry_id) ORDER BY l.leaf_index
        """)
    private static let leaves = Statement(
        """
        SELECT leaf_index, entry_id, leaf_hash FROM ledger.leaf ORDER BY leaf_index
        """)
    private static let checkpoints = Statement(
        """
        SELECT p.tree_size, p.origin, p.note,
               ARRAY(SELECT c.line FROM ledger.cosignature AS c WHERE c.tree_size = p.tree_size
                     ORDER BY c.witness)
        FROM ledger.checkpoint AS p ORDER BY p.tree_size
        """)
    private static let heads = Statement(
        """
        SELECT tree_size, root_hash FROM ledger.tree_head ORDER BY tree_size
        """)
    /// In the order of the leaf that fills each.
    private static let tiles = Statement(
        """
        SELECT level::integer, tile_index, hashes FROM ledger.tile
        ORDER BY (tile_index + 1) * power(256::float8, level + 1), level
        """)
    private static let waiting = Statement(
        """
        SELECT e.entry_id, e.leaf_hash, e.recorded_at FROM ledger.entry AS e
        WHERE NOT EXISTS (SELECT FROM ledger.leaf AS l WHERE l.entry_id = e.entry_id) ORDER BY e.entry_id
        """)
    private static let absent = Statement(
        """
        SELECT l.leaf_index, l.entry_id, l.leaf_hash FROM ledger.leaf AS l
        WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.entry_id = l.entry_id)
        ORDER BY l.leaf_index
        """)
}
