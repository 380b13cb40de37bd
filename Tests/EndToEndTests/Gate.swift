import Foundation
import Glibc
import Synchronization

/// A running `gatehouse up` on a temporary state, with all about it in one directory that goes with it.
///
///     let gate = try Gate.shared()                    of all ordinary tests; each has its own devices
///     let own = try Gate.start(environment: [:])      one of its own; end with `own.remove()`
///     try gate.importDevices([.laptop("LT-001")])     `.server`, `.networkGear`; see `TestDevice`
///     let credential = try gate.mint("laptops", "LT-001", "est", ttl: "60m")
///     try gate.command(["policy", "check"])           any verb; `.status`, `.output`, `.messages`
///     try gate.ledger("SELECT … FROM audit.issuance") rows as [column: text or nil]
///     gate.endpoints.tls, .http, .admin, .http01Port  where it listens
///     try gate.withHTTP01Port { port in … }           alone on the port that http-01 validation calls
///     let folder = try gate.folder("name")            a work directory; `Tool.run("curl", […], in: folder)`
///     try own.stop(); own.kill(); try own.up()        SIGINT and wait; SIGKILL; again on the same state
///     gate.logFile, gate.minted                       for the search for secrets
///
/// The program is `GATEHOUSE_BINARY`, else the debug build. All waiting is bounded; ports are free ones.
final class Gate: Sendable {
    /// Everything of this gate: state, logs, clients' files.
    let directory: Folder
    private let environment = Mutex<[String: String]>([:])
    private let running = Mutex<Run?>(nil)
    private let secrets = Mutex<[MintedCredential]>([])
    private let validationPort = NSLock()

    private struct Run {
        let program: Program
        let endpoints: Endpoints
    }

    /// Where it listens: run/endpoints.json.
    struct Endpoints: Decodable {
        let tls: String
        let http: String
        let admin: String
        let http01Port: Int
        /// The gateway's process id.
        let process: Int32

        private enum CodingKeys: String, CodingKey {
            case tls, http, admin, process
            case http01Port = "http01_port"
        }
    }

    private static let sharedGate = Mutex<Result<Gate, any Error>?>(nil)
    private static let all = Mutex<[Gate]>([])

    /// The gate of the ordinary tests, started at the first call, gone without trace at the end.
    static func shared() throws -> Gate {
        try sharedGate.withLock { gate in
            if let gate { return try gate.get() }
            let fresh = Result { try start() }
            gate = fresh
            return try fresh.get()
        }
    }

    /// A gate of its own, for tests that stop, kill or configure it.
    static func start(environment: [String: String] = [:]) throws -> Gate {
        let gate = try Gate()
        do { try gate.up(environment: environment) } catch {
            gate.remove()
            throw error
        }
        return gate
    }

    /// A gate with nothing in it yet: `up()` starts it.
    init() throws {
        directory = try Folder.temporary()
        let isFirst = Self.all.withLock { gates in
            gates.append(self)
            return gates.count == 1
        }
        if isFirst { atexit { for gate in Gate.all.withLock({ $0 }) { gate.remove() } } }
    }

    /// The program under test.
    static var binary: String {
        if let named = ProcessInfo.processInfo.environment["GATEHOUSE_BINARY"] { return named }
        return "\(repository)/.build/debug/gatehouse"
    }

    /// The starter policy bundle of the repository.
    static var starterBundle: String { "\(repository)/policies" }

    private static var repository: String {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().resolvingSymlinksInPath()
        return folder.appendingPathComponent("../..").standardizedFileURL.path
    }

    /// The state directory.
    var state: String { directory.file("state") }
    var root: String { "\(state)/pki/root.pem" }
    var issuing: String { "\(state)/pki/issuing.pem" }
    /// Standard error of every start: the log, one JSON object a line.
    var logFile: String { directory.file("up.err") }
    /// Every credential minted with `mint`.
    var minted: [MintedCredential] { secrets.withLock { $0 } }

    /// What the program, its command line and EST's client are started with: an environment of `FakeClock`, or
    /// nothing for the machine's clock.
    var clock: [String: String] {
        get { environment.withLock { $0 } }
        set { environment.withLock { $0 = newValue } }
    }

    /// Where it listens.
    var endpoints: Endpoints {
        get throws {
            guard let run = running.withLock({ $0 }) else { throw Trouble("the gate is not up") }
            return run.endpoints
        }
    }

    /// The command line that starts it, for tests that start it themselves.
    var upArguments: [String] {
        let ports = ["--tls-port", "--http-port", "--admin-port", "--http01-port", "--tls-alpn01-port"]
        return ["up", "--state", state, "--policies", Self.starterBundle] + ports.flatMap { [$0, "0"] }
    }

    /// Starts it and waits until it is ready; returns how long that took.
    @discardableResult
    func up(environment: [String: String] = [:], within seconds: Double = 30) throws -> Duration {
        let started = ContinuousClock.now
        let file = "\(state)/run/endpoints.json"
        // A killed gateway leaves its file behind.
        unlink(file)
        let program = try launch(upArguments, environment: environment, outputPrefix: directory.file("up"))
        while ContinuousClock.now < started.advanced(by: .seconds(seconds)) {
            if let endpoints = try? JSONDecoder().decode(Endpoints.self, from: .contents(file)) {
                running.withLock { $0 = Run(program: program, endpoints: endpoints) }
                return ContinuousClock.now - started
            }
            if let status = program.wait(within: 0.01) {
                throw Trouble("gatehouse up ended with \(status): \(program.messages.suffix(2_000))")
            }
        }
        program.signal(SIGKILL)
        _ = program.wait(within: 5)
        throw Trouble("gatehouse up was not ready in \(seconds) s: \(program.messages.suffix(2_000))")
    }

    /// Asks it to stop, and waits: SIGINT, as Ctrl-C. Returns its exit code.
    @discardableResult
    func stop(within seconds: Double = 40) throws -> Int32 {
        guard let run = take() else { return 0 }
        run.program.signal(SIGINT)
        guard let status = run.program.wait(within: seconds) else {
            run.program.signal(SIGKILL)
            _ = run.program.wait(within: 5)
            throw Trouble("gatehouse up did not stop in \(seconds) s: \(run.program.messages.suffix(2_000))")
        }
        return status
    }

    /// Kills the gateway; its PostgreSQL goes on.
    func kill() {
        guard let run = take() else { return }
        run.program.signal(SIGKILL)
        _ = run.program.wait(within: 5)
    }

    /// Waits for a gateway that ends by itself (a crash point); returns its exit code, nil when it goes on.
    func waitForEnd(within seconds: Double = 10) -> Int32? {
        guard let run = running.withLock({ $0 }), let status = run.program.wait(within: seconds) else {
            return nil
        }
        running.withLock { $0 = nil }
        return status
    }

    /// Ends everything of it and deletes its files; once more does nothing.
    func remove() {
        if let run = take() {
            run.program.signal(SIGINT)
            if run.program.wait(within: 20) == nil {
                run.program.signal(SIGKILL)
                _ = run.program.wait(within: 5)
            }
        }
        // The postmaster of a killed gateway: SIGQUIT ends it and its children at once.
        if let postmaster { Glibc.kill(postmaster, SIGQUIT) }
        for _ in 0..<500 where postmaster != nil { usleep(10_000) }
        directory.remove()
    }

    /// The process id of its PostgreSQL, nil when none runs.
    var postmaster: pid_t? {
        let lines = String(decoding: Data.contents("\(state)/postgres/postmaster.pid"), as: UTF8.self)
        guard let first = lines.split(separator: "\n").first, let process = pid_t(first),
            Glibc.kill(process, 0) == 0
        else { return nil }
        return process
    }

    /// Runs a verb of the command line on its state, to the end.
    ///
    /// - Parameter withState: false for verbs that need none.
    func command(
        _ arguments: [String], input: Data? = nil, withState: Bool = true, within seconds: Double = 30
    ) throws -> Finished {
        try Tool.run(
            Self.binary, arguments + (withState ? ["--state", state] : []), in: folder("command"),
            input: input, environment: clock, within: seconds)
    }

    /// A work directory for one test or client.
    func folder(_ name: String) throws -> Folder { try directory.folder(name) }

    /// Runs with the port to oneself that http-01 validation calls.
    @discardableResult
    func withHTTP01Port<Value>(_ body: (Int) throws -> Value) throws -> Value {
        validationPort.lock()
        defer { validationPort.unlock() }
        return try body(try endpoints.http01Port)
    }

    func note(_ credential: MintedCredential) { secrets.withLock { $0.append(credential) } }

    private func take() -> Run? {
        running.withLock { run in
            defer { run = nil }
            return run
        }
    }

    private func launch(_ arguments: [String], environment: [String: String], outputPrefix: String) throws
        -> Program
    {
        let base = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "TZ": "UTC"]
            .merging(clock) { $1 }
        return try Program(
            Self.binary, arguments, environment: base.merging(environment) { $1 }, directory: directory.path,
            outputPrefix: outputPrefix)
    }
}
