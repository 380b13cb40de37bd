package import Database
package import EnrollmentCore
import Foundation

/// The device directory in PostgreSQL.
package struct PostgresDeviceDirectory: DeviceDirectory {
    private let writer: BatchingWriter
    private let reader: ReadPool

    /// - Parameters: logged in as `gatehouse_writer`.
    package init(writer: BatchingWriter, reader: ReadPool) {
        self.writer = writer
        self.reader = reader
    }

    package func facts(for device: DeviceID, at now: Timestamp) async throws(LedgerError) -> DeviceFacts? {
        try await read { connection throws(DatabaseError) in
            guard let row = try connection.query(Self.one, [.text(device.rawValue)]).first else { return nil }
            return try Self.facts(row)
        }
    }

    /// Devices ordered by id, at most `limit`; of one group, or of all for nil.
    package func list(group: String?, limit: Int) async throws(LedgerError) -> [DeviceFacts] {
        let values: [Parameter] = [.text(group), .integer(Int64(limit))]
        return try await read { connection throws(DatabaseError) in
            var devices: [DeviceFacts] = []
            for row in try connection.query(Self.many, values) { devices.append(try Self.facts(row)) }
            return devices
        }
    }

    /// Makes the directory say of each device what its facts say, all of them or, when one is refused, none.
    ///
    /// - Throws: `rejected` when a serial number, UDID or SID belongs to another device.
    package func put(_ devices: [DeviceFacts], at now: Timestamp, by actor: String) async throws(LedgerError)
    {
        try await write { connection throws(DatabaseError) in
            for device in devices { try Self.put(device, at: now, by: actor, connection) }
        }
    }

    /// As `put(_:at:by:)`, and records that it was done, in the same transaction.
    ///
    /// - Parameters:
    ///   - event: says when and by whom, too.
    ///   - id: of the event, so that a call made again is recognised.
    ///   - progress: told after each device how many are put; from the start again when the connection was
    ///     lost.
    package func put(
        _ devices: [DeviceFacts], recording event: AdminEvent, id: RequestID,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws(LedgerError) {
        try await write { connection throws(DatabaseError) in
            for (index, device) in devices.enumerated() {
                try Self.put(device, at: event.at, by: event.actor, connection)
                progress(index + 1)
            }
            try Self.record(event, id, connection)
        }
    }

    /// Changes one device and records what was changed (`device.set`), in one transaction; nothing is
    /// recorded when nothing is different. Nil when there is no such device.
    ///
    /// - Parameter id: of the event, so that a call made again is recognised.
    /// - Throws: `rejected` when a serial number, UDID or SID belongs to another device.
    package func set(
        _ device: DeviceID, _ change: DeviceChange, at now: Timestamp, by actor: String, id: RequestID
    ) async throws(LedgerError) -> DeviceDifference? {
        try await write { connection throws(DatabaseError) in
            guard try connection.row(Self.lock, [.text(device.rawValue)]).bool(0),
                let row = try connection.query(Self.one, [.text(device.rawValue)]).first
            else { return nil }
            let old = try Self.facts(row)
            let new = change.applied(to: old)
            let difference = DeviceDifference(from: old, to: new)
            guard !difference.fields.isEmpty else { return difference }
            try Self.put(new, at: now, by: actor, connection)
            let event = AdminEvent(
                at: now, actor: actor, action: "device.set", target: device.rawValue,
                reason: difference.document.canonicalText)
            try Self.record(event, id, connection)
            return difference
        }
    }

    private static func put(
        _ device: DeviceFacts, at now: Timestamp, by actor: String, _ connection: Connection
    ) throws(DatabaseError) {
        let document = JSONValue.object(device.members).canonicalText
        _ = try connection.query(Self.put, [.text(document), .timestamp(now.microseconds), .text(actor)])
    }

    private static func record(_ event: AdminEvent, _ id: RequestID, _ connection: Connection)
        throws(DatabaseError)
    {
        let values: [Parameter] = [
            .uuid(id.bytes), .timestamp(event.at.microseconds), .text(event.actor), .text(event.action),
            .text(event.target), .text(event.reason),
        ]
        _ = try connection.query(Self.event, values)
    }

    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(LedgerError) -> Value {
        do { return try await writer.write(body) } catch { throw Self.ledgerError(error) }
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(LedgerError) -> Value {
        do { return try await reader.read(body) } catch { throw Self.ledgerError(error) }
    }

    private static func ledgerError(_ error: DatabaseError) -> LedgerError {
        switch error {
        case .unavailable(let reason): return .unavailable(reason)
        case .unexpectedRow(let reason): return .rejected(reason)
        case .refused(let sqlState, let message):
            return error.isTransient
                ? .unavailable("\(sqlState): \(message)") : .rejected("\(sqlState): \(message)")
        }
    }

    private static func facts(_ row: Row) throws(DatabaseError) -> DeviceFacts {
        guard let id = DeviceID(try row.text(0)) else { throw .unexpectedRow("not a device id") }
        let posture: [PostureFact]
        do {
            posture = try JSONDecoder().decode([PostureFact].self, from: Data(try row.text(9).utf8))
        } catch { throw .unexpectedRow("posture facts that cannot be decoded") }
        return DeviceFacts(
            id: id, serial: try row.optionalText(1), udid: try row.optionalText(2), groups: try row.texts(3),
            dns: try row.texts(4), email: try row.texts(5), upn: try row.texts(6),
            sid: try row.optionalText(7),
            owner: try row.optionalText(8), posture: posture)
    }

    private static let put = Statement("SELECT directory.put_device($1, $2, $3)")
    private static let lock = Statement("SELECT directory.lock_device($1)")
    private static let event = Statement("SELECT ledger.append_admin_event($1, $2, $3, $4, $5, $6)")
    private static let one = Statement(
        """
        SELECT device_id, serial, udid, groups, dns, email, upn, sid, owner, posture FROM directory.facts
        WHERE device_id = $1
        """)
    private static let many = Statement(
        """
        SELECT device_id, serial, udid, groups, dns, email, upn, sid, owner, posture FROM directory.facts
        WHERE $1 IS NULL OR $1 = ANY (groups) ORDER BY device_id LIMIT $2
        """)
}
