package import Policy
import Synchronization

/// The policy in force. Swapped as a whole; a request judges by the engine it read once.
package final class ActivePolicy: Sendable {
    private let current: Mutex<PolicyEngine>

    package init(_ engine: PolicyEngine) { current = Mutex(engine) }

    /// The engine in force now.
    package var engine: PolicyEngine { current.withLock { $0 } }

    /// Puts another engine in force for requests that have not read theirs yet.
    package func activate(_ engine: PolicyEngine) { current.withLock { $0 = engine } }
}
