package import Ledger
package import Logging
package import TransparencyLog

/// Brings the newest checkpoint to every place, each at its own pace of success.
package actor CheckpointPublisher {
    private let publications: [any CheckpointPublication]
    private let tiles: any TileReader
    private let logger: Logger
    private var states: [PublicationStatus]
    /// The largest checkpoint of every place that was read; nil for one that had none.
    private var known: [Int: Checkpoint?] = [:]

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

    /// The largest checkpoint of every place; of one that cannot be read any more, what it had.
    ///
    /// - Throws: `PublicationError` when a place was never read: what it keeps is not known.
    package func largestCheckpoints() async throws(PublicationError) -> [Checkpoint] {
        for (place, publication) in publications.enumerated() {
            do throws(PublicationError) {
                let found = try await publication.largestCheckpoint()?.publishable()
                if let kept = known[place] ?? nil, kept.size > found?.size ?? 0 { continue }
                known[place] = .some(found)
                states[place].size = max(states[place].size, found?.size ?? 0)
            } catch {
                logger.warning(
                    "a publication cannot be read",
                    metadata: ["publication": "\(publication.name)", "cause": "\(error)"])
                guard known[place] != nil else { throw error }
            }
        }
        return known.values.compactMap { $0 }
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
