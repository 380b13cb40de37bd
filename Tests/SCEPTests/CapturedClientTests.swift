import EnrollmentCore
import EnrollmentTesting
import Foundation
import FrontEnd
import OpenSSLCrypto
import Testing

/// Messages that real clients wrote.
@Suite struct CapturedClientTests {
    @Test func strongSwanPKCSReq() async throws {
        let bench = try SCEPBench(SCEPBench.issuing())
        let message = try SCEPVectors.octets("strongswan-5.9.8.pkcsreq.der")
        let device = try SCEPDevice.signer(of: message, key: "device.key.pem")
        let reply = try device.read(await bench.post(message))
        #expect(reply.status == "0")
        #expect(bench.registrar.record.intents.first?.operation == .enroll)
    }

    @Test func strongSwanRenewalReq() async throws {
        let bench = try SCEPBench(SCEPBench.issuing())
        let response = try await bench.post(SCEPVectors.octets("strongswan-5.9.8.renewalreq.der"))
        let reply = try SCEPDevice.device(issued: true).read(response)
        #expect(reply.status == "0")
        #expect(bench.registrar.record.intents.first?.operation == .rekey)
    }

    /// As captured, and as other clients put base64 into a URL (scep.md of docs/protocols, GET).
    @Test(arguments: ["captured", "bare", "lines", "twice", "unpadded"])
    func certmongerByGET(_ form: String) async throws {
        let captured = try SCEPVectors.text("certmonger-0.79.17.pkcsreq.query")
        let parts = captured.split(separator: "message=")
        let message = try #require(parts.last.map(String.init))
        let bare = try #require(message.removingPercentEncoding)
        let sent: String =
            switch form {
            case "bare": bare.replacing("=", with: "%3D")
            case "lines":
                stride(from: 0, to: bare.count, by: 64)
                    .map { String(bare.dropFirst($0).prefix(64)) }.joined(separator: "%0A")
            case "twice": message.replacing("%", with: "%25")
            case "unpadded": bare.replacing("=", with: "")
            default: message
            }
        let bench = try SCEPBench(SCEPBench.issuing())
        let response = await bench.send("GET", query: "operation=PKIOperation&message=" + sent)
        let octets = try #require(Base64.decode(bare.utf8))
        let device = try SCEPDevice.signer(of: octets, key: "device.key.pem")
        #expect(try device.read(response).status == "0")
    }

    /// No cut and no flipped bit ends the process or earns a certificate.
    @Test func damagedMessagesAreRefused() async throws {
        let bench = try SCEPBench(SCEPBench.issuing())
        let original = try SCEPVectors.octets("strongswan-5.9.8.pkcsreq.der")
        for length in stride(from: 0, to: original.count, by: 13) {
            #expect(await bench.post(Array(original.prefix(length))).status == 400)
        }
        let random = SeededRandom(seed: 8894)
        for _ in 0..<400 {
            var damaged = original
            let position = Int(random.next() % UInt64(original.count))
            damaged[position] ^= 1 << UInt8(random.next() % 8)
            let response = await bench.post(damaged)
            #expect([200, 400].contains(response.status))
        }
    }

    /// OpenSSL's command line reads our answer.
    @Test func opensslReadsTheAnswer() async throws {
        let bench = try SCEPBench(SCEPBench.issuing())
        let device = try SCEPDevice.device()
        let response = try await bench.post(
            device.write(content: SCEPVectors.octets("device.challenge.csr.der")))
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "scep-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let reply = folder.appending(path: "reply.der").path()
        let envelope = folder.appending(path: "envelope.der").path()
        let bag = folder.appending(path: "bag.der").path()
        try Data(response.body).write(to: URL(filePath: reply))
        let vectors = SCEPVectors.folder.path() + "/"
        #expect(
            try openssl([
                "cms", "-verify", "-binary", "-inform", "DER", "-in", reply, "-CAfile",
                vectors + "issuing.pem",
                "-partial_chain", "-purpose", "any", "-out", envelope,
            ]) == 0)
        #expect(
            try openssl([
                "cms", "-decrypt", "-binary", "-inform", "DER", "-in", envelope, "-inkey",
                vectors + "device.key.pem", "-recip", vectors + "device.self-signed.pem", "-out", bag,
            ]) == 0)
        #expect(try openssl(["pkcs7", "-inform", "DER", "-in", bag, "-print_certs", "-noout"]) == 0)
    }

    private func openssl(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
