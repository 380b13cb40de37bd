package import Policy
import Synchronization

/// The policy in force. Swapped as a whole; a request judges by the engine it read once.
package final class ActivePolicy: Sendable {
    private struct State {
        var engine: PolicyEngine
        var activation: Int64
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - engine: by default of the bundle without files, which denies everything.
    ///   - activation: the number of its activation; 0 for none that the ledger knows.
    package init(_ engine: PolicyEngine = PolicyEngine(bundle: .nothing), activation: Int64 = 0) {
        state = Mutex(State(engine: engine, activation: activation))
    }

    /// The engine in force now.
    package var engine: PolicyEngine { state.withLock { $0.engine } }

    /// The number of the activation in force now; 0 for none that the ledger knows.
    package var activation: Int64 { state.withLock { $0.activation } }

    /// Whether a bundle is in force; without one everything is denied.
    package var hasBundle: Bool { engine.bundle.digest != PolicyBundle.nothing.digest }

    /// Puts another engine in force for requests that have not read theirs yet, unless the activation in
    /// force is the same or a later one; returns whether it did.
    @discardableResult
    package func activate(_ engine: PolicyEngine, as activation: Int64) -> Bool {
        state.withLock { state in
            guard activation > state.activation else { return false }
            state = State(engine: engine, activation: activation)
            return true
        }
    }
}
