import Foundation
import Testing

/// Months that are long over are retired by the command line, and what is left is sound.
@Suite struct RetirementTests {
    /// The middle of a month so long ago that its certificates have ended more than two years since.
    private struct OldMonth {
        /// Year and month, e.g. `2023-01`.
        let name: String
        /// Seconds.
        let age: Int

        init(monthsAgo: Int) throws {
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = .gmt
            let now = Date()
            let month = try #require(calendar.date(byAdding: .month, value: -monthsAgo, to: now))
            var parts = calendar.dateComponents([.year, .month], from: month)
            name = String(format: "%04d-%02d", parts.year ?? 0, parts.month ?? 0)
            (parts.day, parts.hour) = (15, 12)
            age = Int(now.timeIntervalSince(try #require(calendar.date(from: parts))))
        }
    }

    @Test("months of long ago are exported, retired once, and the rest still proved")
    func monthsOfLongAgo() throws {
        let gate = try Gate()
        defer { gate.remove() }
        let folder = try gate.folder("retirement")
        let months = try [OldMonth(monthsAgo: 40), OldMonth(monthsAgo: 39)]
        let old = try liveThrough(months, gate, in: folder)
        try gate.importDevices([.laptop("LT-NOW")])
        let certificates = old + [try gate.enrolled("LT-NOW", in: folder)]
        let receipts = try certificates.map { try receipt(of: $0, from: gate, in: folder) }
        let evidence = folder.file("evidence")
        let exported = try gate.command(["ledger", "export", "--evidence", evidence])
        #expect(exported.status == 0, "\(exported)")

        for month in months { try expectRetired(month, by: "\(evidence)/manifest.json", gate) }
        #expect(try gate.ledger("SELECT device_id FROM audit.issuance") == [["device_id": "LT-NOW"]])
        for certificate in old {
            let absent = try gate.command(["ledger", "receipt", Judge.serial(certificate, in: folder)])
            #expect(absent.status == 4, "\(absent)")
        }
        try expectAccounted(certificates, gate, evidence, in: folder)
        try expectSound(gate, evidence, Array(zip(receipts, certificates)), in: folder)
        try expectDropped(months[1], by: "\(evidence)/manifest.json", gate)
        try expectSound(gate, evidence, Array(zip(receipts, certificates)), in: folder)
        try expectLife(gate, in: folder)
    }

    // MARK: Long ago

    /// Leaves a gate up, by the machine's clock, that was set up long ago and has issued since; returns its
    /// laptops' certificates.
    private func liveThrough(_ months: [OldMonth], _ gate: Gate, in folder: Folder) throws -> [String] {
        var certificates: [String] = []
        for (number, month) in months.enumerated() {
            gate.clock = try FakeClock.ago(seconds: month.age)
            if number == 0 {
                // Its authorities are of then. Its database lives by the machine's clock, and refuses it.
                let refused = try Tool.run(
                    Gate.binary, gate.upArguments, in: folder, environment: gate.clock)
                #expect(refused.status == 5 && refused.messages.contains("GH012"), "\(refused)")
            }
            try gate.startPostgres()
            // Made anew, the months of its partitions are those of then.
            if number == 0 { try gate.superuser("DROP DATABASE gatehouse", database: "postgres") }
            try gate.up()
            certificates.append(try live(in: month, number, gate, in: folder))
            try gate.stop()
        }
        gate.clock = [:]
        try gate.up()
        return certificates
    }

    /// Of everything that a gateway records, something.
    private func live(in month: OldMonth, _ number: Int, _ gate: Gate, in folder: Folder) throws -> String {
        let (good, poor) = ("LT-OLD\(number)", "LT-BAD\(number)")
        var devices = [TestDevice.laptop(good), .laptop(poor)]
        for index in devices.indices { devices[index].postureAge += TimeInterval(month.age) }
        devices[1].posture = "noncompliant"
        let contractors = ["CX-OLD\(number)", "CX-WAITS\(number)"]
        devices += contractors.map { TestDevice(id: $0, groups: ["contractors"], dns: [], posture: nil) }
        try gate.importDevices(devices)
        let certificate = try gate.enrolled(good, in: folder)

        let bad = try Judge.request(subject: "/CN=\(poor)", in: folder)
        let client = EST(gate, folder)
        let spare = try gate.mint("laptops", poor, "est")
        #expect(try client.enrol(bad, user: spare.userAndPassword).status == 403)
        #expect(try client.enrol(bad, user: "\(spare.username ?? ""):wrong").status == 401)
        let revoked = try gate.command(["credential", "revoke", spare.id, "--reason", "lost"])
        #expect(revoked.status == 0, "\(revoked)")
        _ = try gate.mint("laptops", good, "est")

        for contractor in contractors {
            let made = try Judge.request(subject: "/CN=\(contractor)", in: folder)
            let credential = try gate.mint("contractors", contractor, "est").userAndPassword
            let client = EST(gate, folder, service: "contractors")
            #expect(try client.enrol(made, user: credential).status == 202)
            guard contractor == contractors[0] else { continue }
            let id = try #require(try gate.issuance(of: contractor).last?.text("request_id"))
            let approved = try gate.command(["approval", "approve", id, "--reason", "order 4711"])
            #expect(approved.status == 0, "\(approved)")
            #expect(try client.enrol(made, user: credential).status == 200)
        }
        // A redaction stays for good, and its partition with it.
        guard number == 0 else { return certificate }
        let erased = try gate.command(["ledger", "redact", "--device", good, "--reason", "left", "--yes"])
        #expect(erased.status == 0, "\(erased)")
        return certificate
    }

    // MARK: Now

    /// As soon as a checkpoint has it.
    private func receipt(of certificate: String, from gate: Gate, in folder: Folder) throws -> String {
        let file = folder.fresh("receipt")
        let serial = try Judge.serial(certificate, in: folder)
        try waitUntil("a receipt of \(serial)", within: 30) {
            try gate.command(["ledger", "receipt", serial, "--out", file]).status == 0
        }
        return file
    }

    private func retire(_ month: OldMonth, by manifest: String, _ gate: Gate, _ act: String) throws
        -> Finished
    {
        try gate.command([
            "ledger", "retire", "--month", month.name, "--manifest", manifest, act, "--output", "json",
        ])
    }

    private func expectRetired(_ month: OldMonth, by manifest: String, _ gate: Gate) throws {
        let requests = "SELECT count(*)::text AS n FROM audit.issuance"
        let before = try gate.ledger(requests)
        let trial = try report(retire(month, by: manifest, gate, "--dry-run"))
        let count = try #require(trial["taken"] as? Int)
        #expect(count >= 20 && trial["retired"] as? Bool == false && trial["month"] as? String == month.name)
        #expect(try gate.ledger(requests) == before, "a trial changes nothing")
        let done = try report(retire(month, by: manifest, gate, "--yes"))
        #expect(done["taken"] as? Int == count && done["retired"] as? Bool == true, "\(done)")
        #expect(done["manifest"] as? String == trial["manifest"] as? String)
        let acts = try gate.ledger(
            "SELECT entries FROM audit.retentions WHERE to_char(month, 'YYYY-MM') = '\(month.name)'")
        #expect(acts == [["entries": "\(count)"]])
        let again = try retire(month, by: manifest, gate, "--yes")
        #expect(again.status == 1 && again.messages.contains("\(month.name) was retired already"), "\(again)")
    }

    /// Once vacuum has emptied its file, the partition of a month goes at the next act, even one refused.
    private func expectDropped(_ month: OldMonth, by manifest: String, _ gate: Gate) throws {
        let name = "ledger.entry_" + month.name.replacing("-", with: "_")
        let isThere = "SELECT to_regclass('\(name)') IS NOT NULL"
        #expect(try gate.superuser(isThere) == "t")
        try waitUntil("\(name) is dropped", within: 60) {
            try gate.superuser("VACUUM \(name)")
            #expect(try retire(month, by: manifest, gate, "--yes").status == 1)
            return try gate.superuser(isThere) == "f"
        }
    }

    /// Certificates of months that are gone are no rogue ones, and their export has them.
    private func expectAccounted(
        _ certificates: [String], _ gate: Gate, _ evidence: String, in folder: Folder
    ) throws {
        let bundle = try folder.write(Data(certificates.flatMap { Data.contents($0) }), to: "met.pem")
        let done = try gate.command(["ledger", "reconcile", "--ca", bundle, "--output", "json"])
        let rows = try #require(try JSONSerialization.jsonObject(with: done.data) as? [[String: String]])
        #expect(done.status == 0 && rows.map { $0["finding"] } == ["retired", "retired"], "\(done)")
        #expect(done.messages.contains("1 on the ledger, 2 of retired months, "), "\(done)")
        for row in rows {
            let digest = try #require(row["certificate_sha256"])
            #expect(row["alert"] == "none")
            try Tool.succeed("grep", ["-rq", digest, evidence], in: folder)
        }
        #expect(try gate.ledger("SELECT 1 FROM audit.alerts WHERE detector = 'rogue-certificate'").isEmpty)
    }

    private func report(_ done: Finished) throws -> [String: Any] {
        #expect(done.status == 0, "\(done)")
        return try #require(try JSONSerialization.jsonObject(with: done.data) as? [String: Any])
    }

    /// Whoever goes through the log from its beginning gets to its end, and the gate goes on.
    private func expectLife(_ gate: Gate, in folder: Folder) throws {
        try gate.stop()
        let feed = "{ name: copy, format: ecs, file: \(gate.state)/run/feed.jsonl }"
        let configuration = String(decoding: Data.contents("\(gate.state)/gatehouse.yaml"), as: UTF8.self)
        try Data((configuration + "\nfeeds: [\(feed)]\n").utf8)
            .write(to: URL(fileURLWithPath: "\(gate.state)/gatehouse.yaml"))
        try gate.up()
        try gate.importDevices([.laptop("LT-AFTER")])
        let certificate = try gate.enrolled("LT-AFTER", in: folder)
        let receipt = try receipt(of: certificate, from: gate, in: folder)
        try waitUntil("the feed has come to the end", within: 30) {
            let lines = String(decoding: Data.contents("\(gate.state)/run/feed.jsonl"), as: UTF8.self)
            return lines.contains("LT-AFTER") && lines.contains("LT-NOW") && !lines.contains("LT-OLD")
        }
        let tail = try gate.command(["ledger", "tail", "-n", "10000", "--format", "jsonl"])
        #expect(tail.status == 0 && tail.output.contains("LT-NOW"), "\(tail)")
        let evidence = folder.file("evidence-after")
        let exported = try gate.command(["ledger", "export", "--evidence", evidence])
        #expect(exported.status == 0, "\(exported)")
        try expectSound(gate, evidence, [(receipt, certificate)], in: folder)
        let replay = ["--candidate", Gate.starterBundle, "--since", "2000d", "--fail-on", "any"]
        let again = try gate.command(["policy", "simulate"] + replay)
        #expect(again.status == 0, "\(again)")
    }

    /// The ledger, the export of what went, and receipts from before.
    private func expectSound(
        _ gate: Gate, _ evidence: String, _ receipts: [(String, String)], in folder: Folder
    ) throws {
        let key = ["--key", "\(gate.state)/pki/log.vkey"]
        let cases =
            [
                ["database", "--host", "\(gate.state)/run", "--name", "gatehouse"],
                ["export", evidence, "--export-key", "\(gate.state)/pki/export.vkey"],
            ] + receipts.map { ["receipt", $0, "--certificate", $1] }
        for words in cases {
            let judged = try Tool.run(gate.verifier, words + key, in: folder)
            #expect(judged.status == 0, "\(judged)")
        }
        for (file, certificate) in receipts {
            try LogJudge.accept(file, of: certificate, from: gate, in: folder)
        }
    }
}
