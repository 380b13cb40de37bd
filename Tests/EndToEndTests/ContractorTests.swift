import Foundation
import Testing

/// A request that waits for a person, from the device's first try to its certificate.
@Suite struct ContractorTests {
    private struct Waiting {
        let gate: Gate
        let folder: Folder
        let client: EST
        let made: KeyAndRequest
        let credential: MintedCredential

        init(_ device: String) throws {
            gate = try Gate.shared()
            folder = try gate.folder("contractor-\(device)")
            try gate.importDevices([
                TestDevice(id: device, groups: ["contractors"], dns: [], posture: nil)
            ])
            client = EST(gate, folder, service: "contractors")
            made = try Judge.request(subject: "/CN=\(device)", in: folder)
            credential = try gate.mint("contractors", device, "est")
        }

        func ask() throws -> EST.Answer { try client.enrol(made, user: credential.userAndPassword) }

        func request(of device: String) throws -> String {
            try #require(try gate.issuance(of: device).last?.text("request_id"))
        }
    }

    @Test func approvedRequestGetsItsCertificate() throws {
        let waiting = try Waiting("CX-01")
        let first = try waiting.ask()
        #expect(first.status == 202 && first.headers["retry-after"] != nil, "\(first)")
        // Asking again changes nothing and costs no row.
        #expect(try waiting.ask().status == 202)
        let rows = try waiting.gate.issuance(of: "CX-01")
        #expect(rows.map { $0.text("reason_code") } == ["approval.waiting"])
        let id = try waiting.request(of: "CX-01")

        let listed = try waiting.gate.command(["approval", "list", "--output", "json"])
        #expect(listed.status == 0 && listed.output.contains(id), "\(listed)")
        let approved = try waiting.gate.command(["approval", "approve", id, "--reason", "order 4711"])
        #expect(approved.status == 0 && "\(approved)".contains("answered at its next poll"), "\(approved)")

        let second = try waiting.ask()
        try #require(second.status == 200, "\(second)")
        let certificate = try second.certificate(in: waiting.folder)
        try expectSound(
            certificate, commonName: "CX-01", dns: [], gate: waiting.gate, folder: waiting.folder)
        #expect(
            try waiting.gate.issuance(of: "CX-01").map { $0.text("effect") } == ["defer", "permit"])
        let words = try waiting.gate.ledger(
            "SELECT verdict, reason FROM audit.approvals WHERE request_id = '\(id)'")
        #expect(words.map { $0.text("verdict") } == ["approve"])
        #expect(words.map { $0.text("reason") } == ["order 4711"])
        let why = try waiting.gate.command(["request", "why", id])
        #expect(why.status == 0 && why.output.contains("Contractor Office"), "\(why)")
    }

    @Test func deniedRequestIsRefused() throws {
        let waiting = try Waiting("CX-02")
        #expect(try waiting.ask().status == 202)
        let id = try waiting.request(of: "CX-02")
        let denied = try waiting.gate.command(["approval", "deny", id, "--reason", "unknown to us"])
        #expect(denied.status == 0, "\(denied)")
        #expect(try waiting.ask().status == 403)
        #expect(
            try waiting.gate.issuance(of: "CX-02").map { $0.text("reason_code") }
                == ["approval.waiting", "approval.denied"])
        #expect(try waiting.gate.issued("CX-02").isEmpty)
    }

    @Test func whatDoesNotWaitCannotBeApproved() throws {
        let gate = try Gate.shared()
        let unknown = try gate.command(["approval", "approve", "0192f0c4-7b6e-7c3a-9d1e-2f4b6a8c0e12"])
        #expect(unknown.status == 4, "\(unknown)")
        let laptop = TestDevice.laptop("LT-CX1")
        try gate.importDevices([laptop])
        let folder = try gate.folder("contractor-laptop")
        let made = try Judge.request(subject: "/CN=\(laptop.id)", dns: laptop.dns, in: folder)
        let credential = try gate.mint("laptops", laptop.id, "est")
        #expect(try EST(gate, folder).enrol(made, user: credential.userAndPassword).status == 200)
        let id = try #require(try gate.issuance(of: laptop.id).last?.text("request_id"))
        let done = try gate.command(["approval", "approve", id])
        #expect(done.status == 1, "\(done)")
    }
}
