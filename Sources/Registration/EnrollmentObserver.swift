package import EnrollmentCore

/// The fixed points of an enrollment, in their order. Between any two of them the process may die, and
/// nothing may be lost or issued twice.
package enum EnrollmentStep: String, Sendable, CaseIterable {
    case received, verified, decided, prepared, reserved, signed, committed
}

/// What registration tells the outside while it works: for metrics, logs, and tests that end the process at
/// a chosen step. An observer cannot change anything.
package struct EnrollmentObserver: Sendable {
    package let reached: @Sendable (EnrollmentStep) -> Void
    package let decided: @Sendable (DecisionRecord, RequestID, EnrollmentProtocol) -> Void
    package let failed: @Sendable (LedgerError, RequestID) -> Void

    package init(
        reached: @escaping @Sendable (EnrollmentStep) -> Void = { _ in },
        decided: @escaping @Sendable (DecisionRecord, RequestID, EnrollmentProtocol) -> Void = { _, _, _ in },
        failed: @escaping @Sendable (LedgerError, RequestID) -> Void = { _, _ in }
    ) {
        self.reached = reached
        self.decided = decided
        self.failed = failed
    }
}
