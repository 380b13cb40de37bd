import Foundation
import Glibc

/// Why a command cannot go on: what is wrong, where, and what to do about it.
struct StartupError: Error, CustomStringConvertible {
    let problem: String
    let remedy: String
    let exitCode: ExitStatus

    init(_ problem: String, remedy: String, exitCode: ExitStatus = .dependencyUnavailable) {
        self.problem = problem
        self.remedy = remedy
        self.exitCode = exitCode
    }

    var description: String { "\(problem)\n  remedy: \(remedy)" }

    /// A file that could not be made or written; a folder that is not there is named.
    static func cannotWrite(_ path: String) -> StartupError {
        let cause = String(cString: strerror(errno))
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard access(folder, F_OK) == 0 else {
            return StartupError("cannot write \(path): there is no folder \(folder)", remedy: "make it first")
        }
        return StartupError("cannot write \(path): \(cause)", remedy: "free disk space or permissions")
    }
}

/// The exit codes of `gatehouse`, the same for every verb.
enum ExitStatus: Int32 {
    case fine = 0
    /// A negative answer: denied, tests failed, difference found.
    case negative = 1
    case usage = 2
    /// Invalid policy or configuration.
    case invalid = 3
    case notFound = 4
    case dependencyUnavailable = 5
    case integrityViolation = 6
}
