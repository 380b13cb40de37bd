package import Database
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
}

extension Custody {
    /// Erases personal values for good and appends that; nothing is appended when there are none. What was
    /// hashed stays as it is, commitments included, and so does every proof.
    ///
    /// - Parameters:
    ///   - actor: who asked for it, e.g. `os:jane`.
    ///   - reason: 1 to 1,000 characters.
    ///   - id: names this act; a fresh UUIDv7.
    ///   - isTrial: to see what would be erased, and change nothing.
    package func redact(
        _ subject: RedactionSubject, at now: Timestamp, by actor: String, because reason: String,
        id: RequestID, isTrial: Bool = false
    ) throws(DatabaseError) -> RedactionExtent {
        let values =
            [.uuid(id)] + subject.parameters
            + [.timestamp(now), .text(actor.storable), .text(reason.storable)]
        return try act(isTrial: isTrial) { connection throws(DatabaseError) in
            let row = try connection.row(Self.redact, values)
            return RedactionExtent(
                requests: Int(clamping: try row.integer(0)), values: Int(clamping: try row.integer(1)))
        }
    }

    private static let redact = Statement(
        "SELECT requests, commitments FROM ledger.redact($1, $2, $3, $4, $5, $6)")
}
