import ArgumentParser
import Database
import EnrollmentCore
import Foundation
import Ledger
import Listener
import Logging

/// `gatehouse ledger accept-rollback`: a person puts a database back into service that is older than its
/// published log.
struct LedgerAcceptRollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept-rollback",
        abstract: "Give up, on record, what a restored database has lost, as the migrator's login.",
        discussion: """
            Issuance then goes on. Restoring a newer copy is better: what is given up here was signed and \
            may have been released. The log goes on under another origin, with the generation's number at \
            its end.

            Where the key that signs the log is on another host, run this there afterwards too: it confirms \
            the act, as the sequencer's login. A row in the database alone, which its superuser can write, \
            gives up nothing. Other gateways follow as soon as the key has signed.

            Exit codes: 0 accepted, or could be; 1 nothing is missing, or the log has changed meanwhile; 2 \
            usage; 5 the database does not let the migrator's login in.

            Example: gatehouse ledger accept-rollback --reason "storage lost" --dry-run
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "Why the newest copy is lost, for the ledger.") var reason: String
    @Flag(help: "Say what would be given up; record nothing.") var dryRun = false

    func validate() throws {
        guard !reason.isEmpty, reason.count <= 4_000 else {
            throw ValidationError("--reason takes 1 to 4000 characters")
        }
    }

    func run() async throws {
        let (state, configuration) = try Stores.configured(common)
        let stores = Stores(state: state, configuration: configuration)
        let logger = Logger(label: "gatehouse") {
            JSONLogHandler(label: $0, level: .warning, clock: SystemClock())
        }
        let (logGuard, hasKey) = try logGuard(stores, logger)
        let look = try await logGuard.look(await logGuard.publishedCheckpoints())
        var acts = try logGuard.unconfirmed(in: look)
        if let lost = try await logGuard.missing(in: look) { acts.append(try record(lost, in: look, stores)) }
        guard let act = acts.last else { throw nothingIsMissing(look.stored) }
        if !dryRun { try logGuard.anchor.confirm(acts) }
        Output.print(
            object: [
                ("lost_size", .integer(act.lostSize)), ("lost_root", .string(act.lostRoot.description)),
                ("present_size", .integer(act.presentSize)), ("generation", .integer(act.generation)),
                ("origin", .string(logGuard.anchor.identity.origin(act.generation))),
                ("accepted", .bool(!dryRun)),
            ], as: common.output)
        guard !dryRun else { return }
        Output.message(
            hasKey
                ? "issuance goes on within seconds; give witnesses and auditors pki/log.vkey anew"
                : "issuance goes on here; run this on the host of the checkpoint key too, so the log does too"
        )
    }

    /// The host of the key may have no login but the sequencer's.
    private func logGuard(_ stores: Stores, _ logger: Logger) throws -> (LogGuard, hasKey: Bool) {
        let identity = try LogIdentity.read(stores.state, stores.configuration.log)
        let signer = try identity.signer(stores.state, stores.configuration.log, generation: 0)
        guard signer != nil else {
            let logGuard = try stores.logGuard(stores.rollback, stores.log, metrics: nil, logger: logger)
            return (logGuard, false)
        }
        let (log, rollback) = stores.sequencedLog()
        return (try stores.logGuard(rollback, log.reader, metrics: nil, logger: logger), true)
    }

    /// Puts the loss on record.
    private func record(
        _ lost: SeenCheckpoint, in look: LogGuard.Look, _ stores: Stores
    ) throws -> AcceptedRollback {
        let stored = look.stored
        let generation = max(stored.generation, look.seen.map(\.generation).max() ?? 0) + 1
        let acceptance = RollbackAcceptance(
            generation: generation, lost: lost, present: stored.head, at: SystemClock().now(),
            actor: try stores.actor(), reason: reason)
        do throws(DatabaseError) {
            try stores.custody.accept(
                acceptance, id: RequestID(at: acceptance.at, random: SystemRandom().octets(10)),
                isTrial: dryRun)
        } catch {
            throw stores.fault(
                error, "the rollback was not recorded", remedy: "look again, then accept again")
        }
        return AcceptedRollback(
            generation: generation, lostSize: lost.size, lostRoot: lost.root, presentSize: stored.size)
    }

    private func nothingIsMissing(_ stored: LogState) -> StartupError {
        StartupError(
            "nothing is missing: the database has all \(stored.size) leaves that were seen of its log",
            remedy: stored.leaves == stored.size
                ? "there is nothing to accept"
                : "its tree head and leaves differ: restore the newest copy of the database",
            exitCode: .negative)
    }
}
