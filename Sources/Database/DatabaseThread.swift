import Glibc
import Synchronization

/// Lets this thread run when others pause or had their share, not as soon as it has something to do.
///
/// On one core, a thread that wakes for every few kilobytes would take turns with the one it reads for
/// thousands of times a second. Only a matter of speed: a refusal is nothing.
func makeThreadPatient() {
    /// `SCHED_BATCH` of sched(7), a macro that Swift does not see.
    let batch: Int32 = 3
    var parameters = sched_param()
    _ = sched_setscheduler(0, batch, &parameters)
}

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
