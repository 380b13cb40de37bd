package import Database

/// Reads recorded requests with their decisions as the auditor does, a batch at a time from one snapshot,
/// however many there are. Blocks its thread: only for commands.
package final class RecordedRequests {
    /// One request and its decision, each the document that was decided on.
    package struct Record: Sendable {
        package let request: String
        package let decision: String
    }

    private let connection: Connection
    /// How many there are to read.
    package let count: Int
    /// How many since the same instant are left out because personal values of theirs were erased: what was
    /// decided on is not known any more.
    package let redacted: Int

    /// Opens a read-only transaction with a cursor on the requests received since an instant, latest first.
    ///
    /// - Parameters:
    ///   - settings: the database, as the auditor's login.
    ///   - since: microseconds since 1970-01-01T00:00:00Z.
    ///   - limit: at most so many.
    /// - Throws: `DatabaseError`.
    init(_ settings: ConnectionSettings, since: Int64, limit: Int) throws(DatabaseError) {
        connection = try Connection(settings)
        try connection.begin()
        let totals = try connection.row(Self.totals, [.timestamp(since)])
        redacted = Int(clamping: try totals.integer(1))
        count = min(Int(clamping: try totals.integer(0)) - redacted, limit)
        _ = try connection.query(Self.declare, [.timestamp(since), .integer(Int64(limit))])
    }

    /// The next of them, at most 1,000; empty after the last.
    ///
    /// - Throws: `DatabaseError`.
    package func next() throws(DatabaseError) -> [Record] {
        var records: [Record] = []
        for row in try connection.query(Self.fetch) {
            records.append(Record(request: try row.text(0), decision: try row.text(1)))
        }
        return records
    }

    private static let totals = Statement(
        """
        SELECT count(*), (SELECT count(*) FROM audit.redacted_requests AS q
                          WHERE q.received_at >= $1)
        FROM audit.requests WHERE received_at >= $1
        """)

    private static let declare = Statement(
        """
        DECLARE recorded NO SCROLL CURSOR FOR
        SELECT request, decision FROM audit.requests AS q WHERE received_at >= $1
          AND NOT EXISTS (SELECT FROM audit.redacted_requests AS r WHERE r.request_id = q.request_id)
        ORDER BY received_at DESC, request_id DESC LIMIT $2
        """)

    private static let fetch = Statement("FETCH FORWARD 1000 FROM recorded")
}
