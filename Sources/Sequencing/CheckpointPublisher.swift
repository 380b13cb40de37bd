package import Ledger
package import Logging
package import TransparencyLog

/// Brings the newest checkpoint to every place, each at its own pace of success.
package actor CheckpointPublisher {
    private let publications: [any CheckpointPublication]
    private let tiles: any TileReader
    private let logger: Logger
    private var states: [PublicationStatus]

    /// - Parameter tiles: those of the log.
    package init(_ publications: [any CheckpointPublication], tiles: any TileReader, logger: Logger) {
        self.publications = publications
        self.tiles = tiles
        self.logger = logger
        states = publications.map { PublicationStatus(name: $0.name) }
    }

    /// How far each place has come.
    package var status: [PublicationStatus] { states }

    /// Publishes a checkpoint wherever nothing stands against it. Never fails: see `status`.
    package func publish(_ checkpoint: StoredCheckpoint) async {
        for (place, publication) in publications.enumerated() {
            var state = states[place]
            let wasStopped = state.isStopped
            if !wasStopped, state.published != checkpoint { await attempt(checkpoint, publication, &state) }
            state.lag = max(0, checkpoint.size - state.size)
            states[place] = state
            if !wasStopped { report(state) }
        }
    }

    private func attempt(
        _ checkpoint: StoredCheckpoint, _ publication: any CheckpointPublication,
        _ state: inout PublicationStatus
    ) async {
        do throws(PublicationError) {
            try await publication.publish(try Self.note(of: checkpoint), tiles: tiles)
            state.size = max(state.size, checkpoint.size)
            state.published = checkpoint
            state.failure = nil
        } catch {
            state.failure = error.description
            if case .conflict = error { state.isStopped = true }
        }
    }

    /// The largest checkpoint of every place that can be read; one that cannot is logged and left out.
    package func largestCheckpoints() async -> [Checkpoint] {
        var checkpoints: [Checkpoint] = []
        for (place, publication) in publications.enumerated() {
            do throws(PublicationError) {
                guard let note = try await publication.largestCheckpoint() else { continue }
                let checkpoint = try note.publishable()
                states[place].size = max(states[place].size, checkpoint.size)
                checkpoints.append(checkpoint)
            } catch {
                logger.warning(
                    "a publication cannot be read",
                    metadata: ["publication": "\(publication.name)", "cause": "\(error)"])
            }
        }
        return checkpoints
    }

    private func report(_ state: PublicationStatus) {
        guard let failure = state.failure else { return }
        let metadata: Logger.Metadata = [
            "publication": "\(state.name)", "cause": "\(failure)", "lag": "\(state.lag)",
        ]
        if state.isStopped {
            logger.critical("publication stops", metadata: metadata)
        } else {
            logger.warning("publication failed", metadata: metadata)
        }
    }

    private static func note(of checkpoint: StoredCheckpoint) throws(PublicationError) -> SignedNote {
        do throws(LogFormatError) { return try checkpoint.signedNote() } catch {
            throw .failed("the stored checkpoint is no note: \(error)")
        }
    }
}
