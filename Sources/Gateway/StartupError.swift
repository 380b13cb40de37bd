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
