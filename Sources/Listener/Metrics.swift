import Synchronization

/// Counters and histograms in the Prometheus text format, version 0.0.4.
///
/// Families are fixed here; label values come from our own closed sets, never from requests, so the number of
/// series is bounded.
package final class Metrics: Sendable {
    private struct State {
        var requests: [RequestLabels: UInt64] = [:]
        var durations: [ListenerName: Histogram] = [:]
        var decisions: [String: UInt64] = [:]
        var activations: [String: UInt64] = [:]
        var log = LogFigures()
        var feeds: [String: FeedFigures] = [:]
        var policy: (sha256: String, isSkewed: Bool, isDirectoryRefused: Bool)?
    }

    private struct RequestLabels: Hashable {
        let listener: ListenerName
        let route: Route.Label
        let status: Int
    }

    private let state = Mutex(State())

    package init() {}

    /// Counts one answered request.
    ///
    /// - Parameter seconds: spent on the answer, from the whole request to the whole answer.
    package func countRequest(listener: ListenerName, route: Route.Label, status: Int, seconds: Double) {
        let labels = RequestLabels(listener: listener, route: route, status: status)
        state.withLock { state in
            state.requests[labels, default: 0] &+= 1
            state.durations[listener, default: Histogram()].record(seconds)
        }
    }

    /// Counts one decision by its effect: `permit`, `defer` or `deny`.
    package func countDecision(effect: String) {
        state.withLock { $0.decisions[effect, default: 0] &+= 1 }
    }

    /// Counts what became of a policy bundle: `activated`, `followed`, `superseded` or `refused`.
    package func countActivation(verdict: String) {
        state.withLock { $0.activations[verdict, default: 0] &+= 1 }
    }

    /// Says which policy is in force here.
    ///
    /// - Parameters:
    ///   - sha256: in hexadecimal, of the bundle.
    ///   - isSkewed: whether the ledger's latest activation is another one.
    ///   - isDirectoryRefused: whether the gateway's own directory holds another one, refused or superseded.
    package func setPolicy(sha256: String, isSkewed: Bool, isDirectoryRefused: Bool) {
        state.withLock { $0.policy = (sha256, isSkewed, isDirectoryRefused) }
    }

    /// Says how long the transparency log is.
    ///
    /// - Parameters:
    ///   - size: leaves under the newest tree head.
    ///   - pending: entries that are no leaves yet.
    ///   - checkpointAge: seconds since the newest checkpoint was stored; nil before the first.
    package func setLog(size: Int64, pending: Int64, checkpointAge: Int64?) {
        state.withLock { $0.log.stored = (size, pending, checkpointAge) }
    }

    /// Says whether issuance is stopped because the database is older than its published log.
    package func setRolledBack(_ isRolledBack: Bool) {
        state.withLock { $0.log.isRolledBack = isRolledBack }
    }

    /// Says how many leaves one place of publication lacks. Places are those of the configuration.
    package func setPublication(_ name: String, lag: Int64) {
        state.withLock { $0.log.lags[name] = lag }
    }

    /// Says how many leaves one witness has cosigned, and whether it was shown another history. Names are
    /// those of the configuration.
    ///
    /// - Parameter size: nil where it is not asked by this process.
    package func setWitness(_ name: String, size: Int64?, isContradicting: Bool = false) {
        state.withLock { $0.log.witnesses[name] = size.map { ($0, isContradicting) } }
    }

    /// Says how one feed stands. Names are those of the configuration.
    ///
    /// - Parameters:
    ///   - position: leaves delivered.
    ///   - behind: leaves of the log not yet delivered.
    ///   - isConnected: whether this gateway delivers and the receiver takes.
    ///   - failures: how often delivery broke off since the start.
    package func setFeed(
        _ name: String, position: Int64, behind: Int64, isConnected: Bool, failures: Int64
    ) {
        state.withLock {
            $0.feeds[name] = FeedFigures(
                position: position, behind: behind, isConnected: isConnected, failures: failures)
        }
    }

    /// Everything counted so far, as `text/plain; version=0.0.4`, in a stable order.
    package func rendered() -> String {
        let state = state.withLock { $0 }
        var text =
            "# HELP gatehouse_requests_total Requests answered.\n# TYPE gatehouse_requests_total counter\n"
        let requests = state.requests.map { labels, count in
            "gatehouse_requests_total{listener=\"\(labels.listener.rawValue)\","
                + "protocol=\"\(labels.route.rawValue)\",status=\"\(labels.status)\"} \(count)\n"
        }
        text += requests.sorted().joined()
        text += "# HELP gatehouse_request_duration_seconds Time from whole request to whole answer.\n"
        text += "# TYPE gatehouse_request_duration_seconds histogram\n"
        for listener in ListenerName.allCases {
            text +=
                state.durations[listener]?.rendered(
                    "gatehouse_request_duration_seconds", label: "listener=\"\(listener.rawValue)\"") ?? ""
        }
        text += "# HELP gatehouse_decisions_total Policy decisions by effect.\n"
        text += "# TYPE gatehouse_decisions_total counter\n"
        for (effect, count) in state.decisions.sorted(by: { $0.key < $1.key }) {
            text += "gatehouse_decisions_total{effect=\"\(effect)\"} \(count)\n"
        }
        return text + Self.policy(state) + state.log.rendered() + FeedFigures.rendered(state.feeds)
    }

    private static func policy(_ state: State) -> String {
        var text = "# HELP gatehouse_policy_activations_total What became of policy bundles.\n"
        text += "# TYPE gatehouse_policy_activations_total counter\n"
        for (verdict, count) in state.activations.sorted(by: { $0.key < $1.key }) {
            text += "gatehouse_policy_activations_total{verdict=\"\(verdict)\"} \(count)\n"
        }
        guard let policy = state.policy else { return text }
        text +=
            "# HELP gatehouse_policy_skew Whether the ledger's latest policy is not the one in force here.\n"
        text += "# TYPE gatehouse_policy_skew gauge\ngatehouse_policy_skew \(policy.isSkewed ? 1 : 0)\n"
        text +=
            "# HELP gatehouse_policy_directory_refused Whether the policy directory's content is refused "
            + "or superseded.\n"
        text += "# TYPE gatehouse_policy_directory_refused gauge\n"
        text += "gatehouse_policy_directory_refused \(policy.isDirectoryRefused ? 1 : 0)\n"
        text += "# HELP gatehouse_policy_info The policy in force here.\n# TYPE gatehouse_policy_info gauge\n"
        return text + "gatehouse_policy_info{sha256=\"\(policy.sha256)\"} 1\n"
    }
}

/// A distribution over fixed bucket bounds, in seconds.
struct Histogram: Sendable {
    static let bounds: [Double] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    private var counts = [UInt64](repeating: 0, count: Histogram.bounds.count)
    private var total: UInt64 = 0
    private var sum = 0.0

    /// Negative and non-finite values count as zero.
    mutating func record(_ value: Double) {
        let value = value.isFinite ? max(0, value) : 0
        for (index, bound) in Histogram.bounds.enumerated() where value <= bound { counts[index] &+= 1 }
        total &+= 1
        sum += value
    }

    func rendered(_ name: String, label: String) -> String {
        var text = ""
        for (bound, count) in zip(Histogram.bounds, counts) {
            text += "\(name)_bucket{\(label),le=\"\(bound)\"} \(count)\n"
        }
        text += "\(name)_bucket{\(label),le=\"+Inf\"} \(total)\n"
        return text + "\(name)_sum{\(label)} \(sum)\n\(name)_count{\(label)} \(total)\n"
    }
}
