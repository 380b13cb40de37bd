package import Database
package import EnrollmentCore

/// One fact in the order of the log, with what its request was about.
package struct LedgerEvent: Sendable, Hashable {
    /// Place in the log, from 0, without gaps.
    package let index: Int64
    /// UUID as text.
    package let entry: String
    /// The kind of `ledger.entry`, e.g. `decision`.
    package let kind: String
    package let recordedAt: Timestamp
    package let request: String?
    package let service: String?
    package let enrollmentProtocol: String?
    package let operation: String?
    package let device: String?
    package let gateway: String?
    /// As auditors see it; a commitment once it was erased.
    package let clientAddress: String?
    /// Canonical JSON, exactly as hashed.
    package let body: String
    /// Lower-case hexadecimal.
    package let leafHash: String

    package init(
        index: Int64, entry: String, kind: String, recordedAt: Timestamp, request: String?, service: String?,
        enrollmentProtocol: String?, operation: String?, device: String?, gateway: String?,
        clientAddress: String?, body: String, leafHash: String
    ) {
        self.index = index
        self.entry = entry
        self.kind = kind
        self.recordedAt = recordedAt
        self.request = request
        self.service = service
        self.enrollmentProtocol = enrollmentProtocol
        self.operation = operation
        self.device = device
        self.gateway = gateway
        self.clientAddress = clientAddress
        self.body = body
        self.leafHash = leafHash
    }
}

/// Some events in order and where to read on.
package struct EventBatch: Sendable {
    package let events: [LedgerEvent]
    /// The index after the last leaf that was looked at: beyond the last event where entries were retired.
    package let next: Int64
}

/// Reads events in the order of the log. Every leaf is seen once and none is left out: leaves are contiguous,
/// and one appears only when all before it have.
package enum EventReader {
    /// The events of the next leaves from `position` on, of at most `limit` leaves.
    package static func events(
        from position: Int64, limit: Int64, on connection: Connection
    ) throws(DatabaseError) -> EventBatch {
        let rows = try connection.query(following, [.integer(position), .integer(limit)])
        let next = try rows.last?.integer(0).advanced(by: 1) ?? position
        return EventBatch(events: try events(rows), next: next)
    }

    /// The latest events of the log in its order.
    ///
    /// - Parameters:
    ///   - kinds: of these kinds only; all when empty.
    ///   - since: recorded then or later.
    ///   - limit: at most so many; nil for all since `since`.
    package static func latest(
        kinds: [String], since: Timestamp?, limit: Int64?, on connection: Connection
    ) throws(DatabaseError) -> [LedgerEvent] {
        let values: [Parameter] = [.texts(kinds), .timestamp(since), .integer(limit)]
        return try events(connection.query(latest, values)).reversed()
    }

    /// How many leaves the log has.
    package static func size(on connection: Connection) throws(DatabaseError) -> Int64 {
        try connection.row(size).integer(0)
    }

    private static func events(_ rows: [Row]) throws(DatabaseError) -> [LedgerEvent] {
        var events: [LedgerEvent] = []
        for row in rows where try row.optionalText(11) != nil { events.append(try event(row)) }
        return events
    }

    private static func event(_ row: Row) throws(DatabaseError) -> LedgerEvent {
        LedgerEvent(
            index: try row.integer(0), entry: try row.text(1), kind: try row.text(2),
            recordedAt: try row.instant(3), request: try row.optionalText(4),
            service: try row.optionalText(5),
            enrollmentProtocol: try row.optionalText(6), operation: try row.optionalText(7),
            device: try row.optionalText(8), gateway: try row.optionalText(9),
            clientAddress: try row.optionalText(10), body: try row.text(11), leafHash: try row.text(12))
    }

    private static let following = Statement(
        """
        SELECT leaf_index, entry_id::text, kind, recorded_at, request_id::text, service, protocol, operation,
               device_id, gateway, client_address, body, leaf_hash
        FROM audit.events WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT $2
        """)
    private static let latest = Statement(
        """
        SELECT leaf_index, entry_id::text, kind, recorded_at, request_id::text, service, protocol, operation,
               device_id, gateway, client_address, body, leaf_hash
        FROM audit.events WHERE (cardinality($1::text[]) = 0 OR kind = ANY ($1))
          AND ($2::timestamptz IS NULL OR recorded_at >= $2)
        ORDER BY leaf_index DESC LIMIT $3
        """)
    private static let size = Statement("SELECT coalesce(max(leaf_index) + 1, 0)::int8 FROM audit.leaves")
}

/// The right to deliver a feed, and where it stands.
package struct FeedClaim: Sendable, Hashable {
    /// Fences whoever held it before.
    package let epoch: Int64
    /// Events before this index are delivered.
    package let position: Int64
}

extension PostgresLedger {
    /// The events of at most `limit` leaves from `position` on.
    package func events(from position: Int64, limit: Int64) async throws(LedgerError) -> EventBatch {
        try await read { connection throws(DatabaseError) in
            try EventReader.events(from: position, limit: limit, on: connection)
        }
    }

    /// How many leaves the log has.
    package func logSize() async throws(LedgerError) -> Int64 {
        try await read { connection throws(DatabaseError) in try EventReader.size(on: connection) }
    }

    /// Claims a feed for this gateway for some seconds; nil while another delivers it. A feed that never was
    /// begins at the first leaf.
    ///
    /// - Parameter epoch: of the claim to renew; nil for a new one.
    package func takeFeed(
        _ name: String, epoch: Int64?, seconds: Int64
    ) async throws(LedgerError) -> FeedClaim? {
        let values: [Parameter] = [.text(name), .text(gateway), .integer(epoch), .integer(seconds)]
        return try await write { connection throws(DatabaseError) in
            guard let row = try connection.query(Self.takeFeed, values).first else { return nil }
            return FeedClaim(epoch: try row.integer(0), position: try row.integer(1))
        }
    }

    /// Moves the cursor of a feed and renews the claim; false when the feed has passed to another.
    package func advanceFeed(
        _ name: String, epoch: Int64, to position: Int64, seconds: Int64
    ) async throws(LedgerError) -> Bool {
        let values: [Parameter] = [.text(name), .integer(epoch), .integer(position), .integer(seconds)]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.advanceFeed, values).bool(0)
        }
    }

    /// Gives a feed up, so that the next need not wait.
    package func releaseFeed(_ name: String, epoch: Int64) async throws(LedgerError) {
        try await write { connection throws(DatabaseError) in
            _ = try connection.query(Self.releaseFeed, [.text(name), .integer(epoch)])
        }
    }

    private static let takeFeed = Statement("SELECT epoch, place FROM state.take_feed($1, $2, $3, $4::int8)")
    private static let advanceFeed = Statement("SELECT state.advance_feed($1, $2, $3, $4::int8)")
    private static let releaseFeed = Statement("SELECT state.release_feed($1, $2)")
}
