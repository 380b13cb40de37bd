import Database
import EnrollmentCore
import EnrollmentTesting
import Identity
import Ledger
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
}
