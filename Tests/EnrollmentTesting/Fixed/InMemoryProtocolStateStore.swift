package import EnrollmentCore
import Synchronization

/// Protocol state in a dictionary, with the semantics of the database: versions, expiry, single use.
package final class InMemoryProtocolStateStore: ProtocolStateStore {
    private struct Contents {
        var records: [ProtocolRecordKey: ProtocolRecord] = [:]
        var consumed: [ProtocolRecordKey: Timestamp] = [:]
        var failure: LedgerError?

        func live(_ key: ProtocolRecordKey, at now: Timestamp) -> ProtocolRecord? {
            guard let record = records[key] else { return nil }
            if let expiresAt = record.expiresAt, expiresAt <= now { return nil }
            return record
        }
    }

    private let clock: any WallClock
    private let contents = Mutex(Contents())

    /// - Parameter clock: decides what has expired.
    package init(clock: any WallClock = ManualClock()) { self.clock = clock }

    /// Makes every call fail with `failure` until it is set to nil.
    package func fail(with failure: LedgerError?) { contents.withLock { $0.failure = failure } }

    package func load(_ key: ProtocolRecordKey) async throws(LedgerError) -> ProtocolRecord? {
        try access { contents, now in contents.live(key, at: now) }
    }

    package func insert(_ record: ProtocolRecord) async throws(LedgerError) -> Bool {
        try access { contents, now in
            guard contents.live(record.key, at: now) == nil else { return false }
            contents.records[record.key] = record
            return true
        }
    }

    package func replace(_ record: ProtocolRecord, version: Int64) async throws(LedgerError) -> Bool {
        try access { contents, now in
            guard contents.live(record.key, at: now)?.version == version else { return false }
            contents.records[record.key] = ProtocolRecord(
                key: record.key, version: version + 1, document: record.document, expiresAt: record.expiresAt)
            return true
        }
    }

    package func consumeOnce(
        _ key: ProtocolRecordKey, expiresAt: Timestamp
    ) async throws(LedgerError) -> Bool {
        try access { contents, now in
            if let remembered = contents.consumed[key], remembered > now { return false }
            contents.consumed[key] = expiresAt
            return true
        }
    }

    private func access<Value: Sendable>(
        _ body: (inout Contents, Timestamp) -> Value
    ) throws(LedgerError) -> Value {
        let now = clock.now()
        let result: Result<Value, LedgerError> = contents.withLock { contents in
            if let failure = contents.failure { return .failure(failure) }
            return .success(body(&contents, now))
        }
        return try result.get()
    }
}
