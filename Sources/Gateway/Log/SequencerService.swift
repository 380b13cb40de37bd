import Database
import EnrollmentCore
import Ledger
import Listener
import Logging
import Sequencing
import ServiceLifecycle
import TransparencyLog

/// Sequences the log where the checkpoint key is: under the origin of the generation in force, and never
/// while the stored log lacks what was published of it.
struct SequencerService: Service {
    let state: StateDirectory
    let configuration: Configuration
    let identity: LogIdentity
    let logGuard: LogGuard
    let log: PostgresLog
    /// Nil where nothing serves them.
    let metrics: Metrics?
    let logger: Logger
    /// Whether the service ends when the key here must not lead.
    var endsWhenRefused = false

    func run() async throws {
        do { try await sequenceUntilShutdown() } catch let refusal as StartupError {
            throw refusal
        } catch {}  // a pause that shutdown cut short
    }

    private func sequenceUntilShutdown() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                var pause = Duration.milliseconds(200)
                if case .complete(let generation) = self.logGuard.standing {
                    do { try await self.sequence(generation) } catch is CancellationError { return } catch {
                        // A person may put another database in place; until then it says so again.
                        self.logger.critical("the log is not extended", metadata: ["cause": "\(error)"])
                        if self.endsWhenRefused, error is StartupError { throw error }
                        pause = .seconds(10)
                    }
                }
                try await Task.sleep(for: pause)
            }
        }
    }

    /// Sequences until the log is of another generation.
    private func sequence(_ generation: Int64) async throws {
        if let refusal = logGuard.refusal { throw refusal }
        guard let signer = try identity.signer(state, configuration.log, generation: generation) else {
            return
        }
        if let found = logGuard.takeUnanchored() { warn(ofNoAnchorFor: found) }
        let tiles = LogTiles(log.reader)
        let places = LogPlaces(
            directories: configuration.log.directories, appendFiles: configuration.log.appendFiles,
            identity: identity)
        let publisher = CheckpointPublisher(places.publications(generation), tiles: tiles, logger: logger)
        let witnesses = try configuration.log.witnesses.map {
            WitnessClient(
                key: try NoteVerifierKey(parsing: $0.key), prefix: $0.url,
                transport: HTTPWitnessTransport(trustAnchors: $0.trustAnchors), tiles: tiles, logger: logger)
        }
        let logGuard = logGuard
        let sequencer = Sequencer(
            log: log, signer: signer, publisher: publisher, witnesses: witnesses, logger: logger,
            beforeRelease: { try logGuard.remember($0) },
            mayExtend: { logGuard.standing == .complete(generation: generation) && logGuard.refusal == nil })
        try await withThrowingTaskGroup { group in
            group.addTask { try await sequencer.run() }
            group.addTask { try await watch(publisher, witnesses, generation) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// It may be that a key was moved; it may be that the anchor was taken away.
    private func warn(ofNoAnchorFor found: SeenCheckpoint) {
        logger.critical(
            "this host signs after a checkpoint that it had no anchor for",
            metadata: [
                "size": "\(found.size)", "root": "\(found.root)", "file": "\(logGuard.anchor.path)",
                "cause": """
                the database has checkpoints of the key that is here, and nothing here says whether there \
                were larger ones: an older database would not be noticed. Compare with what was \
                published, with witnesses and with checkpoints that were kept (gatehouse-verify \
                --against); whoever moves the key moves the folder log of the state too
                """,
            ])
    }

    /// Returns once the log is of another generation.
    private func watch(
        _ publisher: CheckpointPublisher, _ witnesses: [WitnessClient], _ generation: Int64
    ) async throws {
        // Who asks nobody any more says nothing of anybody.
        defer { for witness in witnesses { metrics?.setWitness(witness.name, size: nil) } }
        while true {
            if let refusal = logGuard.refusal { throw refusal }
            if case .complete(let other) = logGuard.standing, other != generation { return }
            for place in await publisher.status { metrics?.setPublication(place.name, lag: place.lag) }
            for witness in witnesses {
                let status = await witness.status
                metrics?.setWitness(
                    witness.name, size: status?.size, isContradicting: status?.isContradicting == true)
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
