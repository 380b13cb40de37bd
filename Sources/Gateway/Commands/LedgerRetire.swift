import ArgumentParser
import Database
import EnrollmentCore
import Ledger

/// `gatehouse ledger retire`
struct LedgerRetire: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Take an exported month out of the database, as the migrator's login.",
        discussion: """
            Refused unless the month and every certificate of it ended more than two years ago, and the \
            manifest is of an export (ledger export --evidence) that holds all of it. What later rows refer \
            to stays, and so do leaves, tiles and checkpoints: proofs verify as before, with the export. \
            See docs/privacy-and-retention.md. Exits 1 when it is refused.
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "The month, e.g. 2023-01.") var month: String
    @Option(help: "manifest.json of the export that holds it.") var manifest: String
    @Flag(help: "Say what would go; change nothing.") var dryRun = false
    @Flag(help: "Take it out; without this nothing is.") var yes = false

    func validate() throws {
        let parts = month.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let number = Int(parts[1]), (1...12).contains(number)
        else { throw ValidationError("“\(month)” is no month; write it as 2023-01") }
        guard dryRun != yes else { throw ValidationError("say --dry-run to see what would go, or --yes") }
    }

    func run() throws {
        let stores = try Stores.open(common)
        let exported = try ExportedEvidence(manifest: manifest, state: stores.state).manifest
        let (now, actor) = (SystemClock().now(), try stores.actor())
        let extent: Retention.Extent
        do throws(DatabaseError) {
            extent = try retention(stores.configuration).retire(
                month, exported, at: now, by: actor,
                id: RequestID(at: now, random: SystemRandom().octets(10)), isTrial: dryRun)
        } catch { throw Self.fault(error) }
        Output.print(
            object: [
                ("month", .string(month)), ("taken", .integer(extent.taken)),
                ("kept", .integer(extent.kept)), ("manifest", .string(exported.digest.description)),
                ("retired", .bool(!dryRun)),
            ], as: common.output)
    }

    private func retention(_ configuration: Configuration) -> Retention {
        let database = configuration.database
        return Retention(
            ConnectionSettings([
                "host": database.host, "port": String(database.port), "dbname": database.name,
                "user": database.migrator,
            ]))
    }

    private static func fault(_ error: DatabaseError) -> StartupError {
        switch error {
        case .refused(let state, let message):
            return StartupError(
                "the month is not retired (\(state)): \(message)",
                remedy: "nothing has changed; see docs/privacy-and-retention.md", exitCode: .negative)
        case .unavailable(let reason):
            return StartupError(
                "the database does not answer: \(reason)", remedy: "is gatehouse up running on this state?")
        case .unexpectedRow(let reason):
            return StartupError("the answer could not be read: \(reason)", remedy: "report this")
        }
    }
}
