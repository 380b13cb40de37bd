import Ledger
import Listener
import Logging
import Sequencing
import TransparencyLog

/// What was found of the log outside the database, beside the anchor.
struct PublishedCheckpoints: Sendable {
    /// The largest one that every place in every generation is known to have held.
    let seen: [SeenCheckpoint]
    /// Why there may be more, and what to do; nil when every place that there is was read.
    let objection: String?

    /// Before anything was read.
    static let unread = PublishedCheckpoints(
        seen: [], objection: "what was published of the log was not read since the database answers")
}

/// Reads what was published and keeps it: what a place had once counts for as long as this process lives.
actor LogPublications {
    private let places: LogPlaces
    private let anchor: LogAnchor
    private let metrics: Metrics?
    private let logger: Logger
    /// By name; a file that only grows is read on where the last look ended.
    private var readers: [String: any CheckpointPublication] = [:]
    /// By name, of every place that was read: the largest; nil for one that had none.
    private var known: [String: SeenCheckpoint?] = [:]
    /// By name: what was logged last. Each look finds the same again.
    private var said: [String: String] = [:]

    init(places: LogPlaces, anchor: LogAnchor, metrics: Metrics?, logger: Logger) {
        self.places = places
        self.anchor = anchor
        self.metrics = metrics
        self.logger = logger
    }

    /// Looks at every place once.
    ///
    /// - Parameters:
    ///   - wasComplete: whether the log was complete a second ago: then a place that was read before and
    ///     cannot be read now delays nothing. Otherwise the database may be another, and all have to be read.
    ///   - newest: the newest checkpoint known, by which places lag.
    func look(wasComplete: Bool, newest: SeenCheckpoint?) async -> PublishedCheckpoints {
        let (existing, failures) = places.existing()
        var unknown: [String] = failures.map(\.description)
        say(unknown.joined(separator: "; "), of: "the places of publication")
        if wasComplete { unknown = [] }
        for place in existing {
            let reader = readers[place.name] ?? place
            readers[place.name] = reader
            let failure = await read(reader)
            if let failure, !wasComplete || known[place.name] == nil { unknown.append(failure) }
            guard let found = known[place.name] ?? nil, let newest, newest.generation == found.generation
            else { continue }
            metrics?.setPublication(place.name, lag: max(0, newest.size - found.size))
        }
        let objection = unknown.first.map {
            "what was published of the log is not known: \($0); restore it, or take it out of log.publish"
        }
        return PublishedCheckpoints(seen: known.values.compactMap { $0 }, objection: objection)
    }

    /// Reads one place; returns why it could not.
    private func read(_ place: any CheckpointPublication) async -> String? {
        let content: PublicationContent
        do throws(PublicationError) { content = try await place.content() } catch {
            say(error.description, of: place.name)
            return error.description
        }
        // The place has verified it under its own generation's name; this tells which one that is.
        let found = content.largest.flatMap { try? anchor.seen($0) }
        let kept = known[place.name] ?? nil
        guard let kept, kept.size > found?.size ?? 0 else {
            known[place.name] = .some(found)
            warn(content.foreign, in: place.name)
            return nil
        }
        say("it had \(kept.size) leaves, and has \(found?.size ?? 0)", of: place.name)
        return nil
    }

    private func say(_ cause: String, of name: String) {
        guard said.updateValue(cause, forKey: name) ?? "" != cause, !cause.isEmpty else { return }
        logger.error(
            "a publication cannot be read", metadata: ["publication": "\(name)", "cause": "\(cause)"])
    }

    private func warn(_ foreign: [String], in name: String) {
        let what = foreign.joined(separator: ", ")
        guard said.updateValue(what, forKey: name) ?? "" != what, !what.isEmpty else { return }
        logger.warning(
            "a publication holds what the log's key did not sign",
            metadata: ["publication": "\(name)", "what": "\(what)"])
    }
}
