import Foundation
import Glibc
import Testing

/// What auditors and their scripts do with the ledger's commands. One gate for all, whose clock nobody else
/// turns: one test after the other.
@Suite(.serialized) struct LedgerCommandTests {
    /// A gate with two laptops that have a certificate each.
    struct Site {
        let gate: Gate
        /// PEM files.
        let certificates: [String]
    }

    private static let site = Result {
        let gate = try Gate.start()
        let devices = ["LT-LC1", "LT-LC2"]
        try gate.importDevices(devices.map { .laptop($0) })
        let folder = try gate.folder("certificates")
        return Site(gate: gate, certificates: try devices.map { try gate.enrolled($0, in: folder) })
    }

    let gate: Gate
    let certificates: [String]
    let folder: Folder

    init() throws {
        let site = try Self.site.get()
        (gate, certificates) = (site.gate, site.certificates)
        folder = try gate.folder("ledger")
    }

    @Test(
        "help says what a command does, how it ends, and how it is called",
        arguments: [
            "ledger query", "ledger tail", "ledger export", "ledger receipt", "ledger verify",
            "ledger reconcile", "sequencer",
        ])
    func help(command: String) throws {
        let done = try gate.command(
            command.split(separator: " ").map(String.init) + ["--help"], withState: false)
        #expect(done.status == 0)
        #expect(done.output.hasPrefix("OVERVIEW: "))
        #expect(done.output.contains("Exit codes"))
        // Wrapped at 80 columns.
        let words = done.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let examples = words.components(separatedBy: "Example").dropFirst().first ?? ""
        #expect(examples.contains("gatehouse \(command)"), "\(done.output)")
    }

    @Test("the auditor's login is that of the configuration")
    func auditorLogin() throws {
        let file = try folder.write(
            "instance: audit\ndatabase: { host: \(gate.state)/run, auditor: gatehouse_verifier }\n",
            to: "gatehouse.yaml")
        let asked = try gate.command(
            ["ledger", "query", "SELECT current_user AS login", "--config", file, "--output", "csv"])
        #expect(asked.output == "login\r\ngatehouse_verifier\r\n", "\(asked)")
        #expect(try gate.command(["ledger", "query", ""]).status == 2)
        let usual = try gate.ledger("SELECT current_user AS login")
        #expect(usual.first?.text("login") == "gatehouse_auditor")
    }

    @Test("CSV on standard output tells NULL from the empty text, and quotes what it must")
    func commaSeparatedOutput() throws {
        let sql = "SELECT NULL AS a, '' AS b, E'one\\ntwo' AS c, E'\\r' AS d, '=1+1' AS e, 'x\"y,z' AS f"
        let done = try gate.command(["ledger", "query", sql, "--output", "csv"])
        #expect(
            done.output == "a,b,c,d,e,f\r\n,\"\",\"one\ntwo\",\"'\r\",'=1+1,\"x\"\"y,z\"\r\n", "\(done)")
    }

    // MARK: gatehouse-verify database

    @Test("one octet that a superuser changed is named by the verifier's document", arguments: ["L8", "L9"])
    func changedOctet(invariant: String) throws {
        let sound = try violated(verify())
        #expect(sound.status == 0 && sound.lines.isEmpty && sound.isSound, "\(sound)")
        // In what was hashed, its hash brought up to date, or only in the table that auditors query.
        func alter(_ from: String, _ to: String) throws {
            let change =
                invariant == "L8"
                ? "UPDATE ledger.entry SET body = replace(body, '\(from)', '\(to)'), "
                    + "leaf_hash = ledger.leaf_hash(replace(body, '\(from)', '\(to)')) WHERE kind = 'decision'"
                : "UPDATE ledger.decision SET reason_code = replace(reason_code, '\(from)', '\(to)')"
            let table = invariant == "L8" ? "ledger.entry" : "ledger.decision"
            try gate.superuser(
                "ALTER TABLE \(table) DISABLE TRIGGER USER; \(change); ALTER TABLE \(table) ENABLE TRIGGER USER"
            )
        }
        try alter("permitted", "permittee")
        let altered = try violated(verify())
        try alter("permittee", "permitted")
        #expect(altered.status == 6 && !altered.isSound && altered.lines.contains(invariant), "\(altered)")
        #expect(try violated(verify()).status == 0, "as it was")
    }

    /// What a report in one JSON document says does not hold.
    private func violated(_ done: Finished) throws -> (status: Int32, isSound: Bool, lines: [String]) {
        let document = try #require(
            try JSONSerialization.jsonObject(with: done.data) as? [String: Any], "one document: \(done)")
        let lines = try #require(document["lines"] as? [[String: Any]])
        try #require(lines.count > 10)
        return (
            done.status, document["sound"] as? Bool == true,
            lines.filter { $0["verdict"] as? String == "VIOLATED" }.compactMap { $0["invariant"] as? String }
        )
    }

    @Test("the verifier's exit codes are those of its page")
    func verifierExitCodes() throws {
        let key = "\(gate.state)/pki/log.vkey"
        let database = ["--host", "\(gate.state)/run", "--name", "gatehouse"]
        let nonsense = try folder.write("no key\n", to: "nonsense")
        let receipt = folder.file("receipt")
        let serial = try Judge.serial(certificates[0], in: folder)
        let taken = try gate.command(["ledger", "receipt", serial, "--out", receipt])
        #expect(taken.status == 0, "\(taken)")
        #expect(try gate.command(["ledger", "receipt", serial, "--out", receipt]).status == 2, "it exists")
        let since = try Tool.run(
            gate.verifier, ["database", "--key", key, "--against", receipt] + database, in: folder)
        #expect(since.status == 0 && since.output.contains("L13"), "a receipt has a checkpoint: \(since)")
        let cases: [(Int32, [String])] = [
            (2, []), (3, ["receipt", receipt, "--key", key, "--certificate", nonsense]),
            (4, ["database", "--key", folder.file("absent.vkey")] + database), (2, ["database"]),
            (2, ["database", "--key", key] + database + ["--quorum", "1"]),
            (2, ["database", "--key", key] + database + ["--as-of", "yesterday"]), (2, ["nonsense"]),
            (3, ["database", "--key", nonsense] + database),
            (3, ["database", "--key", key, "--against", nonsense] + database),
            (4, ["database", "--key", key, "--against", folder.file("absent")] + database),
            (4, ["export", folder.file("absent"), "--key", key]),
            (5, ["database", "--key", key, "--host", folder.path, "--name", "gatehouse"]),
            (5, ["database", "--key", key, "--user", "nobody"] + database),
        ]
        for (status, arguments) in cases {
            let done = try Tool.run(gate.verifier, arguments, in: folder)
            #expect(done.status == status, "\(arguments): \(done)")
            #expect(done.output.isEmpty && done.messages.contains("remedy:"), "\(arguments): \(done)")
        }
    }

    /// Of the gate's database, as one document.
    private func verify() throws -> Finished {
        try Tool.run(
            gate.verifier,
            [
                "database", "--host", "\(gate.state)/run", "--name", "gatehouse", "--key",
                "\(gate.state)/pki/log.vkey", "--output", "json",
            ], in: folder)
    }
}

extension Gate {
    /// `gatehouse-verify`, which is built beside the gateway.
    var verifier: String {
        get throws {
            let products = URL(fileURLWithPath: Self.binary).deletingLastPathComponent().path
            let names = ["gatehouse-verify", "Verifier"].map { "\(products)/\($0)" }
            guard let found = names.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
                throw Trouble("there is no gatehouse-verify in \(products)")
            }
            return found
        }
    }

    /// Runs a verb as the user that the gateway runs as.
    func commandAsOwner(_ arguments: [String], state: String? = nil) throws -> Finished {
        try startAsOwner(arguments, state: state).finish(within: 30)
    }

    /// Starts a verb as the user that the gateway runs as. From a copy of the program: that user need not be
    /// able to enter the checkout.
    func startAsOwner(_ arguments: [String], state: String? = nil) throws -> Program {
        let folder = try folder("as-owner")
        chmod(folder.path, 0o777)
        let program = directory.file("gatehouse")
        if access(program, X_OK) != 0 {
            try FileManager.default.copyItem(atPath: Self.binary, toPath: program)
        }
        let words = [program] + arguments + ["--state", state ?? self.state]
        guard geteuid() == 0 else { return try Tool.start(words[0], Array(words.dropFirst()), in: folder) }
        let owner = ["--reuid", "gatehouse", "--regid", "gatehouse", "--clear-groups"]
        return try Tool.start("setpriv", owner + words, in: folder)
    }
}
