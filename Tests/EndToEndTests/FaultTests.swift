import EnrollmentTesting
import Foundation
import Glibc
import Testing

/// What breaks below a gateway at work: nobody gets a certificate that is not on the ledger, clients are
/// told to retry, and service resumes by itself.
@Suite(.serialized) struct FaultTests {
    private static let site = Result { try ReplicaSite(["gate-f"]) }

    @Test("connections cut in the middle of transactions")
    func connectionsLost() throws {
        let site = try Self.site.get()
        let answers = try underLoad(site, "CUT") { isDone in
            for _ in 0..<200 where !isDone() {
                _ = try site.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        + "WHERE usename = 'gatehouse_writer'"
                )
                usleep(20_000)
            }
        }
        #expect(answers.contains { $0.status == 200 })
    }

    @Test("PostgreSQL crashes and comes back under load")
    func databaseRestarted() throws {
        let site = try Self.site.get()
        let process = try site.gate.endpoints.process
        _ = try underLoad(site, "RESTART") { _ in
            usleep(200_000)
            try site.cluster.stop(immediate: true)
            usleep(300_000)
            try site.cluster.start()
        }
        #expect(try site.gate.endpoints.process == process)
        #expect(kill(process, 0) == 0, "the gateway was not started anew")
    }

    @Test("the database server's disk is full, and has room again")
    func diskFull() throws {
        let site = try ReplicaSite(
            ["gate-d"], settings: ["max_wal_size=32MB", "min_wal_size=32MB"], disk: 250)
        defer { site.remove() }
        let gate = try site.gate
        let made = try load(gate, "FULL", credentials: 40)
        let balloon = site.cluster.dataDirectory + "/balloon"
        // Whoever is root may also use what is kept back for root; a tmpfs keeps nothing back.
        let filled = try Tool.run("dd", ["if=/dev/zero", "of=\(balloon)", "bs=8k"], in: gate.directory)
        #expect(filled.messages.contains("No space left"), "\(filled)")

        let answers = try Crowd.answers(
            of: Crowd.start(
                gate, gate.folder("full"), name: nil, made.credentials, ["count": 40, "threads": 4]))
        #expect(Set(answers.map(\.status)).isSubset(of: [200, 503]), "\(answers.map(\.status))")
        #expect(answers.contains { $0.status == 503 && $0.retryAfter != nil }, "the disk was never full")
        try expectOnLedgerSoon(site, answers, made.prefix) {
            unlink(balloon)
            // Without room for its log PostgreSQL may have ended; its service manager starts it again.
            if (try? site.sql("SELECT 1")) == nil { try? site.cluster.start() }
        }
        let log = String(decoding: Data.contents(gate.logFile), as: UTF8.self)
        #expect(log.contains("ledger out of reach"), "the log says why requests were not served")
        try expectService(gate, "FULL-AFTER")
    }

    @Test("the gateway's clock jumps back an hour, and is set right")
    func clockJumpsBack() throws {
        let gate = try Gate()
        defer { gate.remove() }
        let file = try gate.directory.write("+0\n", to: "clock")
        chmod(file, 0o644)
        try gate.up(environment: try FakeClock.offset(in: file))
        try expectService(gate, "CLOCK-BEFORE")
        try gate.directory.write("-3600s\n", to: "clock")
        let device = TestDevice.laptop("LT-F-CLOCK")
        try gate.importDevices([device])
        let credential = try gate.mint("laptops", device.id, "est")
        try waitUntil("the gateway notices", within: 60) { try health(gate, "readyz").hasPrefix("503") }
        #expect(try health(gate, "readyz").contains("database"))
        let requester = try Requester(gate, "clock")
        let wish = Wish(credential: credential, user: device.id, commonName: device.id, dns: device.dns)
        let refused = try requester.ask(.est, wish)
        #expect(refused.code == "503", "\(refused)")
        #expect(refused.certificate == nil)
        #expect(try gate.issued(device.id).isEmpty)
        try gate.directory.write("+0\n", to: "clock")
        try waitUntil("ready by itself", within: 60) { try health(gate, "readyz").hasPrefix("200") }
        let issued = try requester.ask(.est, wish)
        #expect(issued.certificate != nil, "its credential was not lost: \(issued)")
    }

    // MARK: Load

    private func load(_ gate: Gate, _ name: String, credentials count: Int) throws
        -> (prefix: String, credentials: [MintedCredential])
    {
        let devices = (0..<count).map { TestDevice.laptop("LT-F-\(name)-\($0)") }
        try gate.importDevices(devices)
        return ("LT-F-\(name)-", try devices.map { try gate.mint("laptops", $0.id, "est") })
    }

    /// Forty devices enrol while something happens; all are answered, and all that was received is on the
    /// ledger.
    private func underLoad(
        _ site: ReplicaSite, _ name: String, _ fault: (_ isDone: () -> Bool) throws -> Void
    ) throws -> [Crowd.Answer] {
        let gate = try site.gate
        let made = try load(gate, name, credentials: 40)
        let program = try Crowd.start(
            gate, gate.folder("load"), name: nil, made.credentials, ["count": 40, "threads": 4])
        try fault { !Data.contents(program.outputFile).isEmpty }
        let answers = try Crowd.answers(of: program)
        #expect(answers.count == 40)
        #expect(Set(answers.map(\.status)).isSubset(of: [200, 503]), "\(answers.map(\.status))")
        #expect(answers.filter { $0.status == 503 }.allSatisfy { $0.retryAfter != nil })
        try expectOnLedgerSoon(site, answers, made.prefix) {}
        try expectService(gate, "\(name)-AFTER")
        return answers
    }

    /// Waits until the gateway is ready again, with `mend` called meanwhile, and looks for what was received.
    private func expectOnLedgerSoon(
        _ site: ReplicaSite, _ answers: [Crowd.Answer], _ prefix: String, mend: () -> Void
    ) throws {
        let gate = try site.gate
        try waitUntil("ready by itself", within: 30) {
            mend()
            return try health(gate, "readyz") == "200 ready"
        }
        let folder = try gate.folder("received")
        let issued = try gate.ledger(
            "SELECT serial FROM audit.issuance WHERE state = 'issued' AND device_id LIKE '\(prefix)%'")
        let known = Set(issued.compactMap { $0.text("serial") })
        for answer in answers.compactMap(\.certificates) {
            let reply = EST.Answer(status: 200, headers: [:], body: Data(answer.utf8))
            let pem = try String(contentsOfFile: try reply.certificate(in: folder), encoding: .utf8)
            #expect(known.contains(try CrashTests.serial(pem, in: folder)), "received and not on the ledger")
        }
    }

    private func expectService(_ gate: Gate, _ name: String) throws {
        let device = TestDevice.laptop("LT-F-\(name)")
        try gate.importDevices([device])
        let credential = try gate.mint("laptops", device.id, "est")
        let wish = Wish(credential: credential, user: device.id, commonName: device.id, dns: device.dns)
        let reply = try Requester(gate, name).ask(.est, wish)
        #expect(reply.certificate != nil, "\(reply)")
    }

    /// Status and text of an operational path.
    private func health(_ gate: Gate, _ path: String) throws -> String {
        let url = "\(try gate.endpoints.admin)/\(path)"
        let said = try Tool.run(
            "curl", ["-sS", "--max-time", "20", "-w", "%{http_code}", url], in: try gate.folder("health"))
        let lines = said.output.components(separatedBy: "\n")
        return "\(lines.last ?? "") \(lines.first ?? "")"
    }
}
