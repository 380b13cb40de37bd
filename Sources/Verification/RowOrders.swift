import Database
import EnrollmentCore

/// What no single body tells: how rows of the same transaction are numbered, and that nothing is there that
/// nothing refers to (L9).
struct RowOrders {
    private let attempts: RowStream
    private let reservations: RowStream
    private let approvals: RowStream
    private let predecessors: RowStream
    private let reservationsOfApprovals: RowStream
    private let succession: RowStream
    private let unnamed: RowStream
    private let openReservations: RowStream
    private let bundles: RowStream

    /// Begins to read: what is asked for first comes first.
    init(_ reader: SnapshotReader) {
        attempts = reader.stream(Self.attempts, batch: 5_000)
        reservations = reader.stream(Self.reservations, batch: 5_000)
        approvals = reader.stream(Self.approvals, batch: 5_000)
        predecessors = reader.stream(Self.predecessors, batch: 5_000)
        reservationsOfApprovals = reader.stream(Self.reservationsOfApprovals, batch: 1_000)
        succession = reader.stream(Self.succession, batch: 1_000)
        unnamed = reader.stream(Self.unnamed, batch: 1_000)
        openReservations = reader.stream(Self.openReservations, batch: 1_000)
        bundles = reader.stream(Self.bundles, batch: 10)
    }

    func verify(_ findings: inout Findings) throws(VerificationError) {
        try verifyNumbers(attempts, "request.attempt", &findings)
        try verifyNumbers(reservations, "reservation.number", &findings)
        try verifyNumbers(approvals, "approval.number", &findings)
        try verifyPredecessors(&findings)
        try verifyApprovals(&findings)
        try verifySuccession(&findings)
        try verifyUnnamed(&findings)
        try verifyOpenReservations(&findings)
        try verifyBundles(&findings)
    }

    /// Rows of each transaction are numbered from 1.
    private func verifyNumbers(
        _ stream: RowStream, _ column: String, _ findings: inout Findings
    ) throws(VerificationError) {
        var rows = stream
        var last: (transaction: [UInt8], number: Int64)?
        try rows.readAll { row throws(DatabaseError) in
            let (transaction, number, id) = (try row.bytes(0), try row.integer(1), try row.id(2))
            let isFirst = last?.transaction != transaction
            let expected = isFirst ? 1 : (last?.number ?? 0) &+ 1
            last = (transaction, number)
            guard number != expected else { return }
            let fault = "\(column) is \(number) where \(expected) is due"
            findings.violate(.l9, "\(column) of \(id.text)", fault)
        }
    }

    /// A reservation's predecessor is the reservation before it.
    private func verifyPredecessors(_ findings: inout Findings) throws(VerificationError) {
        var rows = predecessors
        var last: (transaction: [UInt8], request: RecordID)?
        try rows.readAll { row throws(DatabaseError) in
            let (transaction, request) = (try row.bytes(0), try row.id(1))
            let predecessor = try row.optionalID(2)
            let before = last?.transaction == transaction ? last?.request : nil
            last = (transaction, request)
            guard predecessor != before else { return }
            findings.violate(
                .l9, "reservation of request \(request.text)",
                "reservation.predecessor is not the reservation before it")
        }
    }

    /// An approval cannot know of more reservations than its transaction has, nor of fewer than the one
    /// before.
    private func verifyApprovals(_ findings: inout Findings) throws(VerificationError) {
        var rows = reservationsOfApprovals
        var last: (transaction: [UInt8], count: Int64)?
        try rows.readAll { row throws(DatabaseError) in
            let (transaction, count, all) = (try row.bytes(0), try row.integer(1), try row.integer(2))
            let least = last?.transaction == transaction ? last?.count ?? 0 : 0
            last = (transaction, count)
            guard count < least || count > all else { return }
            findings.violate(
                .l9, "approval \(try row.id(3).text)",
                "approval.reservations is \(count) where \(least) to \(all) can be")
        }
    }

    /// Each activation names the bundle that was in force before it.
    private func verifySuccession(_ findings: inout Findings) throws(VerificationError) {
        var previous: [UInt8]?
        var rows = succession
        try rows.readAll { row throws(DatabaseError) in
            let (named, policy) = (try row.optionalBytes(0), try row.optionalBytes(1))
            if named != previous {
                findings.violate(
                    .l9, "policy_succession row of entry \(try row.id(2).text)",
                    "policy_succession.previous_sha256 or .number is not that of the activation before")
            }
            previous = policy
        }
    }

    /// Transactions that no request is of.
    private func verifyUnnamed(_ findings: inout Findings) throws(VerificationError) {
        var rows = unnamed
        try rows.readAll { row throws(DatabaseError) in
            findings.violate(
                .l9, "transaction \(Hex.encode(try row.bytes(0)))",
                "transaction.transaction_key: \(try row.text(1))")
        }
    }

    /// Reservations wait for their end in a queue, and nothing else does.
    private func verifyOpenReservations(_ findings: inout Findings) throws(VerificationError) {
        var rows = openReservations
        try rows.readAll { row throws(DatabaseError) in
            findings.violate(
                .l9, "open_reservation of request \(try row.id(0).text)",
                "open_reservation.request_id: \(try row.text(1))")
        }
    }

    /// Every bundle has its digest, and somebody's decision or act names it.
    private func verifyBundles(_ findings: inout Findings) throws(VerificationError) {
        var rows = bundles
        try rows.readAll { row throws(DatabaseError) in
            let (name, bundle, isNamed) = (try row.bytes(0), try row.bytes(1), try row.bool(2))
            findings.count(.l9)
            let place = "policy_version \(Hex.encode(name))"
            if Digest(of: bundle).bytes != name {
                findings.violate(.l9, place, "policy_version.bundle does not have this digest")
            } else if !isNamed, bundle != Array("{\"files\":{}}".utf8) {
                findings.violate(.l9, place, "policy_version.policy_sha256 is in no entry")
            }
        }
    }
}

extension RowOrders {
    private static let attempts = Statement(
        """
        SELECT transaction_key, attempt, request_id FROM ledger.request
        WHERE transaction_key IS NOT NULL ORDER BY transaction_key, attempt
        """)
    private static let reservations = Statement(
        """
        SELECT transaction_key, number, request_id FROM ledger.reservation
        ORDER BY transaction_key, number
        """)
    private static let approvals = Statement(
        """
        SELECT transaction_key, number, entry_id FROM ledger.approval ORDER BY transaction_key, number
        """)
    /// Only transactions that have several, or a predecessor where there is none.
    private static let predecessors = Statement(
        """
        SELECT transaction_key, request_id, predecessor FROM ledger.reservation AS r
        WHERE predecessor IS NOT NULL OR number > 1
           OR EXISTS (SELECT FROM ledger.reservation AS o
                      WHERE o.transaction_key = r.transaction_key AND o.number = r.number + 1)
        ORDER BY transaction_key, number
        """)
    private static let reservationsOfApprovals = Statement(
        """
        SELECT a.transaction_key, a.reservations,
               (SELECT count(*) FROM ledger.reservation AS r WHERE r.transaction_key = a.transaction_key),
               a.entry_id
        FROM ledger.approval AS a ORDER BY a.transaction_key, a.number
        """)
    private static let succession = Statement(
        """
        SELECT s.previous_sha256, a.policy_sha256, s.entry_id
        FROM ledger.policy_succession AS s LEFT JOIN ledger.policy_activation AS a USING (entry_id)
        ORDER BY s.number
        """)
    private static let unnamed = Statement(
        """
        SELECT transaction_key, 'no request is of it' FROM ledger.transaction AS t
        WHERE NOT EXISTS (SELECT FROM ledger.request AS q WHERE q.transaction_key = t.transaction_key)
        UNION ALL
        SELECT DISTINCT transaction_key, 'a request''s transaction has no row' FROM ledger.request AS q
        WHERE transaction_key IS NOT NULL
          AND NOT EXISTS (SELECT FROM ledger.transaction AS t WHERE t.transaction_key = q.transaction_key)
        """)
    private static let openReservations = Statement(
        """
        SELECT request_id, 'nothing of it is open' FROM ledger.open_reservation AS w
        WHERE EXISTS (SELECT FROM ledger.outcome AS o WHERE o.request_id = w.request_id)
           OR NOT EXISTS (SELECT FROM ledger.reservation AS r WHERE r.request_id = w.request_id)
        UNION ALL
        SELECT request_id, 'a reservation that has not ended is missing' FROM ledger.reservation AS r
        WHERE NOT EXISTS (SELECT FROM ledger.outcome AS o WHERE o.request_id = r.request_id)
          AND NOT EXISTS (SELECT FROM ledger.open_reservation AS w WHERE w.request_id = r.request_id)
        """)
    private static let bundles = Statement(
        """
        SELECT v.policy_sha256, v.bundle,
               EXISTS (SELECT FROM ledger.policy_activation AS a WHERE a.policy_sha256 = v.policy_sha256)
        FROM ledger.policy_version AS v ORDER BY v.policy_sha256
        """)
}
