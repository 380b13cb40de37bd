import ACME
import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Testing

@Suite struct FinalizeTests {
    @Test func notBeforeReady() async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let url = try await harness.newOrder().header("Location") ?? ""
        let answer = try await harness.finalize(url, CertificateRequestVectors.san)
        #expect(answer.status == 403)
        #expect(answer.problem == "orderNotReady")
        #expect(harness.registrar.record.refusals.map(\.reasonCode) == ["acme.order_not_ready"])
    }

    @Test(arguments: [
        (CertificateRequestVectors.rsa1024, "csr_key"),
        (CertificateRequestVectors.badSignature, "csr_signature"),
        (CertificateRequestVectors.otherName, "csr_names"),
        (CertificateRequestVectors.extraName, "csr_names"),
        (CertificateRequestVectors.accountKey, "csr_account_key"), ("AAAA", "csr"), ("", "csr"),
    ])
    func badRequestsLeaveTheOrderReady(_ request: String, _ code: String) async throws {
        let harness = try ACMEHarness()
        let url = try await harness.answeredOrder()
        let answer = try await harness.finalize(url, request)
        #expect(answer.status == 400)
        #expect(answer.problem == "badCSR")
        #expect(harness.registrar.record.refusals.map(\.reasonCode) == ["acme.\(code)"])
        #expect(harness.registrar.record.intents.isEmpty)
        #expect(try await harness.finalize(url, CertificateRequestVectors.san).string("status") == "valid")
    }

    @Test(arguments: ["{}", "[]", "{\"csr\":1}", "{\"csr\":\"a+b=\"}", ""])
    func payloadsRefused(_ payload: String) async throws {
        let harness = try ACMEHarness()
        let url = try await harness.answeredOrder()
        #expect(try await harness.post("\(url)/finalize", payload).problem == "malformed")
    }

    @Test(
        arguments: [
            (CertificateRequestVectors.san, nil), (CertificateRequestVectors.sanCn, nil),
            (CertificateRequestVectors.sanUpper, nil), (CertificateRequestVectors.cnOnly, nil),
            (CertificateRequestVectors.cnDevice, "LT-042"),
        ] as [(String, String?)])
    func namesHandedOn(_ request: String, _ commonName: String?) async throws {
        let harness = try ACMEHarness()
        let url = try await harness.answeredOrder()
        #expect(try await harness.finalize(url, request).string("status") == "valid")
        #expect(
            harness.registrar.record.intents.first?.request.names
                == CertificateNames(commonName: commonName, dns: [ACMEHarness.name]))
    }

    @Test func sameRequestSameAnswerOtherRequestRefused() async throws {
        let harness = try ACMEHarness()
        let url = try await harness.answeredOrder()
        let first = try await harness.finalize(url, CertificateRequestVectors.san)
        let again = try await harness.finalize(url, CertificateRequestVectors.san)
        #expect(again.status == 200)
        #expect(again.json == first.json)
        #expect(
            try await harness.finalize(url, CertificateRequestVectors.secondKey).problem == "orderNotReady")
        #expect(harness.registrar.record.intents.count == 1)
    }

    @Test func manyAtOnce() async throws {
        let harness = try ACMEHarness()
        let url = try await harness.answeredOrder()
        let statuses = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    try await harness.finalize(url, CertificateRequestVectors.san).string("status")
                }
            }
            return try await group.reduce(into: [String?]()) { $0.append($1) }
        }
        #expect(statuses == [String?](repeating: "valid", count: 16))
    }

    @Test func outcomesBecomeAnswers() async throws {
        let id = RequestID(at: Timestamp(seconds: 0), random: [])
        let cases: [(EnrollmentOutcome, Int, String, String)] = [
            (.refused(Refusal(id: id, kind: .denied)), 403, "unauthorized", "invalid"),
            (.refused(Refusal(id: id, kind: .noUsableProof)), 403, "unauthorized", "invalid"),
            (.refused(Refusal(id: id, kind: .unacceptableKey)), 400, "badCSR", "ready"),
            (.refused(Refusal(id: id, kind: .unacceptableRequest)), 400, "badCSR", "ready"),
            (.refused(Refusal(id: id, kind: .throttled)), 429, "rateLimited", "ready"),
            (.deferred(id, retryAfter: 60), 503, "serverInternal", "ready"),
            (.unavailable(retryAfter: 5), 503, "serverInternal", "ready"),
        ]
        for (outcome, status, problem, after) in cases {
            var script = ACMEHarness.permitting()
            script.enroll = { _ in outcome }
            let harness = try ACMEHarness(script: script)
            let url = try await harness.answeredOrder()
            let answer = try await harness.finalize(url, CertificateRequestVectors.san)
            #expect(answer.status == status)
            #expect(answer.problem == problem)
            #expect((answer.header("Retry-After") != nil) == (status == 503 || status == 429))
            #expect(try await harness.post(url, "").string("status") == after)
            #expect(harness.registrar.record.refusals.isEmpty, "the registrar recorded it")
        }
    }
}
