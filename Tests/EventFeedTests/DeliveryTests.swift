import EventFeed
import Foundation
import Synchronization
import Testing

@Suite(.serialized) struct DeliveryTests {
    @Test func rsyslogReceivesEveryEventWellFormedAlsoWhenItIsKilled() async throws {
        let fixture = try FeedFixture()
        defer { fixture.remove() }
        let server = try SyslogServer(in: fixture.folder, name: "siem.test")
        try server.start()
        defer { server.kill() }
        try await fixture.record(40)
        let delivery = fixture.deliver("siem", to: receiver(server, "siem.test"))
        defer { delivery.cancel() }
        #expect(try await eventually { Set(fixture.sequences(server.output)).count >= 10 })
        server.kill()
        try await fixture.record(40)
        try await Task.sleep(for: .seconds(1))
        try server.start()
        #expect(try await eventually { Set(fixture.sequences(server.output)) == Set(0..<80) })
        #expect(try await eventually { try fixture.position("siem") == 80 })
        let lines = try String(contentsOf: server.output, encoding: .utf8).split(separator: "\n")
        for line in lines {
            #expect(line.hasPrefix("109 1 gw-1 gatehouse admin {\"@timestamp\""))
            #expect(line.hasSuffix("}"))
        }
    }

    /// What a receiver that is not ours took over TLS is still what the schemas want.
    @Test(arguments: EventFormat.allCases)
    func everyFormatArrivesWhole(_ format: EventFormat) async throws {
        let fixture = try FeedFixture()
        defer { fixture.remove() }
        let server = try SyslogServer(in: fixture.folder, name: "siem.test")
        try server.start()
        defer { server.kill() }
        try await fixture.record(20)
        let delivery = fixture.deliver("siem", to: receiver(server, "siem.test"), format: format)
        defer { delivery.cancel() }
        #expect(try await eventually { try fixture.position("siem") == 20 })
        #expect(
            try await eventually {
                try String(contentsOf: server.output, encoding: .utf8).count { $0 == "\n" } >= 20
            })
        let head = "109 1 gw-1 gatehouse admin "
        let lines = try String(contentsOf: server.output, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 20 && lines.allSatisfy { $0.hasPrefix(head) })
        let events = lines.map { "\(format.rawValue) \($0.dropFirst(head.count))" }
        #expect(Set(events).count == 20)
        let said = try FormatJudge.verdict(on: events)
        #expect(said == "20 valid\n", "\(said) \(events[0])")
    }

    @Test func aFeederKilledBeforeItsCursorMovedMakesDuplicatesOnly() async throws {
        let fixture = try FeedFixture()
        defer { fixture.remove() }
        let server = try SyslogServer(in: fixture.folder, name: "siem.test")
        try server.start()
        defer { server.kill() }
        try await fixture.record(20)
        let first = fixture.deliver("siem", to: receiver(server, "siem.test"), settling: .seconds(600))
        #expect(try await eventually { fixture.sequences(server.output).count == 20 })
        first.cancel()
        #expect(try fixture.position("siem") == 0)
        let second = fixture.deliver("siem", to: receiver(server, "siem.test"), gateway: "gw-2")
        defer { second.cancel() }
        #expect(try await eventually { fixture.sequences(server.output).count == 40 })
        #expect(fixture.sequences(server.output) == Array(0..<20) + Array(0..<20))
    }

    @Test(arguments: ["another name", "another authority"])
    func aReceiverThatIsNotTheOneExpectedGetsNothing(_ fault: String) async throws {
        let fixture = try FeedFixture()
        defer { fixture.remove() }
        let server = try SyslogServer(in: fixture.folder, name: "siem.test")
        try server.start()
        defer { server.kill() }
        try await fixture.record(5)
        let failures = Atomic<Int64>(0)
        let destination =
            fault == "another name"
            ? receiver(server, "other.test")
            : .syslog(SyslogReceiver(host: "127.0.0.1", port: server.port, serverName: "siem.test"))
        let delivery = fixture.deliver("siem", to: destination) { report in
            failures.store(report.failures, ordering: .relaxed)
        }
        #expect(try await eventually { failures.load(ordering: .relaxed) >= 3 })
        delivery.cancel()
        #expect(try fixture.position("siem") == 0)
        #expect(fixture.sequences(server.output).isEmpty)
        // The same server is there and takes what is meant for it.
        let right = fixture.deliver("siem", to: receiver(server, "siem.test"))
        defer { right.cancel() }
        #expect(try await eventually { fixture.sequences(server.output).count == 5 })
    }

    @Test func oneOfTwoGatewaysDelivers() async throws {
        let fixture = try FeedFixture()
        defer { fixture.remove() }
        let file = fixture.folder.appendingPathComponent("feed.jsonl")
        try Data("{\"cut".utf8).write(to: file)
        let deliveries = ["gw-1", "gw-2"].map {
            fixture.deliver("copy", to: .file(path: file.path), gateway: $0)
        }
        for _ in 0..<3 { try await fixture.record(10) }
        #expect(try await eventually { try fixture.position("copy") == 30 })
        #expect(fixture.sequences(file) == Array(0..<30))
        #expect(try String(contentsOf: file, encoding: .utf8).hasPrefix("{\"cut\n"))
        for delivery in deliveries { delivery.cancel() }
    }

    @Test func aFeedThatNeverDeliveredSaysHowFarItIsBehind() async throws {
        let fixture = try FeedFixture()
        defer { fixture.remove() }
        try await fixture.record(7)
        let behind = Atomic<Int64>(0)
        let failures = Atomic<Int64>(0)
        // A folder where the file should be.
        let delivery = fixture.deliver("copy", to: .file(path: fixture.folder.path)) { report in
            behind.store(report.behind, ordering: .relaxed)
            failures.store(report.failures, ordering: .relaxed)
        }
        defer { delivery.cancel() }
        #expect(try await eventually { failures.load(ordering: .relaxed) >= 2 })
        #expect(behind.load(ordering: .relaxed) == 7)
        try await fixture.record(3)
        #expect(try await eventually { behind.load(ordering: .relaxed) == 10 })
    }

    @Test func aFileGetsItsFolder() async throws {
        let fixture = try FeedFixture()
        defer { fixture.remove() }
        let file = fixture.folder.appendingPathComponent("feeds/copy.jsonl")
        try await fixture.record(3)
        let delivery = fixture.deliver("copy", to: .file(path: file.path))
        defer { delivery.cancel() }
        #expect(try await eventually { fixture.sequences(file) == [0, 1, 2] })
        let folder = try FileManager.default.attributesOfItem(atPath: file.deletingLastPathComponent().path)
        #expect(folder[.posixPermissions] as? Int == 0o700)
    }

    private func receiver(_ server: SyslogServer, _ name: String) -> FeedDestination {
        .syslog(
            SyslogReceiver(
                host: "127.0.0.1", port: server.port, serverName: name, trustAnchors: server.trustAnchors))
    }
}
