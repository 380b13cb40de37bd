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
    private let publications: LogPublications
    private let treeCheck: TreeCheck
    private let metrics: Metrics?
    private let logger: Logger
    /// The largest checkpoint that this process has seen: a file can be taken away.
    private let largest = Mutex<SeenCheckpoint?>(nil)
    /// The newest checkpoint with its cosignatures, once it is remembered durably.
    private let releasable = Mutex<SignedNote?>(nil)
    private let state = Mutex(LogStanding.unknown("the log was not looked at yet"))
    private let foreign = Mutex<StartupError?>(nil)
    /// What our key had signed when this process found no anchor.
    private let unanchored = Mutex<SeenCheckpoint?>(nil)

    /// - Parameter metrics: nil where nothing serves them.
    init(
        anchor: LogAnchor, rollback: PostgresRollback, log: PostgresLogReader, places: LogPlaces,
        metrics: Metrics?, logger: Logger
    ) {
        self.anchor = anchor
        self.rollback = rollback
        self.log = log
        publications = LogPublications(places: places, anchor: anchor, metrics: metrics, logger: logger)
        treeCheck = TreeCheck(log)
        self.metrics = metrics
        self.logger = logger
    }

    var standing: LogStanding { state.withLock { $0 } }

    /// Why nobody may lead the log with the key that is here: another signed the newest checkpoint. Nil when
    /// it may, and before `standing` is complete for the first time.
    var refusal: StartupError? { foreign.withLock { $0 } }

    /// The newest checkpoint that may leave this host, at most a second old; nil before the first.
    var newest: SignedNote? { releasable.withLock { $0 } }

    /// The newest checkpoint of our key that was stored when this host had no anchor to compare it with; nil
    /// when it had one, or has been told already.
    func takeUnanchored() -> SeenCheckpoint? {
        unanchored.withLock { seen in
            defer { seen = nil }
            return seen
        }
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var published = PublishedCheckpoints.unread
            var round = 0
            while !Task.isCancelled {
                // What was published is read each minute; the anchor tells what happens in between. After an
                // outage it is read before anything else: the database may be another now.
                if round == 0 {
                    let answers = (try? await self.rollback.state()) != nil
                    published = answers ? await self.publishedCheckpoints() : .unread
                }
                await self.check(published)
                if case .unknown = self.standing {
                    round = 0
                    try await Task.sleep(for: .milliseconds(500))
                } else {
                    round = (round + 1) % 60
                    try await Task.sleep(for: .seconds(1))
                }
            }
        }
    }

    /// What was published, in every place and every generation.
    func publishedCheckpoints() async -> PublishedCheckpoints {
        let wasComplete = if case .complete = standing { true } else { false }
        return await publications.look(wasComplete: wasComplete, newest: largest.withLock { $0 })
    }

    /// Looks once. Why it could not look is for the log alone: it may name hosts.
    ///
    /// - Parameter published: what was found outside the database, beside the anchor.
    func check(_ published: PublishedCheckpoints) async {
        do {
            become(try await standing(gather(published.seen), objection: published.objection))
        } catch let error as StartupError {
            become(.rolledBack(error.problem + "; " + error.remedy))
        } catch { become(.unknown("the database does not answer"), because: "\(error)") }
    }

    /// One look at the log.
    struct Look: Sendable {
        /// Every checkpoint known, each signed by our key.
        let seen: [SeenCheckpoint]
        /// The one under the anchor.
        let own: SeenCheckpoint?
        /// The newest one stored, if our key signed it.
        let newest: SignedNote?
        let stored: LogState
    }

    /// One look, for a person who decides by it.
    ///
    /// - Throws: `StartupError` when what was published is not known.
    func look(_ published: PublishedCheckpoints) async throws -> Look {
        if let objection = published.objection {
            throw StartupError(
                objection, remedy: "then look again: only what is seen can be given up",
                exitCode: .dependencyUnavailable)
        }
        return try await gather(published.seen)
    }

    /// What was seen is gathered before the log is read, which may grow meanwhile and never shrinks.
    private func gather(_ published: [SeenCheckpoint]) async throws -> Look {
        let newest = try await signedCheckpoint()
        let own = try anchor.read()
        let seen = published + [own, largest.withLock { $0 }, newest?.seen].compactMap { $0 }
        return Look(seen: seen, own: own, newest: newest?.note, stored: try await rollback.state())
    }

    private func standing(_ look: Look, objection: String?) async throws -> LogStanding {
        let stored = look.stored
        report(stored)
        if let missing = try await missing(in: look) { return .rolledBack(Self.reason(missing, stored)) }
        if let act = try unconfirmed(in: look).last { return .rolledBack(Self.reason(act)) }
        guard stored.leaves == stored.size else {
            return .rolledBack(
                "the newest tree head is over \(stored.size) leaves, the database has \(stored.leaves); "
                    + "restore the newest copy of the database")
        }
        if let head = stored.head, try await !treeCheck.agrees(head) {
            return .rolledBack(
                "the stored log was changed: the newest tree head, over \(head.size) leaves, has not their "
                    + "root; run gatehouse-verify and restore the newest sound copy of the database")
        }
        if let objection { return .unknown(objection) }
        try raise(look)
        return .complete(generation: stored.generation)
    }

    /// The newest stored checkpoint, if our key signed it.
    private func signedCheckpoint() async throws -> (note: SignedNote, seen: SeenCheckpoint)? {
        let stored = try await log.latestCheckpoint()
        let refusal = stored.flatMap(anchor.refusal)
        foreign.withLock { $0 = refusal }
        guard let stored, refusal == nil else { return nil }
        let note = try stored.signedNote()
        return (note, try anchor.seen(note))
    }

    /// The largest checkpoint that the stored log lacks and no act gives up; nil when there is none.
    func missing(in look: Look) async throws(LedgerError) -> SeenCheckpoint? {
        let stored = look.stored
        var missing: SeenCheckpoint?
        for checkpoint in Set(look.seen) where checkpoint.size > (missing?.size ?? 0) {
            if stored.hasAcceptedLoss(of: checkpoint) { continue }
            if checkpoint.generation <= stored.generation,
                try await log.holds(
                    LogTreeHead(size: checkpoint.size, root: checkpoint.root), within: stored.leaves)
            {
                continue
            }
            missing = checkpoint
        }
        return missing
    }

    /// The acts on record that count for nothing on this host.
    func unconfirmed(in look: Look) throws -> [AcceptedRollback] {
        try anchor.unconfirmed(look.stored.rollbacks, by: look.seen)
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

    private static func reason(_ missing: SeenCheckpoint, _ stored: LogState) -> String {
        let what =
            stored.size < missing.size
            ? "the database is older than its published log: \(missing.size) leaves were signed, it has "
                + "\(stored.size)"
            : "the database has another history than its published log: it has \(stored.size) leaves, and "
                + "not the \(missing.size) that were signed"
        return what + "; restore the newest copy, or run gatehouse ledger accept-rollback --reason TEXT"
    }

    private static func reason(_ act: AcceptedRollback) -> String {
        "the database says that a person accepted the loss of what was signed beyond \(act.presentSize) "
            + "leaves (generation \(act.generation)), and nobody did so here or where the log's key is; "
            + "restore the newest copy, or, if you know of it, run gatehouse ledger accept-rollback "
            + "--reason TEXT on the key's host"
    }

    /// Raises the anchor to the newest stored checkpoint; one that was given up is put aside.
    private func raise(_ look: Look) throws {
        let stored = look.stored
        if let own = look.own, stored.hasAcceptedLoss(of: own) {
            try anchor.archive(own)
            logger.notice("the anchor's loss was accepted", metadata: ["size": "\(own.size)"])
        }
        try anchor.identity.writeKeyFile(anchor.state, generations: stored.rollbacks.map(\.generation))
        guard let newest = look.newest else { return }
        if look.own == nil, largest.withLock({ $0 }) == nil {
            let seen = try? anchor.seen(newest)
            unanchored.withLock { $0 = seen }
        }
        do {
            try remember(newest)
            releasable.withLock { $0 = newest }
        } catch {
            logger.error("the newest checkpoint is no anchor", metadata: ["cause": "\(error)"])
        }
    }

    private func become(_ found: LogStanding, because cause: String? = nil) {
        let before = state.withLock { standing in
            defer { standing = found }
            return standing
        }
        guard before != found else { return }
        switch found {
        case .unknown(let reason):
            logger.warning("the log cannot be looked at", metadata: ["cause": "\(cause ?? reason)"])
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
