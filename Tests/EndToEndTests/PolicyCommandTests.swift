import Foundation
import Testing

/// What security teams type before a change, against what the ledger holds.
@Suite struct PolicyCommandTests {
    private let gate: Gate
    private let folder: Folder

    init() throws {
        gate = try Gate.shared()
        folder = try gate.folder("policy-commands")
    }

    /// A copy of the bundle in force with the first `old` of some of its files replaced by `new`.
    private func candidate(_ paths: String..., old: String, new: String) throws -> String {
        let bundle = folder.fresh("candidate")
        try FileManager.default.copyItem(atPath: "\(gate.state)/policies", toPath: bundle)
        for path in paths {
            let file = "\(bundle)/\(path)"
            let text = String(decoding: Data.contents(file), as: UTF8.self)
            let range = try #require(text.range(of: old), "\(old) is not in \(path)")
            try text.replacingCharacters(in: range, with: new)
                .write(toFile: file, atomically: false, encoding: .utf8)
        }
        return bundle
    }

    /// One laptop that gets a certificate and one that waits for a fresher report.
    private func ask() throws -> (issued: String, deferred: String) {
        var stale = TestDevice.laptop("LT-V02")
        stale.postureAge = 10 * 3_600
        let laptops = [TestDevice.laptop("LT-V01"), stale]
        try gate.importDevices(laptops)
        for (laptop, status) in zip(laptops, [200, 202]) {
            let made = try Judge.request(subject: "/CN=\(laptop.id)", dns: laptop.dns, in: folder)
            let credential = try gate.mint("laptops", laptop.id, "est")
            #expect(try EST(gate, folder).enrol(made, user: credential.userAndPassword).status == status)
        }
        let ids = try laptops.map { try #require(try gate.issuance(of: $0.id).last?.text("request_id")) }
        return (ids[0], ids[1])
    }

    /// The bundle in force gives every recorded decision again, octet for octet; another one is told apart.
    @Test func recordedRequestsAreReplayed() throws {
        let (issued, deferred) = try ask()
        for (id, outcome) in [(issued, "permitted"), (deferred, "deferred")] {
            let account = try gate.command(["policy", "explain", "--request", id])
            #expect(account.status == (outcome == "permitted" ? 0 : 1), "\(account)")
            #expect(account.output.contains("It was \(outcome)"), "\(account)")
            #expect(account.output.contains("the decision is identical"), "\(account)")
        }
        let same = ["policy", "simulate", "--candidate", "\(gate.state)/policies", "--fail-on", "any"]
        let unchanged = try gate.command(same)
        #expect(unchanged.status == 0, "\(unchanged)")
        let rule = "rules/corp-laptop-client-auth.yaml"
        let wider = try candidate(
            rule, "rules/never-jailbroken.yaml", old: "max_age: 4h", new: "max_age: 12h")
        let widened = try gate.command(["policy", "simulate", "--candidate", wider, "--fail-on", "widen"])
        #expect(widened.status == 1 && widened.output.contains("PERMITTED INSTEAD OF DEFERRED"), "\(widened)")
        let shorter = try candidate(rule, old: "at_most: 90d", new: "at_most: 30d")
        let narrowed = try gate.command(["policy", "simulate", "--candidate", shorter, "--fail-on", "widen"])
        #expect(narrowed.status == 0 && narrowed.output.contains("90d"), "\(narrowed)")
        // The same from an export, without a database.
        let export = try gate.command([
            "ledger", "query", "--output", "jsonl",
            "SELECT request, decision FROM requests WHERE device_id = 'LT-V02'",
        ])
        let file = try folder.write(export.output, to: "export.jsonl")
        let offline = try gate.command(
            ["policy", "simulate", "--candidate", wider, "--from", file, "--fail-on", "widen"])
        #expect(offline.status == 1 && offline.output.contains(deferred), "\(offline)")
    }

    /// A finding that must not go into force, a widening, a mutant that nothing notices: each ends in
    /// failure.
    @Test func reviewsFailWhereTheyShould() throws {
        let live = "\(gate.state)/policies"
        let rule = "rules/corp-laptop-client-auth.yaml"
        let never = try candidate(
            rule, old: "device.group: corp-laptops",
            new: "none_of: [{ device.group: corp-laptops }]\n  device.group: corp-laptops")
        let checked = try gate.command(["policy", "check", never], withState: false)
        #expect(checked.status == 3 && checked.messages.contains("\(rule):"), "\(checked)")
        let wider = try candidate(
            rule, "rules/never-jailbroken.yaml", old: "max_age: 4h", new: "max_age: 12h")
        let diff = ["policy", "diff", live, wider]
        #expect(try gate.command(diff, withState: false).status == 0)
        #expect(try gate.command(diff + ["--fail-on", "widen"], withState: false).status == 1)
        #expect(
            try gate.command(["policy", "diff", wider, live, "--fail-on", "widen"], withState: false).status
                == 0)
        let untested = try candidate(
            "rules/contractor-client-auth.cases.yaml", old: "- name: another machine's name",
            new: "- name: another machine's name again")
        let report = folder.fresh("report.xml")
        let mutated = try gate.command(
            ["policy", "test", untested, "--mutate", "--junit", report], withState: false)
        #expect(mutated.status == 0, "\(mutated)")
        #expect(String(decoding: Data.contents(report), as: UTF8.self).contains("<testsuite"))
    }

    /// Pipes into editors and reviews: stable, and all of it on standard output.
    @Test(arguments: [
        ["render"], ["render", "--format", "text"], ["owners", "--output", "json"], ["fmt", "--check"],
        ["schema", "policy-v1"], ["test", "--coverage"],
    ])
    func reads(arguments: [String]) throws {
        let directory = arguments.first == "schema" ? [] : ["\(gate.state)/policies"]
        let done = try gate.command(["policy"] + arguments + directory, withState: false)
        #expect(done.status == 0, "\(done)")
        #expect(done.output.isEmpty == (arguments.first == "fmt"), "\(done)")
    }
}
