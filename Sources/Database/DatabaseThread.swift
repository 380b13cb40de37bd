import Glibc
import Synchronization

/// Starts a detached thread that runs `body`.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    let box = Unmanaged.passRetained(ThreadBody(run: body))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, box.toOpaque())
    if status != 0 { box.release() } else { pthread_detach(thread) }
    return status == 0
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Where a job leaves its result between running and becoming durable.
final class ResultSlot<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func put(_ new: Value) { value.withLock { $0 = new } }

    func result(unless error: DatabaseError?) -> Result<Value, DatabaseError> {
        if let error { return .failure(error) }
        guard let value = value.withLock({ $0 }) else { return .failure(.unavailable("the job did not run")) }
        return .success(value)
    }
}

/// A connection that is opened when it is needed and opened again after it was lost, with growing pauses.
final class Reconnecting {
    private let settings: ConnectionSettings
    private var connection: Connection?
    private var pause: UInt32 = 0
    private(set) var lastFailure = "not connected"

    init(_ settings: ConnectionSettings) { self.settings = settings }

    /// The live connection, or nil after one failed attempt and its pause (20 ms doubling to 500 ms).
    func current() -> Connection? {
        if let connection, connection.isUsable { return connection }
        connection = nil
        if pause > 0 { usleep(pause * 1_000) }
        do {
            let fresh = try Connection(settings)
            connection = fresh
            pause = 0
            return fresh
        } catch {
            if case .unavailable(let reason) = error { lastFailure = reason }
            pause = pause == 0 ? 20 : min(pause * 2, 500)
            return nil
        }
    }
}
