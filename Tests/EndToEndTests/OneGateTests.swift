import Foundation
import Testing

/// One gate, one policy, one ledger: what must be the same whatever the door.
@Suite struct OneGateTests {
    /// One device through SCEP, EST and ACME: the same rule decides, and the ledger says the same.
    @Test func sameDecisionOverThreeProtocols() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("three-doors")
        let laptop = TestDevice.laptop("LT-O01")
        try gate.importDevices([laptop])

        let made = try Judge.request(subject: "/CN=LT-O01", dns: laptop.dns, in: folder)
        let est = try EST(gate, folder).enrol(
            made, user: try gate.mint("laptops", "LT-O01", "est").userAndPassword)
        #expect(est.status == 200, "\(est)")

        let scep = try SCEP(gate, folder, service: "laptops")
        let challenge = try gate.mint("laptops", "LT-O01", "scep").challengePassword ?? ""
        let byChallenge = try scep.enrol(laptop, key: try scep.key(), proof: ["--password", challenge])

        let acme = ACME(gate, folder, service: "laptops")
        let done = try acme.lego(laptop.dns, try gate.mint("laptops", "LT-O01", "acme"))
        #expect(done.status == 0, "\(done)")

        let rows = try gate.issued("LT-O01")
        #expect(rows.map { $0.text("protocol") } == ["est", "scep", "acme"])
        for column in ["rule_ids", "effect", "reason_code", "owner", "policy_sha256", "profile"] {
            #expect(
                Set(rows.map { $0.text(column) }).count == 1, "\(column): \(rows.map { $0.text(column) })")
        }
        #expect(rows.first?.text("rule_ids") == "{corp-laptop-client-auth}")
        #expect(rows.first?.text("effect") == "permit")
        #expect(rows.first?.text("owner") == "Device Identity")
        for file in [try est.certificate(in: folder), byChallenge] {
            try expectSound(file, commonName: "LT-O01", dns: laptop.dns, gate: gate, folder: folder)
        }
        // An ACME order is for its identifiers alone (RFC 8555 §7.4): no common name is filled in.
        try expectSound(
            acme.legoCertificate(laptop.name), commonName: nil, dns: laptop.dns, gate: gate, folder: folder)
    }

    /// A credential minted for all protocols is one use, whichever door it is used at.
    @Test func oneUseWhateverTheDoor() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("one-use")
        let laptop = TestDevice.laptop("LT-O02")
        try gate.importDevices([laptop])
        let credential = try gate.mint("laptops", "LT-O02", nil)
        let client = try SCEP(gate, folder, service: "laptops")
        _ = try client.enrol(
            laptop, key: try client.key(), proof: ["--password", credential.challengePassword ?? ""])
        let made = try Judge.request(subject: "/CN=LT-O02", in: folder)
        let answer = try EST(gate, folder).enrol(made, user: credential.userAndPassword)
        #expect(answer.status == 401, "\(answer)")
        #expect(try gate.issued("LT-O02").count == 1)
    }

    /// A certificate is a proof at every door of its service: enrolled over SCEP, renewed over EST.
    @Test func renewalAtAnotherDoor() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("another-door")
        let laptop = TestDevice.laptop("LT-O04")
        try gate.importDevices([laptop])
        let scep = try SCEP(gate, folder, service: "laptops")
        let challenge = try gate.mint("laptops", "LT-O04", "scep").challengePassword ?? ""
        let key = try scep.key()
        let first = try scep.enrol(laptop, key: key, proof: ["--password", challenge])
        let readable = folder.fresh("key.pem")
        try Tool.succeed("openssl", ["pkey", "-inform", "DER", "-in", key, "-out", readable], in: folder)
        let made = try Judge.request(subject: "/CN=LT-O04", dns: laptop.dns, in: folder)
        let answer = try EST(gate, folder).renew(made, certificate: first, key: readable)
        try #require(answer.status == 200, "\(answer)")
        let second = try answer.certificate(in: folder)
        try expectSound(second, commonName: "LT-O04", dns: laptop.dns, gate: gate, folder: folder)
        let rows = try gate.issued("LT-O04")
        #expect(rows.map { $0.text("protocol") } == ["scep", "est"])
        #expect(rows.map { $0.text("operation") } == ["enroll", "rekey"])
    }

    /// The same request sent 64 times in parallel: one certificate, sent 64 times.
    @Test func sameRequestInParallel() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("parallel")
        try gate.importDevices([.laptop("LT-O03")])
        let client = EST(gate, folder)
        let made = try Judge.request(subject: "/CN=LT-O03", in: folder)
        let credential = try gate.mint("laptops", "LT-O03", "est")
        var arguments = [
            "-sS", "--parallel", "--parallel-immediate", "--parallel-max", "64", "--max-time", "60", "-w",
            "%{http_code}\n", "-u", credential.userAndPassword,
        ]
        arguments += try client.arguments(made).dropLast()
        let url = try client.url("simpleenroll")
        let answers = (1...64).map { folder.file("answer-\($0)") }
        for answer in answers { arguments += ["-o", answer, url] }
        let finished = try Tool.run("curl", arguments, in: folder, within: 90)
        let codes = finished.output.split(separator: "\n")
        #expect(codes.count == 64)
        #expect(
            Set(codes) == ["200"],
            "\(Dictionary(grouping: codes) { $0 }.mapValues(\.count)) \(finished.messages)")
        #expect(Set(answers.map { Data.contents($0) }).count == 1)
        #expect(try gate.issued("LT-O03").count == 1)
    }
}
