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
        let rows: [[Parameter]] = devices.map { device in
            [.text(Self.document(device)), .timestamp(now.microseconds), .text(actor)]
        }
        do {
            try await writer.write { connection throws(DatabaseError) in
                for row in rows { _ = try connection.query(Self.put, row) }
            }
        } catch { throw Self.ledgerError(error) }
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

    private static func document(_ device: DeviceFacts) -> String {
        func list(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }
        return JSONValue.object([
            "id": .string(device.id.rawValue), "serial": JSONValue(device.serial),
            "udid": JSONValue(device.udid),
            "sid": JSONValue(device.sid), "owner": JSONValue(device.owner), "groups": list(device.groups),
            "dns": list(device.dns), "email": list(device.email), "upn": list(device.upn),
            "posture": .array(
                device.posture.map { fact in
                    [
                        "source": .string(fact.source), "status": .string(fact.status.rawValue),
                        "jailbroken": fact.jailbroken.map(JSONValue.bool) ?? .null,
                        "observed_at": JSONValue(fact.observedAt?.description),
                    ]
                }),
        ]).canonicalText
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
