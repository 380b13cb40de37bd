import Database
package import EnrollmentCore

/// Everything the ledger holds about one request, in the order it was recorded.
package struct RequestHistory: Sendable, Hashable {
    /// One fact.
    package struct Entry: Sendable, Hashable {
        package let id: RequestID
        /// `request`, `decision`, `reservation`, `certificate`, `failure`, `revocation`, `credential`,
        /// `alert`, …
        package let kind: String
        package let recordedAt: Timestamp
        package let writer: String
        /// The document: as it was hashed, with personal values in the place of their commitments while they
        /// are kept.
        package let body: JSONValue
    }

    package let entries: [Entry]
    /// Whether personal values of the request were erased: then its decision cannot be computed again.
    package let isRedacted: Bool

    /// The first document of that kind.
    package func document(_ kind: String) -> JSONValue? { entries.first { $0.kind == kind }?.body }
}

/// Why a request was answered as it was.
package struct RequestExplanation: Sendable, Hashable {
    /// As `audit.issuance` calls it: denied, deferred, issued, …
    package let state: String
    /// The next request of the same transaction, whose answer replaced this one; nil if there is none.
    package let supersededBy: RequestID?
    /// The decision document: effect, reason, rules, owner, policy and trace.
    package let decision: JSONValue
    /// What was decided about, without secrets.
    package let input: JSONValue
}

extension PostgresLedger {
    /// What is recorded of a request; nil when nothing is.
    package func requestRecord(_ id: RequestID) async throws(LedgerError) -> RequestHistory? {
        try await read { connection throws(DatabaseError) in
            var entries: [RequestHistory.Entry] = []
            for row in try connection.query(Self.entries, [.uuid(id)]) {
                entries.append(
                    RequestHistory.Entry(
                        id: try row.requestID(0), kind: try row.text(1), recordedAt: try row.instant(2),
                        writer: try row.text(3),
                        body: try AttemptDocuments.decode(JSONValue.self, from: try row.text(4))))
            }
            guard !entries.isEmpty else { return nil }
            let isRedacted = try connection.row(Self.redacted, [.uuid(id)]).bool(0)
            return RequestHistory(entries: entries, isRedacted: isRedacted)
        }
    }

    /// Why a request was answered as it was; nil when it is not on the ledger.
    package func why(_ id: RequestID) async throws(LedgerError) -> RequestExplanation? {
        try await read { connection throws(DatabaseError) in
            guard let row = try connection.query(Self.explanation, [.uuid(id)]).first else { return nil }
            let request = try AttemptDocuments.decode(JSONValue.self, from: try row.text(1))
            guard case .object(let members) = request else {
                throw .unexpectedRow("a request that is no object")
            }
            return RequestExplanation(
                state: try row.text(0),
                supersededBy: try row.optionalUUID(3).flatMap { RequestID(bytes: $0) },
                decision: try AttemptDocuments.decode(JSONValue.self, from: try row.text(2)),
                input: members["input"] ?? request)
        }
    }

    private static let entries = Statement(
        """
        SELECT entry_id, kind, recorded_at, writer, ledger.reveal(request_id, body)
        FROM ledger.entry WHERE request_id = $1 ORDER BY recorded_at, entry_id
        """)
    private static let redacted = Statement(
        "SELECT EXISTS (SELECT FROM ledger.redacted_commitment WHERE request_id = $1)")
    private static let explanation = Statement(
        """
        SELECT i.state, r.request, r.decision, i.superseded_by
        FROM audit.issuance AS i JOIN audit.requests AS r USING (request_id)
        WHERE i.request_id = $1
        """)
}
