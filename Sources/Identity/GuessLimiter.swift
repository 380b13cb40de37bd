package import EnrollmentCore
import Synchronization

/// Counts wrong guesses by source address. It slows the guesser's answers only: a right credential is
/// verified first and never looked up here, so nobody can lock a neighbour out.
package final class GuessLimiter: Sendable {
    private struct Window {
        var start: Timestamp
        var failures: Int
    }

    private let windows = Mutex<[String: Window]>([:])
    private let limit: Int
    private let capacity: Int

    /// - Parameters:
    ///   - limit: wrong guesses a source may make in a minute before it is throttled.
    ///   - capacity: sources remembered; the memory is cleared when it is full.
    package init(limit: Int = 20, capacity: Int = 10_000) {
        self.limit = limit
        self.capacity = capacity
    }

    /// Counts one wrong guess; true when the source has made too many within the minute.
    package func countFailure(from source: String, at now: Timestamp) -> Bool {
        windows.withLock { windows in
            var window = windows[source] ?? Window(start: now, failures: 0)
            if now.seconds(since: window.start) >= 60 || now < window.start {
                window = Window(start: now, failures: 0)
            }
            window.failures += 1
            if windows[source] == nil, windows.count >= capacity { windows.removeAll() }
            windows[source] = window
            return window.failures > limit
        }
    }
}
