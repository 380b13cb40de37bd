import ArgumentParser
import Database
import EnrollmentCore
import Ledger

/// `gatehouse ledger redact`
struct LedgerRedact: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redact",
        abstract: "Erase personal values of recorded requests for good, as the migrator's login.",
        discussion: """
            Erased are the client's address, the owner, SID, e-mail addresses and user principal names in \
            the requests of a device, or in one request. Commitments to them stay in what was hashed, and \
            the erasure is recorded with who asked for it and why: proofs verify as before. Certificates, \
            the device directory and requests recorded before the ledger knew commitments are not touched: \
            docs/privacy-and-retention.md.

            Exit codes: 0 erased, or could be; 1 refused; 2 usage; 4 there is nothing to erase; 5 the \
            database does not let the migrator's login in.

            Example: gatehouse ledger redact --device LT-042 --reason "left the company" --dry-run
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "Erase in all requests of this device.") var device: String?
    @Option(help: "Erase in this request only.") var request: String?
    @Option(help: "Why, for the record; name no person here.") var reason: String
    @Flag(help: "Say what would be erased; change nothing.") var dryRun = false
    @Flag(help: "Do not ask: it cannot be undone.") var yes = false

    func validate() throws {
        guard (device == nil) != (request == nil) else {
            throw ValidationError("name one: --device ID or --request ID")
        }
        guard (1...1_000).contains(reason.unicodeScalars.count) else {
            throw ValidationError("the reason has 1 to 1,000 characters")
        }
        guard dryRun || yes else {
            throw ValidationError("erasing cannot be undone: look with --dry-run, then say --yes")
        }
    }

    func run() throws {
        let subject = try subject()
        let stores = try Stores.open(common)
        let (now, actor) = (SystemClock().now(), try stores.actor())
        let extent: RedactionExtent
        do throws(DatabaseError) {
            extent = try stores.custody.redact(
                subject, at: now, by: actor, because: reason,
                id: RequestID(at: now, random: SystemRandom().octets(10)), isTrial: dryRun)
        } catch {
            throw stores.fault(error, "nothing was erased", remedy: "see docs/privacy-and-retention.md")
        }
        guard extent.values > 0 else {
            throw StartupError(
                "there is nothing to erase", remedy: "SELECT * FROM audit.redactions tells what was",
                exitCode: .notFound)
        }
        Output.print(
            object: [
                ("requests", .integer(Int64(extent.requests))), ("values", .integer(Int64(extent.values))),
                ("erased", .bool(!dryRun)),
            ], as: common.output)
    }

    private func subject() throws -> RedactionSubject {
        if let device { return .device(try DeviceID.parse(device)) }
        return .request(try RequestID.parse(request ?? ""))
    }
}
