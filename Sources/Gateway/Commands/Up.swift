import ArgumentParser
import EnrollmentCore
import Foundation
import Glibc

/// Options that move listeners, for `up` and `serve`.
struct ListenerOptions: ParsableArguments {
    @Option(help: "Port of the TLS listener (EST, ACME, SCEP); 0 takes any free one.")
    var tlsPort: Int?
    @Option(help: "Port of the HTTP listener (SCEP); 0 takes any free one.")
    var httpPort: Int?
    @Option(help: "Port of the admin listener; 0 takes any free one.")
    var adminPort: Int?
    @Option(
        name: .customLong("http01-port"), help: "Port that http-01 validation calls; 0 takes any free one.")
    var http01Port: Int?
    @Option(
        name: .customLong("tls-alpn01-port"),
        help: "Port that tls-alpn-01 validation calls; 0 takes any free one.")
    var tlsALPN01Port: Int?

    func validate() throws {
        for port in [tlsPort, httpPort, adminPort, http01Port, tlsALPN01Port].compactMap({ $0 }) {
            guard (0...65_535).contains(port) else { throw ValidationError("\(port) is no port") }
        }
    }

    /// The configuration with these options in force.
    func applied(to configuration: Configuration) throws -> Configuration {
        var applied = configuration
        applied.tls.port = tlsPort ?? applied.tls.port
        applied.http.port = httpPort ?? applied.http.port
        applied.admin.port = adminPort ?? applied.admin.port
        applied.acme.http01Port = try FreePort.resolve(http01Port ?? applied.acme.http01Port)
        applied.acme.tlsALPN01Port = try FreePort.resolve(tlsALPN01Port ?? applied.acme.tlsALPN01Port)
        return applied
    }
}

/// `gatehouse up`: the whole product on an embedded default. Idempotent; needs no prior configuration.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start everything, made from nothing at first use: PostgreSQL, CA, policy, listeners.")

    @Option(help: "The state directory, made if it is missing.") var state: String = ".gatehouse"
    @Option(help: "The starter policy bundle for a new state.") var policies: String?
    @OptionGroup var listeners: ListenerOptions

    /// What `prepare` made out; nil before it.
    private var prepared: Prepared?

    private struct Prepared {
        let user: UnprivilegedUser
        let state: StateDirectory
        /// For a new state.
        let starter: StarterBundle?
        /// Who started it, who may try out approvals in a new state.
        let person: String
    }

    private enum CodingKeys: CodingKey { case state, policies, listeners }

    /// Finds or makes the state directory and, started as root, becomes the unprivileged user.
    ///
    /// Runs while the process has one thread: the kernel changes users thread by thread, and one that has
    /// already handed over to the concurrency runtime would stay root.
    mutating func prepare() throws {
        let user = try UnprivilegedUser.resolve()
        let state = try StateDirectory.prepare(state, for: user)
        let isNew = !FileManager.default.fileExists(atPath: state.policies)
        // Read before privileges are dropped: the checkout may be below a home that only root enters.
        prepared = Prepared(
            user: user, state: state, starter: isNew ? try StarterBundle.find(policies) : nil,
            person: try UnprivilegedUser.person())
        try user.assume()
        guard chdir(state.path) == 0 else {
            throw StartupError("cannot enter \(state.path)", remedy: "choose another --state directory")
        }
    }

    mutating func run() async throws {
        if prepared == nil { try prepare() }
        guard let prepared else { return }
        let state = prepared.state
        try Self.makePrivateDirectory(state.run)
        let lock = try state.lock()
        defer { withExtendedLifetime(lock) {} }
        try await Self.fill(state, prepared.starter, person: prepared.person)
        let configuration = try listeners.applied(
            to: ConfigurationFile.read(state.configuration, state: state))
        try LogIdentity.createIfMissing(state, configuration.log, random: SystemRandom())
        let postgres = configuration.database.isEmbedded ? try Self.startPostgres(state, prepared.user) : nil
        // Whatever ends the gateway, the database it started does not outlive it. Requests have drained by
        // then.
        let outcome = await Self.serve(state, configuration)
        try postgres?.stop()
        try? FileManager.default.removeItem(atPath: Endpoints.path(state))
        try outcome.get()
    }

    private static func serve(_ state: StateDirectory, _ configuration: Configuration) async -> Result<
        Void, any Error
    > {
        do {
            let gateway = Gateway(state: state, configuration: configuration)
            try gateway.migrate()
            try await gateway.run()
            return .success(())
        } catch { return .failure(error) }
    }

    /// Makes what is missing; what is there stays as it is.
    private static func fill(_ state: StateDirectory, _ starter: StarterBundle?, person: String) async throws
    {
        let clock = SystemClock()
        if !FileManager.default.fileExists(atPath: state.configuration) {
            let instance = "gate-" + Hex.encode(SystemRandom().octets(4))
            let text = DefaultConfiguration.text(instance: instance)
            try StateDirectory.writePrivate(Array(text.utf8), to: state.configuration + ".unfinished")
            try FileManager.default.moveItem(
                atPath: state.configuration + ".unfinished", toPath: state.configuration)
        }
        if let starter {
            try state.createOnce(state.policies) {
                try starter.write(to: $0, at: clock.now(), person: person)
            }
        }
        try KeyStore(state: state).createIfMissing(random: SystemRandom())
        try await AuthorityStore(state: state).createIfMissing(at: clock.now(), random: SystemRandom())
    }

    private static func startPostgres(_ state: StateDirectory, _ user: UnprivilegedUser) throws
        -> EmbeddedPostgres
    {
        let postgres = EmbeddedPostgres(
            dataDirectory: state.postgres, socketDirectory: state.socketDirectory, user: user)
        try postgres.createIfMissing()
        try postgres.start()
        do {
            try postgres.createRolesAndDatabase()
        } catch {
            try? postgres.stop()
            throw error
        }
        return postgres
    }

    private static func makePrivateDirectory(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw StartupError(
                "cannot make \(path): \(String(cString: strerror(errno)))",
                remedy: "give the state directory back to its user")
        }
    }
}

/// `gatehouse serve`: one replica on a database and a state that exist already. Never migrates.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve from an existing state and a migrated database; what a service manager runs.")

    @OptionGroup var common: CommonOptions
    @OptionGroup var listeners: ListenerOptions

    func run() async throws {
        guard geteuid() != 0 else {
            throw StartupError("serve does not run as root", remedy: "run it as the user that owns the state")
        }
        let (state, configuration) = try Stores.configured(common)
        try makeRunDirectory(state)
        try await Gateway(state: state, configuration: listeners.applied(to: configuration)).run()
    }

    private func makeRunDirectory(_ state: StateDirectory) throws {
        guard mkdir(state.run, 0o700) == 0 || errno == EEXIST else {
            throw StartupError(
                "cannot make \(state.run)", remedy: "give the state directory back to its user")
        }
    }
}
