import Database
package import EnrollmentCore

/// One person's word on a waiting request.
package struct SpokenWord: Sendable, Hashable {
    /// The request it was said of; it counts for every attempt of the same transaction, until one of them
    /// has its certificate.
    package let request: RequestID
    package let word: Approval
    /// Required for `deny`.
    package let reason: String?
    /// Nil until it is read back.
    package let device: DeviceID?
    /// Nil until it is read back.
    package let service: ServiceName?

    package init(
        request: RequestID, word: Approval, reason: String?, device: DeviceID? = nil,
        service: ServiceName? = nil
    ) {
        self.request = request
        self.word = word
        self.reason = reason
        self.device = device
        self.service = service
    }
}

/// What became of a word.
package enum ApprovalResult: String, Sendable, Hashable, CaseIterable {
    case recorded
    /// No enrollment has that id.
    case unknown
    /// It was permitted or denied, not deferred.
    case notDeferred = "not_deferred"
    /// Its certificate is being issued at this moment.
    case inFlight = "in_flight"
    /// It has its certificate.
    case issued
}

extension PostgresLedger {
    /// Transactions that wait for approval, the longest waiting first, at most `limit`; those whose
    /// credential is not held for them any more are left out.
    package func waitingRequests(limit: Int) async throws(LedgerError) -> [WaitingRequest] {
        let values: [Parameter] = [.timestamp(clock.now()), .integer(Int64(limit))]
        return try await read { connection throws(DatabaseError) in
            var found: [WaitingRequest] = []
            for row in try connection.query(Self.waiting, values) { found.append(try WaitingRequest(row)) }
            return found
        }
    }

    /// The transaction of a request, as it last waited for approval, whether it still waits or not; nil when
    /// it never did, or when no request has that id.
    package func waitingRequest(_ id: RequestID) async throws(LedgerError) -> WaitingRequest? {
        try await read { connection throws(DatabaseError) in
            try connection.query(Self.waitingOne, [.uuid(id)]).first
                .map { row throws(DatabaseError) in try WaitingRequest(row) }
        }
    }

    /// What was said, the latest first, at most `limit`.
    package func spokenWords(limit: Int) async throws(LedgerError) -> [SpokenWord] {
        try await read { connection throws(DatabaseError) in
            var words: [SpokenWord] = []
            for row in try connection.query(Self.words, [.integer(Int64(limit))]) {
                guard let verdict = Approval.Verdict(rawValue: try row.text(2)) else {
                    throw .unexpectedRow("not a verdict")
                }
                words.append(
                    SpokenWord(
                        request: try row.requestID(4),
                        word: Approval(approver: try row.text(1), verdict: verdict, at: try row.instant(0)),
                        reason: try row.optionalText(3), device: try row.device(6),
                        service: ServiceName(try row.text(5))))
            }
            return words
        }
    }

    /// Appends one person's word on a deferred request. Whether it counts is for policy to say, when the
    /// transaction is judged again.
    package func append(_ spoken: SpokenWord) async throws(LedgerError) -> ApprovalResult {
        let values: [Parameter] = [
            newID(), .uuid(spoken.request), .text(spoken.word.verdict.rawValue), .timestamp(spoken.word.at),
            .text(spoken.word.approver.storable), .text(spoken.reason?.storable),
        ]
        return try await write { connection throws(DatabaseError) in
            guard
                let result = ApprovalResult(rawValue: try connection.row(Self.approve, values).text(0))
            else { throw .unexpectedRow("not an answer to an approval") }
            return result
        }
    }

    private static let waiting = Statement(
        """
        SELECT request_id, since, protocol, operation, service, device_id, client_address, rule_ids, owner,
               minted_by, held_until, required, approved_by, denied_by, waits, words
        FROM ledger.approval_case WHERE waits AND (held_until IS NULL OR held_until > $1)
        ORDER BY since, request_id LIMIT $2
        """)
    private static let waitingOne = Statement(
        """
        SELECT request_id, since, protocol, operation, service, device_id, client_address, rule_ids, owner,
               minted_by, held_until, required, approved_by, denied_by, waits, words
        FROM ledger.approval_case
        WHERE transaction_key = (SELECT transaction_key FROM ledger.request WHERE request_id = $1)
        """)
    private static let words = Statement(
        """
        SELECT at, approver, verdict, reason, request_id, service, device_id
        FROM audit.approvals ORDER BY at DESC, number DESC LIMIT $1
        """)
    private static let approve = Statement("SELECT ledger.approve($1, $2, $3, $4, $5, $6)")
}
