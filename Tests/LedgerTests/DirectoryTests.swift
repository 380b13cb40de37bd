import Database
import EnrollmentCore
import EnrollmentTesting
import Identity
import Ledger
import Synchronization
import Testing

struct DirectoryTests {
    @Test func devicesAreReplacedWhole() async throws {
        let fixture = try await LedgerFixture()
        let settings = fixture.settings(.writer)
        let directory = PostgresDeviceDirectory(
            writer: BatchingWriter(settings), reader: ReadPool(settings, connections: 1))
        let now = fixture.clock.now()
        var device = DeviceFacts(
            id: try required(DeviceID("LT-042")), serial: "S1", groups: ["b", "a"], dns: ["x.example"],
            email: ["a@b.example"], upn: ["u@b.example"], sid: "S-1-5", owner: "jane",
            posture: [
                PostureFact(source: "intune", status: .compliant, jailbroken: false, observedAt: now),
                PostureFact(source: "edr", status: .unknown, observedAt: nil),
            ])
        try await directory.put([device], at: now, by: "admin")
        #expect(try await directory.facts(for: device.id, at: now) == device)
        device.groups = ["c"]
        device.posture.removeLast()
        try await directory.put([device], at: now, by: "admin")
        #expect(try await directory.facts(for: device.id, at: now) == device)
        #expect(try await directory.list(group: "c", limit: 10) == [device])
        #expect(try await directory.list(group: "a", limit: 10).isEmpty)
        #expect(try await directory.facts(for: try required(DeviceID("LT-1")), at: now) == nil)
        let thief = DeviceFacts(id: try required(DeviceID("LT-666")), serial: "S1")
        await #expect(throws: LedgerError.self) { try await directory.put([thief], at: now, by: "admin") }
    }

    private static func directory(_ fixture: LedgerFixture) -> PostgresDeviceDirectory {
        PostgresDeviceDirectory(
            writer: BatchingWriter(fixture.settings(.writer)),
            reader: ReadPool(fixture.settings(.writer), connections: 1))
    }

    private static func newID(_ fixture: LedgerFixture) -> RequestID {
        RequestID(at: fixture.clock.now(), random: FreshRandom().octets(10))
    }

    /// Devices and what is said of them are there together or not at all.
    @Test func anImportIsRecordedWithItsDevices() async throws {
        let fixture = try await LedgerFixture()
        let directory = Self.directory(fixture)
        let event = AdminEvent(
            at: fixture.clock.now(), actor: "os:jane", action: "device.import", target: "3 devices",
            reason: "test")
        var devices = try (1...3).map {
            DeviceFacts(id: try required(DeviceID("LT-\($0)")), serial: "S\($0)")
        }
        let steps = Mutex<[Int]>([])
        try await directory.put(devices, recording: event, id: Self.newID(fixture)) { done in
            steps.withLock { $0.append(done) }
        }
        #expect(steps.withLock { $0 } == [1, 2, 3])
        #expect(try fixture.count("ledger.admin_event WHERE actor = 'os:jane'") == 1)
        devices = [
            DeviceFacts(id: try required(DeviceID("LT-4"))), DeviceFacts(id: devices[0].id, serial: "S2"),
        ]
        await #expect(throws: LedgerError.self) {
            try await directory.put(devices, recording: event, id: Self.newID(fixture)) { _ in }
        }
        #expect(try fixture.count("directory.device") == 3)
        #expect(try fixture.count("ledger.admin_event") == 1)
    }

    @Test func aChangeIsRecordedWithOldAndNew() async throws {
        let fixture = try await LedgerFixture()
        let directory = Self.directory(fixture)
        let now = fixture.clock.now()
        let device = DeviceFacts(id: try required(DeviceID("LT-1")), groups: ["servers"], owner: "jane")
        try await directory.put([device], at: now, by: "test")
        let change = try DeviceChange(
            values: ["owner": ""], lists: ["groups": ["+corp-laptops", "-servers"]], posture: [], at: now)
        let id = Self.newID(fixture)
        let difference = try required(
            try await directory.set(device.id, change, at: now, by: "os:joe", id: id))
        #expect(difference.fields.map(\.name) == ["groups", "owner"])
        let facts = try required(try await directory.facts(for: device.id, at: now))
        #expect(facts.groups == ["corp-laptops"] && facts.owner == nil)
        let recorded = try Connection(fixture.settings(.auditor)).readText(
            "SELECT actor, action, target, reason FROM admin_events", limit: 9
        ).rows
        // Of whom a device is, that it changed and no more: the event is kept for good.
        #expect(
            recorded == [
                [
                    "os:joe", "device.set", "LT-1",
                    #"{"groups":{"new":["corp-laptops"],"old":["servers"]},"owner":"changed"}"#,
                ]
            ])
        // What is so already is neither written nor recorded.
        let again = try await directory.set(device.id, change, at: now, by: "os:joe", id: Self.newID(fixture))
        #expect(again?.fields.isEmpty == true)
        #expect(try fixture.count("ledger.admin_event") == 1)
        let nobody = try required(DeviceID("LT-9"))
        #expect(try await directory.set(nobody, change, at: now, by: "a", id: Self.newID(fixture)) == nil)
    }

    /// Two changes of one device at once: neither undoes the other.
    @Test func changesAtTheSameTimeAddUp() async throws {
        let fixture = try await LedgerFixture()
        let now = fixture.clock.now()
        let device = DeviceFacts(id: try required(DeviceID("LT-1")))
        try await Self.directory(fixture).put([device], at: now, by: "test")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<8 {
                let directory = Self.directory(fixture)
                group.addTask {
                    let change = try DeviceChange(
                        values: [:], lists: ["groups": ["+g\(index)"]], posture: [], at: now)
                    _ = try await directory.set(
                        device.id, change, at: now, by: "a", id: Self.newID(fixture))
                }
            }
            try await group.waitForAll()
        }
        let facts = try required(try await Self.directory(fixture).facts(for: device.id, at: now))
        #expect(facts.groups.count == 8)
        #expect(try fixture.count("ledger.admin_event") == 8)
    }
}
