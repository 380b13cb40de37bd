package import EnrollmentCore
import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: WallClock {
    private let current: Mutex<Timestamp>

    /// - Parameter start: the first instant; by default 2026-11-22T12:00:00Z.
    package init(_ start: Timestamp = Timestamp(seconds: 1_795_348_800)) { current = Mutex(start) }

    package func now() -> Timestamp { current.withLock { $0 } }

    /// Moves the clock by `seconds`, backwards when negative.
    package func advance(seconds: Int64) { current.withLock { $0 = $0.adding(seconds: seconds) } }

    /// Sets the clock.
    package func set(_ instant: Timestamp) { current.withLock { $0 = instant } }
}
