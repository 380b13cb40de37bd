import EnrollmentCore
package import Ledger
package import Logging
import ServiceLifecycle
package import TransparencyLog

/// Turns entries into leaves of one Merkle tree and signs its heads. Many may run; one at a time leads.
///
/// A tree head is committed, by compare-and-swap under the epoch of a lease, before it is signed: what is
/// signed is the only head of its size, whoever signs it. A leader that lost its lease can write nothing.
package actor Sequencer: Service {
    /// What one step did.
    package enum Step: Sendable, Hashable {
        /// Another leads, or the database is out of reach.
        case following
        /// Leads, but may not extend the log now.
        case held
        /// Leads; this many entries became leaves.
        case appended(Int)
    }

    /// What a leader keeps.
    private struct Leadership {
        let epoch: Int64
        var renewedAt: ContinuousClock.Instant
        var tree: TreeBuilder
        /// The newest tree head while it has no checkpoint.
        var unsigned: LogTreeHead?
    }

    /// The most entries in one extension.
    package static let batch = 1_000

    private let log: PostgresLog
    private let signer: NoteSigner
    private let publisher: CheckpointPublisher
    private let witnesses: [WitnessClient]
    private let pace: Pace
    private let beforeRelease: @Sendable (SignedNote) async throws -> Void
    private let mayExtend: @Sendable () async -> Bool
    private let logger: Logger
    private var leadership: Leadership?
    /// The last lease of this process: as long as nobody else took one, it is renewed at once.
    private var lastEpoch: Int64?
    /// The newest round of witnesses, and how many of those that it asked have not answered.
    private var round = (number: 0, unanswered: 0)
    /// The newest tree head that this process has seen. A log without it was set back.
    private var remembered: LogTreeHead?

    /// How often what is done.
    package struct Pace: Sendable {
        /// Between two extensions, unless full batches wait.
        package var extending = Duration.milliseconds(200)
        /// Between two attempts to lead.
        package var following = Duration.seconds(1)
        /// How old a lease gets before it is renewed.
        package var renewing = Duration.milliseconds(1_500)
        /// How long a lease lasts, in seconds, at most 60: so long nobody leads after a leader was killed.
        package var leaseSeconds: Int64 = 5
        /// Between two publications, and between two rounds of the witnesses.
        package var publishing = Duration.seconds(1)
        /// How long a round of the witnesses waits for those that it asked before the next one begins.
        package var answering = Duration.seconds(5)

        package init() {}
    }

    /// - Parameters:
    ///   - log: with a login and a holder's name of its own.
    ///   - signer: the checkpoint key; its name is the log's origin.
    ///   - publisher: where checkpoints go that the database's administrator cannot change.
    ///   - witnesses: asked for cosignatures of the newest checkpoint.
    ///   - beforeRelease: told of each signed checkpoint before anybody else can see it: what must remember
    ///     it does so durably, or throws, and then it is not released.
    ///   - mayExtend: asked before each extension and each signature; false stops both while it lasts.
    package init(
        log: PostgresLog, signer: NoteSigner, publisher: CheckpointPublisher,
        witnesses: [WitnessClient] = [], pace: Pace = Pace(), logger: Logger,
        beforeRelease: @escaping @Sendable (SignedNote) async throws -> Void = { _ in },
        mayExtend: @escaping @Sendable () async -> Bool = { true }
    ) {
        self.log = log
        self.signer = signer
        self.publisher = publisher
        self.witnesses = witnesses
        self.pace = pace
        self.beforeRelease = beforeRelease
        self.mayExtend = mayExtend
        self.logger = logger
    }

    /// The epoch this process leads under, as far as it knows; nil while it follows.
    package var epoch: Int64? { leadership?.epoch }

    /// Leads when it can until it is cancelled or service ends, then gives its lease up.
    ///
    /// - Throws: `SequencerError`, after which nothing is extended or signed until a person has looked.
    package func run() async throws {
        let work: Result<Void, any Error>
        do {
            try await cancelWhenGracefulShutdown { try await self.workUntilCancelled() }
            work = .success(())
        } catch is CancellationError {
            work = .success(())
        } catch {
            work = .failure(error)
        }
        if case .success = work { await publish() }
        await resign()
        try work.get()
    }

    private func workUntilCancelled() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await self.sequence() }
            group.addTask { await self.repeatedly { await self.publish() } }
            if !witnesses.isEmpty { group.addTask { await self.repeatedlyCosign() } }
            defer { group.cancelAll() }
            // The first to end is the one that threw, or all were cancelled.
            try await group.next()
        }
    }

    private func sequence() async throws {
        while !Task.isCancelled {
            let pause: Duration
            switch try await step() {
            case .following: pause = pace.following
            case .held: pause = pace.extending
            case .appended(let count) where count >= Self.batch: continue
            case .appended: pause = pace.extending
            }
            // A sleep cut short by shutdown is the way out, not a failure.
            try? await Task.sleep(for: pause)
        }
    }

    private func repeatedly(_ work: @Sendable () async -> Void) async {
        while (try? await Task.sleep(for: pace.publishing)) != nil { await work() }
    }

    /// One attempt to lead, or one extension.
    ///
    /// - Throws: `SequencerError`, after which this process leads no more until it is called again.
    package func step() async throws(SequencerError) -> Step {
        do throws(Interruption) {
            guard try await lead() else { return .following }
            guard await mayExtend() else { return .held }
            try await signIfUnsigned()
            return try await extend()
        } catch {
            leadership = nil
            switch error {
            case .stop(let reason):
                logger.critical("sequencing stops", metadata: ["cause": "\(reason)"])
                throw reason
            case .log(.leaseLost):
                lastEpoch = nil
                logger.notice("another sequencer leads")
            case .log(.conflict(let cause)):
                logger.error("the log is read again", metadata: ["cause": "\(cause)"])
            case .log(.ledger(let cause)):
                logger.error("the log cannot be extended", metadata: ["cause": "\(cause)"])
            }
            return .following
        }
    }

    /// Gives the lease up, so that another need not wait for it to run out.
    package func resign() async {
        guard let epoch = leadership?.epoch else { return }
        leadership = nil
        try? await log.releaseLease(epoch: epoch)
    }

    /// Whether this process leads, with the tree at hand and the lease fresh.
    private func lead() async throws(Interruption) -> Bool {
        let now = ContinuousClock.now
        if let leadership, now - leadership.renewedAt < pace.renewing { return true }
        let taken = try await logged { () async throws(LogWriteError) in
            try await self.log.takeLease(
                epoch: self.leadership?.epoch ?? self.lastEpoch, seconds: self.pace.leaseSeconds)
        }
        guard let taken else {
            leadership = nil
            lastEpoch = nil
            return false
        }
        lastEpoch = taken
        if leadership?.epoch == taken {
            leadership?.renewedAt = now
            return true
        }
        leadership = nil
        let published: [Checkpoint]
        do throws(PublicationError) { published = try await publisher.largestCheckpoints() } catch {
            // Another sequencer may be able to read it.
            try? await log.releaseLease(epoch: taken)
            lastEpoch = nil
            throw .log(.ledger(.unavailable("what was published is not known: \(error)")))
        }
        let recovery = LogRecovery(log: log.reader, origin: signer.verifierKey.name, logger: logger)
        let (tree, newest, unsigned) = try await recovery.recover(
            remembered: remembered, published: published)
        remembered = newest ?? remembered
        leadership = Leadership(epoch: taken, renewedAt: now, tree: tree, unsigned: unsigned)
        logger.notice("leads the log", metadata: ["epoch": "\(taken)", "size": "\(tree.size)"])
        return true
    }

    private func extend() async throws(Interruption) -> Step {
        guard let leading = leadership else { return .following }
        let pending = try await logged { () async throws(LogWriteError) in
            do throws(LedgerError) { return try await self.log.reader.pending(limit: Self.batch) } catch {
                throw .ledger(error)
            }
        }
        guard !pending.isEmpty else { return .appended(0) }
        var tree = leading.tree
        var full: [StoredTile] = []
        for leaf in pending {
            full += tree.append(leaf.leafHash).map {
                StoredTile(level: $0.level, index: $0.index, octets: $0.octets)
            }
        }
        let head = LogTreeHead(size: tree.size, root: tree.root())
        guard await mayExtend() else { return .held }
        let tiles = full
        try await logged { () async throws(LogWriteError) in
            try await self.log.extend(
                epoch: leading.epoch, from: leading.tree.size, by: pending.map(\.entry), root: head.root,
                tiles: tiles)
        }
        remembered = head
        leadership?.tree = tree
        leadership?.unsigned = head
        try await signIfUnsigned()
        return .appended(pending.count)
    }

    /// Signs the newest tree head, which is durable and the only one of its size, and stores the note.
    private func signIfUnsigned() async throws(Interruption) {
        guard let leading = leadership, let head = leading.unsigned, await mayExtend() else { return }
        let origin = signer.verifierKey.name
        let text = Checkpoint(origin: origin, size: head.size, root: head.root).text
        let note: SignedNote
        do throws(LogFormatError) {
            note = SignedNote(text: text, signatures: [try signer.sign(text)])
        } catch {
            throw .stop(.unsigned(error.description))
        }
        do { try await beforeRelease(note) } catch {
            throw .log(.ledger(.unavailable("the checkpoint is not released: \(error)")))
        }
        try await logged { () async throws(LogWriteError) in
            try await self.log.publishCheckpoint(
                epoch: leading.epoch, head: head, origin: origin, note: note.encoded)
        }
        leadership?.unsigned = nil
    }

    /// Publishes the newest checkpoint if this process leads. Never fails: what did not work is tried again
    /// with the checkpoint that is newest then.
    package func publish() async {
        guard leadership != nil else { return }
        do throws(LedgerError) {
            guard let newest = try await log.reader.latestCheckpoint() else { return }
            await publisher.publish(newest)
        } catch {
            logger.warning("nothing was published", metadata: ["cause": "\(error)"])
        }
    }

    /// Asks the witnesses to cosign the newest checkpoint if this process leads, and waits for all of them.
    package func cosign() async {
        await withDiscardingTaskGroup { group in await ask(in: &group) }
    }

    /// As `cosign`, again and again. Who does not answer in time is left behind and joins a later round: the
    /// others are asked together, for the same checkpoint, so that a quorum meets on one.
    private func repeatedlyCosign() async {
        await withDiscardingTaskGroup { group in
            while (try? await Task.sleep(for: pace.publishing)) != nil {
                await ask(in: &group)
                let end = ContinuousClock.now + pace.answering
                while round.unanswered > 0, ContinuousClock.now < end, !Task.isCancelled {
                    try? await Task.sleep(for: .milliseconds(20))
                }
            }
        }
    }

    private func ask(in group: inout DiscardingTaskGroup) async {
        do throws(LedgerError) {
            guard let epoch = leadership?.epoch else {
                // Without a lease to renew, another leads.
                if lastEpoch == nil { for witness in witnesses { await witness.leave() } }
                return
            }
            guard let newest = try await log.reader.latestCheckpoint() else { return }
            round = (round.number + 1, witnesses.count)
            for witness in witnesses {
                group.addTask { [log, number = round.number] in
                    await witness.cosign(newest, in: log, epoch: epoch)
                    await self.answered(in: number)
                }
            }
        } catch {
            logger.warning("no witness was asked", metadata: ["cause": "\(error)"])
        }
    }

    private func answered(in number: Int) {
        if number == round.number { round.unanswered -= 1 }
    }

    private func logged<Value: Sendable>(
        _ body: () async throws(LogWriteError) -> Value
    ) async throws(Interruption) -> Value {
        do throws(LogWriteError) { return try await body() } catch { throw .log(error) }
    }
}
