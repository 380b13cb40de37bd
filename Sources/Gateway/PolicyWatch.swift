import EnrollmentCore
import Glibc
import Listener
import Logging
import Policy
import Registration
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Keeps the policy in force what the ledger says it is, and takes changes of the policy directory there:
/// every two seconds, and at once on SIGHUP.
struct PolicyWatch: ServiceLifecycle.Service {
    private let activation: PolicyActivation
    private let metrics: Metrics
    private let logger: Logger
    private var directory: PolicyDirectory
    private var reviews: Reviews?

    /// The reviews that were looked at last.
    private struct Reviews {
        let activation: Int64
        let at: ContinuousClock.Instant
    }

    private static let interval = Duration.seconds(2)

    init(activation: PolicyActivation, directory: PolicyDirectory, metrics: Metrics, logger: Logger) {
        self.activation = activation
        self.directory = directory
        self.metrics = metrics
        self.logger = logger
    }

    /// Makes SIGHUP harmless until, and after, `run` listens to it: by default it ends the process.
    static func holdHangups() { signal(SIGHUP, SIG_IGN) }

    /// The first look: before any request is let in, and without waiting for anything.
    ///
    /// - Throws: `LedgerError` when the ledger is out of reach: then nothing is known of the policy in force.
    mutating func start() async throws {
        try await look(hurried: true)
        if !activation.active.hasBundle {
            logger.critical("no good policy bundle anywhere: everything is denied until there is one")
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { await watch() }
        Self.holdHangups()
    }

    private func watch() async {
        var current = self
        let hurry = Hurry()
        let (looks, feed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await withTaskGroup { group in
            group.addTask {
                for await _ in signals {
                    hurry.ask()
                    feed.yield()
                }
            }
            group.addTask {
                // A sleep cut short by shutdown is the way out, not a failure.
                while (try? await Task.sleep(for: Self.interval)) != nil { feed.yield() }
            }
            var wasLost = false
            for await _ in looks {
                let hurried = hurry.take()
                do throws(LedgerError) {
                    try await current.look(hurried: hurried)
                    wasLost = false
                } catch {
                    if !wasLost { logger.error("policy cannot be compared", metadata: ["cause": "\(error)"]) }
                    wasLost = true
                    // The operator who asked is still waiting for the look.
                    if hurried { hurry.ask() }
                }
            }
            group.cancelAll()
        }
    }

    private mutating func look(hurried: Bool) async throws(LedgerError) {
        let now = ContinuousClock.now
        try await activation.look(at: &directory, hurried: hurried, at: now)
        let inForce = activation.active.engine.bundle.digest
        metrics.setPolicy(
            sha256: inForce.description, isSkewed: activation.isSkewed,
            isDirectoryRefused: directory.held.map { $0 != inForce } ?? false)
        try await lookAtReviews(now)
    }

    /// Once for each activation, and daily.
    private mutating func lookAtReviews(_ now: ContinuousClock.Instant) async throws(LedgerError) {
        let number = activation.active.activation
        if let reviews, reviews.activation == number, now - reviews.at < .seconds(86_400) { return }
        for overdue in try await activation.reportOverdueReviews() {
            logger.warning(
                "policy review is overdue",
                metadata: ["owner": "\(overdue.owner)", "what": "\(overdue.detail)"])
        }
        reviews = Reviews(activation: number, at: now)
    }
}

/// Whether somebody asked for a look at once, until the look is taken.
private final class Hurry: Sendable {
    private let isAsked = Mutex(false)

    func ask() { isAsked.withLock { $0 = true } }

    func take() -> Bool {
        isAsked.withLock { isAsked in
            defer { isAsked = false }
            return isAsked
        }
    }
}

extension PolicyVerdict {
    /// One line for whoever reads the log.
    func log(to logger: Logger) {
        switch self {
        case .activated(let record):
            logger.notice("policy activated", metadata: ["policy": "\(record.digest)"])
        case .followed(let record):
            logger.notice(
                "policy follows the ledger",
                metadata: ["policy": "\(record.digest)", "by": "\(record.actor)"])
        case .unchanged: break
        case .superseded(let digest, let record):
            logger.warning(
                "the policy directory says what is superseded; policy activate would bring it back",
                metadata: ["candidate": "\(digest)", "policy": "\(record.digest)"])
        case .refused(let digest, let faults, _):
            logger.error(
                "policy refused; what was in force stays",
                metadata: [
                    "candidate": "\(digest)", "faults": .array(faults.prefix(10).map { "\($0)" }),
                ])
        }
    }

    /// Counts it.
    func count(in metrics: Metrics) {
        switch self {
        case .activated, .followed, .superseded, .refused: metrics.countActivation(verdict: name)
        case .unchanged: break
        }
    }
}
