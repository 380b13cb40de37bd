import Foundation
import Glibc
import Testing

/// A policy that changes while the gateway runs, and one that must not come into force.
@Suite struct PolicyReloadTests {
    private static let rule = "rules/corp-laptop-client-auth.yaml"

    /// An edit decides within seconds, a broken one never; SIGHUP ends nothing.
    @Test func editsOfTheDirectory() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let process = try gate.endpoints.process
        let first = try policy(gate)
        try edit(gate, Self.rule) { Self.retitled($0, "Laptops, first edit") }
        let second = try wait(gate, for: "another policy") { try policy(gate) != first ? policy(gate) : nil }
        #expect(try enrol(gate, "LT-P01") == 200)
        let row = try #require(try gate.issued("LT-P01").first)
        #expect(row.text("policy_sha256") == second)
        #expect(row.text("reason")?.contains("Laptops, first edit") == true, "\(row)")
        #expect(try metrics(gate).contains("gatehouse_policy_info{sha256=\"\(second)\"} 1"))

        try edit(gate, "owners.yaml") { $0 + "nonsense: true\n" }
        let alerts = "SELECT owner, detail FROM audit.alerts WHERE detector = 'policy-refused'"
        let alert = try wait(gate, for: "the alert") { try gate.ledger(alerts).first }
        #expect(alert.text("detail")?.contains("owners.yaml:") == true, "\(alert)")
        #expect(try policy(gate) == second)
        #expect(try enrol(gate, "LT-P02") == 200)
        #expect(try gate.issued("LT-P02").first?.text("policy_sha256") == second)
        #expect(try get(gate, "readyz").status == 200)
        #expect(try metrics(gate).contains("gatehouse_policy_skew 0"))
        #expect(try metrics(gate).contains("gatehouse_policy_directory_refused 1"))

        try edit(gate, "owners.yaml") { $0.replacingOccurrences(of: "nonsense: true\n", with: "") }
        try edit(gate, Self.rule) { Self.retitled($0, "Laptops, second edit") }
        Glibc.kill(process, SIGHUP)
        let third = try wait(gate, for: "a third policy") {
            try policy(gate) != second ? policy(gate) : nil
        }
        #expect(third != first)
        #expect(try enrol(gate, "LT-P03") == 200)
        #expect(try gate.endpoints.process == process && Glibc.kill(process, 0) == 0)
        #expect(try gate.ledger(alerts).count == 1)
        let verdicts = try gate.ledger("SELECT verdict, actor FROM audit.policies ORDER BY recorded_at")
        #expect(
            verdicts.compactMap { $0.text("verdict") } == ["activated", "activated", "refused", "activated"])
        #expect(verdicts.allSatisfy { $0.text("actor")?.hasPrefix("gatehouse gate-") == true }, "\(verdicts)")
    }

    /// `policy activate`: rehearsed, refused, put in force, and back again.
    @Test func activation() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let first = try policy(gate)
        let folder = try gate.folder("activation")
        let bundle = folder.file("bundle")
        try FileManager.default.copyItem(atPath: "\(gate.state)/policies", toPath: bundle)
        let rule = "\(bundle)/\(Self.rule)"
        let original = String(decoding: Data.contents(rule), as: UTF8.self)
        try Self.retitled(original, "Laptops, activated").write(
            toFile: rule, atomically: false, encoding: .utf8)

        let rehearsed = try gate.command(["policy", "activate", bundle, "--dry-run", "--output", "json"])
        #expect(rehearsed.status == 0, "\(rehearsed)")
        #expect(rehearsed.messages.contains("changed  \(Self.rule)"), "\(rehearsed)")
        #expect(try policy(gate) == first)

        let done = try gate.command(["policy", "activate", bundle, "--output", "json"])
        #expect(done.status == 0, "\(done)")
        let second = try policy(gate)
        #expect(second != first && done.output.contains(second))
        _ = try wait(gate, for: "the gateway to follow") {
            try metrics(gate).contains("gatehouse_policy_info{sha256=\"\(second)\"} 1") ? true : nil
        }

        try (original + "nonsense: true\n").write(toFile: rule, atomically: false, encoding: .utf8)
        let refused = try gate.command(["policy", "activate", bundle])
        #expect(refused.status == 3, "\(refused)")
        #expect(refused.messages.contains("\(Self.rule):"), "\(refused)")
        #expect(try policy(gate) == second)
        #expect(try gate.ledger("SELECT 1 AS n FROM audit.policies WHERE verdict = 'refused'").count == 1)

        // The gateway's own directory is superseded by now: an annotation keeps what is in force, and so
        // does a restart.
        try edit(gate, "owners.yaml") { "# annotated\n" + $0 }
        _ = try wait(gate, for: "the verdict") {
            try metrics(gate).contains("gatehouse_policy_activations_total{verdict=\"superseded\"} 1")
                ? true : nil
        }
        #expect(try metrics(gate).contains("gatehouse_policy_directory_refused 1"))
        try edit(gate, "owners.yaml") { $0.replacingOccurrences(of: "# annotated\n", with: "") }
        try gate.stop()
        try gate.up()
        #expect(try policy(gate) == second)
        #expect(try gate.command(["policy", "activate"]).status == 0)
        #expect(try policy(gate) == first)
    }

    /// A start on a broken directory goes on with the ledger's bundle.
    @Test func restartOnABrokenDirectory() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let first = try policy(gate)
        try gate.stop()
        try edit(gate, "owners.yaml") { $0 + "nonsense: true\n" }
        try gate.up()
        #expect(try policy(gate) == first)
        #expect(try get(gate, "readyz").status == 200)
        #expect(try enrol(gate, "LT-P04") == 200)
        #expect(
            try gate.ledger("SELECT 1 AS n FROM audit.alerts WHERE detector = 'policy-refused'").count == 1)
    }

    /// A first start without any good bundle denies everything, says so, and recovers by itself.
    @Test func noGoodBundleAnywhere() throws {
        let gate = try Gate()
        defer { gate.remove() }
        let folder = try gate.folder("starter")
        let starter = folder.file("policies")
        try FileManager.default.copyItem(atPath: Gate.starterBundle, toPath: starter)
        let owners = "\(starter)/owners.yaml"
        let good = String(decoding: Data.contents(owners), as: UTF8.self)
        try (good + "nonsense: true\n").write(toFile: owners, atomically: false, encoding: .utf8)
        let arguments = gate.upArguments.map { $0 == Gate.starterBundle ? starter : $0 }
        let program = try Tool.start(Gate.binary, arguments, in: folder)
        defer {
            program.signal(SIGINT)
            if program.wait(within: 30) == nil { program.signal(SIGKILL) }
        }
        let endpoints = try wait(gate, for: "the endpoints") {
            try? JSONDecoder().decode(
                Gate.Endpoints.self, from: .contents("\(gate.state)/run/endpoints.json"))
        }
        let client = EST(gate, folder)
        let unready = try client.curl(["\(endpoints.admin)/readyz"])
        #expect(unready.status == 503)
        #expect(String(decoding: unready.body, as: UTF8.self).contains("policy"), "\(unready)")
        #expect(try client.curl(["\(endpoints.admin)/livez"]).status == 200)
        try edit(gate, "owners.yaml") { $0.replacingOccurrences(of: "nonsense: true\n", with: "") }
        _ = try wait(gate, for: "readiness") {
            try client.curl(["\(endpoints.admin)/readyz"]).status == 200 ? true : nil
        }
    }

    // MARK: What the tests share

    /// The digest that the ledger says is in force.
    private func policy(_ gate: Gate) throws -> String {
        let rows = try gate.ledger("SELECT policy_sha256 FROM audit.policies WHERE in_force")
        return try #require(rows.first?.text("policy_sha256"))
    }

    private func enrol(_ gate: Gate, _ device: String) throws -> Int {
        let folder = try gate.folder(device)
        try gate.importDevices([.laptop(device)])
        let made = try Judge.request(subject: "/CN=\(device)", in: folder)
        let credential = try gate.mint("laptops", device, "est")
        return try EST(gate, folder).enrol(made, user: credential.userAndPassword).status
    }

    private func get(_ gate: Gate, _ path: String) throws -> EST.Answer {
        try EST(gate, try gate.folder(path)).curl(["\(try gate.endpoints.admin)/\(path)"])
    }

    private func metrics(_ gate: Gate) throws -> String {
        String(decoding: try get(gate, "metrics").body, as: UTF8.self)
    }

    /// Edits a file of the live bundle in place.
    private func edit(_ gate: Gate, _ file: String, _ change: (String) -> String) throws {
        let path = "\(gate.state)/policies/\(file)"
        let text = String(decoding: Data.contents(path), as: UTF8.self)
        try change(text).write(toFile: path, atomically: false, encoding: .utf8)
    }

    private static func retitled(_ rule: String, _ title: String) -> String {
        rule.components(separatedBy: "\n").map { $0.hasPrefix("title: ") ? "title: \(title)" : $0 }
            .joined(separator: "\n")
    }

    /// Asks until there is an answer, for as long as replicas may take to converge, and a little more for a
    /// busy computer.
    private func wait<Value>(_ gate: Gate, for what: String, _ body: () throws -> Value?) throws -> Value {
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while ContinuousClock.now < deadline {
            if let value = try body() { return value }
            usleep(200_000)
        }
        let log = String(decoding: Data.contents(gate.logFile).suffix(2_000), as: UTF8.self)
        throw Trouble("waited in vain for \(what): \(log)")
    }
}
