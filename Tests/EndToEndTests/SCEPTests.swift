import Foundation
import Testing

/// SCEP with strongSwan and certmonger.
@Suite struct SCEPTests {
    @Test func strongSwanAtLaptops() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("scep-laptops")
        let laptop = TestDevice.laptop("LT-S01")
        try gate.importDevices([laptop])
        let client = try SCEP(gate, folder, service: "laptops")
        let challenge = try gate.mint("laptops", "LT-S01", "scep").challengePassword ?? ""
        let key = try client.key()
        let first = try client.enrol(laptop, key: key, proof: ["--password", challenge])
        try expectSound(first, commonName: "LT-S01", dns: laptop.dns, gate: gate, folder: folder)

        let new = try client.key()
        let second = try client.enrol(laptop, key: new, proof: ["--cert", first, "--key", key])
        try expectSound(second, commonName: "LT-S01", dns: laptop.dns, gate: gate, folder: folder)
        #expect(try Judge.publicKey(second, in: folder) != Judge.publicKey(first, in: folder))
        let rows = try gate.issued("LT-S01")
        #expect(rows.map { $0.text("operation") } == ["enroll", "rekey"])
        #expect(
            rows.map { $0.text("serial") } == [
                try Judge.serial(first, in: folder), try Judge.serial(second, in: folder),
            ])
    }

    @Test func strongSwanAtNetworkGear() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("scep-gear")
        let gear = TestDevice.networkGear("SW-S02")
        try gate.importDevices([gear])
        let client = try SCEP(gate, folder, service: "network-gear")
        let challenge = try gate.mint("network-gear", "SW-S02", "scep").challengePassword ?? ""
        let file = try client.enrol(gear, key: try client.key(), proof: ["--password", challenge])
        try expectSound(file, commonName: "SW-S02", dns: gear.dns, gate: gate, folder: folder)
        #expect(try gate.issued("SW-S02").map { $0.text("rule_ids") } == ["{network-gear-identity}"])
    }

    /// Deferred for stale posture, the client polls; once the posture is fresh it collects the certificate.
    @Test func deferredRequestIsCollected() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("scep-deferred")
        var laptop = TestDevice.laptop("LT-S03")
        laptop.postureAge = 5 * 3_600
        try gate.importDevices([laptop])
        let client = try SCEP(gate, folder, service: "laptops")
        let challenge = try gate.mint("laptops", "LT-S03", "scep").challengePassword ?? ""
        let arguments = try client.arguments(laptop, key: try client.key(), proof: ["--password", challenge])
        let polling = try Tool.start("pki", arguments, in: folder)
        for _ in 0..<50 where try gate.issuance(of: "LT-S03").isEmpty { usleep(100_000) }
        #expect(try gate.issuance(of: "LT-S03").first?.text("state") == "deferred")
        laptop.postureAge = 30
        try gate.importDevices([laptop])
        let done = try polling.finish(within: 40)
        try #require(done.status == 0, "\(done)")
        let file = try client.save(done)
        try expectSound(file, commonName: "LT-S03", dns: laptop.dns, gate: gate, folder: folder)
        let rows = try gate.issuance(of: "LT-S03")
        #expect(Set(rows.map { $0.text("transaction_key") }).count == 1)
        #expect(rows.filter { $0.text("state") == "issued" }.count == 1)
    }

    @Test func certmonger() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("certmonger")
        let laptop = TestDevice.laptop("LT-S04")
        try gate.importDevices([laptop])
        let authorities = try SCEP(gate, folder, service: "laptops")
        let agent = folder.file("ra.pem")
        try Tool.succeed(
            "openssl", ["x509", "-inform", "DER", "-in", "ra.der", "-out", agent], in: authorities.folder)
        let client = Certmonger(gate: gate, folder: folder)
        let credential = try gate.mint("laptops", "LT-S04", "scep")
        let another = try gate.mint("laptops", "LT-S04", "scep")
        let done = try client.session([
            try client.authority("laptops", registrationAuthority: agent), client.request(laptop, credential),
            "cp \(client.certificate) first.pem",
            // The same key again asks as for a first certificate, so it takes a credential.
            "getcert resubmit -s -i one -L \(another.challengePassword ?? "") -w --wait-timeout 20 -v",
            "cp \(client.certificate) second.pem",
            "getcert rekey -s -i one -w --wait-timeout 20 -v", "getcert list -s",
        ])
        try #require(done.status == 0, "\(done)")
        for file in [folder.file("first.pem"), folder.file("second.pem"), client.certificate] {
            try expectSound(file, commonName: "LT-S04", dns: laptop.dns, gate: gate, folder: folder)
        }
        let rows = try gate.issued("LT-S04")
        #expect(rows.map { $0.text("operation") } == ["enroll", "enroll", "rekey"])
    }
}
