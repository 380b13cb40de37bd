import ArgumentParser
import EnrollmentCore
import Ledger

/// `gatehouse ledger reconcile`: finds certificates of our issuers that the ledger does not know.
struct LedgerReconcile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Find certificates of our issuers that the ledger does not know.",
        discussion: """
            --ca names what a CA or a network has seen: a PEM file with any number of certificates, a DER \
            file, or a folder of such. Each rogue certificate raises one alert, once. Certificates that \
            gateways made for themselves, and those of retired months, are listed too: they are no finding.

            Exit codes: 0 all are accounted for; 1 something could not be read, or there is no certificate; \
            4 no such file; 5 the database does not answer; 6 one is rogue.

            Example: gatehouse ledger reconcile --ca /srv/certificates --output jsonl
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "A PEM or DER file, or a folder of them, at most 1,000,000 files of 1 MiB.")
    var ca: String
    @Option(help: "The team that the alerts are for.") var owner = "Endpoint Security"
    @Flag(help: "Say what is rogue; raise no alert.") var dryRun = false

    func run() async throws {
        let stores = try Stores.open(common)
        var search = RogueSearch(
            ledger: stores.ledger, issuers: try OurIssuer.all(stores.state),
            own: try OwnCertificates(
                claims: try await stores.ledger.claimedCertificates(), state: stores.state),
            alertsFor: dryRun ? nil : owner)
        try await search.run(try CertificateFiles(path: ca))
        try report(search)
    }

    private func report(_ search: RogueSearch) throws {
        let columns = ["finding", "issuer", "serial", "certificate_sha256", "not_after", "file", "alert"]
        let rows = search.rogues + search.noted
        if !rows.isEmpty || common.output != .table {
            Output(columns: columns, rows: rows).print(as: common.output)
        }
        for fault in search.unreadable.prefix(100) { Output.message("not read: \(Self.oneLine(fault))") }
        if search.unreadable.count > 100 { Output.message("… and \(search.unreadable.count - 100) more") }
        Output.message(search.summary)
        if !search.rogues.isEmpty { throw ExitCode(ExitStatus.integrityViolation.rawValue) }
        if !search.unreadable.isEmpty { throw ExitCode(ExitStatus.negative.rawValue) }
        guard search.ours + search.others > 0 else {
            // A wrong folder must not pass for a clean result.
            throw StartupError(
                "\(ca) holds no certificate", remedy: "name a file or folder that does", exitCode: .negative)
        }
    }

    /// A file's name may hold anything: it must not look like a line of ours.
    private static func oneLine(_ text: String) -> String {
        Output.visible(text).replacing("\n", with: "\\n")
    }
}
