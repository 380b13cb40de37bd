import Database
import EnrollmentCore

/// Reads entries and typed rows side by side, each from a cursor in the same order, and hands them out by
/// request.
struct ChainReader {
    /// Where a row belongs: its request, or with the entries that belong to none, its entry.
    struct Key: Comparable {
        let isAlone: Bool
        let id: UInt128

        init(request: [UInt8]?, entry: [UInt8]) {
            isAlone = request == nil
            id = (request ?? entry).reduce(0) { $0 << 8 | UInt128($1) }
        }

        static func < (left: Key, right: Key) -> Bool {
            left.isAlone == right.isAlone ? left.id < right.id : right.isAlone
        }
    }

    private enum Source {
        case entries
        case typed(TypedTable)
        case privateValues
    }

    private struct Lane {
        let source: Source
        var stream: RowStream
        var row: Row?
        var key: Key?

        mutating func advance() throws(VerificationError) {
            row = try stream.next()
            guard let row else {
                key = nil
                return
            }
            key = try VerificationError.reading { () throws(DatabaseError) in
                Key(request: try row.optionalUUID(0), entry: try row.uuid(1))
            }
        }
    }

    private var lanes: [Lane] = []
    private let snapshot: DatabaseSnapshot
    private var isAlone = false

    init(_ snapshot: DatabaseSnapshot) throws(VerificationError) {
        self.snapshot = snapshot
        try open(.entries, Self.ofRequests)
        for table in TypedTable.allCases { try open(.typed(table), table.cursor) }
        try open(.privateValues, Self.privateValues)
    }

    private mutating func open(_ source: Source, _ cursor: (declare: Statement, fetch: Statement))
        throws(VerificationError)
    {
        var lane = Lane(source: source, stream: try RowStream(snapshot, cursor))
        try lane.advance()
        lanes.append(lane)
    }

    /// Everything of the next request, or of the next entry that belongs to none; nil after the last.
    mutating func next() throws(VerificationError) -> EvidenceChain? {
        if lanes[0].key == nil, !isAlone {
            isAlone = true
            lanes[0].stream = try RowStream(snapshot, Self.ofNone)
            try lanes[0].advance()
        }
        guard let key = lanes.compactMap(\.key).min() else { return nil }
        var chain = EvidenceChain()
        for index in lanes.indices {
            while lanes[index].key == key, let row = lanes[index].row {
                try VerificationError.reading { () throws(DatabaseError) in
                    try Self.take(row, lanes[index].source, into: &chain)
                }
                try lanes[index].advance()
            }
        }
        return chain
    }

    private static func take(_ row: Row, _ source: Source, into chain: inout EvidenceChain)
        throws(DatabaseError)
    {
        switch source {
        case .entries:
            let id = try row.uuid(1)
            chain.entries.append(
                EvidenceEntry(
                    id: id, kind: try row.text(2), request: try row.optionalUUID(0), body: try row.bytes(3),
                    storedHash: try row.bytes(4), name: id, leafIndex: nil,
                    recordedAt: try row.timestamp(5)))
        case .typed(let table):
            if table == .reservation { chain.tbs = try row.bytes(2) }
            if table == .certificate { chain.certificate = try row.bytes(2) }
            chain.rows.append(TypedRow(table: table, row: row, entry: try row.uuid(1)))
        case .privateValues:
            chain.privateValues.append(
                PrivateValue(
                    commitment: try row.bytes(2), salt: try row.bytes(3), value: try row.bytes(4)))
        }
    }

    private static let ofRequests = (
        Statement(
            """
            DECLARE of_entry NO SCROLL CURSOR FOR
            SELECT request_id, entry_id, kind, textsend(body), leaf_hash, recorded_at FROM ledger.entry
            WHERE request_id IS NOT NULL ORDER BY request_id, entry_id
            """), Statement("FETCH FORWARD 1000 FROM of_entry")
    )
    private static let ofNone = (
        Statement(
            """
            DECLARE of_lone_entry NO SCROLL CURSOR FOR
            SELECT request_id, entry_id, kind, textsend(body), leaf_hash, recorded_at FROM ledger.entry
            WHERE request_id IS NULL ORDER BY entry_id
            """), Statement("FETCH FORWARD 1000 FROM of_lone_entry")
    )
    private static let privateValues = (
        Statement(
            """
            DECLARE of_private_value NO SCROLL CURSOR FOR
            SELECT e.request_id, p.entry_id, p.commitment, p.salt, textsend(p.value)
            FROM ledger.private_value AS p LEFT JOIN ledger.entry AS e USING (entry_id)
            ORDER BY e.request_id NULLS LAST, p.entry_id
            """), Statement("FETCH FORWARD 500 FROM of_private_value")
    )
}
