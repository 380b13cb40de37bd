import Foundation
import Glibc
import Registration

/// Ends the process at a chosen step of an enrollment, as a power cut would. In debug builds only, for the
/// tests that show that nothing is lost or issued twice: GATEHOUSE_CRASH_AT names the step.
enum CrashPoint {
    #if DEBUG
    private static let step = ProcessInfo.processInfo.environment["GATEHOUSE_CRASH_AT"]

    static let reached: @Sendable (EnrollmentStep) -> Void = { reached in
        if reached.rawValue == step { kill(getpid(), SIGKILL) }
    }
    #else
    static let reached: @Sendable (EnrollmentStep) -> Void = { _ in }
    #endif
}
