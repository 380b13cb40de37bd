import ArgumentParser
import Foundation
import Glibc

/// `gatehouse ledger verify`: hands over to `gatehouse-verify`, which has nothing in it of what writes the
/// ledger.
struct LedgerVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Run gatehouse-verify on this state's database.",
        discussion: """
            What is no option of its own is passed on, e.g. --against CHECKPOINT. Beginning with `export` or \
            `receipt` it verifies those instead, with this state's keys. An auditor runs a gatehouse-verify \
            of their own.

            Exit codes are the verifier's: 0 everything holds; 2 usage; 3 a key, checkpoint or receipt \
            cannot be read; 4 no such file; 5 the database cannot be read; 6 something does not hold.

            Examples:
              gatehouse ledger verify --against ours/checkpoint
              gatehouse ledger verify export evidence-2026-10
            """)

    @OptionGroup var common: CommonOptions
    @Argument(parsing: .captureForPassthrough, help: "Arguments of gatehouse-verify.")
    var arguments: [String] = []

    func run() throws {
        if ["-h", "--help"].contains(arguments.first) { throw CleanExit.helpRequest(Self.self) }
        let (common, arguments) = try taken()
        let (state, configuration) = try Stores.configured(common)
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            throw StartupError("cannot tell where this program is", remedy: "run gatehouse-verify itself")
        }
        let program = URL(fileURLWithPath: own).deletingLastPathComponent().path + "/gatehouse-verify"
        guard access(program, X_OK) == 0 else {
            throw StartupError(
                "\(program) is missing",
                remedy: "install it beside gatehouse, or run a gatehouse-verify of your own",
                exitCode: .notFound)
        }
        let words = [program] + Self.words(arguments, common.output, state, configuration)
        var pointers = words.map { strdup($0) }
        pointers.append(nil)
        execv(program, pointers)
        let cause = String(cString: strerror(errno))
        throw StartupError("cannot run \(program): \(cause)", remedy: "is it a program for this computer?")
    }

    /// `--state` and `--config` are ours wherever they stand; what remains is the verifier's.
    private func taken() throws -> (CommonOptions, [String]) {
        var (common, rest) = (common, [String]())
        var words = arguments[...]
        while let word = words.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, ["--state", "--config"].contains(name) else {
                rest.append(word)
                continue
            }
            guard let value = parts.count > 1 ? String(parts[1]) : words.popFirst() else {
                throw ValidationError("\(name) takes a value")
            }
            if name == "--state" { common.state = value } else { common.config = value }
        }
        return (common, rest)
    }

    /// The verifier's command line. An `--output` that was passed on comes later than ours and holds.
    private static func words(
        _ given: [String], _ output: OutputFormat, _ state: StateDirectory, _ configuration: Configuration
    ) -> [String] {
        let format = ["--output", output.rawValue]
        var given = given
        if ["receipt", "export"].contains(given.first) { given.insert(contentsOf: format, at: 1) }
        let log = configuration.log
        var trust = ["--key", state.logKey]
        for witness in log.witnesses { trust += ["--witness-key", witness.key] }
        if log.quorum > 0 { trust += ["--quorum", String(log.quorum)] }
        if given.first == "receipt" { return given + trust }
        if given.first == "export" {
            let exporter = "\(state.pki)/export.vkey"
            let isNamed = given.contains { $0.hasPrefix("--export-key") } || access(exporter, R_OK) != 0
            return given + trust + (isNamed ? [] : ["--export-key", exporter])
        }
        let database = configuration.database
        // What this host has seen; an auditor brings checkpoints of their own.
        let anchor = "\(state.log)/anchor"
        if access(anchor, R_OK) == 0 { trust += ["--against", anchor] }
        return [
            "database", "--host", database.host, "--port", String(database.port), "--name", database.name,
            "--user", database.verifier,
        ] + format + trust + given
    }
}
