import EnrollmentCore
import EnrollmentTesting
import Foundation
import FrontEnd
import Listener
import Logging
import ServiceLifecycle
import Synchronization
import Testing

/// Says what it got: method, path, query, body size, TLS, digest of the client certificate.
struct EchoFrontEnd: ProtocolFrontEnd {
    let maximumBodySize = 1_000

    func respond(to request: FrontEndRequest) async -> FrontEndResponse {
        if request.path.hasSuffix("/slow") { try? await Task.sleep(for: .milliseconds(700)) }
        if request.path.hasSuffix("/stuck") { try? await Task.sleep(for: .seconds(60)) }
        let size =
            switch request.body {
            case .complete(let body): "\(body.count)"
            case .tooLarge(let limit): "over \(limit)"
            }
        let certificate = request.peer.clientCertificate.map { Digest(of: $0).description } ?? "none"
        let text =
            "\(request.method) \(request.path) \(request.query ?? "-") body=\(size) from=\(request.peer.address) "
            + "secure=\(request.peer.isSecure) certificate=\(certificate)\n"
        return FrontEndResponse(status: size.hasPrefix("over") ? 413 : 200, body: Array(text.utf8))
    }
}

/// A gateway on free ports for the time of one test.
struct RunningGateway: Sendable {
    let ports: BoundPorts
    let directory: URL
    let metrics: Metrics
    let log: LineLog
    let group: ServiceGroup

    /// Asks the gateway to stop.
    func stop() async { await group.triggerGracefulShutdown() }

    /// Runs `body` against a gateway, then lets it stop.
    static func with(
        limits: ListenerLimits = ListenerLimits(), checks: [ReadinessCheck] = [],
        _ body: @Sendable @escaping (RunningGateway) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "listener-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for name in ["server", "client"] { try await makeCertificate(name, in: directory) }
        let identity = TLSIdentity(
            certificateChain: Array(try Data(contentsOf: directory.appending(path: "server.pem"))),
            privateKey: Secret(Array(try Data(contentsOf: directory.appending(path: "server.key")))))
        let metrics = Metrics()
        let log = LineLog()
        let clock = ManualClock(Timestamp(seconds: 784_111_777))
        let (ready, report) = AsyncStream.makeStream(of: BoundPorts.self)
        let any = Endpoint(host: "127.0.0.1", port: 0)
        let server = GatewayServer(
            configuration: GatewayServerConfiguration(
                tls: any, http: any, admin: any, identity: identity, limits: limits, drainTime: .seconds(2)),
            checks: checks, metrics: metrics, clock: clock, random: SeededRandom(seed: 1),
            logger: Logger(label: "test") { label in
                JSONLogHandler(label: label, level: .debug, clock: clock, write: { log.append($0) })
            },
            assemble: { ports in
                report.yield(ports)
                return FrontEnds(
                    est: EchoFrontEnd(), acme: EchoFrontEnd(), scep: EchoFrontEnd(), log: EchoFrontEnd(),
                    authorityCertificate: { $0 == "issuing" ? [1, 2, 3] : nil })
            })
        let service = ServiceGroup(
            services: [server], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            var iterator = ready.makeAsyncIterator()
            let ports = try #require(await iterator.next())
            try await body(
                RunningGateway(ports: ports, directory: directory, metrics: metrics, log: log, group: service)
            )
            await service.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    func tls(_ path: String) -> String { "https://127.0.0.1:\(ports.tls)\(path)" }
    func http(_ path: String) -> String { "http://127.0.0.1:\(ports.http)\(path)" }
    func admin(_ path: String) -> String { "http://127.0.0.1:\(ports.admin)\(path)" }
    func file(_ name: String) -> String { directory.appending(path: name).path }

    func curl(_ arguments: [String]) async throws -> String {
        try await Program.run("curl", ["-sS", "-k", "--max-time", "20"] + arguments)
    }

    private static func makeCertificate(_ name: String, in directory: URL) async throws {
        _ = try await Program.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2",
                "-subj", "/CN=\(name)", "-keyout", directory.appending(path: "\(name).key").path,
                "-out", directory.appending(path: "\(name).pem").path,
            ])
    }
}

/// Log lines, kept.
final class LineLog: Sendable {
    private let kept = Mutex<[String]>([])
    func append(_ line: String) { kept.withLock { $0.append(line) } }
    var lines: [String] { kept.withLock { $0 } }
}

/// Runs a program and returns what it printed, errors after output.
enum Program {
    static func run(_ name: String, _ arguments: [String], input: String = "") async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let process = Process()
                let (output, feed) = (Pipe(), Pipe())
                process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                process.arguments = [name] + arguments
                process.standardOutput = output
                process.standardError = output
                process.standardInput = feed
                do {
                    try process.run()
                    try feed.fileHandleForWriting.write(contentsOf: Data(input.utf8))
                    try feed.fileHandleForWriting.close()
                    let data = output.fileHandleForReading.readDataToEndOfFile()
                    process.waitUntilExit()
                    continuation.resume(returning: String(decoding: data, as: UTF8.self))
                } catch { continuation.resume(throwing: error) }
            }
        }
    }
}
