import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import PKIX
import Testing

/// What becomes of requests that are in order.
struct ESTEnrollmentTests {
    @Test func makesAnIntent() async throws {
        let registrar = ScriptedRegistrar()
        _ = await ESTCase("").answer(from: registrar)
        let intent = try #require(registrar.record.intents.first)
        #expect(registrar.record.intents.count == 1 && registrar.record.refusals.isEmpty)
        #expect(intent.id == ESTCase.id && intent.service == ServiceName("laptops"))
        #expect(intent.enrollmentProtocol == .est && intent.operation == .enroll && intent.transaction == nil)
        #expect(intent.request.names.dns == ["lt-042.devices.localhost"])
        #expect(intent.claimedDevices == ["LT-042"])
        guard case .oneTimeCredential(let credential) = intent.proofs.first, intent.proofs.count == 1 else {
            Issue.record("not one credential")
            return
        }
        #expect(credential.shape == .est && credential.text.revealed == Array("SECRETTEXT".utf8))
    }

    /// The forms of one request that RFC 7030, RFC 7617 and RFC 8951 allow.
    @Test(arguments: [
        ESTCase("default service") { $0.path = "/.well-known/est/simpleenroll" },
        ESTCase("media type in another case, with parameter") {
            $0.mediaType = "Application/PKCS10 ; charset=us-ascii"
        },
        ESTCase("scheme in another case") {
            $0.authorization = $0.authorization.map { "bAsIc" + $0.dropFirst(5) }
        },
        ESTCase("password with colon") {
            $0.authorization = ["Basic " + Base64.encode(Array("LT-042:A:B".utf8))]
        },
        ESTCase("wrapped base64") {
            let text = " \t\(Vectors.request.prefix(64))\r\n\(Vectors.request.dropFirst(64))\n"
            $0.body = .complete(Array(text.utf8))
        },
    ])
    func accepts(_ test: ESTCase) async {
        let registrar = ScriptedRegistrar()
        _ = await test.answer(from: registrar)
        #expect(registrar.record.intents.map(\.claimedDevices) == [["LT-042"]])
    }

    @Test func emptyUserClaimsNothing() async {
        let registrar = ScriptedRegistrar()
        _ = await ESTCase("") { $0.authorization = ["Basic " + Base64.encode(Array(":X".utf8))] }
            .answer(from: registrar)
        #expect(registrar.record.intents.map(\.claimedDevices) == [[]])
    }

    @Test(arguments: [(Vectors.request, EnrollmentOperation.renew), (Vectors.otherKey, .rekey)])
    func tellsRenewalFromRekey(_ body: String, _ operation: EnrollmentOperation) async {
        let registrar = ScriptedRegistrar()
        _ = await ESTCase("") {
            $0.path = "/.well-known/est/laptops/simplereenroll"
            $0.authorization = []
            $0.certificate = Vectors.certificateDER
            $0.body = .complete(Array(body.utf8))
        }.answer(from: registrar)
        #expect(registrar.record.intents.map(\.operation) == [operation])
        guard case .clientCertificate(Vectors.certificateDER) = registrar.record.intents.first?.proofs.first
        else {
            Issue.record("the client certificate is no proof")
            return
        }
    }

    /// All that is offered is passed on; the verifier demands that it names one device.
    @Test func offersEveryProof() async {
        let registrar = ScriptedRegistrar()
        _ = await ESTCase("") { $0.certificate = Vectors.certificateDER }.answer(from: registrar)
        #expect(registrar.record.intents.map(\.proofs.count) == [2])
        #expect(registrar.record.intents.map(\.operation) == [.enroll])
    }

    @Test(
        arguments: [
            (EnrollmentOutcome.deferred(ESTCase.id, retryAfter: 300), 202, "300"),
            (.unavailable(retryAfter: 5), 503, "5"),
            (.refused(Refusal(id: ESTCase.id, kind: .denied)), 403, nil),
            (.refused(Refusal(id: ESTCase.id, kind: .noUsableProof)), 401, nil),
            (.refused(Refusal(id: ESTCase.id, kind: .malformed)), 400, nil),
            (.refused(Refusal(id: ESTCase.id, kind: .unacceptableRequest)), 400, nil),
            (.refused(Refusal(id: ESTCase.id, kind: .unacceptableKey)), 400, nil),
            (.refused(Refusal(id: ESTCase.id, kind: .unacceptableAlgorithm)), 400, nil),
            (.refused(Refusal(id: ESTCase.id, kind: .throttled)), 429, "60"),
        ] as [(EnrollmentOutcome, Int, String?)])
    func encodes(_ outcome: EnrollmentOutcome, _ status: Int, _ retryAfter: String?) async {
        let registrar = ScriptedRegistrar(script: .init(enroll: { _ in outcome }))
        let answer = await ESTCase("").answer(from: registrar)
        #expect(answer.status == status)
        #expect(answer.values("retry-after") == (retryAfter.map { [$0] } ?? []))
        #expect(answer.values("www-authenticate") == (status == 401 ? ["Basic realm=\"enrollment\""] : []))
        #expect(answer.text.contains(ESTCase.id.description))
    }

    @Test func releasesTheCertificateAlone() async throws {
        let certificate = Vectors.certificateDER
        let device = try #require(DeviceID("LT-042"))
        let registrar = ScriptedRegistrar(
            script: .init(enroll: { intent in
                .issued(
                    IssuedCertificate(
                        requestID: intent.id, certificate: certificate, issuer: "issuing", serial: [1],
                        device: device, notAfter: Timestamp(seconds: 0)))
            }))
        let answer = await ESTCase("").answer(from: registrar)
        #expect(answer.status == 200)
        #expect(answer.values("content-type") == ["application/pkcs7-mime; smime-type=certs-only"])
        #expect(answer.values("content-transfer-encoding") == ["base64"])
        #expect(answer.text == Base64.encode(CertificateBag.certsOnly([certificate])) + "\n")
    }

    @Test(arguments: ["/.well-known/est/cacerts", "/.well-known/est/laptops/cacerts"])
    func servesTheAuthorities(_ path: String) async {
        let chain = CertificateAuthorities(issuing: Vectors.certificateDER, chain: [Vectors.certificateDER])
        let registrar = ScriptedRegistrar(authorities: chain)
        let answer = await ESTCase("") {
            $0.method = "GET"
            $0.path = path
            $0.authorization = []
            $0.mediaType = nil
            $0.body = .complete([])
        }.answer(from: registrar)
        #expect(answer.status == 200)
        #expect(answer.text == Base64.encode(CertificateBag.certsOnly([chain.issuing] + chain.chain)) + "\n")
        #expect(answer.text.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
    }
}
