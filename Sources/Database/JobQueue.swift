import Glibc

/// Work for a database thread: what to run there, and whom to tell.
struct Job: Sendable {
    /// After this instant nobody waits for it any more.
    let deadline: ContinuousClock.Instant
    /// May run several times: it keeps its result to itself until `finish`.
    let body: @Sendable (Connection) throws(DatabaseError) -> Void
    /// Called exactly once; nil means that the last run of `body` is durable.
    let finish: @Sendable (DatabaseError?) -> Void
}

/// A bounded queue on which threads block.
// SAFETY: every access to `jobs` and `isClosed` happens with `mutex` held.
final class JobQueue: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let arrival: UnsafeMutablePointer<pthread_cond_t>
    private let capacity: Int
    private var jobs: [Job] = []
    private var closed = false

    init(capacity: Int) {
        self.capacity = capacity
        mutex = .allocate(capacity: 1)
        arrival = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrival, nil)
    }

    deinit {
        pthread_cond_destroy(arrival)
        pthread_mutex_destroy(mutex)
        arrival.deallocate()
        mutex.deallocate()
    }

    /// Nil when the job was taken; otherwise why not.
    func put(_ job: Job) -> DatabaseError? {
        locked {
            if closed { return .unavailable("the database is closing") }
            if jobs.count >= capacity { return .unavailable("too many requests wait for the database") }
            jobs.append(job)
            pthread_cond_signal(arrival)
            return nil
        }
    }

    /// Waits for work and takes up to `most` jobs; nil once the queue is closed and empty.
    func take(_ most: Int) -> [Job]? {
        locked {
            while jobs.isEmpty {
                if closed { return nil }
                pthread_cond_wait(arrival, mutex)
            }
            let taken = Array(jobs.prefix(most))
            jobs.removeFirst(taken.count)
            return taken
        }
    }

    /// Takes out the jobs nobody waits for any more.
    func takeExpired(at now: ContinuousClock.Instant) -> [Job] {
        locked {
            let expired = jobs.filter { $0.deadline <= now }
            if !expired.isEmpty { jobs.removeAll { $0.deadline <= now } }
            return expired
        }
    }

    /// Refuses new work; what is queued is still done.
    func close() {
        locked {
            closed = true
            pthread_cond_broadcast(arrival)
        }
    }

    var isClosed: Bool { locked { closed } }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}

extension JobQueue {
    /// Queues `body` and waits for its result without blocking the caller's thread.
    func run<Value: Sendable>(
        within limit: Duration, _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(DatabaseError) -> Value {
        let result: Result<Value, DatabaseError> = await withCheckedContinuation { continuation in
            let slot = ResultSlot<Value>()
            let job = Job(
                deadline: ContinuousClock.now.advanced(by: limit),
                body: { connection throws(DatabaseError) in slot.put(try body(connection)) },
                finish: { error in continuation.resume(returning: slot.result(unless: error)) })
            if let refusal = put(job) { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }
}
