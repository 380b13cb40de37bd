import Foundation
import Glibc
import Testing

/// The gateway killed at each fixed point between receiving a request and releasing the certificate, started
/// again on the same state, and the same request sent once more.
@Suite(.serialized) struct CrashTests {
    static let gate = Result { try Gate.start() }

    /// Where it dies, and what the ledger holds at that moment.
    static let points: [(step: String, left: String?)] = [
        ("received", nil), ("verified", nil), ("decided", nil), ("prepared", nil), ("reserved", "reserved"),
        ("signed", "reserved"), ("committed", "issued"),
    ]

    @Test("EST", arguments: points.indices)
    func est(_ index: Int) throws { try crash(Self.points[index], .est) }

    @Test("SCEP and ACME finalize", arguments: [4, 5], [Door.scep, .acme])
    func others(_ index: Int, _ door: Door) throws { try crash(Self.points[index], door) }

    private func crash(_ point: (step: String, left: String?), _ door: Door) throws {
        let gate = try Self.gate.get()
        try gate.stop()
        try gate.up(environment: ["GATEHOUSE_CRASH_AT": point.step])
        let device = TestDevice.laptop("LT-C-\(door.rawValue)-\(point.step)")
        try gate.importDevices([device])
        let requester = try Requester(gate, device.id)
        let credential = try gate.mint("laptops", device.id, door.rawValue)
        let sender = try Sender(requester, device, credential, door)

        let broken = try sender.send()
        #expect(broken.code == "no answer", "\(broken)")
        #expect(gate.waitForEnd() == 128 + SIGKILL)
        let left = try enrolments(device).map { $0["state"] }
        #expect(left == (point.left.map { [$0] } ?? []), "what the ledger holds after the crash")

        try gate.up()
        let answer = try sender.send()
        let certificate = try #require(answer.certificate, "the same request again: \(answer)")
        let again = try sender.send()
        #expect(
            try Self.first(again.certificate) == Self.first(certificate), "released once more, the same one")
        try expectOne(certificate, device, credential, orphans: point.left == "reserved" ? 1 : 0, requester)
    }

    /// One live certificate, the released one; what was reserved for nothing is closed and revoked.
    private func expectOne(
        _ certificate: String, _ device: TestDevice, _ credential: MintedCredential, orphans: Int,
        _ requester: Requester
    ) throws {
        let gate = requester.gate
        let rows = try enrolments(device)
        let issued = rows.filter { $0["state"] == "issued" }
        #expect(issued.count == 1, "\(rows)")
        let serial = try Self.serial(certificate, in: requester.folder)
        #expect(issued.map { $0["serial"] } == [serial])
        let closed = rows.filter { $0["state"] == "closed" }
        #expect(closed.count == orphans)
        #expect(
            closed.allSatisfy { $0["revoked_at"] != .some(nil) && $0["certificate_sha256"] == .some(nil) })
        #expect(rows.count == 1 + orphans)
        let open = try gate.ledger("SELECT 1 FROM audit.open_issuance WHERE device_id = '\(device.id)'")
        #expect(open.isEmpty)
        let revoked = try gate.ledger("SELECT serial FROM audit.revocations WHERE device_id = '\(device.id)'")
        #expect(revoked.map { $0["serial"] } == closed.map { $0["serial"] })
        let events = try gate.ledger(
            "SELECT kind, count(*) AS times FROM audit.credential_events WHERE credential_id = '\(credential.id)' "
                + "AND kind <> 'mint' GROUP BY kind")
        #expect(events.count == 1 && events.first?["times"] == "1", "one use and nothing else: \(events)")
    }

    private func enrolments(_ device: TestDevice) throws -> [[String: String?]] {
        try Self.gate.get().issuance(of: device.id).filter { !["bound", "assessed"].contains($0["state"]) }
    }

    private static func first(_ chain: String?) throws -> String {
        let end = "-----END CERTIFICATE-----"
        return try #require(chain?.components(separatedBy: end).first?.components(separatedBy: "BEGIN").last)
    }

    /// In lower-case hexadecimal.
    static func serial(_ certificate: String, in folder: Folder) throws -> String {
        let said = try Tool.succeed(
            "openssl", ["x509", "-noout", "-serial"], in: folder, input: Data(certificate.utf8))
        return said.output.trimmingCharacters(in: .whitespacesAndNewlines).dropFirst("serial=".count)
            .lowercased()
    }
}

/// Sends one and the same request over one protocol, as often as asked.
private struct Sender {
    private let requester: Requester
    private let wish: Wish
    private let door: Door
    private let body: Data
    private let saved: String

    init(_ requester: Requester, _ device: TestDevice, _ credential: MintedCredential, _ door: Door) throws {
        self.requester = requester
        self.door = door
        wish = Wish(credential: credential, user: device.id, commonName: device.id, dns: device.dns)
        body = Data(try requester.certificationRequest(wish).base64EncodedString().utf8)
        saved = requester.folder.file("kept.json")
    }

    func send() throws -> Reply {
        switch door {
        case .est:
            return try requester.est(
                wish.service, "simpleenroll", body: body, ["-u", wish.credential.userAndPassword])
        case .scep, .acme:
            return try requester.ask(door, wish, saved: saved)
        }
    }
}
