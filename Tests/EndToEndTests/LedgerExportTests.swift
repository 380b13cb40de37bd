import Foundation
import Glibc
import Testing

/// `gatehouse ledger export`, judged by programs of others.
extension LedgerCommandTests {
    private static let repository = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("../..").standardizedFileURL.path
    private static let values =
        "SELECT NULL::text AS nothing, '' AS empty, E'a,\"b\"\\r\\nc' AS quoted, true AS yes, 42 AS answer"

    /// What Tests/Clients/export_verify.py says of an export.
    private func judge(_ kind: String, _ path: String, log: String? = nil) throws -> Finished {
        let keys = ["\(gate.state)/pki/export.vkey", log ?? "\(gate.state)/pki/log.vkey"]
        return try Tool.run(
            "python3", ["\(Self.repository)/Tests/Clients/export_verify.py"] + keys + [kind, path], in: folder
        )
    }

    private func accepted(_ kind: String, _ path: String) throws -> [String: Any] {
        let judged = try judge(kind, path)
        guard judged.status == 0 else { throw Trouble("\(path): \(judged)") }
        return try #require(try JSONSerialization.jsonObject(with: judged.data) as? [String: Any])
    }

    /// The rows that the judge read, nil for NULL.
    private func texts(_ said: [String: Any]) throws -> [[String?]] {
        try #require(said["rows"] as? [[Any]]).map { row in row.map { $0 as? String } }
    }

    private func export(_ arguments: [String]) throws -> Finished {
        try gate.command(["ledger", "export"] + arguments)
    }

    /// Rows in a new file, and its path.
    private func rows(_ arguments: [String]) throws -> String {
        let file = folder.fresh("rows")
        let done = try export(arguments + ["--out", file])
        guard done.status == 0, done.output.isEmpty else { throw Trouble("\(arguments): \(done)") }
        return file
    }

    private func change(_ path: String, _ from: String, to: String) throws {
        let text = String(decoding: Data.contents(path), as: UTF8.self)
        try #require(text.contains(from))
        let range = try #require(text.range(of: from))
        try Data(text.replacingCharacters(in: range, with: to).utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test(
        "rows, their number, query and checkpoint are those of the signed manifest",
        arguments: ["csv", "jsonl"])
    func signedRows(format: String) throws {
        let file = try rows(["--query", Self.values, "--format", format])
        let said = try accepted("rows", file)
        #expect(said["query"] as? String == Self.values)
        #expect(said["columns"] as? [String] == ["nothing", "empty", "quoted", "yes", "answer"])
        let found = try texts(said).first
        #expect(found == [nil, "", "a,\"b\"\r\nc", format == "csv" ? "t" : "true", "42"])
        #expect((said["size"] as? Int ?? 0) > 0)
        #expect(said["exporter"] as? String == "os:" + String(cString: getpwuid(geteuid()).pointee.pw_name))
        // Whoever changes one of the three is found out.
        try change(file, "42", to: "43")
        #expect(try judge("rows", file).messages.contains("is not what the manifest names"))
        try change(file, "43", to: "42")
        #expect(try judge("rows", file).status == 0)
        try change("\(file).manifest.json", "\"rows\":1", to: "\"rows\":2")
        #expect(try judge("rows", file).messages.contains("the note is over another manifest"))
        try change("\(file).manifest.json", "\"rows\":2", to: "\"rows\":1")
        #expect(
            try judge("rows", file, log: "\(gate.state)/pki/export.vkey").messages.contains("no known key"))
        try FileManager.default.removeItem(atPath: "\(file).manifest.note")
        #expect(try judge("rows", file).status == 1)
    }

    @Test("the commands that the page gives an auditor accept an export, and not a changed one")
    func commandsOfThePage() throws {
        let page = try String(contentsOfFile: "\(Self.repository)/docs/exports-and-feeds.md", encoding: .utf8)
        let block = try #require(
            page.components(separatedBy: "```bash\n").dropFirst().first?.components(separatedBy: "```").first)
        let made = try rows(["--view", "admin_events"])
        for end in ["", ".manifest.json", ".manifest.note"] {
            try FileManager.default.moveItem(atPath: made + end, toPath: folder.file("rows.csv\(end)"))
        }
        try folder.write(Data.contents("\(gate.state)/pki/export.vkey"), to: "export.vkey")
        func said() throws -> String { try Tool.run("bash", ["-c", block], in: folder).output }
        #expect(try said() == "Signature Verified Successfully\nmanifest ok\nrows ok\n")
        let file = try #require(FileHandle(forWritingAtPath: folder.file("rows.csv")))
        try file.seekToEnd()
        try file.write(contentsOf: Data("more\r\n".utf8))
        #expect(try said() == "Signature Verified Successfully\nmanifest ok\n")
        try change(folder.file("rows.csv.manifest.json"), "\"rows\":", to: "\"rows\" :")
        #expect(try !said().contains("ok"))
        try change(folder.file("rows.csv.manifest.note"), "/export\n", to: "/exports\n")
        #expect(try said() == "Signature Verification Failure\n")
    }

    @Test("PostgreSQL reads the CSV back as it was")
    func readBack() throws {
        let file = try rows(["--query", Self.values])
        chmod(file, 0o644)
        let script = """
            CREATE TEMP TABLE back (nothing text, empty text, quoted text, yes bool, answer int);
            \\copy back FROM '\(file)' WITH (FORMAT csv, HEADER true)
            SELECT nothing IS NULL, empty = '', quoted = E'a,"b"\\r\\nc', yes, answer FROM back;
            """
        let read = try Tool.succeed(
            "psql",
            [
                "-XqtA", "-v", "ON_ERROR_STOP=1", "-h", "\(gate.state)/run", "-U", "gatehouse_superuser",
                "gatehouse",
            ],
            in: folder, input: Data(script.utf8))
        #expect(read.output == "t|t|t|t|42\n")
    }

    @Test("a view is exported in the order of its time, within its bounds")
    func view() throws {
        let all = try accepted("rows", try rows(["--view", "issuance", "--output", "jsonl"]))
        let columns = try #require(all["columns"] as? [String])
        let time = try #require(columns.firstIndex(of: "recorded_at"))
        let times = try texts(all).compactMap { $0[time] }
        #expect(times.count >= 2 && times == times.sorted())
        let none = try accepted("rows", try rows(["--view", "issuance", "--until", "2020-01-01T00:00:00Z"]))
        #expect(try texts(none).isEmpty)
        let late = try accepted("rows", try rows(["--view", "issuance", "--since", "2020-01-01T00:00:00Z"]))
        #expect(try texts(late).count == times.count)
    }

    @Test("what cannot be exported is said, and nothing is left of it")
    func refusals() throws {
        let there = try rows(["--query", "SELECT 1"])
        let file = folder.file("refused")
        let cases: [(Int32, [String])] = [
            (1, ["--query", "SELECT * FROM ledger.request", "--out", file]),
            (1, ["--query", "SELECT 1/(n - 3) FROM generate_series(1, 5) AS n", "--out", file]),
            (1, ["--query", "SELECT 1; DELETE FROM audit.issuance", "--out", file]),
            (2, ["--query", "SELECT 1", "--out", there]), (2, ["--query", "SELECT 1"]), (2, ["--out", file]),
            (2, ["--query", "SELECT 1", "--out", file, "--output", "json"]),
            (2, ["--query", "SELECT 1", "--out", file, "--without-private"]),
            (2, ["--view", "issuance", "--since", "yesterday", "--out", file]),
            (2, ["--evidence", folder.path]), (4, ["--view", "issuances", "--out", file]),
            (5, ["--query", "SELECT 1", "--out", "\(folder.path)/none/rows"]),
        ]
        for (status, arguments) in cases {
            let done = try export(arguments)
            #expect(done.status == status && !done.messages.isEmpty, "\(arguments): \(done)")
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(!left.contains { $0.hasPrefix("refused") || $0.hasSuffix(".unfinished") }, "\(left)")
        }
    }

    @Test("the key that root's export made is the service's own, and the ledger names it")
    func exportKey() throws {
        _ = try rows(["--query", "SELECT 1"])
        let manager = FileManager.default
        func owner(_ path: String) throws -> String? {
            try manager.attributesOfItem(atPath: "\(gate.state)/\(path)")[.ownerAccountName] as? String
        }
        for file in ["secrets/export.key", "pki/export.vkey"] {
            #expect(try owner(file) == owner("secrets/credential-master-1.key"), "\(file)")
        }
        let work = try gate.folder("export")
        chmod(work.path, 0o777)
        let done = try gate.commandAsOwner(
            ["ledger", "export", "--query", "SELECT 1 AS one", "--out", work.file("rows")])
        #expect(done.status == 0, "\(done)")
        #expect((try accepted("rows", work.file("rows"))["rows"] as? [[String]]) == [["1"]])
        let key = String(decoding: Data.contents("\(gate.state)/pki/export.vkey").dropLast(), as: UTF8.self)
        let events = try gate.ledger("SELECT reason FROM audit.admin_events WHERE action = 'export.key'")
        #expect(events.map { $0.text("reason") } == [key])
    }

    // MARK: Evidence

    private func evidence(_ options: [String] = []) throws -> String {
        let path = folder.fresh("evidence")
        let done = try export(["--evidence", path] + options)
        guard done.status == 0 else { throw Trouble("\(done)") }
        return path
    }

    private func verify(_ path: String, exporter: String? = nil) throws -> Finished {
        let keys = ["--key", "\(gate.state)/pki/log.vkey", "--export-key"]
        return try Tool.run(
            gate.verifier, ["export", path] + keys + [exporter ?? "\(gate.state)/pki/export.vkey"], in: folder
        )
    }

    /// An export has leaves and no tables, and no older checkpoint was given.
    private static let notInExports = ["L9", "L10", "L13"]

    /// The lines of the verifier's report that say so.
    private func unchecked(_ judged: Finished) -> [String] {
        judged.output.split(separator: "\n").filter { $0.contains(" not checked ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    @Test("evidence is accepted by two verifiers, and each refuses it once anything of it was changed")
    func evidenceOfAll() throws {
        let whole = try evidence()
        let digest = try Tool.succeed("sha256sum", ["\(whole)/manifest.json"], in: folder).output.prefix(64)
        let acts = try gate.ledger("SELECT target FROM audit.admin_events WHERE action = 'ledger.export'")
        #expect(acts.contains { $0.text("target") == String(digest) }, "who took the values is on record")
        let said = try accepted("evidence", whole)
        #expect(said["private"] as? String == "included" && (said["values"] as? Int ?? 0) > 0)
        let sound = try verify(whole)
        #expect(sound.status == 0 && unchecked(sound) == Self.notInExports, "\(sound)")
        #expect(try verify(whole, exporter: "\(gate.state)/pki/log.vkey").status == 6, "signed by another")
        let manager = FileManager.default
        for name in try manager.contentsOfDirectory(atPath: whole).sorted() {
            let copy = folder.fresh("changed")
            try manager.copyItem(atPath: whole, toPath: copy)
            let octets = Data.contents("\(copy)/\(name)")
            if let first = octets.first {
                // Another digit or letter, which leaves most of them well-formed; not the last one of base64,
                // whose lowest bits stand for nothing.
                let place = octets.dropLast(8).lastIndex { (0x31...0x38).contains($0) } ?? 0
                var changed = octets
                changed[place] = place > 0 ? changed[place] + 1 : first ^ 1
                try changed.write(to: URL(fileURLWithPath: "\(copy)/\(name)"))
                let refused = try verify(copy)
                #expect(refused.status == 6, "\(name): \(refused)")
                #expect(try judge("evidence", copy).status == 1, "\(name)")
            }
            try manager.removeItem(atPath: "\(copy)/\(name)")
            let missing = try verify(copy)
            // Without its note the manifest is signed by nobody; any other file is named as missing.
            #expect(missing.status == (name == "manifest.note" ? 6 : 4), "\(name): \(missing)")
            try manager.removeItem(atPath: copy)
        }
    }

    @Test("evidence without personal values has none, and all else holds")
    func evidenceWithoutPrivate() throws {
        let path = try evidence(["--without-private"])
        let said = try accepted("evidence", path)
        #expect(said["private"] as? String == "left out" && said["values"] as? Int == 0)
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            let text = String(decoding: Data.contents("\(path)/\(name)"), as: UTF8.self)
            #expect(!text.contains("jane@corp.example"), "\(name)")
        }
        let judged = try verify(path)
        #expect(judged.status == 0 && unchecked(judged) == Self.notInExports + ["privacy"], "\(judged)")
    }

    @Test("ledger verify export gives the verifier this state's keys")
    func throughTheGateway() throws {
        try #require(gate.verifier.hasSuffix("/gatehouse-verify"))
        let path = try evidence()
        for words in [
            ["--state", gate.state, "export", path], ["export", path, "--state", gate.state],
            ["export", "--state=\(gate.state)", path],
        ] {
            let done = try gate.command(["ledger", "verify"] + words, withState: false)
            #expect(done.status == 0 && unchecked(done) == Self.notInExports, "\(words): \(done)")
        }
        let anchor = "\(gate.state)/log/anchor"
        for words in [
            ["--output", "json"], ["--against", anchor, "--output=json"],
            ["--output", "json", "--against", anchor],
        ] {
            let done = try gate.command(["ledger", "verify"] + words)
            let report = try JSONSerialization.jsonObject(with: done.data) as? [String: Any]
            #expect(done.status == 0 && report?["sound"] as? Bool == true, "\(words): \(done)")
        }
    }

    // MARK: Retention

    @Test("a month is not retired unless it is long over and its export whole")
    func retirement() throws {
        let manifest = "\(try evidence())/manifest.json"
        let month = try #require(
            try gate.ledger("SELECT to_char(now(), 'YYYY-MM') AS month").first?.text("month"))
        func retire(_ options: [String]) throws -> Finished {
            try gate.command(["ledger", "retire"] + options)
        }
        let before = try gate.ledger("SELECT count(*) AS entries FROM audit.entries WHERE kind <> 'admin'")
        for act in ["--dry-run", "--yes"] {
            let young = try retire(["--month", month, "--manifest", manifest, act])
            #expect(young.status == 1 && young.messages.contains("nothing has changed"), "\(young)")
        }
        let cases: [(Int32, [String])] = try [
            (2, ["--month", month, "--manifest", manifest]),
            (2, ["--month", "2020-13", "--manifest", manifest, "--dry-run"]),
            (2, ["--month", month, "--manifest", manifest, "--dry-run", "--yes"]),
            (3, ["--month", "2020-01", "--manifest", folder.write("{}", to: "empty"), "--dry-run"]),
            (4, ["--month", "2020-01", "--manifest", folder.file("none"), "--dry-run"]),
        ]
        for (status, options) in cases {
            let done = try retire(options)
            #expect(done.status == status && !done.messages.isEmpty, "\(options): \(done)")
        }
        // Where the administrator's host is not the one that exported.
        let key = "\(gate.state)/pki/export.vkey"
        let copy = folder.file("copy.vkey")
        try FileManager.default.moveItem(atPath: key, toPath: copy)
        let young = ["--month", month, "--manifest", manifest, "--dry-run"]
        let (keyless, withKey) = try (retire(young), retire(young + ["--export-key", copy]))
        try FileManager.default.moveItem(atPath: copy, toPath: key)
        #expect(keyless.status == 4 && keyless.messages.contains(key), "\(keyless)")
        #expect(withKey.status == 1 && withKey.messages.contains("nothing has changed"), "\(withKey)")
        let other = "\(gate.state)/pki/log.vkey"
        #expect(try retire(young + ["--export-key", other]).status == 6, "signed by another")
        try change(manifest, "\"entries\":", to: "\"entries\" :")
        let changed = try retire(["--month", "2020-01", "--manifest", manifest, "--yes"])
        #expect(changed.status == 6 && changed.messages.contains("does not sign the manifest"), "\(changed)")
        try change(manifest, "\"entries\" :", to: "\"entries\":")
        let leaves = URL(fileURLWithPath: manifest).deletingLastPathComponent().path + "/leaves"
        try FileManager.default.removeItem(atPath: leaves)
        let incomplete = try retire(["--month", "2020-01", "--manifest", manifest, "--yes"])
        #expect(incomplete.status == 6 && incomplete.messages.contains(leaves), "\(incomplete)")
        let after = try gate.ledger("SELECT count(*) AS entries FROM audit.entries WHERE kind <> 'admin'")
        #expect(after == before)
    }
}
