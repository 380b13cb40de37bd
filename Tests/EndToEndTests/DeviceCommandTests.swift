import Foundation
import Testing

/// What administrators do to the device directory.
@Suite struct DeviceCommandTests {
    private static let header = "id,groups,dns,owner,posture_source,posture_status,posture_jailbroken"

    private func shown(_ gate: Gate, _ device: String) throws -> [String: Any] {
        let done = try gate.command(["device", "show", device, "--output", "json"])
        return try #require(try JSONSerialization.jsonObject(with: done.data) as? [String: Any])
    }

    @Test func aTableIsImported() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("table")
        let file = try folder.write(
            """
            \(Self.header)\r
            LT-T01,corp-laptops;pilots,LT-T01.devices.localhost,"Roe, J",intune;edr,compliant;unknown,false;\r

            """, to: "devices.csv")
        let dry = try gate.command(["device", "import", file, "--dry-run"])
        #expect(dry.status == 0 && dry.messages.contains("1 devices"), "\(dry)")
        let done = try gate.command(["device", "import", file])
        #expect(done.status == 0 && done.output == "", "\(done)")
        // No bar where there is no terminal.
        #expect(done.messages == "imported 1 devices\n")
        let device = try shown(gate, "LT-T01")
        #expect(device["groups"] as? [String] == ["corp-laptops", "pilots"])
        #expect(device["owner"] as? String == "Roe, J")
        #expect((device["posture"] as? [Any])?.count == 2)
    }

    @Test(arguments: [
        ("id,gruops\nLT-T02,x\n", "1: unknown column \"gruops\": did you mean groups?"),
        ("id,dns\nLT-T02,a.example\nLT-T03,a..b\n", "3: dns holds a name that is none: a..b"),
    ])
    func aTableIsImportedWholeOrNotAtAll(_ text: String, _ problem: String) throws {
        let gate = try Gate.shared()
        let file = try gate.folder("bad-table").write(text, to: "devices.txt")
        let done = try gate.command(["device", "import", file, "--format", "csv"])
        #expect(done.status == 3 && done.messages.contains("devices.txt:\(problem)"), "\(done)")
        #expect(try gate.command(["device", "show", "LT-T02"]).status == 4)
    }

    @Test func whatIsNamedIsSet() throws {
        let gate = try Gate.shared()
        try gate.importDevices([.laptop("LT-T04")])
        let change = [
            "device", "set", "LT-T04", "--group", "-corp-laptops", "--group", "+pilots", "--owner", "",
            "--posture", "source=edr,status=compliant,jailbroken=false,observed_at=now", "--output", "json",
        ]
        let dry = try gate.command(change + ["--dry-run"])
        #expect(dry.status == 0 && dry.messages == "would change 3 facts of LT-T04\n", "\(dry)")
        #expect(try shown(gate, "LT-T04")["groups"] as? [String] == ["corp-laptops"])
        let done = try gate.command(change)
        #expect(done.status == 0 && done.messages == "changed 3 facts of LT-T04\n", "\(done)")
        let rows = try JSONSerialization.jsonObject(with: done.data) as? [[String: Any]]
        #expect(rows?.map { $0["field"] as? String } == ["groups", "owner", "posture"])
        let device = try shown(gate, "LT-T04")
        #expect(device["groups"] as? [String] == ["pilots"])
        #expect(device["serial"] as? String == "SN-LT-T04")
        #expect((device["posture"] as? [Any])?.count == 2)
        let events = try gate.ledger(
            "SELECT reason FROM admin_events WHERE action = 'device.set' AND target = 'LT-T04'")
        #expect(events.count == 1)
        #expect(events.first?.text("reason")?.contains(#""new":["pilots"],"old":["corp-laptops"]"#) == true)
    }

    @Test(
        arguments: [
            (["LT-T05"], 2), (["LT-T05", "--group", "pilots"], 2), (["LT-T05", "--posture", "intune"], 2),
            (["LT-NOBODY", "--owner", "x"], 4),
        ] as [([String], Int32)])
    func whatIsOddIsNotSet(_ arguments: [String], _ status: Int32) throws {
        let done = try Gate.shared().command(["device", "set"] + arguments)
        #expect(done.status == status && done.messages.contains("remedy:"), "\(done)")
    }
}
