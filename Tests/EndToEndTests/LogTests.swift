import Foundation
import Glibc
import Testing

/// The transparency log as people outside see it.
@Suite struct LogTests {
    @Test("a receipt is verified by programs of others with pki/log.vkey alone, and the log is served")
    func receiptAndTiles() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("log")
        try gate.importDevices([.laptop("LT-LOG1")])
        let certificate = try gate.enrolled("LT-LOG1", in: folder)
        let serial = try Judge.serial(certificate, in: folder)

        let receipt = folder.file("receipt")
        let made = try gate.command(["ledger", "receipt", serial, "--out", receipt])
        try #require(made.status == 0, "\(made)")
        try LogJudge.accept(receipt, of: certificate, from: gate, in: folder)
        // The same by other spellings, and by the certificate's own digest.
        let octets = stride(from: 0, to: serial.count, by: 2).map { serial.dropFirst($0).prefix(2) }
        let digest = try Judge.read(certificate, ["-fingerprint", "-sha256"], in: folder)
            .split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
        for name in [octets.joined(separator: ":").lowercased(), try #require(digest)] {
            let again = try gate.command(["ledger", "receipt", name])
            #expect(again.status == 0, "\(again)")
            #expect(
                again.output.split(separator: "\n").prefix(2)
                    == String(decoding: Data.contents(receipt), as: UTF8.self).split(separator: "\n").prefix(
                        2))
        }

        let note = try gate.admin("log/checkpoint", in: folder)
        #expect(note.status == 200 && note.headers["cache-control"] == "no-cache", "\(note)")
        let lines = String(decoding: note.body, as: UTF8.self).components(separatedBy: "\n")
        let size = try #require(Int(lines[1]))
        let partial = try gate.admin("log/tile/0/000.p/\(min(size, 255))", in: folder)
        #expect(partial.status == 200 && partial.body.count == 32 * min(size, 255), "\(partial)")
        #expect(partial.headers["content-type"] == "application/octet-stream")
        #expect(partial.headers["cache-control"] == "public, max-age=60, immutable")
        #expect(try gate.admin("log/1/checkpoint", in: folder).status == 404)
        let key = try gate.admin("log/key", in: folder)
        #expect(key.body == Data.contents("\(gate.state)/pki/log.vkey"))
        #expect(key.body.split(separator: 0x0a).count == 1)
    }

    @Test(
        "what the log does not have is not found",
        arguments: [
            "tile/0/999", "tile/9/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/x000/001",
            "tile/64/000",
            "tile", "tile/0/99999999999999999999", "tile/%30/000", "anchor", "../metrics", "",
        ])
    func absentPaths(path: String) throws {
        let gate = try Gate.shared()
        #expect(try gate.admin("log/" + path, in: gate.folder("log-absent")).status == 404)
    }

    @Test func unknownCertificate() throws {
        let gate = try Gate.shared()
        let unknown = try gate.command(["ledger", "receipt", "00:01:02"])
        #expect(unknown.status == 4 && unknown.output.isEmpty, "\(unknown)")
        #expect(try gate.command(["ledger", "receipt", "serial=000102"]).status == 4)
        #expect(try gate.command(["ledger", "receipt", "xyz"]).status == 2)
    }

    @Test("who asks with a configuration that names a database needs no state")
    func auditorWithoutState() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("auditor")
        let file = try folder.write(
            "instance: audit\ndatabase: { host: \(gate.state)/run }\n", to: "gatehouse.yaml")
        let elsewhere = ["--config", file, "--state", folder.file("none")]
        let none = try gate.command(
            ["ledger", "query", "SELECT 1 AS one WHERE false"] + elsewhere, withState: false)
        #expect(none.status == 0 && none.messages.contains("0 rows"), "\(none)")
        let kind = try gate.command(["ledger", "tail", "--kind", "nosuch"] + elsewhere, withState: false)
        #expect(kind.status == 2 && kind.messages.contains("certificate, failure"), "\(kind)")
    }

    @Test("a state from before the log gets its key, its roles and its access rules at the next start")
    func olderState() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        try gate.stop()
        let manager = FileManager.default
        for path in ["log", "pki/log.vkey", "secrets/checkpoint.key"] {
            try manager.removeItem(atPath: "\(gate.state)/\(path)")
        }
        try gate.withPostgresAlone {
            for sql in [
                "DROP DATABASE gatehouse", "DROP ROLE gatehouse_sequencer, gatehouse_verifier",
                "CREATE DATABASE gatehouse OWNER gatehouse_owner TEMPLATE template0",
                "REVOKE ALL ON DATABASE gatehouse FROM PUBLIC",
                "GRANT CONNECT ON DATABASE gatehouse TO gatehouse_migrator, gatehouse_writer, gatehouse_auditor",
            ] { try gate.superuser(sql, database: "postgres") }
        }
        for name in ["pg_hba.conf", "pg_ident.conf"] {
            let path = "\(gate.state)/postgres/\(name)"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let old = text.replacingOccurrences(of: ",gatehouse_sequencer,gatehouse_verifier", with: "")
                .split(separator: "\n")
                .filter { !$0.hasSuffix(" gatehouse_sequencer") && !$0.hasSuffix(" gatehouse_verifier") }
            try #require(old.joined(separator: "\n") + "\n" != text)
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: Data((old.joined(separator: "\n") + "\n").utf8))
        }
        try gate.up()
        try gate.importDevices([.laptop("LT-LOG2")])
        let folder = try gate.folder("older")
        let certificate = try gate.enrolled("LT-LOG2", in: folder)
        let serial = try Judge.serial(certificate, in: folder)
        let made = try gate.command(["ledger", "receipt", serial, "--out", folder.file("receipt")])
        try #require(made.status == 0, "\(made)")
        try LogJudge.accept(folder.file("receipt"), of: certificate, from: gate, in: folder)
    }

    @Test("a wrong log section is refused with its line and what to write")
    func wrongConfiguration() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("log-configuration")
        // Of type 4 (C2SP tlog-cosignature), with 32 octets of 09 for a key.
        let witness = "witness.example+a03d0989+BAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ"
        let twice = "{ url: 'http://[::1]:1', key: \(witness) }, { url: 'http://b', key: \(witness) }"
        let faults = [
            ("log: { orign: a }", "unknown key `orign`"), ("log: { origin: 'a b' }", "no name of a log"),
            ("log: { publish: { directories: here } }", "a list is expected"),
            ("log: { quorum: 1 }", "not a number of the witnesses"),
            ("log: { witnesses: [{ url: 'ftp://a', key: b }] }", "no submission prefix"),
            ("log: { witnesses: [{ url: 'https://a', key: b }] }", "no witness's vkey"),
            ("log: { witnesses: [{ url: 'http://a:99999', key: b }] }", "names no host and port"),
            ("log: { witnesses: [{ url: 'http://::1', key: b }] }", "no submission prefix"),
            (
                "log: { witnesses: [{ url: 'https://a', key: \(witness), ca: none.pem }] }",
                "none.pem cannot be read"
            ),
            ("log: { witnesses: [{ url: 'http://a', key: \(witness), ca: none.pem }] }", "`ca` is for https"),
            ("log: { witnesses: [\(twice)] }", "two witnesses are called witness.example"),
            ("database: { host: /tmp, sequenser: a }", "unknown key `sequenser`"),
            (
                "feeds: [{ name: siem, format: ecs, syslog: { host: a, ca: none.pem } }]",
                "none.pem cannot be read"
            ),
        ]
        for (text, fault) in faults {
            let file = try folder.write("instance: gate-1\n\(text)\n", to: "gatehouse.yaml")
            let checked = try gate.command(["config", "check", "--config", file])
            #expect(checked.status == 3, "\(text): \(checked)")
            #expect(checked.messages.contains("gatehouse.yaml:2:"), "\(checked.messages)")
            #expect(checked.messages.contains(fault), "\(checked.messages)")
            #expect(checked.messages.contains("remedy: "))
        }
    }
}
