import EnrollmentCore
import FrontEnd
import Logging
import Synchronization

/// Answers the requests of all listeners: leads each to its front-end, counts it, logs one line.
final class GatewayResponder: Sendable {
    private let checks: [ReadinessCheck]
    private let metrics: Metrics
    private let logger: Logger
    private let frontEnds = Mutex<FrontEnds?>(nil)

    init(checks: [ReadinessCheck], metrics: Metrics, logger: Logger) {
        self.checks = checks
        self.metrics = metrics
        self.logger = logger
    }

    /// From now on requests reach front-ends; until then they are asked to come back.
    func open(_ assembled: FrontEnds) { frontEnds.withLock { $0 = assembled } }

    /// The largest body that a path takes, in octets.
    func bodyLimit(_ listener: ListenerName, _ path: String) -> Int {
        frontEnds.withLock { $0 }?.frontEnd(for: Route(listener: listener, path: path))?.maximumBodySize ?? 0
    }

    func respond(to request: FrontEndRequest, on listener: ListenerName) async -> FrontEndResponse {
        let start = ContinuousClock.now
        let route = Route(listener: listener, path: request.path)
        let response = await answer(request, route)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        metrics.countRequest(
            listener: listener, route: route.label, status: response.status, seconds: seconds)
        logger.log(
            level: route.isOperational ? .debug : .info, "request",
            metadata: [
                "request": "\(request.id)", "listener": "\(listener.rawValue)", "method": "\(request.method)",
                "route": "\(route.label.rawValue)", "status": "\(response.status)",
                "duration_ms": "\(Int(seconds * 1_000))",
            ])
        return response
    }

    /// Counts a request that never became one.
    func countRejected(_ cause: UnacceptableHead, on listener: ListenerName) {
        metrics.countRequest(listener: listener, route: .unknown, status: Int(cause.rawValue), seconds: 0)
    }

    private func answer(_ request: FrontEndRequest, _ route: Route) async -> FrontEndResponse {
        let assembled = frontEnds.withLock { $0 }
        if let frontEnd = assembled?.frontEnd(for: route) { return await frontEnd.respond(to: request) }
        switch route {
        case .unknown: return text(404, "not found")
        case .est, .acme, .scep, .log: return starting
        case .authorityCertificate, .live, .ready, .metrics:
            guard request.method == "GET" || request.method == "HEAD" else {
                var response = text(405, "method not allowed")
                response.headers.append((name: "allow", value: "GET, HEAD"))
                return response
            }
            return await answerItself(route, assembled)
        }
    }

    private func answerItself(_ route: Route, _ assembled: FrontEnds?) async -> FrontEndResponse {
        switch route {
        case .live: return text(200, "alive")
        case .ready: return await readiness(assembled != nil)
        case .metrics:
            return FrontEndResponse(
                status: 200,
                headers: [(name: "content-type", value: "text/plain; version=0.0.4; charset=utf-8")],
                body: Array(metrics.rendered().utf8))
        case .authorityCertificate(let issuer):
            guard let assembled else { return starting }
            guard let der = assembled.authorityCertificate(issuer) else { return text(404, "not found") }
            return FrontEndResponse(
                status: 200, headers: [(name: "content-type", value: "application/pkix-cert")], body: der)
        case .est, .acme, .scep, .log, .unknown: return text(404, "not found")
        }
    }

    private func readiness(_ isOpen: Bool) async -> FrontEndResponse {
        var failed = isOpen ? [] : ["start"]
        for check in checks {
            if let fault = await check.fault() { failed.append(fault) }
        }
        return failed.isEmpty ? text(200, "ready") : text(503, "not ready: \(failed.joined(separator: ", "))")
    }

    private var starting: FrontEndResponse {
        var response = text(503, "starting")
        response.headers.append((name: "retry-after", value: "1"))
        return response
    }

    private func text(_ status: Int, _ line: String) -> FrontEndResponse {
        FrontEndResponse(
            status: status, headers: [(name: "content-type", value: "text/plain; charset=utf-8")],
            body: Array((line + "\n").utf8))
    }
}

extension Route {
    /// Asked for by machines every few seconds.
    fileprivate var isOperational: Bool {
        switch self {
        case .live, .ready, .metrics: true
        case .est, .acme, .scep, .authorityCertificate, .log, .unknown: false
        }
    }
}
