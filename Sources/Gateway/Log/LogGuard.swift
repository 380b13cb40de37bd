import EnrollmentCore
import Ledger
import Listener
import Logging
import Sequencing
import ServiceLifecycle
import Synchronization
import TransparencyLog

/// Whether the stored log still holds everything that was seen of it (invariant L13).
enum LogStanding: Sendable, Hashable {
    /// Not looked at yet, or the database is out of reach.
    case unknown(String)
    /// It does; the log's generation.
    case complete(generation: Int64)
    /// It does not: nothing is issued and the log is not extended until a person has resolved it.
    case rolledBack(String)

    /// What a person has to resolve; nil when there is nothing of the kind.
    var rollback: String? {
        switch self {
        case .rolledBack(let reason): reason
        case .unknown, .complete: nil
        }
    }

    /// Why nothing may be issued; nil when it may.
    var objection: String? {
        switch self {
        case .unknown(let reason), .rolledBack(let reason): reason
        case .complete: nil
        }
    }
}

/// Compares the stored log with the largest checkpoint that this host has seen and with what was published,
/// every second, and raises the anchor. Reads the database, writes nothing to it.
final class LogGuard: Service {
    let anchor: LogAnchor
    private let rollback: PostgresRollback
    private let log: PostgresLogReader
    private let places: LogPlaces
    private let metrics: Metrics?
    private let logger: Logger
    /// The largest checkpoint that this process has seen: a file can be taken away.
    private let largest = Mutex<SeenCheckpoint?>(nil)
    private let state = Mutex(LogStanding.unknown("the log was not looked at yet"))
    private let foreign = Mutex<StartupError?>(nil)

    /// - Parameter metrics: nil where nothing serves them.
    init(
        anchor: LogAnchor, rollback: PostgresRollback, log: PostgresLogReader, places: LogPlaces,
        metrics: Metrics?, logger: Logger
    ) {
        self.anchor = anchor
        self.rollback = rollback
        self.log = log
        self.places = places
        self.metrics = metrics
        self.logger = logger
    }

    var standing: LogStanding { state.withLock { $0 } }

    /// Why nobody may lead the log with the key that is here: another signed the newest checkpoint. Nil when
    /// it may, and before `standing` is complete for the first time.
    var refusal: StartupError? { foreign.withLock { $0 } }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var published: [SeenCheckpoint] = []
            var round = 0
            while !Task.isCancelled {
                // What was published is read each minute; the anchor tells what happens in between.
                if round % 60 == 0 { published = await self.publishedCheckpoints() }
                await self.check(published)
                if case .unknown = self.standing {
                    try await Task.sleep(for: .milliseconds(500))
                } else {
                    round += 1
                    try await Task.sleep(for: .seconds(1))
                }
            }
        }
    }

    /// The largest checkpoint of every place in every generation. A place that cannot be read is logged and
    /// left out, and so is what our key did not sign: that is no evidence of anything.
    func publishedCheckpoints() async -> [SeenCheckpoint] {
        var seen: [SeenCheckpoint] = []
        for place in places.existing() {
            do {
                guard let note = try await place.largestCheckpoint() else { continue }
                seen.append(try anchor.seen(note))
            } catch {
                logger.warning(
                    "a publication cannot be read",
                    metadata: ["publication": "\(place.name)", "cause": "\(error)"])
            }
        }
        return seen
    }

    /// Looks once.
    ///
    /// - Parameter published: what was found outside the database, beside the anchor.
    func check(_ published: [SeenCheckpoint]) async {
        do { become(try await standing(published)) } catch let error as StartupError {
            become(.rolledBack(error.problem + "; " + error.remedy))
        } catch { become(.unknown("\(error)")) }
    }

    private func standing(_ published: [SeenCheckpoint]) async throws -> LogStanding {
        let stored = try await rollback.state()
        report(stored)
        let own = try anchor.read()
        let seen = published + [own, largest.withLock { $0 }].compactMap { $0 }
        if let missing = try await missing(from: stored, of: seen) {
            return .rolledBack(Self.reason(missing, stored))
        }
        guard stored.leaves == stored.size else {
            return .rolledBack(
                "the newest tree head is over \(stored.size) leaves, the database has \(stored.leaves); "
                    + "restore the newest copy of the database")
        }
        try await raise(own, stored)
        return .complete(generation: stored.generation)
    }

    /// The largest of these that the stored log lacks and nobody gave up; nil when there is none.
    func missing(from stored: LogState, of seen: [SeenCheckpoint]) async throws(LedgerError)
        -> SeenCheckpoint?
    {
        var missing: SeenCheckpoint?
        for checkpoint in Set(seen) where checkpoint.size > (missing?.size ?? 0) {
            if stored.hasAcceptedLoss(of: checkpoint) { continue }
            if checkpoint.generation <= stored.generation,
                try await rollback.root(at: checkpoint.size) == checkpoint.root,
                checkpoint.size <= stored.leaves
            {
                continue
            }
            missing = checkpoint
        }
        return missing
    }

    /// Remembers a checkpoint durably, before it leaves this host.
    ///
    /// - Throws: `LogFormatError` for what our key did not sign; `StartupError` when it cannot be written.
    func remember(_ note: SignedNote) throws {
        let seen = try anchor.seen(note)
        try anchor.raise(to: note)
        largest.withLock { largest in
            let isOlder = largest.map { $0.size < seen.size || $0.generation < seen.generation } ?? true
            if isOlder { largest = seen }
        }
    }

    /// Where the stored log stands.
    func stored() async throws(LedgerError) -> LogState { try await rollback.state() }

    private static func reason(_ missing: SeenCheckpoint, _ stored: LogState) -> String {
        let what =
            stored.size < missing.size
            ? "the database is older than its published log: \(missing.size) leaves were signed, it has "
                + "\(stored.size)"
            : "the database has another history than its published log: it has \(stored.size) leaves, and "
                + "not the \(missing.size) that were signed"
        return what + "; restore the newest copy, or run gatehouse ledger accept-rollback --reason TEXT"
    }

    /// Raises the anchor to the newest stored checkpoint; one that was given up is put aside.
    private func raise(_ own: SeenCheckpoint?, _ stored: LogState) async throws {
        if let own, stored.hasAcceptedLoss(of: own) {
            try anchor.archive(own)
            logger.notice("the anchor's loss was accepted", metadata: ["size": "\(own.size)"])
        }
        try anchor.identity.writeKeyFile(anchor.state, generations: stored.rollbacks.map(\.generation))
        guard let newest = try await log.latestCheckpoint() else { return }
        let refusal = anchor.refusal(of: newest)
        foreign.withLock { $0 = refusal }
        guard refusal == nil else { return }
        do {
            let note = try newest.signedNote()
            let seen = try anchor.seen(note)
            guard try await rollback.root(at: seen.size) == seen.root else { return }
            try remember(note)
        } catch {
            logger.error("the newest checkpoint is no anchor", metadata: ["cause": "\(error)"])
        }
    }

    private func become(_ found: LogStanding) {
        let before = state.withLock { standing in
            defer { standing = found }
            return standing
        }
        guard before != found else { return }
        switch found {
        case .unknown(let reason):
            logger.warning("the log cannot be looked at", metadata: ["cause": "\(reason)"])
        case .complete(let generation):
            logger.notice("the log is complete", metadata: ["generation": "\(generation)"])
        case .rolledBack(let reason):
            logger.critical("issuance stops", metadata: ["cause": "\(reason)"])
        }
        metrics?.setRolledBack(found.rollback != nil)
    }

    private func report(_ stored: LogState) {
        metrics?.setLog(
            size: stored.size, pending: stored.pending, checkpointAge: stored.checkpointAge)
    }
}
