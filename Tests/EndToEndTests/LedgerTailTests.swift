import Foundation
import Glibc
import Testing

/// `gatehouse ledger tail`
extension LedgerCommandTests {
    private func tail(_ arguments: [String]) throws -> Finished {
        try gate.command(["ledger", "tail"] + arguments)
    }

    /// Facts as `--format jsonl` wrote them, a line each.
    private func indices(_ text: String) throws -> [Int] {
        try text.split(separator: "\n").map { line in
            let fact = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(fact?["leaf_index"] as? Int)
        }
    }

    @Test("each format has a line for each fact, and others can read it")
    func formats() throws {
        let table = try tail(["-n", "12"])
        #expect(table.output.split(separator: "\n").count == 12, "\(table)")
        for arguments in [["--format", "jsonl"], ["--output", "jsonl"]] {
            let facts = try indices(try tail(["-n", "12"] + arguments).output)
            #expect(facts.count == 12 && facts == Array((facts.first ?? 0)..<(facts.first ?? 0) + 12))
        }
        let lines = try ["ecs", "ocsf"].flatMap { format in
            try tail(["-n", "12", "--format", format]).output.split(separator: "\n").map {
                "\(format) \($0)\n"
            }
        }
        let clients = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("../Clients").standardizedFileURL.path
        let judged = try Tool.run(
            "python3", ["\(clients)/event_formats.py", folder.write(lines.joined(), to: "facts")], in: folder)
        #expect(judged.output == "24 valid\n", "\(judged)")
        let cef = try tail(["-n", "12", "--format", "cef"]).output.split(separator: "\n")
        #expect(cef.count == 12 && cef.allSatisfy { $0.hasPrefix("CEF:0|Gatehouse|") })
        let certificates = try tail(["--since", "1h", "--kind", "certificate", "--format", "ecs"]).output
        #expect(certificates.split(separator: "\n").count == 2, "\(certificates)")
    }

    @Test("with a cursor nothing is missed, whatever ends a run", arguments: [SIGINT, SIGTERM])
    func durableCursor(signal: Int32) throws {
        let cursor = folder.file("cursor")
        let options = ["--format", "jsonl", "--cursor-file", cursor]
        var shown = try indices(try tail(options + ["-n", "1"]).output)
        let last = try #require(shown.last)
        #expect(String(decoding: Data.contents(cursor), as: UTF8.self).hasPrefix("\(last + 1) "))
        #expect(try tail(options).output.isEmpty, "nothing new")

        // What is recorded while nobody looks comes with the next run, what is recorded then comes at once.
        try gate.importDevices([.laptop("LT-LC-\(signal)-A")])
        try waitUntil("it is a leaf", within: 20) { try leaves() > last + 1 }
        let follower = try Tool.start(
            Gate.binary, ["ledger", "tail", "-f", "--state", gate.state] + options, in: folder)
        func seen() throws -> [Int] {
            try indices(String(decoding: Data.contents(follower.outputFile), as: UTF8.self))
        }
        try waitUntil("it catches up", within: 20) { try seen().first == last + 1 }
        let count = try seen().count
        try gate.importDevices([.laptop("LT-LC-\(signal)-B")])
        try waitUntil("it follows", within: 20) { try seen().count > count }
        follower.signal(signal)
        #expect(follower.wait(within: 20) == 0, "\(follower.messages)")
        shown += try seen()

        try gate.importDevices([.laptop("LT-LC-\(signal)-C")])
        try waitUntil("it is a leaf", within: 20) { try leaves() > (shown.last ?? 0) + 1 }
        shown += try indices(try tail(options).output)
        #expect(shown == Array(last...(shown.last ?? 0)), "each once, in order")
    }

    private func leaves() throws -> Int {
        Int(try gate.superuser("SELECT count(*) FROM ledger.leaf")) ?? 0
    }

    @Test("what is no cursor, or one of another log, is not taken for one")
    func wrongCursors() throws {
        // Of no leaf, as that of a leaf is that was lost by a rollback and whose index was given again.
        let hash = String(repeating: "a5", count: 32)
        for (text, status) in [
            ("siem\n", 3), ("", 3), ("-1 \(hash)\n", 3), ("7\n", 3), ("7 \(hash)", 3), ("007 \(hash)\n", 3),
            ("7 \(hash)\n8\n", 3), ("99999999999999999999 \(hash)\n", 3), ("7 \(hash)\n", 6),
            ("1000000 \(hash)\n", 6),
        ] as [(String, Int32)] {
            let file = try folder.write(text, to: "cursor")
            let done = try tail(["--cursor-file", file])
            #expect(done.status == status && done.output.isEmpty, "\(text): \(done)")
            #expect(done.messages.contains(file) && done.messages.contains("remedy:"), "\(done)")
            #expect(Data.contents(file) == Data(text.utf8), "left as it was")
        }
        let nowhere = try tail(["--cursor-file", folder.file("none/cursor")])
        #expect(nowhere.status == 5 && nowhere.messages.contains("there is no folder"), "\(nowhere)")
        #expect(nowhere.output.isEmpty, "said before anything is shown")
        for usage in [
            ["--format", "xml"], ["--output", "json"], ["--output", "csv"], ["-n", "-1"],
            ["--since", "soon"],
        ] {
            #expect(try tail(usage).status == 2, "\(usage)")
        }
        let elsewhere = try folder.write(
            "instance: a\ndatabase: { host: \(folder.path) }\n", to: "gatehouse.yaml")
        for command in [
            ["ledger", "tail", "-f"], ["ledger", "query", "SELECT 1"], ["ledger", "receipt", "01"],
            ["ledger", "export", "--query", "SELECT 1", "--out", folder.file("rows")], ["db", "status"],
            ["db", "migrate"], ["ledger", "reconcile", "--ca", folder.path],
        ] {
            let done = try gate.command(command + ["--config", elsewhere])
            #expect(done.status == 5 && done.messages.contains("does not answer: "), "\(command): \(done)")
            #expect(done.messages.contains("remedy: start the server"), "\(command): \(done)")
            #expect(!done.messages.contains("unavailable("), "\(command): \(done)")
        }
    }
}
