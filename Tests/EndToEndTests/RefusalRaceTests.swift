import Foundation
import Testing

/// One credential, many hands.
@Suite(.serialized) struct RefusalRaceTests {
    private struct Crowd: Decodable {
        let answers: [Answer]

        struct Answer: Decodable {
            let status: Int
            let request, certificates: String?
        }
    }

    @Test("64 keys with one credential at the same moment: one certificate, 63 refusals on the ledger")
    func manyKeys() throws {
        let gate = try RefusalTests.gate.get()
        let (crowd, credential) = try send(gate, "LT-RACE-1", same: false)
        #expect(crowd.answers.count == 64)
        #expect(crowd.answers.count { $0.status == 200 } == 1)
        #expect(crowd.answers.count { $0.status == 401 } == 63)
        let rows = try gate.issuance(of: "LT-RACE-1")
        #expect(rows.count { $0["state"] == "issued" } == 1)
        let losers = rows.filter { $0["reason_code"] == "credential.spent" && $0["state"] == "denied" }
        let refused = crowd.answers.filter { $0.status == 401 }.compactMap(\.request)
        #expect(Set(losers.compactMap { $0["request_id"] ?? nil }) == Set(refused))
        #expect(Set(refused).count == 63)
        #expect(rows.count == 64, "no reservation beside the winner's")
        let used = try gate.ledger(
            "SELECT count(*) AS times FROM audit.credential_events "
                + "WHERE credential_id = '\(credential.id)' AND kind = 'consume'")
        #expect(used == [["times": "1"]])
    }

    @Test("one request 64 times at the same moment: one certificate, 64 times")
    func oneRequest() throws {
        let gate = try RefusalTests.gate.get()
        let (crowd, _) = try send(gate, "LT-RACE-2", same: true)
        #expect(crowd.answers.map(\.status) == Array(repeating: 200, count: 64))
        #expect(Set(crowd.answers.compactMap(\.certificates)).count == 1)
        #expect(try gate.issuance(of: "LT-RACE-2").map { $0["state"] } == ["issued"])
    }

    private func send(_ gate: Gate, _ device: String, same: Bool) throws -> (Crowd, MintedCredential) {
        try gate.importDevices([.laptop(device)])
        let credential = try gate.mint("laptops", device, "est")
        let spec: [String: Any] = [
            "url": "\(try gate.endpoints.tls)/.well-known/est/laptops/simpleenroll", "root": gate.root,
            "common_name": device, "credentials": [[credential.username, credential.password]], "count": 64,
            "threads": 64, "same": same,
        ]
        return (try Requester(gate, device).client("est.py", spec, Crowd.self), credential)
    }
}
