package import EnrollmentCore
import Glibc
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Where a listener listens.
package struct Endpoint: Sendable, Hashable {
    /// A host name or an address, e.g. `127.0.0.1`.
    package let host: String
    /// 0 takes any free port.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// The ports that the listeners got.
package struct BoundPorts: Sendable, Hashable {
    package let tls: Int
    package let http: Int
    package let admin: Int

    package init(tls: Int, http: Int, admin: Int) {
        self.tls = tls
        self.http = http
        self.admin = admin
    }
}

/// Something else listens where a listener should.
package struct PortInUse: Error, Sendable {
    package let listener: ListenerName
    package let endpoint: Endpoint
}

/// How the listeners of a gateway are set up.
package struct GatewayServerConfiguration: Sendable {
    package var tls: Endpoint
    package var http: Endpoint
    package var admin: Endpoint
    package var identity: TLSIdentity
    package var limits: ListenerLimits
    /// How long requests in flight may take to finish once the gateway is to stop.
    package var drainTime: Duration

    package init(
        tls: Endpoint, http: Endpoint, admin: Endpoint, identity: TLSIdentity,
        limits: ListenerLimits = ListenerLimits(), drainTime: Duration = .seconds(20)
    ) {
        self.tls = tls
        self.http = http
        self.admin = admin
        self.identity = identity
        self.limits = limits
        self.drainTime = drainTime
    }
}

/// The three listeners of a gateway as one service: bind, tell the ports, serve, drain.
package struct GatewayServer: Service {
    private let configuration: GatewayServerConfiguration
    private let assemble: @Sendable (BoundPorts) async throws -> FrontEnds
    private let responder: GatewayResponder
    private let clock: any WallClock
    private let random: any RandomSource
    private let logger: Logger

    /// - Parameters:
    ///   - checks: what `/readyz` asks.
    ///   - assemble: called once, when all ports are bound, before any request reaches a front-end: base URLs
    ///     may depend on the ports. When it returns the gateway is ready; when it throws, `run` does.
    package init(
        configuration: GatewayServerConfiguration, checks: [ReadinessCheck], metrics: Metrics,
        clock: any WallClock, random: any RandomSource, logger: Logger,
        assemble: @escaping @Sendable (BoundPorts) async throws -> FrontEnds
    ) {
        self.configuration = configuration
        self.assemble = assemble
        responder = GatewayResponder(checks: checks, metrics: metrics, logger: logger)
        self.clock = clock
        self.random = random
        self.logger = logger
    }

    /// Serves until graceful shutdown: then accepts no more, closes idle connections, and lets requests in
    /// flight finish within `drainTime`.
    ///
    /// - Throws: when the TLS identity is unusable, a port cannot be bound, or `assemble` throws.
    package func run() async throws {
        let (ports, report) = AsyncStream.makeStream(of: (ListenerName, Int).self)
        let servers = try ListenerName.allCases.map { try server($0, report) }
        try await withThrowingTaskGroup(of: Ending.self) { group in
            defer { group.cancelAll() }
            for (name, server) in zip(ListenerName.allCases, servers) {
                group.addTask {
                    do { try await server.run() } catch let error as IOError
                        where error.errnoCode == EADDRINUSE
                    {
                        throw PortInUse(listener: name, endpoint: endpoint(name))
                    }
                    return .served
                }
            }
            group.addTask { try await open(ports) }
            group.addTask { await drained() }
            var serving = servers.count
            while serving > 0, let ending = try await group.next() {
                switch ending {
                case .served: serving -= 1
                case .opened: break
                case .drainTimePassed:
                    logger.warning("requests in flight did not finish in time")
                    return
                }
            }
        }
    }

    private func endpoint(_ name: ListenerName) -> Endpoint {
        switch name {
        case .tls: configuration.tls
        case .http: configuration.http
        case .admin: configuration.admin
        }
    }

    private enum Ending: Sendable {
        case served, opened, drainTimePassed
    }

    private func server(
        _ name: ListenerName, _ report: AsyncStream<(ListenerName, Int)>.Continuation
    ) throws -> any Service {
        let endpoint = endpoint(name)
        let responder = responder
        let settings = RequestCollector.Settings(
            limits: configuration.limits, bodyLimit: { responder.bodyLimit(name, $0) },
            onRejected: { responder.countRejected($0, on: name) }, clock: clock, random: random)
        let channel = GatewayChannel(
            tls: name == .tls ? try configuration.identity.context() : nil, settings: settings,
            respond: { await responder.respond(to: $0, on: name) })
        var quiet = logger
        quiet.logLevel = .warning
        return channel.server(
            configuration: ServerConfiguration(
                address: .hostname(endpoint.host, port: endpoint.port),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    configuration.limits.connections, logger: quiet)),
            onServerRunning: { channel in report.yield((name, channel.localAddress?.port ?? 0)) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
    }

    /// Waits for all three ports, then lets requests in.
    private func open(_ ports: AsyncStream<(ListenerName, Int)>) async throws -> Ending {
        var bound: [ListenerName: Int] = [:]
        for await (name, port) in ports {
            bound[name] = port
            guard let tls = bound[.tls], let http = bound[.http], let admin = bound[.admin] else { continue }
            responder.open(try await assemble(BoundPorts(tls: tls, http: http, admin: admin)))
            break
        }
        return .opened
    }

    private func drained() async -> Ending {
        do {
            try await gracefulShutdown()
            try await Task.sleep(for: configuration.drainTime)
            return .drainTimePassed
        } catch { return .opened }
    }
}
