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

    private struct Guess: Hashable {
        let credential: CredentialID
        let minute: Timestamp
    }

    private struct State {
        var spent: [String: (second: Int64, rows: Int)] = [:]
        var counts: [Key: Int] = [:]
        var guesses: [Guess: Int] = [:]
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: distinct counts held before all further sources are counted as one, and guesses
    ///   at further credentials as traffic only.
    package init(capacity: Int = 10_000) { self.capacity = capacity }

    /// Whether this request may leave a row of its own; counts it otherwise.
    ///
    /// - Parameter credential: the minted credential that was guessed at, if it was one.
    package func admit(
        service: String, source: String, kind: RefusalKind, guessedAt credential: CredentialID? = nil,
        rowsPerSecond: Int, at now: Timestamp
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
            if let guess = credential.map({ Guess(credential: $0, minute: minute) }),
                state.guesses[guess] != nil || state.guesses.count < capacity
            {
                state.guesses[guess, default: 0] += 1
            }
            return false
        }
    }

    /// Takes the counts of minutes that have ended by `now`.
    package func drain(before now: Timestamp) -> UnrecordedCounts {
        state.withLock { state in
            let traffic = state.counts.filter { now.seconds(since: $0.key.minute) >= 60 }
            for key in traffic.keys { state.counts[key] = nil }
            let guesses = state.guesses.filter { now.seconds(since: $0.key.minute) >= 60 }
            for guess in guesses.keys { state.guesses[guess] = nil }
            return UnrecordedCounts(
                traffic: traffic.map { key, count in
                    TrafficCount(
                        minute: key.minute, service: key.service, source: key.source, kind: key.kind,
                        requests: Int64(count))
                },
                guesses: guesses.map { guess, count in
                    GuessCount(credential: guess.credential, minute: guess.minute, guesses: Int64(count))
                })
        }
    }
}
