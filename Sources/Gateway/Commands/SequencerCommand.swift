import ArgumentParser
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
        discussion: "Several may run: one at a time leads, another takes over within seconds.")

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
            try LogIdentity.createIfMissing(state, configuration.log, random: SystemRandom())
            return Output.message("the log is \(try LogIdentity.read(state, configuration.log).key.text)")
        }
        try await sequence(Stores(state: state, configuration: configuration))
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
            metrics: nil, logger: logger)
        let services: [any Service] = [sequencer, logGuard]
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigint, .sigterm],
            logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(30)
        try await ServiceGroup(configuration: group).run()
    }
}
