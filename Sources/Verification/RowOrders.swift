import Database
import EnrollmentCore

/// What no single body tells: how rows of the same transaction are numbered, and that nothing is there that
/// nothing refers to (L9).
struct RowOrders {
    /// How many comparisons there are.
    static var count: Int { faults.count }

    private let reader: SnapshotReader
    private var streams: [RowStream] = []

    init(_ reader: SnapshotReader) { self.reader = reader }

    /// How many comparisons were begun.
    var begun: Int { streams.count }

    /// Has the server begin the next comparison, while bodies are hashed; false when there is none left.
    mutating func begin() -> Bool {
        guard begun < Self.count else { return false }
        streams.append(reader.stream(Self.faults[begun], batch: 1_000))
        return true
    }

    mutating func verify(_ findings: inout Findings) throws(VerificationError) {
        while begin() {}
        for stream in streams {
            var rows = stream
            try rows.readAll { row throws(DatabaseError) in
                findings.violate(.l9, try row.text(0), try row.text(1))
            }
        }
        try verifyBundles(&findings)
    }

    /// Every bundle has its digest, and somebody's decision or act names it.
    private func verifyBundles(_ findings: inout Findings) throws(VerificationError) {
        var rows = reader.stream(Self.bundles, batch: 10)
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

    private static let bundles = Statement(
        """
        SELECT v.policy_sha256, v.bundle,
               EXISTS (SELECT FROM ledger.policy_activation AS a WHERE a.policy_sha256 = v.policy_sha256)
        FROM ledger.policy_version AS v ORDER BY v.policy_sha256
        """)
}

extension RowOrders {
    /// Each selects the rows that are wrong, as their place and what is wrong with them.
    private static let faults = [
        attempts, reservations, approvals, predecessors, reservationsOfApprovals, succession, absentBundles,
        unnamed, openReservations,
    ]

    /// Rows of each transaction are numbered from 1.
    private static let attempts = Statement(
        """
        SELECT 'request.attempt of ' || request_id,
               format('request.attempt is %s where %s is due', attempt, due)
        FROM (SELECT request_id, attempt,
                     coalesce(lag(attempt) OVER (PARTITION BY transaction_key ORDER BY attempt), 0) + 1 AS due
              FROM ledger.request WHERE transaction_key IS NOT NULL) AS q
        WHERE attempt <> due
        """)
    private static let reservations = Statement(
        """
        SELECT 'reservation.number of ' || request_id,
               format('reservation.number is %s where %s is due', number, due)
        FROM (SELECT request_id, number,
                     coalesce(lag(number) OVER (PARTITION BY transaction_key ORDER BY number), 0) + 1 AS due
              FROM ledger.reservation) AS r
        WHERE number <> due
        """)
    private static let approvals = Statement(
        """
        SELECT 'approval.number of ' || entry_id,
               format('approval.number is %s where %s is due', number, due)
        FROM (SELECT entry_id, number,
                     coalesce(lag(number) OVER (PARTITION BY transaction_key ORDER BY number), 0) + 1 AS due
              FROM ledger.approval) AS a
        WHERE number <> due
        """)
    /// A reservation's predecessor is the reservation before it.
    private static let predecessors = Statement(
        """
        SELECT 'reservation of request ' || request_id,
               'reservation.predecessor is not the reservation before it'
        FROM (SELECT request_id, predecessor,
                     lag(request_id) OVER (PARTITION BY transaction_key ORDER BY number) AS before
              FROM ledger.reservation) AS r
        WHERE predecessor IS DISTINCT FROM before
        """)
    /// An approval cannot know of more reservations than its transaction has, nor of fewer than the one
    /// before.
    private static let reservationsOfApprovals = Statement(
        """
        SELECT 'approval ' || entry_id,
               format('approval.reservations is %s where %s to %s can be', reservations, least, most)
        FROM (SELECT entry_id, reservations,
                     coalesce(lag(reservations) OVER (PARTITION BY transaction_key ORDER BY number), 0)
                       AS least,
                     (SELECT count(*) FROM ledger.reservation AS r
                      WHERE r.transaction_key = a.transaction_key) AS most
              FROM ledger.approval AS a) AS a
        WHERE reservations < least OR reservations > most
        """)
    /// Each activation names the bundle that was in force before it.
    private static let succession = Statement(
        """
        SELECT 'policy_succession row of entry ' || entry_id,
               'policy_succession.previous_sha256 or .number is not that of the activation before'
        FROM (SELECT entry_id, s.previous_sha256, lag(a.policy_sha256) OVER (ORDER BY s.number) AS before
              FROM ledger.policy_succession AS s
              LEFT JOIN ledger.policy_activation AS a USING (entry_id)) AS s
        WHERE previous_sha256 IS DISTINCT FROM before
        """)
    /// Every bundle that was in force is kept.
    private static let absentBundles = Statement(
        """
        SELECT 'policy_version ' || encode(named.policy_sha256, 'hex'),
               'policy_version.policy_sha256: an entry names it, and it is gone'
        FROM (SELECT policy_sha256 FROM ledger.policy_activation
              UNION SELECT in_force_sha256 FROM ledger.policy_refusal
              UNION SELECT policy_sha256 FROM ledger.decision) AS named
        WHERE named.policy_sha256 IS NOT NULL
          AND NOT EXISTS (SELECT FROM ledger.policy_version AS v WHERE v.policy_sha256 = named.policy_sha256)
        """)
    /// A transaction goes whole when its month is retired, but for its key.
    private static let unnamed = Statement(
        """
        SELECT 'transaction ' || encode(transaction_key, 'hex'),
               'transaction.transaction_key: no request is of it'
        FROM ledger.transaction AS t
        WHERE NOT EXISTS (SELECT FROM ledger.request AS q WHERE q.transaction_key = t.transaction_key)
          AND NOT EXISTS (
            -- Months begin by the gateway's clock, rows are dated by the database's.
            SELECT FROM ledger.retention AS r
            WHERE t.recorded_at >= r.month::timestamp AT TIME ZONE 'UTC' - interval '1 day'
              AND t.recorded_at
                < (r.month + interval '1 month')::timestamp AT TIME ZONE 'UTC' + interval '1 day')
        UNION ALL
        SELECT DISTINCT 'transaction ' || encode(transaction_key, 'hex'),
                        'transaction.transaction_key: a request''s transaction has no row'
        FROM ledger.request AS q
        WHERE transaction_key IS NOT NULL
          AND NOT EXISTS (SELECT FROM ledger.transaction AS t WHERE t.transaction_key = q.transaction_key)
        """)
    /// Reservations wait for their end in a queue, and nothing else does.
    private static let openReservations = Statement(
        """
        SELECT 'open_reservation of request ' || request_id,
               'open_reservation.request_id: nothing of it is open'
        FROM ledger.open_reservation AS w
        WHERE EXISTS (SELECT FROM ledger.outcome AS o WHERE o.request_id = w.request_id)
           OR NOT EXISTS (SELECT FROM ledger.reservation AS r WHERE r.request_id = w.request_id)
        UNION ALL
        SELECT 'open_reservation of request ' || request_id,
               'open_reservation.request_id: a reservation that has not ended is missing'
        FROM ledger.reservation AS r
        WHERE NOT EXISTS (SELECT FROM ledger.outcome AS o WHERE o.request_id = r.request_id)
          AND NOT EXISTS (SELECT FROM ledger.open_reservation AS w WHERE w.request_id = r.request_id)
        """)
}
