package import EnrollmentCore
import Synchronization

/// Bounds the ledger rows that strangers can cause: so many a second for each service, the rest is counted.
/// Counts may be buffered, decisions never.
package final class UnverifiedBudget: Sendable {
    private struct Key: Hashable {
        let service: String
        let source: String
        let kind: RefusalKind
        let minute: Timestamp
    }

    private struct State {
        var spent: [String: (second: Int64, rows: Int)] = [:]
        var counts: [Key: Int] = [:]
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: distinct counts held before all further sources are counted as one.
    package init(capacity: Int = 10_000) { self.capacity = capacity }

    /// Whether this request may leave a row of its own; counts it otherwise.
    package func admit(
        service: String, source: String, kind: RefusalKind, rowsPerSecond: Int, at now: Timestamp
    ) -> Bool {
        state.withLock { state in
            var spent = state.spent[service] ?? (now.seconds, 0)
            if spent.second != now.seconds { spent = (now.seconds, 0) }
            if spent.rows < rowsPerSecond {
                state.spent[service] = (spent.second, spent.rows + 1)
                return true
            }
            state.spent[service] = spent
            let minute = Timestamp(seconds: now.seconds - now.seconds % 60)
            let isFull = state.counts.count >= capacity
            let key = Key(
                service: service, source: isFull ? "many" : source, kind: kind, minute: minute)
            state.counts[key, default: 0] += 1
            return false
        }
    }

    /// Takes the counts of minutes that have ended by `now`.
    package func drain(before now: Timestamp) -> [TrafficCount] {
        state.withLock { state in
            let ended = state.counts.filter { now.seconds(since: $0.key.minute) >= 60 }
            for key in ended.keys { state.counts[key] = nil }
            return ended.map { key, count in
                TrafficCount(
                    minute: key.minute, service: key.service, source: key.source, kind: key.kind,
                    requests: Int64(count))
            }
        }
    }
}
