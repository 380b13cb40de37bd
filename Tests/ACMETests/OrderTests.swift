import ACME
import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Testing

@Suite struct OrderTests {
    @Test func everydayPath() async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let order = try await harness.newOrder()
        #expect(order.status == 201)
        #expect(order.string("status") == "pending")
        let inquiry = try #require(harness.registrar.record.inquiries.first)
        #expect(inquiry.names == CertificateNames(dns: [ACMEHarness.name]))
        let url = try #require(order.header("Location"))
        let authorization = try await harness.post(try #require(order.first("authorizations")), "")
        #expect(authorization.string("status") == "pending")
        let challenge = try await harness.post(harness.challengeURL(in: authorization), "{}")
        #expect(challenge.status == 200)
        #expect(challenge.string("status") == "valid")
        #expect(challenge.response.headers.contains { $0.name == "Link" && $0.value.hasSuffix("rel=\"up\"") })
        let call = try #require(harness.validator.calls.first)
        let thumbprint = try JSONWebKey(harness.jwk(harness.key)).thumbprint
        #expect(call.name == ACMEHarness.name)
        #expect(call.keyAuthorization == "\(call.token).\(thumbprint)")
        #expect(call.token.utf8.count == 22)
        #expect(try await harness.post(url, "").string("status") == "ready")

        let final = try await harness.finalize(url, CertificateRequestVectors.san)
        #expect(final.status == 200)
        #expect(final.string("status") == "valid")
        let intent = try #require(harness.registrar.record.intents.first)
        #expect(intent.transaction?.isOrder == true)
        #expect(url.hasSuffix(intent.transaction?.text ?? "-"))
        #expect(intent.proofs.count == 2)
        let chain = try await harness.post(try #require(final.string("certificate")), "")
        #expect(chain.header("Content-Type") == "application/pem-certificate-chain")
        #expect(chain.text.components("BEGIN CERTIFICATE") == 2, "leaf and issuing, no root")
        #expect(harness.registrar.record.refusals.isEmpty)
    }

    @Test(arguments: [
        ("{}", 400, "malformed", "identifiers"), ("{\"identifiers\":[]}", 400, "malformed", "identifiers"),
        ("{\"identifiers\":[{}]}", 400, "malformed", "identifiers"),
        (
            "{\"identifiers\":[{\"type\":\"ip\",\"value\":\"192.0.2.1\"}]}", 400, "unsupportedIdentifier",
            "identifiers"
        ),
        (
            "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"*.a.example\"}]}", 400, "rejectedIdentifier",
            "identifiers"
        ),
        (
            "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"192.0.2.1\"}]}", 400, "rejectedIdentifier",
            "identifiers"
        ),
        (
            "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a..b\"}]}", 400, "rejectedIdentifier",
            "identifiers"
        ),
        (
            "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example.\"}]}", 400, "rejectedIdentifier",
            "identifiers"
        ),
        (
            "{\"identifiers\":[{\"type\":\"ip\",\"value\":\"::1\"},{\"type\":\"dns\",\"value\":\"_a\"}]}",
            400, "compound",
            "identifiers"
        ),
        (
            "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.b\"}],\"profile\":\"x\"}", 400,
            "invalidProfile", "profile"
        ),
        (
            "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.b\"}],\"notAfter\":\"x\"}", 400, "malformed",
            "not_after"
        ),
        (
            "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.b\"}],\"notBefore\":\"2027-01-01T00:00:00Z\"}",
            400,
            "malformed", "not_before"
        ),
    ])
    func newOrderRefuses(_ payload: String, _ status: Int, _ problem: String, _ code: String) async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let answer = try await harness.post("\(ACMEHarness.root)/new-order", payload)
        #expect(answer.status == status)
        #expect(answer.problem == problem)
        #expect(harness.registrar.record.refusals.map(\.reasonCode) == ["acme.\(code)"])
        #expect(harness.registrar.record.inquiries.isEmpty)
    }

    @Test func namesAreNormalised() async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let order = try await harness.newOrder([
            "identifiers": [
                ["type": "dns", "value": .string(ACMEHarness.name.uppercased())],
                ["type": "dns", "value": .string(ACMEHarness.name)],
            ], "profile": "client-auth", "notAfter": "2026-12-01T00:00:00Z",
        ])
        #expect(order.status == 201)
        #expect(order.string("profile") == "client-auth")
        #expect(order.string("notAfter") == "2026-12-01T00:00:00Z")
        #expect(harness.registrar.record.inquiries.first?.names.dns == [ACMEHarness.name])
        #expect(harness.registrar.record.inquiries.first?.requestedProfile == ProfileName("client-auth"))
    }

    @Test func assessmentsBecomeAnswers() async throws {
        let id = RequestID(at: Timestamp(seconds: 0), random: [])
        let cases: [(Assessment, Int, String)] = [
            (.refused(Refusal(id: id, kind: .denied)), 403, "unauthorized"),
            (.refused(Refusal(id: id, kind: .noUsableProof)), 403, "unauthorized"),
            (.refused(Refusal(id: id, kind: .unacceptableRequest)), 400, "rejectedIdentifier"),
            (.refused(Refusal(id: id, kind: .throttled)), 429, "rateLimited"),
            (.deferred(id, retryAfter: 60), 503, "serverInternal"),
            (.unavailable(retryAfter: 5), 503, "serverInternal"),
        ]
        for (assessment, status, problem) in cases {
            var script = ACMEHarness.permitting()
            script.assess = { _ in assessment }
            let harness = try ACMEHarness(script: script)
            try await harness.newAccount()
            let answer = try await harness.newOrder()
            #expect(answer.status == status)
            #expect(answer.problem == problem)
            #expect((answer.header("Retry-After") != nil) == (status == 503 || status == 429))
            #expect(harness.registrar.record.refusals.isEmpty)
        }
    }

    @Test(arguments: DomainValidationFailure.allCases)
    func failedValidationEndsTheOrder(_ failure: DomainValidationFailure) async throws {
        let harness = try ACMEHarness(validation: .failed(failure, detail: "no"))
        let url = try await harness.answeredOrder()
        let order = try await harness.post(url, "")
        #expect(order.string("status") == "invalid")
        let authorization = try await harness.post(order.first("authorizations") ?? "", "")
        #expect(authorization.string("status") == "invalid")
        let again = try await harness.post(harness.challengeURL(in: authorization), "{}")
        #expect(again.status == 200)
        #expect(again.string("status") == "invalid")
        #expect(again.text.contains("urn:ietf:params:acme:error:\(failure.rawValue)"))
        #expect(harness.validator.calls.count == 1)
        #expect(harness.registrar.record.refusals.count == 1)
        #expect(try await harness.finalize(url, CertificateRequestVectors.san).problem == "orderNotReady")
    }

    @Test func expiryCountsOnUse() async throws {
        let harness = try ACMEHarness()
        let url = try await harness.answeredOrder()
        harness.clock.advance(seconds: 86_400)
        let order = try await harness.post(url, "")
        #expect(order.string("status") == "invalid")
        let authorization = try await harness.post(order.first("authorizations") ?? "", "")
        #expect(authorization.string("status") == "expired")
        #expect(try await harness.finalize(url, CertificateRequestVectors.san).problem == "orderNotReady")
        #expect(harness.registrar.record.intents.isEmpty)
    }

    @Test func deactivatedAuthorizationEndsTheOrder() async throws {
        let harness = try ACMEHarness()
        let url = try await harness.answeredOrder()
        let authorization = try await harness.post(url, "").first("authorizations") ?? ""
        #expect(try await harness.post(authorization, "{\"status\":\"x\"}").problem == "malformed")
        let gone = try await harness.post(authorization, "{\"status\":\"deactivated\"}")
        #expect(gone.string("status") == "deactivated")
        #expect(try await harness.post(url, "").string("status") == "invalid")
    }
}

extension String {
    /// How often `part` occurs.
    func components(_ part: String) -> Int { ranges(of: part).count }
}
