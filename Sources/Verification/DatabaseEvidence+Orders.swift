import Database
import EnrollmentCore
import TransparencyLog

// What no single body tells: how rows of the same transaction are numbered, and that nothing is there that
// nothing refers to.

extension DatabaseEvidence {
    func nameAlteredLeaves(_ findings: inout Findings) throws(VerificationError) {
        var rows = try RowStream(snapshot, Self.bodies)
        while let row = try rows.next() {
            try VerificationError.reading { () throws(DatabaseError) in
                let (index, id) = (try row.integer(0), try row.uuid(1))
                guard MerkleHash.leaf(try row.bytes(3)).bytes != (try row.bytes(2)) else { return }
                let fault = "its body is not what the leaf was made of"
                findings.violate(.l8, "entry \(UUIDText.text(id))", fault) { index }
            }
        }
    }

    func verifyOrders(_ findings: inout Findings) throws(VerificationError) {
        try verifyNumbers(Self.attempts, "request.attempt", &findings)
        try verifyNumbers(Self.reservations, "reservation.number", &findings)
        try verifyNumbers(Self.approvals, "approval.number", &findings)
        try verifyPredecessors(&findings)
        try verifyApprovals(&findings)
        try verifySuccession(&findings)
        try verifyUnnamed(&findings)
        try verifyBundles(&findings)
    }

    /// Rows of each transaction are numbered from 1.
    private func verifyNumbers(
        _ cursor: (Statement, Statement), _ column: String, _ findings: inout Findings
    ) throws(VerificationError) {
        var rows = try RowStream(snapshot, cursor)
        var last: (transaction: [UInt8], number: Int64)?
        while let row = try rows.next() {
            try VerificationError.reading { () throws(DatabaseError) in
                let (transaction, number, id) = (try row.bytes(0), try row.integer(1), try row.uuid(2))
                let isFirst = last?.transaction != transaction
                let expected = isFirst ? 1 : (last?.number ?? 0) &+ 1
                last = (transaction, number)
                guard number != expected else { return }
                findings.violate(
                    .l9, "\(column) of \(UUIDText.text(id))",
                    "\(column) is \(number) where \(expected) is due")
            }
        }
    }

    /// A reservation's predecessor is the reservation before it.
    private func verifyPredecessors(_ findings: inout Findings) throws(VerificationError) {
        var rows = try RowStream(snapshot, Self.predecessors)
        var last: (transaction: [UInt8], request: [UInt8])?
        while let row = try rows.next() {
            try VerificationError.reading { () throws(DatabaseError) in
                let (transaction, request) = (try row.bytes(0), try row.uuid(1))
                let predecessor = try row.optionalUUID(2)
                let before = last?.transaction == transaction ? last?.request : nil
                last = (transaction, request)
                guard predecessor != before else { return }
                findings.violate(
                    .l9, "reservation of request \(UUIDText.text(request))",
                    "reservation.predecessor is not the reservation before it")
            }
        }
    }

    /// An approval cannot know of more reservations than its transaction has, nor of fewer than the one
    /// before.
    private func verifyApprovals(_ findings: inout Findings) throws(VerificationError) {
        var rows = try RowStream(snapshot, Self.reservationsOfApprovals)
        var last: (transaction: [UInt8], count: Int64)?
        while let row = try rows.next() {
            try VerificationError.reading { () throws(DatabaseError) in
                let (transaction, count, all) = (try row.bytes(0), try row.integer(1), try row.integer(2))
                let least = last?.transaction == transaction ? last?.count ?? 0 : 0
                last = (transaction, count)
                guard count < least || count > all else { return }
                findings.violate(
                    .l9, "approval \(UUIDText.text(try row.uuid(3)))",
                    "approval.reservations is \(count) where \(least) to \(all) can be")
            }
        }
    }

    /// Each activation names the bundle that was in force before it.
    private func verifySuccession(_ findings: inout Findings) throws(VerificationError) {
        var previous: [UInt8]?
        for row in try snapshot.query(Self.succession) {
            try VerificationError.reading { () throws(DatabaseError) in
                let (named, policy) = (try row.optionalBytes(0), try row.optionalBytes(1))
                if named != previous {
                    findings.violate(
                        .l9, "policy_succession row of entry \(UUIDText.text(try row.uuid(2)))",
                        "policy_succession.previous_sha256 or .number is not that of the activation before")
                }
                previous = policy
            }
        }
    }

    /// Transactions that no request is of.
    private func verifyUnnamed(_ findings: inout Findings) throws(VerificationError) {
        var rows = try RowStream(snapshot, Self.unnamed)
        while let row = try rows.next() {
            try VerificationError.reading { () throws(DatabaseError) in
                findings.violate(
                    .l9, "transaction \(Hex.encode(try row.bytes(0)))",
                    "transaction.transaction_key: \(try row.text(1))")
            }
        }
    }

    /// Every bundle has its digest, and somebody's decision or act names it.
    private func verifyBundles(_ findings: inout Findings) throws(VerificationError) {
        var rows = try RowStream(snapshot, Self.bundles)
        while let row = try rows.next() {
            try VerificationError.reading { () throws(DatabaseError) in
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
}

extension DatabaseEvidence {
    private static let bodies = (
        Statement(
            """
            DECLARE of_body NO SCROLL CURSOR FOR
            SELECT l.leaf_index, l.entry_id, l.leaf_hash, textsend(e.body)
            FROM ledger.leaf AS l JOIN ledger.entry AS e USING (entry_id) ORDER BY l.leaf_index
            """), Statement("FETCH FORWARD 1000 FROM of_body")
    )
    private static let attempts = (
        Statement(
            """
            DECLARE of_attempt NO SCROLL CURSOR FOR
            SELECT transaction_key, attempt, request_id FROM ledger.request
            WHERE transaction_key IS NOT NULL ORDER BY transaction_key, attempt
            """), Statement("FETCH FORWARD 5000 FROM of_attempt")
    )
    private static let reservations = (
        Statement(
            """
            DECLARE of_number NO SCROLL CURSOR FOR
            SELECT transaction_key, number, request_id FROM ledger.reservation
            ORDER BY transaction_key, number
            """), Statement("FETCH FORWARD 5000 FROM of_number")
    )
    private static let approvals = (
        Statement(
            """
            DECLARE of_word NO SCROLL CURSOR FOR
            SELECT transaction_key, number, entry_id FROM ledger.approval ORDER BY transaction_key, number
            """), Statement("FETCH FORWARD 5000 FROM of_word")
    )
    /// Only transactions that have several, or a predecessor where there is none.
    private static let predecessors = (
        Statement(
            """
            DECLARE of_predecessor NO SCROLL CURSOR FOR
            SELECT transaction_key, request_id, predecessor FROM ledger.reservation AS r
            WHERE predecessor IS NOT NULL OR number > 1
               OR EXISTS (SELECT FROM ledger.reservation AS o
                          WHERE o.transaction_key = r.transaction_key AND o.number = r.number + 1)
            ORDER BY transaction_key, number
            """), Statement("FETCH FORWARD 5000 FROM of_predecessor")
    )
    private static let reservationsOfApprovals = (
        Statement(
            """
            DECLARE of_approval_count NO SCROLL CURSOR FOR
            SELECT a.transaction_key, a.reservations,
                   (SELECT count(*) FROM ledger.reservation AS r WHERE r.transaction_key = a.transaction_key),
                   a.entry_id
            FROM ledger.approval AS a ORDER BY a.transaction_key, a.number
            """), Statement("FETCH FORWARD 1000 FROM of_approval_count")
    )
    private static let succession = Statement(
        """
        SELECT s.previous_sha256, a.policy_sha256, s.entry_id
        FROM ledger.policy_succession AS s LEFT JOIN ledger.policy_activation AS a USING (entry_id)
        ORDER BY s.number
        """)
    private static let unnamed = (
        Statement(
            """
            DECLARE of_unnamed NO SCROLL CURSOR FOR
            SELECT transaction_key, 'no request is of it' FROM ledger.transaction AS t
            WHERE NOT EXISTS (SELECT FROM ledger.request AS q WHERE q.transaction_key = t.transaction_key)
            UNION ALL
            SELECT DISTINCT transaction_key, 'a request''s transaction has no row' FROM ledger.request AS q
            WHERE transaction_key IS NOT NULL
              AND NOT EXISTS (SELECT FROM ledger.transaction AS t WHERE t.transaction_key = q.transaction_key)
            """), Statement("FETCH FORWARD 1000 FROM of_unnamed")
    )
    private static let bundles = (
        Statement(
            """
            DECLARE of_bundle NO SCROLL CURSOR FOR
            SELECT v.policy_sha256, v.bundle,
                   EXISTS (SELECT FROM ledger.policy_activation AS a WHERE a.policy_sha256 = v.policy_sha256)
            FROM ledger.policy_version AS v ORDER BY v.policy_sha256
            """), Statement("FETCH FORWARD 10 FROM of_bundle")
    )
}
