import Foundation
import Testing

/// ACME with certbot and lego: http-01, external account binding, renewal by the same account.
@Suite struct ACMETests {
    @Test func certbotAtServers() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("certbot-servers")
        let names = ["a01-www.devices.localhost", "a01-api.devices.localhost"]
        try gate.importDevices([.server("SRV-A01", dns: names)])
        let client = ACME(gate, folder, service: "servers")
        let file = try client.certbot(names, try gate.mint("servers", "SRV-A01", "acme"))
        try expectSound(file, commonName: nil, dns: names.sorted(), gate: gate, folder: folder)
        try expectRenewal(of: "SRV-A01", file, gate, folder) { try client.renewWithCertbot() }
        try expectSound(file, commonName: nil, dns: names.sorted(), gate: gate, folder: folder)
    }

    @Test func certbotAtLaptops() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("certbot-laptops")
        let laptop = TestDevice.laptop("LT-A02")
        try gate.importDevices([laptop])
        let client = ACME(gate, folder, service: "laptops")
        let file = try client.certbot(laptop.dns, try gate.mint("laptops", "LT-A02", "acme"))
        try expectSound(file, commonName: nil, dns: laptop.dns, gate: gate, folder: folder)
        try expectRenewal(of: "LT-A02", file, gate, folder) { try client.renewWithCertbot() }
        try expectSound(file, commonName: nil, dns: laptop.dns, gate: gate, folder: folder)
    }

    @Test(arguments: [
        ("servers", TestDevice.server("SRV-A03", dns: ["a03-www.devices.localhost"])),
        ("laptops", TestDevice.laptop("LT-A04")),
    ])
    func lego(service: String, device: TestDevice) throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("lego-\(service)")
        try gate.importDevices([device])
        let client = ACME(gate, folder, service: service)
        let credential = try gate.mint(service, device.id, "acme")
        let first = try client.lego(device.dns, credential)
        try #require(first.status == 0, "\(first)")
        let file = client.legoCertificate(device.name)
        // An order is for its identifiers and nothing else; both clients renew what a certificate names.
        try expectSound(file, commonName: nil, dns: device.dns, gate: gate, folder: folder)
        try expectRenewal(of: device.id, file, gate, folder) {
            let renewal = try client.lego(device.dns, credential, verb: ACME.legoRenewal)
            try #require(renewal.status == 0, "\(renewal)")
        }
        try expectSound(file, commonName: nil, dns: device.dns, gate: gate, folder: folder)
    }

    /// Stale posture answers an order with 503; the account stays, and the next attempt succeeds with it.
    @Test func deferredOrder() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("acme-deferred")
        var laptop = TestDevice.laptop("LT-A05")
        laptop.postureAge = 5 * 3_600
        try gate.importDevices([laptop])
        let client = ACME(gate, folder, service: "laptops")
        let credential = try gate.mint("laptops", "LT-A05", "acme")
        let first = try client.lego(laptop.dns, credential)
        #expect(first.status != 0)
        #expect(first.messages.contains("503"), "\(first)")
        laptop.postureAge = 30
        try gate.importDevices([laptop])
        let second = try client.lego(laptop.dns, credential)
        try #require(second.status == 0, "\(second)")
        let rows = try gate.issuance(of: "LT-A05")
        #expect(rows.contains { $0.text("effect") == "defer" && $0.text("reason_code") == "posture.stale" })
        #expect(try gate.issued("LT-A05").count == 1)
    }

    /// Renewal: another certificate by another order, of the same account.
    private func expectRenewal(
        of device: String, _ file: String, _ gate: Gate, _ folder: Folder, _ renew: () throws -> Void
    ) throws {
        let before = try Judge.serial(file, in: folder)
        try renew()
        let after = try Judge.serial(file, in: folder)
        #expect(after != before)
        let rows = try gate.issued(device)
        #expect(rows.map { $0.text("serial") } == [before, after])
        #expect(Set(rows.map { $0.text("transaction_key") }).count == 2)
        #expect(Set(rows.map { $0.text("credential_id") }).count == 1)
        let accounts = try gate.ledger("SELECT account_id FROM audit.accounts WHERE device_id = '\(device)'")
        #expect(accounts.count == 1)
    }
}
