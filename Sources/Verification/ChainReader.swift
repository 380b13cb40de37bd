import Database
import EnrollmentCore
import TransparencyLog

/// Reads entries and typed rows side by side, each from a cursor in the same order, and hands them out by
/// request.
struct ChainReader {
    /// Where a row belongs: its request, or with the entries that belong to none, its entry.
    private struct Key: Comparable {
        let isAlone: Bool
        let id: RecordID

        static func < (left: Key, right: Key) -> Bool {
            left.isAlone == right.isAlone ? left.id < right.id : right.isAlone
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
        private(set) var next: (entry: RecordID, row: Row)?

        init(_ source: Source, _ stream: RowStream) {
            self.source = source
            self.stream = stream
        }

        /// Where the next row belongs; nil after the last.
        mutating func advance() throws(VerificationError) -> Key? {
            do {
                guard let row = try stream.next() else {
                    next = nil
                    return nil
                }
                let (request, entry) = (try row.optionalID(0), try row.id(1))
                next = (entry, row)
                return Key(isAlone: request == nil, id: request ?? entry)
            } catch { throw VerificationError(error) }
        }
    }

    private var lanes: [Lane]
    /// Where the next row of each lane belongs, by themselves: all are looked at for each chain.
    private var keys: [Key?] = []

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - bodies: reads the entries.
    ///   - tables: reads everything else, at the same time.
    init(bodies: SnapshotReader, tables: SnapshotReader) {
        lanes = [
            Lane(.entries, bodies.stream(Self.ofRequests, batch: 1_000)),
            Lane(.entries, bodies.stream(Self.ofNone, batch: 1_000)),
        ]
        lanes += TypedTable.allCases.flatMap { table in
            table.rows.map { Lane(.typed(table), tables.stream($0, batch: 1_000)) }
        }
        lanes.append(Lane(.privateValues, tables.stream(Self.privateValues, batch: 1_000)))
    }

    /// Everything of the next request, or of the next entry that belongs to none; nil after the last.
    mutating func next() throws(VerificationError) -> EvidenceChain? {
        if keys.isEmpty { for index in lanes.indices { keys.append(try lanes[index].advance()) } }
        guard let key = keys.lazy.compactMap({ $0 }).min() else { return nil }
        var chain = EvidenceChain()
        for index in lanes.indices {
            while keys[index] == key, let next = lanes[index].next {
                do { try Self.take(next, key, lanes[index].source, into: &chain) } catch {
                    throw VerificationError(error)
                }
                keys[index] = try lanes[index].advance()
            }
        }
        return chain
    }

    private static func take(
        _ next: (entry: RecordID, row: Row), _ key: Key, _ source: Source, into chain: inout EvidenceChain
    ) throws(DatabaseError) {
        let row = next.row
        switch source {
        case .entries:
            // What is no digest at all is taken as one that no entry has.
            let hash = try row.digest(4) ?? MerkleHash.empty
            chain.entries.append(
                EvidenceEntry(
                    id: next.entry, kind: try row.text(2), request: key.isAlone ? nil : key.id,
                    body: try row.octets(3), storedHash: hash, name: next.entry.number, leafIndex: nil,
                    recordedAt: try row.timestamp(5)))
        case .typed(let table):
            if table == .reservation { chain.tbs = try row.bytes(2) }
            if table == .certificate { chain.certificate = try row.bytes(2) }
            chain.rows.append(TypedRow(table: table, row: row, entry: next.entry))
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
