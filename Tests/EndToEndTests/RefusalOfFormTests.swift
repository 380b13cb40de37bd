import Foundation
import Testing

extension RefusalTests {
    /// Requests that no policy looks at: their form, their key, their size. A usable credential does not
    /// help.
    @Suite(.serialized) struct OfForm {
        let gate: Gate

        init() throws {
            gate = try RefusalTests.gate.get()
            usleep(120_000)
        }

        /// What is wrong with a certification request, and the reason code at each door.
        struct Flaw: Sendable, CustomTestStringConvertible {
            let name: String
            let est: String
            let scep: String
            let acme: String
            let scepAnswer: String
            let change: @Sendable (inout Wish) -> Void

            var testDescription: String { name }
        }

        static let flaws: [Flaw] = [
            Flaw(
                name: "CA:TRUE", est: "csr.contents", scep: "scep.request_contents",
                acme: "acme.csr_contents",
                scepAnswer: "badRequest"
            ) { $0.isAuthority = true },
            key("secp256k1"), key("brainpool"), key("rsa1024"),
        ]

        private static func key(_ kind: String) -> Flaw {
            Flaw(
                name: kind, est: "csr.key", scep: "scep.request_key", acme: "acme.csr_key",
                scepAnswer: "badRequest"
            ) { $0.key = kind }
        }

        @Test("a request that is never certified", arguments: flaws, Door.allCases)
        func flaw(_ flaw: Flaw, _ door: Door) throws {
            let (requester, device) = try laptop()
            var wish = try wish(device)
            flaw.change(&wish)
            let reply = try requester.ask(door, wish)
            switch door {
            case .est: try expect(reply, "400", flaw.est, device, door)
            case .scep: try expect(reply, flaw.scepAnswer, flaw.scep, device, door)
            case .acme: try expect(reply, "400 badCSR", flaw.acme, device, door)
            }
        }

        @Test("EST that is not EST")
        func est() throws {
            let (requester, device) = try laptop()
            let wish = try wish(device)
            let credential = ["-u", wish.credential.userAndPassword]
            let good = Data(try requester.certificationRequest(wish).base64EncodedString().utf8)
            let enroll = "simpleenroll"
            let cases: [(operation: String, body: Data?, options: [String], status: String, code: String)] = [
                (enroll, Data("MIIB!!!!".utf8), credential, "400", "est.base64"),
                (enroll, Data("AAECAwQFBgc=".utf8), credential, "400", "csr.malformed"),
                (enroll, good.dropLast(8), credential, "400", "csr.malformed"),
                (enroll, Data(repeating: 65, count: 70_000), credential, "413", "est.body_size"),
                (enroll, good, credential + ["-H", "Content-Type: text/plain"], "415", "est.media_type"),
                (enroll, nil, credential, "405", "est.method"),
                (enroll, good, [], "401", "est.no_proof"),
                (enroll, good, ["-H", "Authorization: Basic %%%"] + media, "401", "est.authorization"),
                ("simplereenroll", good, [], "401", "est.no_client_certificate"),
                ("simplyenroll", good, credential, "404", "est.operation"),
                ("fullcmc", good, credential, "501", "est.operation_not_served"),
                ("serverkeygen", good, credential, "501", "est.operation_not_served"),
            ]
            for one in cases {
                let reply = try requester.est("laptops", one.operation, body: one.body, one.options)
                try expect(reply, one.status, one.code, device, .est)
            }
            for (service, code) in [("nowhere", "est.service"), ("network-gear", "est.not_enabled")] {
                let reply = try requester.est(service, enroll, body: good, credential)
                try expect(reply, "404", code, device, .est)
            }
            #expect(try requester.ask(.est, wish).code == "200", "the credential is as good as before")
        }

        private let media = ["-H", "Content-Type: application/pkcs10"]

        @Test("SCEP that is not SCEP")
        func scep() throws {
            let (requester, device) = try laptop()
            let wish = try wish(device)
            let good: [String: Any] = [
                "common_name": device.id, "challenge": wish.credential.challengePassword ?? "",
            ]
            let cases: [(change: [String: Any], answer: String, code: String)] = [
                (["message_type": 18], "badRequest", "scep.message_type"),
                (["message_type": 99], "badRequest", "scep.message_type"),
                (["message_type": 21], "badRequest", "scep.not_served"),
                (["content": "3003020105"], "badRequest", "scep.request_malformed"),
                (["body": "3003020105"], "400", "scep.malformed"),
                (["body": ""], "400", "scep.malformed"),
                (["padding": 300_000], "413", "scep.too_large"),
                (["key": "rsa1024"], "badAlg", "scep.signer_key"),
                (["signing_key": "rsa2048"], "badRequest", "scep.signer_mismatch"),
                (["message_type": 20, "content": "3000"], "badCertId", "scep.unknown_transaction"),
                (["service": "servers"], "404", "scep.unknown_service"),
            ]
            for one in cases {
                let reply = try requester.scep(good.merging(one.change) { $1 })
                try expect(reply, one.answer, one.code, device, .scep)
            }
            #expect(try requester.ask(.scep, wish).code == "success", "the credential is as good as before")
        }

        /// The fault of one signed request of ACME, its step, and the answer.
        static let faults: [(step: String, kind: String, answer: String, code: String)] = [
            ("new_account", "nonce", "400 badNonce", "acme.bad_nonce"),
            ("new_account", "replayed_nonce", "400 badNonce", "acme.bad_nonce"),
            ("new_order", "nonce", "400 badNonce", "acme.bad_nonce"),
            ("new_account", "url", "403 unauthorized", "acme.url"),
            ("finalize", "url", "403 unauthorized", "acme.url"),
            ("new_account", "alg", "400 badSignatureAlgorithm", "acme.alg"),
            ("new_order", "none_alg", "400 badSignatureAlgorithm", "acme.alg"),
            ("new_order", "signature", "403 unauthorized", "acme.signature"),
            ("new_account", "not_json", "400 malformed", "acme.jws"),
            ("new_order", "padding", "400 malformed", "acme.jws"),
            ("new_order", "payload", "400 malformed", "acme.payload"),
            ("new_account", "oversized", "413 malformed", "acme.body_size"),
            ("finalize", "csr", "400 badCSR", "acme.csr"),
        ]

        @Test("ACME that is not ACME", arguments: faults.indices)
        func acme(_ index: Int) throws {
            let fault = Self.faults[index]
            let (requester, device) = try laptop()
            var wish = try wish(device)
            wish.commonName = nil
            wish.fault = (fault.step, fault.kind)
            try expect(try requester.ask(.acme, wish), fault.answer, fault.code, device, .acme)
        }

        @Test("an ACME account without external account binding")
        func accountWithoutBinding() throws {
            let (requester, device) = try laptop()
            let reply = try requester.acme(["names": device.dns])
            try expect(reply, "403 externalAccountRequired", "acme.eab_missing", device, .acme)
        }

        private func laptop() throws -> (Requester, TestDevice) {
            let device = TestDevice.laptop("LT-F\(UInt32.random(in: 100_000..<999_999))")
            try gate.importDevices([device])
            return (try Requester(gate, device.id), device)
        }

        private func wish(_ device: TestDevice) throws -> Wish {
            Wish(
                credential: try gate.mint("laptops", device.id, nil), user: device.id, commonName: device.id,
                dns: device.dns)
        }

        /// The answer, and a row that names the reason and nobody: what cannot be read proves no device.
        private func expect(
            _ reply: Reply, _ answer: String, _ code: String, _ device: TestDevice, _ door: Door,
            at location: SourceLocation = #_sourceLocation
        ) throws {
            #expect(reply.code == answer, "\(code): \(reply)", sourceLocation: location)
            let request = try #require(reply.request, "\(code): no correlation id", sourceLocation: location)
            let row = try gate.row(request, of: device.id, over: door)
            #expect(row["state"] == "denied", "\(row)", sourceLocation: location)
            #expect(row["reason_code"] == code, "\(row)", sourceLocation: location)
            #expect(row["protocol"] == door.rawValue, sourceLocation: location)
            #expect(row["device_id"] == .some(nil), sourceLocation: location)
            #expect(row["serial"] == .some(nil), sourceLocation: location)
            let issued = try gate.issuance(of: device.id).filter { $0["serial"] != .some(nil) }
            #expect(issued.isEmpty, "a refusal issues nothing", sourceLocation: location)
            usleep(60_000)
        }
    }
}
