import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import OpenSSLCrypto
import Testing

/// Every refusal of a message: the exact failInfo, and what is recorded.
@Suite struct MessageRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let message: @Sendable () throws -> [UInt8]
        let failInfo: String
        let kind: RefusalKind
        let reasonCode: String

        init(
            _ name: String, _ failInfo: String, _ kind: RefusalKind, _ reasonCode: String,
            message: @escaping @Sendable () throws -> [UInt8]
        ) {
            testDescription = name
            self.failInfo = failInfo
            self.kind = kind
            self.reasonCode = reasonCode
            self.message = message
        }

        static func typed(_ type: String, _ code: String, _ kind: RefusalKind) -> Case {
            Case("message type \(type)", "2", kind, code) { try written(.init(type)) }
        }

        static func vector(_ name: String, _ kind: RefusalKind, _ code: String) -> Case {
            Case(name, "0", kind, code) { try SCEPVectors.octets(name) }
        }

        static func written(
            _ message: SCEPDevice.Message, by device: String = "device",
            csr: String = "device.challenge.csr.der"
        ) throws -> [UInt8] {
            try SCEPDevice.device(device).write(message, content: SCEPVectors.octets(csr))
        }
    }

    static let cases: [Case] = [
        .typed("18", "scep.message_type", .malformed),
        .typed("3", "scep.message_type", .malformed),
        .typed("", "scep.message_type", .malformed),
        .typed("019", "scep.message_type", .malformed),
        .typed("999999999999999999999", "scep.message_type", .malformed),
        .typed("21", "scep.not_served", .unacceptableRequest),
        .typed("22", "scep.not_served", .unacceptableRequest),
        Case("no message type", "2", .malformed, "scep.message_type") {
            try Case.written(SCEPDevice.Message().with { $0.type = nil })
        },
        Case("message type as octets", "2", .malformed, "scep.message_type") {
            try Case.written(SCEPDevice.Message().with { $0.type = .octetString(Array("19".utf8)) })
        },
        Case("no nonce", "2", .malformed, "scep.sender_nonce") {
            try Case.written(SCEPDevice.Message().with { $0.senderNonce = nil })
        },
        Case("short nonce", "2", .malformed, "scep.sender_nonce") {
            try Case.written(
                SCEPDevice.Message().with { $0.senderNonce = .octetString([1, 2, 3, 4, 5, 6, 7, 8]) })
        },
        .vector("weak.sha1.der", .unacceptableAlgorithm, "scep.signature_algorithm"),
        .vector("weak.md5.der", .unacceptableAlgorithm, "scep.signature_algorithm"),
        .vector("weak.des3.der", .unacceptableAlgorithm, "scep.content_cipher"),
        .vector("weak.ec.der", .unacceptableKey, "scep.signer_key"),
        .vector("weak.rsa1024.der", .unacceptableKey, "scep.signer_key"),
        Case("signature of another message", "1", .unacceptableRequest, "scep.signature") {
            var message = try Case.written(.init())
            message[message.count - 1] ^= 1
            return message
        },
        Case("envelope for somebody else", "2", .malformed, "scep.envelope") {
            try Case.written(SCEPDevice.Message().with { $0.recipient = "other.self-signed.pem" })
        },
        Case("no envelope", "2", .malformed, "scep.envelope") {
            try Case.written(SCEPDevice.Message().with { $0.envelope = [0x30, 0x00] })
        },
        Case("damaged envelope", "2", .malformed, "scep.envelope") {
            var envelope = try Envelope.seal(
                SCEPVectors.octets("device.challenge.csr.der"), to: SCEPVectors.certificate("ra.pem"),
                cipher: .aes256)
            envelope[envelope.count - 17] ^= 1
            let damaged = envelope
            return try Case.written(SCEPDevice.Message().with { $0.envelope = damaged })
        },
        Case("envelope without a request", "2", .malformed, "scep.request_malformed") {
            try SCEPDevice.device().write(content: [0x30, 0x03, 0x02, 0x01, 0x00])
        },
        Case("request signed with SHA-1", "0", .unacceptableAlgorithm, "scep.request_algorithm") {
            try Case.written(.init(), csr: "device.sha1.csr.der")
        },
        Case(
            "somebody else's request signed with SHA-1", "2", .unacceptableAlgorithm, "scep.request_algorithm"
        ) {
            try Case.written(.init(), by: "other", csr: "device.sha1.csr.der")
        },
        Case("request whose signature is wrong", "2", .unacceptableRequest, "scep.possession") {
            var csr = try SCEPVectors.octets("device.challenge.csr.der")
            csr[csr.count - 1] ^= 1
            return try SCEPDevice.device().write(content: csr)
        },
        Case("request for another key", "2", .unacceptableRequest, "scep.signer_mismatch") {
            try Case.written(.init(), by: "other")
        },
        Case("poll for nothing", "4", .unacceptableRequest, "scep.unknown_transaction") {
            try SCEPDevice.device().write(.init("20"), content: [0x30, 0x00])
        },
    ]

    @Test(arguments: cases)
    func answersAndRecords(_ example: Case) async throws {
        let bench = try SCEPBench()
        let reply = try SCEPDevice.device().read(await bench.post(example.message()))
        #expect(reply.status == "2")
        #expect(reply.failInfo == example.failInfo)
        #expect(reply.failInfoText?.contains(SCEPBench.id.description) == true)
        #expect(reply.certificates.isEmpty)
        let record = bench.registrar.record
        #expect(record.intents.isEmpty)
        #expect(record.refusals.map(\.kind) == [example.kind])
        #expect(record.refusals.map(\.reasonCode) == [example.reasonCode])
        #expect(record.refusals.first?.service == ServiceName("laptops"))
    }

    /// Nobody learns from the answer what is in a captured envelope.
    @Test func closedAndUnreadableLookAlike() async throws {
        var texts: Set<String> = []
        for name in [
            "damaged envelope", "envelope for somebody else", "envelope without a request",
            "request whose signature is wrong",
        ] {
            let example = try #require(Self.cases.first { $0.testDescription == name })
            let reply = try SCEPDevice.device().read(await SCEPBench().post(example.message()))
            texts.insert("\(reply.failInfo ?? "") \(reply.failInfoText ?? "")")
        }
        #expect(texts.count == 1)
    }
}

/// Requests without a transaction to answer to: an HTTP status, and a record.
@Suite struct HTTPRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var method = "GET"
        var path = "/scep/laptops"
        var query: String?
        var body = FrontEndRequest.Body.complete([])
        let status: Int
        let reasonCode: String
    }

    static let cases: [Case] = [
        Case(
            testDescription: "unknown service", path: "/scep/nowhere", query: "operation=GetCACaps",
            status: 404,
            reasonCode: "scep.unknown_service"),
        Case(
            testDescription: "no service", path: "/scep", query: "operation=GetCACaps", status: 404,
            reasonCode: "scep.unknown_service"),
        Case(testDescription: "no operation", status: 400, reasonCode: "scep.operation"),
        Case(
            testDescription: "unknown operation", query: "operation=GetNextCACert", status: 400,
            reasonCode: "scep.operation"),
        Case(
            testDescription: "other operation by POST", method: "POST", query: "operation=GetCACert",
            status: 400,
            reasonCode: "scep.operation"),
        Case(
            testDescription: "other method", method: "PUT", query: "operation=PKIOperation", status: 405,
            reasonCode: "scep.method"),
        Case(
            testDescription: "no message", query: "operation=PKIOperation", status: 400,
            reasonCode: "scep.malformed"),
        Case(
            testDescription: "no base64", query: "operation=PKIOperation&message=%2A%2A%2A%2A", status: 400,
            reasonCode: "scep.malformed"),
        Case(
            testDescription: "cut escape", query: "operation=PKIOperation&message=AAAA%2", status: 400,
            reasonCode: "scep.malformed"),
        Case(testDescription: "empty body", method: "POST", status: 400, reasonCode: "scep.malformed"),
        Case(
            testDescription: "no BER", method: "POST", body: .complete([0x30, 0x80]), status: 400,
            reasonCode: "scep.malformed"),
        Case(
            testDescription: "nested without end", method: "POST",
            body: .complete([UInt8](repeating: 0x30, count: 200_000)), status: 400,
            reasonCode: "scep.malformed"),
        Case(
            testDescription: "large body", method: "POST", body: .tooLarge(limit: 262_144), status: 413,
            reasonCode: "scep.too_large"),
        Case(
            testDescription: "large query",
            query: "operation=PKIOperation&message="
                + String(repeating: "A", count: 65_536), status: 413, reasonCode: "scep.too_large"),
    ]

    @Test(arguments: cases)
    func answersAndRecords(_ example: Case) async throws {
        let bench = try SCEPBench()
        let response = await bench.send(
            example.method, example.path, query: example.query, body: example.body)
        #expect(response.status == example.status)
        #expect(bench.registrar.record.refusals.map(\.reasonCode) == [example.reasonCode])
    }

    @Test func serviceWithoutSCEP() async throws {
        let bench = try SCEPBench(protocols: [.est])
        #expect(await bench.send("GET", query: "operation=GetCACaps").status == 404)
        #expect(bench.registrar.record.refusals.count == 1)
    }

    @Test func messageWithoutTransaction() async throws {
        let bench = try SCEPBench()
        let message = try SCEPDevice.device().write(
            SCEPDevice.Message().with { $0.transactionID = nil },
            content: SCEPVectors.octets("device.challenge.csr.der"))
        #expect(await bench.post(message).status == 400)
        #expect(bench.registrar.record.refusals.map(\.reasonCode) == ["scep.malformed"])
    }

    @Test func throttledAndUnavailableRefusals() async throws {
        let throttled = try SCEPBench(.init(refuse: { .refused(Refusal(id: $0.id, kind: .throttled)) }))
        let weak = try SCEPVectors.octets("weak.sha1.der")
        #expect(await throttled.post(weak).status == 429)
        #expect(await throttled.post([]).status == 429)
        let unavailable = try SCEPBench(.init(refuse: { _ in .unavailable(retryAfter: 5) }))
        let response = await unavailable.post(weak)
        #expect(response.status == 503)
        #expect(response.headers.contains { $0 == ("retry-after", "5") })
        #expect(await unavailable.post([]).status == 503)
    }
}
