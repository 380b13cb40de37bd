/// Where front-ends keep what outlives a request: ACME accounts, orders and authorizations, burned nonces.
///
/// Shared by all replicas, so every change is a compare-and-swap in the database.
package protocol ProtocolStateStore: Sendable {
    /// The record under `key`, or nil when there is none or it has expired.
    func load(_ key: ProtocolRecordKey) async throws(LedgerError) -> ProtocolRecord?

    /// Stores a new record; false when one is there already.
    func insert(_ record: ProtocolRecord) async throws(LedgerError) -> Bool

    /// Replaces the record of the same key if its version is still `version`; false when it is not.
    /// The stored version becomes `version + 1`.
    func replace(_ record: ProtocolRecord, version: Int64) async throws(LedgerError) -> Bool

    /// Marks a single-use value as used; false when it was used before. Remembered until `expiresAt`.
    func consumeOnce(_ key: ProtocolRecordKey, expiresAt: Timestamp) async throws(LedgerError) -> Bool
}

/// The name of a record: unique within service and kind.
package struct ProtocolRecordKey: Sendable, Hashable {
    package let service: ServiceName
    /// E.g. `acme.order`; each protocol uses its own prefix.
    package let kind: String
    /// At most 200 characters.
    package let id: String

    package init(service: ServiceName, kind: String, id: String) {
        self.service = service
        self.kind = kind
        self.id = id
    }
}

/// A record of protocol state.
package struct ProtocolRecord: Sendable, Hashable {
    package let key: ProtocolRecordKey
    /// Counts replacements, from 1.
    package let version: Int64
    /// The protocol's own document, at most 64 KiB, without secrets.
    package let document: JSONValue
    /// When it may be forgotten; nil keeps it.
    package let expiresAt: Timestamp?

    package init(key: ProtocolRecordKey, version: Int64 = 1, document: JSONValue, expiresAt: Timestamp?) {
        self.key = key
        self.version = version
        self.document = document
        self.expiresAt = expiresAt
    }
}
