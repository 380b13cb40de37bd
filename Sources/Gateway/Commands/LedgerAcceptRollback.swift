import ArgumentParser
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
        abstract: "Give up, on record, what a restored database has lost, so that issuance goes on.",
        discussion: """
            Restoring a newer copy is better: what is given up here was signed and may have been released. \
            The log goes on under another origin, with the generation's number at its end.
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "Why the newest copy is lost, for the ledger.") var reason: String

    func validate() throws {
        guard !reason.isEmpty, reason.count <= 4_000 else {
            throw ValidationError("--reason takes 1 to 4000 characters")
        }
    }

    func run() async throws {
        let stores = try Stores.open(common)
        let logger = Logger(label: "gatehouse") {
            JSONLogHandler(label: $0, level: .warning, clock: SystemClock())
        }
        let logGuard = try stores.logGuard(stores.rollback, stores.log, metrics: nil, logger: logger)
        let seen = await logGuard.publishedCheckpoints() + (try logGuard.anchor.read().map { [$0] } ?? [])
        let stored = try await logGuard.stored()
        guard let lost = try await logGuard.missing(from: stored, of: seen) else {
            throw StartupError(
                "nothing is missing: the database has all \(stored.size) leaves that were seen of its log",
                remedy: stored.leaves == stored.size
                    ? "there is nothing to accept"
                    : "its tree head and leaves differ: restore the newest copy of the database",
                exitCode: .negative)
        }
        let generation = max(stored.generation, seen.map(\.generation).max() ?? 0) + 1
        let acceptance = RollbackAcceptance(
            generation: generation, lost: lost, present: stored.head, at: SystemClock().now(),
            actor: try stores.actor(), reason: reason)
        do throws(LedgerError) { try await stores.ledger.accept(acceptance) } catch {
            guard case .rejected(let cause) = error else { throw error }
            throw StartupError(
                "the rollback was not recorded: \(cause)", remedy: "look again, then accept again",
                exitCode: .negative)
        }
        Output.print(
            object: [
                ("lost_size", .integer(lost.size)), ("lost_root", .string(lost.root.description)),
                ("present_size", .integer(stored.size)), ("generation", .integer(generation)),
                ("origin", .string(logGuard.anchor.identity.origin(generation))),
            ], as: common.output)
        Output.message("issuance goes on within seconds; give witnesses and auditors pki/log.vkey anew")
    }
}
