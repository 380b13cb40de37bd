/// A few connections for reading, each on a thread of its own.
package final class ReadPool: Sendable {
    private let queue: JobQueue
    private let waitLimit: Duration

    /// - Parameters:
    ///   - settings: the login; transactions are made read-only.
    ///   - connections: how many, each with a thread.
    ///   - capacity: how many reads may wait.
    ///   - waitLimit: how long a read may wait for its turn.
    package init(
        _ settings: ConnectionSettings, connections: Int = 4, capacity: Int = 4_096,
        waitLimit: Duration = .seconds(10)
    ) {
        var readOnly = settings
        readOnly.isReadOnly = true
        let queue = JobQueue(capacity: capacity)
        self.queue = queue
        self.waitLimit = waitLimit
        for _ in 0..<connections {
            let fixed = readOnly
            _ = startThread { Self.serve(queue, fixed) }
        }
    }

    deinit { queue.close() }

    /// Refuses new reads and lets its threads end.
    package func close() { queue.close() }

    /// Runs `body` on one of the connections. After a lost connection it runs again.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (Connection) throws(DatabaseError) -> Value
    ) async throws(DatabaseError) -> Value {
        try await queue.run(within: waitLimit, body)
    }

    private static func serve(_ queue: JobQueue, _ settings: ConnectionSettings) {
        let source = Reconnecting(settings)
        while let job = queue.take(1)?.first {
            job.finish(outcome(of: job, on: source, queue))
        }
    }

    private static func outcome(of job: Job, on source: Reconnecting, _ queue: JobQueue) -> DatabaseError? {
        while ContinuousClock.now < job.deadline {
            guard let connection = source.current() else {
                for expired in queue.takeExpired(at: .now) {
                    expired.finish(.unavailable(source.lastFailure))
                }
                if queue.isClosed { break }
                continue
            }
            do {
                try job.body(connection)
                return nil
            } catch {
                if connection.isUsable { return error }
            }
        }
        return .unavailable(source.lastFailure)
    }
}
