import Foundation
import Testing

/// A month that is long over is retired by the command line, and what is left is sound.
@Suite struct RetirementTests {
    /// More than two years after certificates of 90 days have ended.
    private static let age = 1_200 * 86_400

    @Test("a month of long ago is exported, retired once, and the rest still proved")
    func aMonthOfLongAgo() throws {
        let gate = try Gate()
        defer { gate.remove() }
        let folder = try gate.folder("retirement")
        let (old, month) = try enrolLongAgo(gate, in: folder)
        try gate.importDevices([.laptop("LT-NOW")])
        let young = try gate.enrolled("LT-NOW", in: folder)
        let before = try receipt(gate, of: young, in: folder)
        let evidence = folder.file("evidence")
        let exported = try gate.command(["ledger", "export", "--evidence", evidence])
        #expect(exported.status == 0, "\(exported)")
        let archived = folder.file("archived.receipt")
        try taken(gate, of: old, to: archived, in: folder)

        let retire = ["ledger", "retire", "--month", month, "--manifest", "\(evidence)/manifest.json"]
        let trial = try report(gate.command(retire + ["--dry-run", "--output", "json"]))
        let count = try #require(trial["taken"] as? Int)
        #expect(count >= 20 && trial["retired"] as? Bool == false && trial["month"] as? String == month)
        #expect(try gate.issuance(of: "LT-OLD").count == 1, "a trial changes nothing")
        let done = try report(gate.command(retire + ["--yes", "--output", "json"]))
        #expect(done["taken"] as? Int == count && done["retired"] as? Bool == true, "\(done)")
        #expect(done["manifest"] as? String == trial["manifest"] as? String)
        let left = try gate.ledger("SELECT device_id FROM audit.issuance")
        #expect(left.map { $0.text("device_id") } == ["LT-NOW"], "\(left)")
        let acts = try gate.ledger("SELECT to_char(month, 'YYYY-MM') AS month, entries FROM audit.retentions")
        #expect(acts.map { $0.text("month") } == [month] && acts.first?.text("entries") == "\(count)")

        let again = try gate.command(retire + ["--yes"])
        #expect(again.status == 1 && again.messages.contains("\(month) was retired already"), "\(again)")
        #expect(try gate.command(["ledger", "receipt", Judge.serial(old, in: folder)]).status == 4)
        try expectSound(gate, evidence, [(before, young), (archived, old)], in: folder)
        // And the gate goes on.
        try gate.importDevices([.laptop("LT-AFTER")])
        _ = try gate.enrolled("LT-AFTER", in: folder)
    }

    /// Leaves a gate up, by the machine's clock, that was set up long ago and issued then: returns a certificate
    /// of that time, and the month.
    private func enrolLongAgo(_ gate: Gate, in folder: Folder) throws -> (certificate: String, month: String)
    {
        gate.clock = try FakeClock.ago(seconds: Self.age)
        // Its authorities are of then. Its database lives by the machine's clock, and refuses it.
        let refused = try Tool.run(
            Gate.binary, gate.upArguments, in: folder, environment: gate.clock)
        #expect(refused.status == 5 && refused.messages.contains("GH012"), "\(refused)")
        try gate.startPostgres()
        try gate.up()
        let certificate = try liveThroughTheMonth(gate, in: folder)
        let then = try Tool.succeed("date", ["-u", "+%Y-%m"], in: folder, environment: gate.clock).output
        try gate.stop()
        gate.clock = [:]
        try gate.up()
        return (certificate, then.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Of everything that a gateway records, something.
    private func liveThroughTheMonth(_ gate: Gate, in folder: Folder) throws -> String {
        var devices = [TestDevice.laptop("LT-OLD"), .laptop("LT-BAD")]
        for index in devices.indices { devices[index].postureAge += TimeInterval(Self.age) }
        devices[1].posture = "noncompliant"
        let contractors = ["CX-OLD", "CX-WAITS"]
        devices += contractors.map { TestDevice(id: $0, groups: ["contractors"], dns: [], posture: nil) }
        try gate.importDevices(devices)
        let certificate = try gate.enrolled("LT-OLD", in: folder)

        let bad = try Judge.request(subject: "/CN=LT-BAD", in: folder)
        let client = EST(gate, folder)
        let spare = try gate.mint("laptops", "LT-BAD", "est")
        #expect(try client.enrol(bad, user: spare.userAndPassword).status == 403)
        #expect(try client.enrol(bad, user: "\(spare.username ?? ""):wrong").status == 401)
        let revoked = try gate.command(["credential", "revoke", spare.id, "--reason", "lost"])
        #expect(revoked.status == 0, "\(revoked)")
        _ = try gate.mint("laptops", "LT-OLD", "est")

        for contractor in contractors {
            let made = try Judge.request(subject: "/CN=\(contractor)", in: folder)
            let credential = try gate.mint("contractors", contractor, "est").userAndPassword
            let client = EST(gate, folder, service: "contractors")
            #expect(try client.enrol(made, user: credential).status == 202)
            guard contractor == "CX-OLD" else { continue }
            let id = try #require(try gate.issuance(of: contractor).last?.text("request_id"))
            let approved = try gate.command(["approval", "approve", id, "--reason", "order 4711"])
            #expect(approved.status == 0, "\(approved)")
            #expect(try client.enrol(made, user: credential).status == 200)
        }
        let erased = try gate.command(["ledger", "redact", "--device", "LT-OLD", "--reason", "left", "--yes"])
        #expect(erased.status == 0, "\(erased)")
        return certificate
    }

    private func receipt(_ gate: Gate, of certificate: String, in folder: Folder) throws -> String {
        let file = folder.fresh("receipt")
        try taken(gate, of: certificate, to: file, in: folder)
        return file
    }

    /// As soon as a checkpoint has it.
    private func taken(_ gate: Gate, of certificate: String, to file: String, in folder: Folder) throws {
        let serial = try Judge.serial(certificate, in: folder)
        try waitUntil("a receipt of \(serial)", within: 30) {
            try gate.command(["ledger", "receipt", serial, "--out", file]).status == 0
        }
    }

    private func report(_ done: Finished) throws -> [String: Any] {
        #expect(done.status == 0, "\(done)")
        return try #require(try JSONSerialization.jsonObject(with: done.data) as? [String: Any])
    }

    /// The ledger, the export of what went, and receipts from before.
    private func expectSound(
        _ gate: Gate, _ evidence: String, _ receipts: [(file: String, certificate: String)],
        in folder: Folder
    ) throws {
        let key = ["--key", "\(gate.state)/pki/log.vkey"]
        let cases =
            [
                ["database", "--host", "\(gate.state)/run", "--name", "gatehouse"],
                ["export", evidence, "--export-key", "\(gate.state)/pki/export.vkey"],
            ] + receipts.map { ["receipt", $0.file, "--certificate", $0.certificate] }
        for words in cases {
            let judged = try Tool.run(gate.verifier, words + key, in: folder)
            #expect(judged.status == 0, "\(judged)")
        }
        for (file, certificate) in receipts {
            try LogJudge.accept(file, of: certificate, from: gate, in: folder)
        }
    }
}
