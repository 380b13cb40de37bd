import EnrollmentCore
package import Ledger
package import Logging
import ServiceLifecycle

/// Carries the ledger's events to one receiver, in the order of the log, each at least once.
///
/// One gateway delivers a feed at a time. The cursor in the database follows what was handed over some
/// seconds ago on a connection that has held since: when it breaks, everything after the cursor is sent
/// again. So a crash on either side makes duplicates, told by `event.id`, and no gap, as long as the receiver
/// keeps what its operating system acknowledged for those seconds: syslog has no acknowledgement of its own.
package struct FeedDelivery: Service {
    /// How a delivery paces itself.
    package struct Pace: Sendable {
        /// Leaves read and sent at once.
        package var batch: Int64 = 256
        /// How long to wait when there is nothing new.
        package var idle = Duration.seconds(1)
        /// How long a connection must hold after a batch until that counts as delivered.
        package var settling = Duration.seconds(5)
        /// How long a claim lasts, in seconds.
        package var claim: Int64 = 15
        /// The longest wait before another try.
        package var patience = Duration.seconds(30)

        package init() {}
    }

    private let feed: Feed
    private let ledger: PostgresLedger
    private let instance: String
    private let logger: Logger
    private let pace: Pace
    private let report: @Sendable (FeedReport) -> Void

    /// - Parameters:
    ///   - instance: the name of this gateway.
    ///   - report: called whenever the feed's standing changes.
    package init(
        _ feed: Feed, ledger: PostgresLedger, instance: String, logger: Logger, pace: Pace = Pace(),
        report: @escaping @Sendable (FeedReport) -> Void
    ) {
        self.feed = feed
        self.ledger = ledger
        self.instance = instance
        self.logger = logger
        self.pace = pace
        self.report = report
    }

    /// Delivers until shutdown; nothing that fails ends it.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await deliver() }
    }

    private func deliver() async {
        var standing = FeedReport(name: feed.name)
        var wait = pace.idle
        while !Task.isCancelled {
            let before = standing.position
            let failure = await turn(&standing)
            if Task.isCancelled { break }
            if let failure {
                standing.failures += 1
                wait = standing.position > before ? pace.idle : min(wait * 2, pace.patience)
                logger.warning(
                    "feed broke off", metadata: ["feed": "\(feed.name)", "cause": "\(failure)"])
            } else {
                wait = pace.idle * 4  // another gateway delivers, and reports how far it is behind
                standing.behind = 0
            }
            standing.isConnected = false
            report(standing)
            try? await Task.sleep(for: wait)
        }
    }

    /// One claim from its beginning to its end; nil when another gateway holds it.
    private func turn(_ standing: inout FeedReport) async -> FeedFailure? {
        let claim: FeedClaim
        do throws(LedgerError) {
            guard let taken = try await ledger.takeFeed(feed.name, epoch: nil, seconds: pace.claim) else {
                return nil
            }
            claim = taken
        } catch { return FeedFailure(description: "\(error)") }
        standing.position = claim.position
        var failure: FeedFailure?
        do throws(FeedFailure) {
            // Also where nothing is ever delivered.
            try await tell(&standing, isConnected: false)
            let receiver = try await receiver()
            do throws(FeedFailure) { try await pump(claim, to: receiver, &standing) } catch {
                failure = error
            }
            await receiver.close()
        } catch { failure = error }
        if failure != nil, let size = try? await ledger.logSize() {
            standing.behind = max(0, size - standing.position)
        }
        // Not awaited where the task is cancelled: the claim runs out by itself.
        try? await ledger.releaseFeed(feed.name, epoch: claim.epoch)
        return failure
    }

    private func receiver() async throws(FeedFailure) -> any EventReceiver {
        switch feed.destination {
        case .file(let path): return FeedFile(path: path)
        case .syslog(let receiver): return try await SyslogConnection.open(receiver)
        }
    }

    /// Sends and moves the cursor, until something fails or the task is cancelled.
    private func pump(
        _ claim: FeedClaim, to receiver: any EventReceiver, _ standing: inout FeedReport
    ) async throws(FeedFailure) {
        var sent = claim.position
        var unsettled: [(end: Int64, at: ContinuousClock.Instant)] = []
        var renewed = ContinuousClock.now
        while !Task.isCancelled {
            let batch = try await ledgerAnswer { ledger async throws(LedgerError) in
                try await ledger.events(from: sent, limit: pace.batch)
            }
            let isCaughtUp = batch.next - sent < pace.batch
            if !batch.events.isEmpty { try await receiver.send(batch.events.map(message)) }
            if batch.next > sent {
                sent = batch.next
                unsettled.append((sent, .now))
            }
            guard receiver.isOpen else { throw FeedFailure(description: "the connection broke") }
            let settled = unsettled.prefix { $0.at.duration(to: .now) >= settling }
            if let end = settled.last?.end { standing.position = end }
            if !settled.isEmpty || renewed.duration(to: .now) >= .seconds(pace.claim / 3) {
                try await advance(claim, to: standing.position)
                unsettled.removeFirst(settled.count)
                renewed = .now
            }
            try await tell(&standing, isConnected: true)
            if isCaughtUp { try? await Task.sleep(for: pace.idle) }
        }
    }

    /// A file is settled when it is written: its octets are on the disk.
    private var settling: Duration {
        switch feed.destination {
        case .file: return .zero
        case .syslog: return pace.settling
        }
    }

    private func advance(_ claim: FeedClaim, to position: Int64) async throws(FeedFailure) {
        let isOurs = try await ledgerAnswer { ledger async throws(LedgerError) in
            try await ledger.advanceFeed(
                feed.name, epoch: claim.epoch, to: position, seconds: pace.claim)
        }
        guard isOurs else { throw FeedFailure(description: "another gateway delivers this feed now") }
    }

    private func tell(_ standing: inout FeedReport, isConnected: Bool) async throws(FeedFailure) {
        let size = try await ledgerAnswer { ledger async throws(LedgerError) in try await ledger.logSize() }
        standing.behind = max(0, size - standing.position)
        standing.isConnected = isConnected
        report(standing)
    }

    private func ledgerAnswer<Value: Sendable>(
        _ body: (PostgresLedger) async throws(LedgerError) -> Value
    ) async throws(FeedFailure) -> Value {
        do { return try await body(ledger) } catch {
            throw FeedFailure(description: "the ledger does not answer: \(error)")
        }
    }

    private func message(_ event: LedgerEvent) -> SyslogMessage {
        SyslogMessage(
            severity: Occurrence(event).severity.syslog, instant: event.recordedAt, host: instance,
            identifier: event.kind, content: feed.format.text(of: event, sendsPersonal: feed.sendsPersonal))
    }
}
