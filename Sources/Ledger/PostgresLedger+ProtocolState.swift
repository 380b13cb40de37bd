import Database
package import EnrollmentCore

extension PostgresLedger: ProtocolStateStore {
    package func load(_ key: ProtocolRecordKey) async throws(LedgerError) -> ProtocolRecord? {
        let values = Self.parameters(key) + [.timestamp(clock.now())]
        return try await read { connection throws(DatabaseError) in
            guard let row = try connection.query(Self.load, values).first else { return nil }
            return ProtocolRecord(
                key: key, version: try row.integer(0),
                document: try AttemptDocuments.decode(JSONValue.self, from: try row.text(1)),
                expiresAt: try row.optionalInstant(2))
        }
    }

    package func insert(_ record: ProtocolRecord) async throws(LedgerError) -> Bool {
        let values = Self.parameters(record) + [.timestamp(clock.now()), newID()]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.insert, values).bool(0)
        }
    }

    package func replace(_ record: ProtocolRecord, version: Int64) async throws(LedgerError) -> Bool {
        let values = Self.parameters(record) + [.integer(version), .timestamp(clock.now()), newID()]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.replace, values).bool(0)
        }
    }

    package func consumeOnce(_ key: ProtocolRecordKey, expiresAt: Timestamp) async throws(LedgerError) -> Bool
    {
        let values = Self.parameters(key) + [.timestamp(expiresAt), .timestamp(clock.now()), newID()]
        return try await write { connection throws(DatabaseError) in
            try connection.row(Self.consume, values).bool(0)
        }
    }

    private static func parameters(_ key: ProtocolRecordKey) -> [Parameter] {
        [.text(key.service.rawValue.storable), .text(key.kind), .text(key.id.storable)]
    }

    private static func parameters(_ record: ProtocolRecord) -> [Parameter] {
        parameters(record.key) + [
            .text(record.document.storable.canonicalText), .timestamp(record.expiresAt),
        ]
    }

    private static let load = Statement(
        """
        SELECT version, document, expires_at FROM state.record
        WHERE service = $1 AND kind = $2 AND id = $3 AND (expires_at IS NULL OR expires_at > $4)
        """)
    private static let insert = Statement("SELECT state.insert_record($1, $2, $3, $4, $5, $6, $7)")
    private static let replace = Statement("SELECT state.replace_record($1, $2, $3, $4, $5, $6, $7, $8)")
    private static let consume = Statement("SELECT state.consume_once($1, $2, $3, $4, $5, $6)")
}
