import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import OpenSSLCrypto
import PKIX
import Testing

/// What becomes of messages that are as they should be.
@Suite struct SCEPEnrollmentTests {
    @Test func capabilitiesAreWhatIsAccepted() async throws {
        let response = try await SCEPBench().send(
            "GET", "/scep/laptops/pkiclient.exe", query: "operation=GetCACaps")
        #expect(response.status == 200)
        #expect(response.headers.contains { $0 == ("content-type", "text/plain") })
        #expect(
            String(decoding: response.body, as: UTF8.self)
                == "AES\nDES3\nPOSTPKIOperation\nRenewal\nSCEPStandard\nSHA-256\nSHA-384\nSHA-512\n")
    }

    @Test func authorityCertificatesComeRegistrationAuthorityFirst() async throws {
        let response = try await SCEPBench().send("GET", query: "operation=GetCACert&message=ca")
        #expect(response.headers.contains { $0 == ("content-type", "application/x-x509-ca-ra-cert") })
        let expected = try ["ra.pem", "issuing.pem", "root.pem"].map(SCEPVectors.certificate)
        #expect(try CertificateBag.certificates(in: response.body) == expected)
    }

    @Test(arguments: ContentCipher.allCases, MessageDigest.allCases)
    func pkcsReqIsIssuedAndMirrored(_ cipher: ContentCipher, _ digest: MessageDigest) async throws {
        let bench = try SCEPBench(SCEPBench.issuing())
        let device = try SCEPDevice.device()
        let message = try device.write(
            SCEPDevice.Message().with {
                $0.cipher = cipher
                $0.digest = digest
            }, content: SCEPVectors.octets("device.challenge.csr.der"))
        let reply = try device.read(await bench.post(message))
        #expect(reply.status == "0")
        #expect(reply.cipher == cipher)
        #expect(reply.digest == digest)
        #expect(reply.certificates == [try SCEPVectors.certificate("device.issued.pem")])
        #expect(reply.signer == (try SCEPVectors.certificate("ra.pem")))
        #expect(reply.attributes[SCEPDevice.transactionID] == .printableString(Array("T-1".utf8)))
        #expect(reply.attributes[SCEPDevice.recipientNonce] == .octetString(Array("0123456789abcdef".utf8)))
        #expect(reply.attributes[SCEPDevice.senderNonce] != reply.attributes[SCEPDevice.recipientNonce])
        let intent = try #require(bench.registrar.record.intents.first)
        #expect(intent.operation == .enroll)
        #expect(intent.enrollmentProtocol == .scep)
        #expect(intent.request.names.dns == ["device.devices.localhost"])
        guard case .oneTimeCredential(let offered) = try #require(intent.proofs.first) else {
            Issue.record("not a credential")
            return
        }
        #expect(intent.proofs.count == 1)
        #expect(offered.shape == .scep)
        #expect(offered.text.revealed == Array("ABCDEFGHIJKLMNOPCHALLENGESECRET2".utf8))
    }

    struct Renewal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let type: String
        let csr: String
        let operation: EnrollmentOperation
        let proofs: Int
    }

    @Test(arguments: [
        Renewal(
            testDescription: "new key", type: "17", csr: "other.plain.csr.der", operation: .rekey, proofs: 1),
        Renewal(
            testDescription: "same key", type: "17", csr: "device.plain.csr.der", operation: .renew, proofs: 1
        ),
        Renewal(
            testDescription: "with challenge", type: "17", csr: "other.challenge.csr.der", operation: .rekey,
            proofs: 1),
        Renewal(
            testDescription: "PKCSReq, new key", type: "19", csr: "other.plain.csr.der", operation: .rekey,
            proofs: 1),
        Renewal(
            testDescription: "PKCSReq, same key", type: "19", csr: "device.plain.csr.der", operation: .renew,
            proofs: 1),
        Renewal(
            testDescription: "PKCSReq with challenge", type: "19", csr: "device.challenge.csr.der",
            operation: .enroll, proofs: 1),
    ])
    func signedWithAnIssuedCertificate(_ example: Renewal) async throws {
        let bench = try SCEPBench(SCEPBench.issuing())
        let device = try SCEPDevice.device(issued: true)
        let message = try device.write(.init(example.type), content: SCEPVectors.octets(example.csr))
        #expect(try device.read(await bench.post(message)).status == "0")
        let intent = try #require(bench.registrar.record.intents.first)
        #expect(intent.operation == example.operation)
        #expect(intent.proofs.count == example.proofs)
        if case .clientCertificate(let der) = intent.proofs.first {
            #expect(example.operation != .enroll)
            #expect(der == (try SCEPVectors.certificate("device.issued.pem")))
        } else {
            #expect(example.operation == .enroll)
        }
    }

    @Test func pollFindsTheTransactionOfItsRequest() async throws {
        let bench = try SCEPBench(
            .init(enroll: { .deferred($0.id, retryAfter: 60) }, outcome: { .deferred($0.id, retryAfter: 60) })
        )
        let device = try SCEPDevice.device()
        let request = try device.write(content: SCEPVectors.octets("device.challenge.csr.der"))
        let pending = try device.read(await bench.post(request))
        #expect(pending.status == "3")
        #expect(pending.failInfo == nil)
        let poll = try device.write(.init("20"), content: [0x30, 0x00])
        #expect(try device.read(await bench.post(poll)).status == "3")
        let stranger = try SCEPDevice.device("other")
        #expect(
            try stranger.read(await bench.post(stranger.write(.init("20"), content: [0x30, 0x00]))).status
                == "3")
        let record = bench.registrar.record
        #expect(record.polls.count == 2)
        #expect(record.intents.first?.transaction == record.polls.first?.reference)
        #expect(record.polls.first?.reference != record.polls.last?.reference)
    }

    @Test(arguments: [
        (RefusalKind.denied, "2"), (.noUsableProof, "1"), (.malformed, "2"), (.unacceptableRequest, "2"),
        (.unacceptableKey, "0"), (.unacceptableAlgorithm, "0"),
    ])
    func refusalsOfTheRegistrar(_ kind: RefusalKind, _ failInfo: String) async throws {
        let bench = try SCEPBench(.init(enroll: { .refused(Refusal(id: $0.id, kind: kind)) }))
        let device = try SCEPDevice.device()
        let message = try device.write(content: SCEPVectors.octets("device.challenge.csr.der"))
        let reply = try device.read(await bench.post(message))
        #expect(reply.status == "2")
        #expect(reply.failInfo == failInfo)
        #expect(bench.registrar.record.refusals.isEmpty)
    }

    @Test func overloadIsHTTP() async throws {
        let message = try SCEPDevice.device().write(content: SCEPVectors.octets("device.challenge.csr.der"))
        let throttled = try SCEPBench(.init(enroll: { .refused(Refusal(id: $0.id, kind: .throttled)) }))
        #expect(await throttled.post(message).status == 429)
        let down = try SCEPBench(.init(enroll: { _ in .unavailable(retryAfter: 9) }))
        let response = await down.post(message)
        #expect(response.status == 503)
        #expect(response.headers.contains { $0 == ("retry-after", "9") })
    }
}
