import Foundation
import Glibc
import Synchronization
import Testing

/// PostgreSQL gone under load, and back again.
@Suite struct OutageTests {
    private struct Stream: Decodable {
        let answers: [Answer]

        struct Answer: Decodable {
            let at: Double
            let status: Int
            let retryAfter, certificates: String?

            private enum CodingKeys: String, CodingKey {
                case at, status, certificates
                case retryAfter = "retry_after"
            }
        }
    }

    @Test(
        "while the ledger is gone nothing is issued and everyone is told to retry; then it resumes by itself")
    func ledgerGoneAndBack() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let streaming = TestDevice.laptop("LT-O-STREAM")
        let waiting = Door.allCases.map { TestDevice.laptop("LT-O-\($0.rawValue)") }
        try gate.importDevices([streaming] + waiting)
        let requester = try Requester(gate, "outage")
        let wishes = try zip(Door.allCases, waiting).map { door, device in
            let minted = try gate.mint("laptops", device.id, door.rawValue)
            return (door, Wish(credential: minted, user: device.id, commonName: device.id, dns: device.dns))
        }
        let stream = try startStream(gate, requester, streaming)
        usleep(1_500_000)

        let process = try gate.endpoints.process
        try gate.postgres(["-m", "immediate", "stop"])
        let asked = Meanwhile(wishes.map { door, wish in { try requester.ask(door, wish) } })
        #expect(try health(gate, requester, "livez") == "200 alive")
        #expect(try health(gate, requester, "readyz").hasPrefix("503 not ready: database"))
        for (reply, door) in zip(try asked.results(), Door.allCases) { expectRetryable(reply, door) }

        try gate.startPostgres()
        try waitUntilReady(gate, requester)
        let issued =
            "SELECT count(*) AS count FROM audit.issuance WHERE state = 'issued' AND device_id LIKE 'LT-O-%'"
        let during = try gate.ledger(issued + " AND device_id <> 'LT-O-STREAM'")
        #expect(during == [["count": "0"]], "nothing was issued during the outage")
        for (door, wish) in wishes {
            let reply = try requester.ask(door, wish)
            #expect(reply.certificate != nil, "\(door): its credential was not lost: \(reply)")
        }
        #expect(try gate.endpoints.process == process)
        #expect(kill(process, 0) == 0, "the gateway was not started anew")
        try requester.folder.write("", to: "enough")
        try expectStream(stream.finish(within: 60))
        #expect(try gate.ledger(issued) == [["count": "4"]])
        #expect(try gate.ledger("SELECT 1 FROM audit.open_issuance").isEmpty)
    }

    /// One request again and again, from four connections: the same answer whenever the ledger can be asked.
    private func startStream(_ gate: Gate, _ requester: Requester, _ device: TestDevice) throws -> Program {
        let credential = try gate.mint("laptops", device.id, "est")
        let spec: [String: Any] = [
            "url": "\(try gate.endpoints.tls)/.well-known/est/laptops/simpleenroll", "root": gate.root,
            "common_name": device.id, "credentials": [[credential.username, credential.password]],
            "threads": 4, "same": true, "until": requester.folder.file("enough"),
        ]
        return try Tool.start(
            "python3", Requester.script("est.py"), in: requester.folder,
            input: try JSONSerialization.data(withJSONObject: spec))
    }

    private func expectStream(_ finished: Finished) throws {
        try #require(finished.status == 0, "\(finished)")
        let answers = try JSONDecoder().decode(Stream.self, from: finished.data).answers
        #expect(Set(answers.map(\.status)) == [200, 503], "every request was answered, and so")
        #expect(answers.filter { $0.status == 503 }.allSatisfy { $0.retryAfter != nil })
        #expect(answers.first?.status == 200)
        #expect(answers.last?.status == 200, "service resumed by itself")
        #expect(Set(answers.compactMap(\.certificates)).count == 1, "one request, one certificate")
    }

    private func expectRetryable(_ reply: Reply, _ door: Door) {
        switch door {
        case .est, .scep: #expect(reply.code == "503", "\(door): \(reply)")
        case .acme: #expect(reply.code == "503 serverInternal", "\(reply)")
        }
        #expect(reply.retryAfter != nil, "\(door): \(reply)")
    }

    /// Status and text of an operational path.
    private func health(_ gate: Gate, _ requester: Requester, _ path: String) throws -> String {
        let url = "\(try gate.endpoints.admin)/\(path)"
        let said = try Tool.succeed(
            "curl", ["-sS", "--max-time", "20", "-w", "%{http_code}", url], in: requester.folder)
        let lines = said.output.components(separatedBy: "\n")
        return "\(lines.last ?? "") \(lines.first ?? "")"
    }

    private func waitUntilReady(_ gate: Gate, _ requester: Requester) throws {
        for _ in 0..<600 {
            if try health(gate, requester, "readyz") == "200 ready" { return }
            usleep(100_000)
        }
        Issue.record("not ready a minute after the database was back")
    }
}

/// Work done side by side on threads of its own; each waits for answers most of its time.
private final class Meanwhile<Value: Sendable>: Sendable {
    private let done: Mutex<[Int: Result<Value, any Error>]> = Mutex([:])
    private let count: Int

    init(_ jobs: [@Sendable () throws -> Value]) {
        count = jobs.count
        for (index, job) in jobs.enumerated() {
            Thread.detachNewThread {
                let result = Result { try job() }
                self.done.withLock { $0[index] = result }
            }
        }
    }

    /// All results in the order of the jobs; waits for them a minute at most.
    func results() throws -> [Value] {
        for _ in 0..<600 where done.withLock({ $0.count }) < count { usleep(100_000) }
        return try (0..<count).map { index in
            guard let result = done.withLock({ $0[index] }) else { throw Trouble("no answer in a minute") }
            return try result.get()
        }
    }
}

/// Programs of the newest PostgreSQL that Debian's packages installed.
enum PostgresPrograms {
    static func path(_ name: String) throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = try FileManager.default.contentsOfDirectory(atPath: root).compactMap { Int($0) }
            .sorted()
        guard let newest = versions.last else { throw Trouble("no PostgreSQL below \(root)") }
        return "\(root)/\(newest)/bin/\(name)"
    }
}
