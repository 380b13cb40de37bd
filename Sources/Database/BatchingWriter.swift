/// A few connections for writing, each on a thread of its own, with natural batching: what queued up while
/// all of them were busy goes into the next transaction, so that many jobs share one flush to disk.
///
/// A job may run several times: when another job of its batch fails, when the connection is lost, and when
/// the outcome of a COMMIT is not known. It must therefore be idempotent by the keys it inserts. Its result
/// is given out only once it is durable. Jobs have no order. Two batches may wait for each other's locks;
/// PostgreSQL ends one of them (40P01), whose jobs then run one by one, again and again
/// while they conflict and somebody waits for them.
package final class BatchingWriter: Sendable {
    private let queue: JobQueue
    private let waitLimit: Duration

    /// - Parameters:
    ///   - settings: the login.
    ///   - connections: how many, each with a thread.
    ///   - batch: the most jobs in one transaction.
    ///   - capacity: how many jobs may wait.
    ///   - waitLimit: how long a job may wait, lost connections included.
    package init(
        _ settings: ConnectionSettings, connections: Int = usualConnections, batch: Int = 128,
        capacity: Int = 4_096, waitLimit: Duration = .seconds(10)
    ) {
        let queue = JobQueue(capacity: capacity)
        self.queue = queue
        self.waitLimit = waitLimit
        for _ in 0..<connections {
            _ = startThread {
                let thread = WriterThread(source: Reconnecting(settings), queue: queue)
                while let jobs = queue.take(batch) { thread.settle(jobs) }
            }
        }
    }

    /// Enough to keep two of the server's cores busy; more make the batches smaller (docs/performance.md).
    package static let usualConnections = 2

    deinit { queue.close() }

    /// Refuses new jobs; those that wait are still done.
    package func close() { queue.close() }

    /// Runs `body` inside a transaction and returns once that is durable.
    ///
    /// - Throws: what `body` threw when it ran alone; `unavailable` when it could not be made durable in
    ///   time, in which case it may or may not have been.
    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(DatabaseError) -> Value {
        try await queue.run(within: waitLimit, body)
    }
}

/// What a writer's thread does with a batch.
private final class WriterThread {
    private let source: Reconnecting
    private let queue: JobQueue

    init(source: Reconnecting, queue: JobQueue) {
        self.source = source
        self.queue = queue
    }

    /// Settles every job: together if that works, one by one if it does not.
    func settle(_ jobs: [Job]) {
        let waiting = withoutExpired(jobs)
        if waiting.count > 1 {
            switch attempt(waiting) {
            case .durable:
                for job in waiting { job.finish(nil) }
                return
            case .failed, .lost: break
            }
        }
        for job in waiting { settleAlone(job) }
    }

    private func settleAlone(_ job: Job) {
        while ContinuousClock.now < job.deadline {
            switch attempt([job]) {
            case .durable: return job.finish(nil)
            case .failed(let error):
                // It stood in another transaction's way and was ended for that: nothing is wrong with it.
                if error.isConflict { continue }
                return job.finish(error)
            case .lost:
                for expired in queue.takeExpired(at: .now) {
                    expired.finish(.unavailable(source.lastFailure))
                }
                if queue.isClosed { return job.finish(.unavailable(source.lastFailure)) }
            }
        }
        job.finish(.unavailable(source.lastFailure))
    }

    private enum Attempt {
        case durable
        case failed(DatabaseError)
        /// No connection, or one that broke: nothing is known of the last transaction.
        case lost
    }

    private func attempt(_ jobs: [Job]) -> Attempt {
        guard let connection = source.current() else { return .lost }
        do {
            try connection.begin()
            for job in jobs { try job.body(connection) }
            try connection.commit()
            return .durable
        } catch {
            guard connection.isUsable else { return .lost }
            connection.rollback()
            return connection.isUsable ? .failed(error) : .lost
        }
    }

    private func withoutExpired(_ jobs: [Job]) -> [Job] {
        let now = ContinuousClock.now
        for job in jobs where job.deadline <= now {
            job.finish(.unavailable("waited too long for the database"))
        }
        return jobs.filter { $0.deadline > now }
    }
}
