import ArgumentParser
import EnrollmentCore
import Glibc
import Ledger
import Listener
import Logging
import ServiceLifecycle
import TransparencyLog
import UnixSignals

/// `gatehouse sequencer`: writes and signs the transparency log, and nothing else; for the host that holds
/// the checkpoint key.
struct SequencerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sequencer",
        abstract: "Sequence the transparency log; what a service manager runs where the checkpoint key is.",
        discussion: """
            Several may run: one at a time leads, another takes over within seconds. See \
            docs/operating/production.md, “The log”.

            Exit codes: 0 stopped (SIGINT, SIGTERM), or the key is there; 3 the key is not the one that \
            signed the newest checkpoint; 4 there is no key; 5 the database does not answer, or run as root.

            Example: gatehouse sequencer --state /var/lib/gatehouse-log
            """)

    @OptionGroup var common: CommonOptions
    @Flag(help: "Make the checkpoint key and pki/log.vkey where there are none, and end.")
    var makeKey = false

    func run() async throws {
        guard geteuid() != 0 else {
            throw StartupError(
                "sequencer does not run as root", remedy: "run it as the user that owns the state")
        }
        let (state, configuration) = try Stores.configured(common)
        if makeKey {
            for folder in [state.pki, state.secrets] where mkdir(folder, 0o700) != 0 && errno != EEXIST {
                throw StartupError("cannot make \(folder)", remedy: "free disk space or permissions")
            }
            let key = try await key(Stores(state: state, configuration: configuration)).text
            return Output.message("the log is \(key)")
        }
        try await sequence(Stores(state: state, configuration: configuration))
    }

    /// The verifier key that is here, or one made now if nothing was ever signed by another.
    private func key(_ stores: Stores) async throws -> NoteVerifierKey {
        let (state, log) = (stores.state, stores.configuration.log)
        let newest = try await newestCheckpoint(stores)
        let files = [state.logKey, log.checkpointKey ?? state.checkpointKey]
        let hasKey = files.contains { access($0, F_OK) == 0 }
        if let newest, !hasKey {
            throw StartupError(
                "the database has a checkpoint of \(newest.size) leaves already, under \(newest.origin)",
                remedy: "move the key that signed it (secrets/checkpoint.key and pki/log.vkey) here",
                exitCode: .invalid)
        }
        try LogIdentity.createIfMissing(state, log, random: SystemRandom())
        let identity = try LogIdentity.read(state, log)
        if let newest, let refusal = LogAnchor(state: state, identity: identity).refusal(of: newest) {
            throw refusal
        }
        return identity.key
    }

    /// Nil also where the schema was never made.
    private func newestCheckpoint(_ stores: Stores) async throws -> StoredCheckpoint? {
        let log = stores.sequencedLog().log.reader
        do throws(LedgerError) { return try await log.latestCheckpoint() } catch {
            if case .rejected(let reason) = error, reason.hasPrefix("42P01") { return nil }
            throw StartupError(
                "whether the log was signed already is not known: \(error)",
                remedy: "make the database reachable for the sequencer's login, then make the key")
        }
    }

    private func sequence(_ stores: Stores) async throws {
        let (state, configuration) = (stores.state, stores.configuration)
        let logger = Logger(label: "gatehouse") {
            JSONLogHandler(label: $0, level: .info, clock: SystemClock())
        }
        let (log, rollback) = stores.sequencedLog()
        let logGuard = try stores.logGuard(rollback, log.reader, metrics: nil, logger: logger)
        let identity = logGuard.anchor.identity
        guard try identity.signer(state, configuration.log, generation: 0) != nil else {
            throw StartupError(
                "there is no checkpoint key, \(state.checkpointKey)",
                remedy: "restore it, or name it as log.checkpoint_key", exitCode: .notFound)
        }
        let sequencer = SequencerService(
            state: state, configuration: configuration, identity: identity, logGuard: logGuard, log: log,
            metrics: nil, logger: logger, endsWhenRefused: true)
        let services: [any Service] = [sequencer, logGuard]
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigint, .sigterm],
            logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(30)
        try await ServiceGroup(configuration: group).run()
    }
}
