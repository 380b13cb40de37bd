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
            See docs/privacy-and-retention.md.

            Exit codes: 0 retired, or could be; 1 refused; 2 usage; 3 the manifest or the key is none; 4 no \
            such file; 5 the database does not let the migrator's login in; 6 the export is not the one \
            that the key signed, or not whole.

            Example: gatehouse ledger retire --month 2023-01 --manifest /srv/export/manifest.json --dry-run
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "The month, e.g. 2023-01.") var month: String
    @Option(help: "manifest.json of the export that holds it.") var manifest: String
    @Option(help: "export.vkey of the host that exported; without it this state's pki/export.vkey.")
    var exportKey: String?
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
        let key = exportKey ?? "\(stores.state.pki)/export.vkey"
        let exported = try ExportedEvidence(manifest: manifest, key: key).manifest
        let (now, actor) = (SystemClock().now(), try stores.actor())
        // What an earlier month left, unless somebody reads at length: then the next one does it.
        if !dryRun { _ = try? stores.custody.dropRetired() }
        let extent: RetirementExtent
        do throws(DatabaseError) {
            extent = try stores.custody.retire(
                month, exported, at: now, by: actor,
                id: RequestID(at: now, random: SystemRandom().octets(10)), isTrial: dryRun)
        } catch {
            if case .refused("GH021", let message) = error {
                throw StartupError(
                    "the month is not retired: \(message)",
                    remedy: "SELECT min(recorded_at) FROM entries tells where the ledger begins",
                    exitCode: .notFound)
            }
            throw stores.fault(
                error, "the month is not retired",
                remedy: "nothing has changed; see docs/privacy-and-retention.md")
        }
        Output.print(
            object: [
                ("month", .string(month)), ("taken", .integer(extent.taken)),
                ("kept", .integer(extent.kept)), ("manifest", .string(exported.digest.description)),
                ("retired", .bool(!dryRun)),
            ], as: common.output)
    }
}
