import Database
package import EnrollmentCore

/// Whose personal values are erased.
package enum RedactionSubject: Sendable, Hashable {
    /// All requests that proved to be of a device.
    case device(DeviceID)
    case request(RequestID)

    fileprivate var parameters: [Parameter] {
        switch self {
        case .device(let device): return [.text(device.rawValue), .uuid(nil)]
        case .request(let request): return [.text(nil), .uuid(request)]
        }
    }
}

/// How much an erasure takes.
package struct RedactionExtent: Sendable, Hashable {
    /// Requests that lose values.
    package let requests: Int
    /// Values: commitments to them stay.
    package let values: Int

    fileprivate init(_ row: Row) throws(DatabaseError) {
        requests = Int(clamping: try row.integer(0))
        values = Int(clamping: try row.integer(1))
    }
}

extension PostgresLedger {
    /// What `redact` would erase.
    package func redactable(_ subject: RedactionSubject) async throws(LedgerError) -> RedactionExtent {
        try await read { connection throws(DatabaseError) in
            try RedactionExtent(try connection.row(Self.redactable, subject.parameters))
        }
    }

    /// Erases personal values for good and appends that; nothing is appended when there are none. What was
    /// hashed stays as it is, commitments included, and so does every proof.
    ///
    /// - Parameters:
    ///   - actor: who asked for it, e.g. `os:jane`.
    ///   - reason: 1 to 1,000 characters.
    package func redact(
        _ subject: RedactionSubject, at now: Timestamp, by actor: String, because reason: String
    ) async throws(LedgerError) -> RedactionExtent {
        let values =
            [newID()] + subject.parameters
            + [.timestamp(now), .text(actor.storable), .text(reason.storable)]
        return try await write { connection throws(DatabaseError) in
            try RedactionExtent(try connection.row(Self.redact, values))
        }
    }

    private static let redactable = Statement(
        """
        SELECT count(DISTINCT p.entry_id), count(*) FROM ledger.private_value AS p
        WHERE p.entry_id = $2 OR p.entry_id IN (SELECT request_id FROM ledger.request WHERE device_id = $1)
        """)
    private static let redact = Statement(
        "SELECT requests, commitments FROM ledger.redact($1, $2, $3, $4, $5, $6)")
}
