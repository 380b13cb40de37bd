package import Database
package import EnrollmentCore
import Foundation

/// The newest checkpoint of the log.
package struct NewestCheckpoint: Sendable, Hashable {
    package let size: Int64
    package let origin: String
    /// The signed note, without cosignatures.
    package let note: String
}

extension PostgresLedger {
    /// The newest signed checkpoint; nil before the first.
    package func newestCheckpoint() async throws(LedgerError) -> NewestCheckpoint? {
        try await read { connection throws(DatabaseError) in
            guard let row = try connection.query(Self.newest).first else { return nil }
            return NewestCheckpoint(size: try row.integer(0), origin: try row.text(1), note: try row.text(2))
        }
    }

    private static let newest = Statement(
        "SELECT tree_size, origin, note FROM ledger.checkpoint ORDER BY tree_size DESC LIMIT 1")
}

/// A file of lines in an export of evidence (`gatehouse-export/1`).
package enum EvidenceFile: String, Sendable, CaseIterable {
    case entries = "entries.jsonl"
    case absent = "absent.jsonl"
    case policies = "policies.jsonl"
    case certificates = "certificates.jsonl"
    case checkpoints = "checkpoints.jsonl"
}

/// Everything that a verifier needs, read from one snapshot: the leaves below the newest checkpoint and what
/// they stand for. Blocks its thread: only for commands.
package final class EvidenceSnapshot {
    private let connection: Connection
    /// Whether clear values are in the lines.
    package let withPrivate: Bool
    /// Leaves below the newest checkpoint.
    package let size: Int64
    package let origin: String
    /// The root hash over these leaves.
    package let root: Digest

    /// Opens the snapshot; nil when the log has no checkpoint yet.
    ///
    /// - Parameters:
    ///   - settings: the database, as the verifier's login.
    ///   - withPrivate: whether clear values go along with the commitments to them.
    /// - Throws: `DatabaseError`.
    package init?(_ settings: ConnectionSettings, withPrivate: Bool) throws(DatabaseError) {
        var patient = settings
        patient.isReadOnly = true
        patient.statementTimeout = 3_600_000
        connection = try Connection(patient)
        self.withPrivate = withPrivate
        try connection.beginSnapshot()
        guard let newest = try connection.query(Self.newest).first else { return nil }
        size = try newest.integer(0)
        origin = try newest.text(1)
        root = try newest.digest(2)
    }

    /// How many entries there are to read.
    package func entryCount() throws(DatabaseError) -> Int64 {
        try connection.row(Self.count, [.integer(size)]).integer(0)
    }

    /// Hands on every leaf hash in order of its index.
    package func leaves(_ body: ([UInt8]) throws -> Void) throws {
        try forEach(Self.leaves) { row in try body(try row.bytes(0)) }
    }

    /// Hands on the lines of a file in their order, each canonical JSON without its line feed.
    package func lines(of file: EvidenceFile, _ body: (String) throws -> Void) throws {
        func write(_ value: JSONValue) throws { try body(value.canonicalText) }
        switch file {
        case .entries:
            try forEach(Self.requestEntries) { row in try write(try entry(row)) }
            try forEach(Self.otherEntries) { row in try write(try entry(row)) }
        case .absent:
            try forEach(Self.absent) { row in
                try write([
                    "leaf_index": .integer(try row.integer(0)), "entry_id": .string(try row.text(1)),
                    "leaf_hash": .string(Hex.encode(try row.bytes(2))),
                ])
            }
        case .policies:
            try forEach(Self.policies) { row in
                try write([
                    "policy_sha256": .string(Hex.encode(try row.bytes(0))),
                    "bundle": Self.base64(try row.bytes(1)),
                ])
            }
        case .certificates: try forEach(Self.certificates) { row in try write(try Self.certificate(row)) }
        case .checkpoints: try forEach(Self.checkpoints) { row in try write(try Self.checkpoint(row)) }
        }
    }

    private func forEach(_ statement: Statement, _ body: (Row) throws -> Void) throws {
        var cursor = try connection.cursor(statement, [.integer(size)])
        while let rows = try cursor.next() {
            for row in rows { try body(row) }
        }
    }

    private func entry(_ row: Row) throws(DatabaseError) -> JSONValue {
        var members: [String: JSONValue] = [
            "leaf_index": .integer(try row.integer(0)), "entry_id": .string(try row.text(1)),
            "kind": .string(try row.text(2)),
            "recorded_at": .string(try row.instant(4).description), "writer": .string(try row.text(5)),
            "body": .string(try row.text(6)),
        ]
        if let request = try row.optionalText(3) { members["request_id"] = .string(request) }
        let (salts, values) = (try row.texts(7), try row.texts(8))
        if withPrivate, !salts.isEmpty {
            members["private"] = .array(
                zip(salts, values).map { ["salt": .string($0), "value": .string($1)] })
        }
        return .object(members)
    }

    private static func certificate(_ row: Row) throws(DatabaseError) -> JSONValue {
        var members: [String: JSONValue] = [
            "request_id": .string(try row.text(0)), "tbs": base64(try row.bytes(1)),
        ]
        if let der = try row.optionalBytes(2) { members["certificate"] = base64(der) }
        return .object(members)
    }

    private static func checkpoint(_ row: Row) throws(DatabaseError) -> JSONValue {
        var members: [String: JSONValue] = [
            "tree_size": .integer(try row.integer(0)), "note": .string(try row.text(1)),
        ]
        let lines = try row.texts(2)
        if !lines.isEmpty { members["cosignatures"] = .array(lines.map(JSONValue.string)) }
        return .object(members)
    }

    private static func base64(_ octets: [UInt8]) -> JSONValue {
        .string(Data(octets).base64EncodedString())
    }

    private static let newest = Statement(
        """
        SELECT tree_size, origin, root_hash FROM ledger.checkpoint JOIN ledger.tree_head USING (tree_size)
        ORDER BY tree_size DESC LIMIT 1
        """)
    private static let count = Statement(
        "SELECT count(*) FROM ledger.leaf JOIN ledger.entry USING (entry_id) WHERE leaf_index < $1")
    private static let leaves = Statement(
        "SELECT leaf_hash FROM ledger.leaf WHERE leaf_index < $1 ORDER BY leaf_index")
    private static let requestEntries = Statement(
        """
        SELECT l.leaf_index, e.entry_id::text, e.kind, e.request_id::text, e.recorded_at, e.writer, e.body,
               coalesce(p.salts, '{}'), coalesce(p.clear, '{}')
        FROM ledger.leaf AS l JOIN ledger.entry AS e USING (entry_id)
        LEFT JOIN LATERAL (
          SELECT array_agg(encode(v.salt, 'hex') ORDER BY v.commitment) AS salts,
                 array_agg(v.value ORDER BY v.commitment) AS clear
          FROM ledger.private_value AS v WHERE v.entry_id = e.request_id
            AND position('commitment:' || encode(v.commitment, 'hex') IN e.body) > 0) AS p ON true
        WHERE l.leaf_index < $1 AND e.request_id IS NOT NULL ORDER BY e.request_id, e.entry_id
        """)
    private static let otherEntries = Statement(
        """
        SELECT l.leaf_index, e.entry_id::text, e.kind, NULL::text, e.recorded_at, e.writer, e.body,
               '{}'::text[], '{}'::text[]
        FROM ledger.leaf AS l JOIN ledger.entry AS e USING (entry_id)
        WHERE l.leaf_index < $1 AND e.request_id IS NULL ORDER BY e.entry_id
        """)
    private static let absent = Statement(
        """
        SELECT l.leaf_index, l.entry_id::text, l.leaf_hash FROM ledger.leaf AS l
        LEFT JOIN ledger.entry AS e USING (entry_id)
        WHERE l.leaf_index < $1 AND e.entry_id IS NULL ORDER BY l.leaf_index
        """)
    private static let policies = Statement(
        "SELECT policy_sha256, bundle FROM ledger.policy_version WHERE $1::int8 >= 0 ORDER BY policy_sha256")
    private static let certificates = Statement(
        """
        SELECT r.request_id::text, r.tbs, c.der FROM ledger.reservation AS r
        JOIN ledger.leaf AS l ON l.entry_id = r.entry_id
        LEFT JOIN ledger.outcome AS o ON o.request_id = r.request_id AND o.result = 'completed'
          AND EXISTS (SELECT FROM ledger.leaf AS i WHERE i.entry_id = o.entry_id AND i.leaf_index < $1)
        LEFT JOIN ledger.certificate AS c ON c.request_id = o.request_id
        WHERE l.leaf_index < $1 ORDER BY r.request_id
        """)
    private static let checkpoints = Statement(
        """
        SELECT c.tree_size, c.note,
               ARRAY(SELECT s.line FROM ledger.cosignature AS s WHERE s.tree_size = c.tree_size
                     ORDER BY s.witness)
        FROM ledger.checkpoint AS c WHERE c.tree_size <= $1 ORDER BY c.tree_size
        """)
}
