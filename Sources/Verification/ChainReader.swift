import Database
import EnrollmentCore
import TransparencyLog

/// Reads entries and typed rows side by side, each from a cursor in the same order, and hands them out by
/// request.
///
/// All is in the order of one id: the request's, or, for what belongs to none, the entry's own. So every
/// cursor is read from the first chain to the last, and the server has all that time to make its rows ready.
struct ChainReader {
    /// Where a row belongs. An entry without request is no part of a request that has its id.
    private struct Key: Comparable {
        let id: RecordID
        let isAlone: Bool

        /// The greatest that there can be.
        static let last = Key(id: RecordID(.max), isAlone: true)

        static func < (left: Key, right: Key) -> Bool {
            left.id == right.id ? !left.isAlone && right.isAlone : left.id < right.id
        }
    }

    private enum Source {
        case entries
        case typed(TypedTable)
        case privateValues
    }

    /// A cursor with the row that comes next.
    private struct Lane {
        let source: Source
        private var stream: RowStream
        /// Nil after the last.
        private(set) var row: Row?
        /// Of that row.
        private(set) var entry = Key.last.id

        init(_ source: Source, _ stream: RowStream) {
            self.source = source
            self.stream = stream
        }

        /// Where the next row belongs; the last that there can be when there is no row.
        mutating func advance() throws(VerificationError) -> Key {
            do {
                row = try stream.next()
                guard let row else { return .last }
                let request = try row.optionalID(0)
                entry = try row.id(1)
                return Key(id: request ?? entry, isAlone: request == nil)
            } catch { throw VerificationError(error) }
        }
    }

    private var lanes: [Lane]
    /// Where the next row of each lane belongs, by themselves: all are looked at for each chain.
    private var keys: [Key] = []

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - bodies: reads the entries.
    ///   - tables: reads everything else, at the same time.
    init(bodies: SnapshotReader, tables: SnapshotReader) {
        lanes = [
            Lane(.entries, bodies.stream(Self.ofRequests, batch: 500, depth: 3)),
            Lane(.entries, bodies.stream(Self.ofNone, batch: 200)),
        ]
        lanes += TypedTable.allCases.flatMap { table in
            table.rows.map { Lane(.typed(table), tables.stream($0, batch: 1_000)) }
        }
        lanes.append(Lane(.privateValues, tables.stream(Self.privateValues, batch: 1_000)))
    }

    /// Everything of the next request, or of the next entry that belongs to none; nil after the last.
    mutating func next() throws(VerificationError) -> EvidenceChain? {
        if keys.isEmpty { for index in lanes.indices { keys.append(try lanes[index].advance()) } }
        guard let key = keys.min(), key < .last || lanes.contains(where: { $0.row != nil }) else {
            return nil
        }
        var chain = EvidenceChain()
        // A request that ends in a certificate has five entries and six rows.
        chain.entries.reserveCapacity(6)
        chain.rows.reserveCapacity(8)
        for index in lanes.indices {
            while keys[index] == key, let row = lanes[index].row {
                let request = key.isAlone ? nil : key.id
                do {
                    try Self.take(row, of: lanes[index].entry, request, lanes[index].source, into: &chain)
                } catch { throw VerificationError(error) }
                keys[index] = try lanes[index].advance()
            }
        }
        return chain
    }

    private static func take(
        _ row: Row, of entry: RecordID, _ request: RecordID?, _ source: Source,
        into chain: inout EvidenceChain
    ) throws(DatabaseError) {
        switch source {
        case .entries:
            // What is no digest at all is taken as one that no entry has.
            let hash = try row.digest(4) ?? MerkleHash.empty
            chain.entries.append(
                EvidenceEntry(
                    id: entry, kind: try row.text(2), request: request,
                    body: try row.octets(3), storedHash: hash, name: entry.number, leafIndex: nil,
                    recordedAt: try row.timestamp(5)))
        case .typed(let table):
            if table == .reservation { chain.tbs = try row.bytes(2) }
            if table == .certificate { chain.certificate = try row.bytes(2) }
            chain.rows.append(TypedRow(table: table, row: row, entry: entry))
        case .privateValues:
            chain.privateValues.append(
                PrivateValue(
                    commitment: try row.digest(2), salt: try row.bytes(3), value: try row.octets(4)))
        }
    }

    private static let ofRequests = Statement(
        """
        SELECT request_id, entry_id, kind, body, leaf_hash, recorded_at FROM ledger.entry
        WHERE request_id IS NOT NULL ORDER BY request_id, entry_id
        """)
    private static let ofNone = Statement(
        """
        SELECT request_id, entry_id, kind, body, leaf_hash, recorded_at FROM ledger.entry
        WHERE request_id IS NULL ORDER BY entry_id
        """)
    /// Kept with the entry of a request, whose id is the request's; one that is elsewhere is missed there.
    private static let privateValues = Statement(
        """
        SELECT p.entry_id, p.entry_id, p.commitment, p.salt, p.value
        FROM ledger.private_value AS p ORDER BY p.entry_id
        """)
}

extension Row {
    /// A `uuid`; so is `optionalID`, which is nil for null.
    func id(_ column: Int) throws(DatabaseError) -> RecordID { RecordID(try uuidNumber(column)) }

    func optionalID(_ column: Int) throws(DatabaseError) -> RecordID? {
        try optionalUUIDNumber(column).map { RecordID($0) }
    }

    /// A `bytea` of 32 octets; nil for any other, and for null.
    func digest(_ column: Int) throws(DatabaseError) -> Digest? {
        var digest: Digest?
        _ = try octets(column, orNull: false) { octets in
            digest = octets.withUnsafeBytes { Digest(octets: $0) }
            return true
        }
        return digest
    }
}
