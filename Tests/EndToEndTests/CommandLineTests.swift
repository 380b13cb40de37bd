import Foundation
import Testing

/// What people and scripts type.
@Suite struct CommandLineTests {
    @Test(arguments: [
        ["nonsense"], ["credential", "mint"], ["device", "list", "--output", "xml"],
        ["request", "why", "no-id"],
        ["credential", "mint", "--service", "laptops", "--device", "X", "--ttl", "soon"],
        ["credential", "mint", "--service", "network-gear", "--device", "X", "--protocol", "acme"],
    ])
    func usage(arguments: [String]) throws {
        let done = try Gate.shared().command(arguments)
        #expect(done.status == 2, "\(done)")
        #expect(done.output == "")
        #expect(done.messages != "")
    }

    @Test(arguments: [
        ["device", "show", "LT-NOBODY"], ["request", "why", "0192f0c4-7b6e-7c3a-9d1e-2f4b6a8c0e12"],
        ["request", "show", "0192f0c4-7b6e-7c3a-9d1e-2f4b6a8c0e12"],
        ["credential", "mint", "--service", "laptops", "--device", "LT-NOBODY"],
        ["credential", "mint", "--service", "nowhere", "--device", "LT-NOBODY"],
        ["device", "import", "/nowhere/devices.jsonl"],
    ])
    func notFound(arguments: [String]) throws {
        let done = try Gate.shared().command(arguments)
        #expect(done.status == 4, "\(done)")
        #expect(done.output == "")
        #expect(done.messages.contains("remedy:"))
    }

    @Test func stateThatIsNone() throws {
        let gate = try Gate.shared()
        let done = try gate.command(["device", "list", "--state", "/nowhere"], withState: false)
        #expect(done.status == 4, "\(done)")
    }

    @Test func policyOfTheRepository() throws {
        let gate = try Gate.shared()
        for verb in ["check", "test"] {
            let done = try gate.command(["policy", verb, Gate.starterBundle], withState: false)
            #expect(done.status == 0, "\(done)")
        }
        let live = try gate.command(["policy", "test", "\(gate.state)/policies"], withState: false)
        #expect(live.status == 0, "\(live)")
    }

    @Test func brokenPolicy() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("broken")
        try FileManager.default.copyItem(atPath: Gate.starterBundle, toPath: folder.file("policies"))
        let rule = folder.file("policies/rules/corp-laptop-client-auth.yaml")
        let text = String(decoding: Data.contents(rule), as: UTF8.self)
        try text.replacingOccurrences(of: "effect: permit", with: "effect: perhaps")
            .write(toFile: rule, atomically: false, encoding: .utf8)
        for verb in ["check", "test"] {
            let done = try gate.command(["policy", verb, folder.file("policies")], withState: false)
            #expect(done.status == 3, "\(done)")
            #expect(done.messages.contains("corp-laptop-client-auth.yaml:"), "\(done.messages)")
        }
    }

    /// A case that does not hold is a negative answer, not a fault of the bundle.
    @Test func failingCase() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("failing")
        try FileManager.default.copyItem(atPath: Gate.starterBundle, toPath: folder.file("policies"))
        let cases = folder.file("policies/rules/network-gear-identity.cases.yaml")
        let text = String(decoding: Data.contents(cases), as: UTF8.self)
        try text.replacingOccurrences(of: "deny: credential.revoked", with: "deny: credential.expired")
            .write(toFile: cases, atomically: false, encoding: .utf8)
        let done = try gate.command(["policy", "test", folder.file("policies")], withState: false)
        #expect(done.status == 1, "\(done)")
        #expect(done.messages.contains("network-gear-identity.cases.yaml:"), "\(done.messages)")
        #expect(done.messages.contains("1 failed"))
    }

    /// A credential on the list, without its secret, from minting to revocation.
    @Test func credentials() throws {
        let gate = try Gate.shared()
        try gate.importDevices([.laptop("LT-C03")])
        let credential = try gate.mint("laptops", "LT-C03", nil, ttl: "2h")
        func state() throws -> String? {
            let done = try gate.command(["credential", "list", "--device", "LT-C03", "--output", "json"])
            #expect(credential.secrets.allSatisfy { !done.output.contains($0) })
            let rows = try JSONSerialization.jsonObject(with: done.data) as? [[String: Any]]
            return rows?.first { $0["id"] as? String == credential.id }?["state"] as? String
        }
        #expect(credential.secrets.count == 3)
        #expect(try state() == "usable")
        let revoked = try gate.command(["credential", "revoke", credential.id, "--reason", "a test"])
        #expect(revoked.status == 0, "\(revoked)")
        #expect(try state() == "revoked")
        let rows = try gate.ledger("SELECT * FROM audit.credentials WHERE credential_id = '\(credential.id)'")
        #expect(rows.first?.text("revoked_why") == "a test")
        #expect(try gate.command(["credential", "revoke", credential.id]).status == 2)
    }

    @Test func configurationAndSchema() throws {
        let gate = try Gate.shared()
        let configuration = try gate.command(["config", "check", "--output", "json"])
        #expect(configuration.status == 0, "\(configuration)")
        #expect(configuration.output.contains("\"database\":\"embedded\""))
        let schema = try gate.command(["db", "status"])
        #expect(schema.status == 0, "\(schema)")
        #expect(try gate.command(["db", "migrate"]).status == 0)
    }

    @Test func badImport() throws {
        let gate = try Gate.shared()
        let file = try gate.folder("import").write("{\"id\":\"LT-C00\"}\n{nonsense\n", to: "devices.jsonl")
        let done = try gate.command(["device", "import", file])
        #expect(done.status == 3, "\(done)")
        #expect(try gate.command(["device", "show", "LT-C00"]).status == 4)
    }

    @Test func formats() throws {
        let gate = try Gate.shared()
        try gate.importDevices([.networkGear("SW-C01")])
        func list(_ format: String) throws -> String {
            let done = try gate.command(["device", "list", "--group", "network-gear", "--output", format])
            #expect(done.status == 0, "\(done)")
            return done.output
        }
        let objects = try JSONSerialization.jsonObject(with: Data(try list("json").utf8)) as? [[String: Any]]
        #expect(objects?.contains { $0["id"] as? String == "SW-C01" } == true)
        let lines = try list("jsonl").split(separator: "\n")
        #expect(lines.count == objects?.count)
        #expect(try list("csv").hasPrefix("id,serial,groups,dns,owner,posture\r\n"))
        #expect(try list("csv").contains("\r\nSW-C01,SN-SW-C01,network-gear,sw-c01.devices.localhost,"))
        #expect(try list("table").split(separator: "\n").first?.hasPrefix("ID") == true)
    }

    @Test func completion() throws {
        let gate = try Gate.shared()
        for shell in ["bash", "zsh", "fish"] {
            let done = try gate.command(["completion", shell], withState: false)
            #expect(done.status == 0 && done.output.contains("gatehouse"), "\(shell)")
            #expect(done.output.contains("cursor-file"), "\(shell)")
            guard shell == "bash" else { continue }
            try Tool.succeed("bash", ["-n"], in: try gate.folder("completion"), input: done.data)
        }
        #expect(try gate.command(["completion", "tcsh"], withState: false).status == 2)
    }

    /// The auditor reads the audit schema and nothing else, and writes nothing.
    @Test(arguments: [
        "DELETE FROM audit.issuance", "INSERT INTO audit.accounts DEFAULT VALUES",
        "SELECT * FROM ledger.request",
        "SELECT * FROM state.record", "CREATE TABLE audit.mine (i int)", "CREATE TEMP TABLE mine (i int)",
        "SELECT 1; DELETE FROM audit.issuance", "SET ROLE gatehouse_owner",
        "COPY audit.issuance TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')", "TRUNCATE ledger.entry",
        "BEGIN; SET TRANSACTION READ WRITE; DELETE FROM ledger.entry; COMMIT",
    ])
    func queriesOnlyRead(sql: String) throws {
        let done = try Gate.shared().command(["ledger", "query", sql])
        #expect(done.status == 1, "\(done)")
        #expect(done.output == "")
    }

    @Test func dictionary() throws {
        let rows = try Gate.shared().ledger("SELECT * FROM audit.dictionary")
        #expect(rows.contains { $0.text("view") == "issuance" && $0.text("column_name") == "policy_sha256" })
        #expect(rows.allSatisfy { $0.text("meaning") != nil })
    }

    /// Why a request was answered as it was, by the id that the device was told.
    @Test func requestWhy() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("why")
        try gate.importDevices([.laptop("LT-C02")])
        let credential = try gate.mint("laptops", "LT-C02", "est")
        let made = try Judge.request(subject: "/CN=LT-OTHER", in: folder)
        let answer = try EST(gate, folder).enrol(made, user: credential.userAndPassword)
        #expect(answer.status == 403)
        let told = String(decoding: answer.body, as: UTF8.self)
        let row = try #require(try gate.issuance(of: "LT-C02").first)
        let request = try #require(row.text("request_id"))
        #expect(told.contains(request), "\(told)")
        let why = try gate.command(["request", "why", request])
        #expect(why.status == 0)
        #expect(why.output.contains("csr.names_differ"), "\(why.output)")
        #expect(why.output.contains("corp-laptop-client-auth"))
        let json = try gate.command(["request", "why", request, "--output", "json"])
        let object = try JSONSerialization.jsonObject(with: json.data) as? [String: Any]
        #expect(object?["state"] as? String == "denied")
        let shown = try gate.command(["request", "show", request, "--output", "json"])
        let entries = try JSONSerialization.jsonObject(with: shown.data) as? [[String: Any]]
        #expect(entries?.compactMap { $0["kind"] as? String }.contains("decision") == true)
        #expect(!shown.output.contains(credential.password ?? "?"))
    }
}
