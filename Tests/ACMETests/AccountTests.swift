import ACME
import Crypto
import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Testing

@Suite struct AccountTests {
    @Test func createsOnceAndFindsAgain() async throws {
        let harness = try ACMEHarness()
        let created = try await harness.newAccount()
        #expect(created.status == 201)
        let url = try harness.accountURL(harness.key)
        #expect(created.header("Location") == url)
        #expect(created.string("status") == "valid")
        let offer = try #require(harness.registrar.record.bindings.first)
        #expect(offer.binding.keyID == ACMEHarness.credential)
        #expect(offer.binding.authenticationCode == [UInt8](repeating: 9, count: 32))
        #expect(offer.account.key.id == offer.accountID)

        let found = try await harness.post(
            "\(ACMEHarness.root)/new-account", "{\"onlyReturnExisting\":true}", embedsKey: true)
        #expect(found.status == 200)
        #expect(found.header("Location") == url)
        #expect(try await harness.newAccount().status == 200)
        #expect(harness.registrar.record.bindings.count == 1)
        #expect(harness.registrar.record.refusals.isEmpty)
    }

    @Test(arguments: [
        ("{}", 403, "externalAccountRequired", "eab_missing"),
        ("{\"onlyReturnExisting\":true}", 400, "accountDoesNotExist", "account"),
        ("[]", 400, "malformed", "payload"), ("", 400, "malformed", "payload"),
        ("{\"contact\":\"mailto:a@b\"}", 400, "malformed", "contact"),
        ("{\"contact\":[\"tel:+1\"]}", 400, "unsupportedContact", "contact"),
        ("{\"contact\":[\"mailto:a@b,c@d\"]}", 400, "invalidContact", "contact"),
        ("{\"contact\":[\"mailto:a@b?subject=x\"]}", 400, "invalidContact", "contact"),
        ("{\"contact\":[\"mailto:a\"]}", 400, "invalidContact", "contact"),
        ("{\"externalAccountBinding\":{}}", 400, "malformed", "eab"),
        ("{\"externalAccountBinding\":\"x\"}", 400, "malformed", "eab"),
    ])
    func newAccountRefuses(_ payload: String, _ status: Int, _ problem: String, _ code: String) async throws {
        let harness = try ACMEHarness()
        let answer = try await harness.post("\(ACMEHarness.root)/new-account", payload, embedsKey: true)
        #expect(answer.status == status)
        #expect(answer.problem == problem)
        #expect(harness.registrar.record.refusals.map(\.reasonCode) == ["acme.\(code)"])
        #expect(harness.registrar.record.bindings.isEmpty)
    }

    @Test func bindingsRefusedForTheirForm() async throws {
        let harness = try ACMEHarness()
        let cases: [(JSONValue, Int, String, String)] = [
            (harness.binding(key: P256.Signing.PrivateKey()), 403, "unauthorized", "acme.eab_key"),
            (harness.binding(url: "https://evil.example/"), 403, "unauthorized", "acme.eab_url"),
            (harness.binding(header: ["nonce": "AAAA"]), 400, "malformed", "acme.eab"),
            (harness.binding(header: ["alg": "none"]), 400, "badSignatureAlgorithm", "acme.eab_alg"),
            (harness.binding(header: ["alg": "ES256"]), 400, "badSignatureAlgorithm", "acme.eab_alg"),
            (harness.binding(header: ["jwk": ["kty": "EC"]]), 400, "malformed", "acme.eab"),
            (harness.binding(header: ["kid": ""]), 400, "malformed", "acme.eab"),
        ]
        for (index, (binding, status, problem, code)) in cases.enumerated() {
            let payload = JSONValue.object(["externalAccountBinding": binding]).canonicalText
            let answer = try await harness.post("\(ACMEHarness.root)/new-account", payload, embedsKey: true)
            #expect(answer.status == status)
            #expect(answer.problem == problem)
            #expect(harness.registrar.record.refusals.last?.reasonCode == code)
            #expect(harness.registrar.record.refusals.count == index + 1)
        }
    }

    @Test(arguments: [
        (RefusalKind.noUsableProof, 403, "unauthorized"), (.denied, 403, "unauthorized"),
        (.malformed, 400, "malformed"), (.throttled, 429, "rateLimited"),
    ])
    func bindingsRefusedByTheRegistrar(_ kind: RefusalKind, _ status: Int, _ problem: String) async throws {
        var script = ACMEHarness.permitting()
        script.bind = { .refused(Refusal(id: $0.id, kind: kind)) }
        let harness = try ACMEHarness(script: script)
        let answer = try await harness.newAccount()
        #expect(answer.status == status)
        #expect(answer.problem == problem)
        #expect(harness.registrar.record.refusals.isEmpty, "the registrar recorded it")
    }

    @Test func updatesAndDeactivates() async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let url = try harness.accountURL(harness.key)
        let updated = try await harness.post(url, "{\"contact\":[\"mailto:b@example.test\"]}")
        #expect(updated.first("contact") == "mailto:b@example.test")
        #expect(try await harness.post(url, "{\"status\":\"valid\"}").problem == "malformed")
        #expect(try await harness.post(url, "{\"status\":\"deactivated\"}").string("status") == "deactivated")
        for answer in [
            try await harness.post(url, ""), try await harness.newOrder(), try await harness.newAccount(),
        ] {
            #expect(answer.status == 401)
            #expect(answer.problem == "unauthorized")
        }
        #expect(harness.registrar.record.refusals.last?.reasonCode == "acme.account_status")
    }

    @Test func strangersSeeNothing() async throws {
        let harness = try ACMEHarness()
        let order = try await harness.answeredOrder()
        let shown = try await harness.post(order, "")
        let stranger = P256.Signing.PrivateKey()
        try await harness.newAccount(key: stranger)
        for url in [
            order, "\(order)/finalize", shown.first("authorizations") ?? "",
            try harness.accountURL(harness.key), order.replacing("/order/", with: "/certificate/"),
            (shown.first("authorizations") ?? "").replacing("/authorization/", with: "/challenge/")
                + "/http-01",
        ] {
            let foreign = try await harness.post(url, "", key: stranger)
            #expect(foreign.status == 404)
            #expect(foreign.problem == "malformed")
        }
        #expect(harness.registrar.record.refusals.allSatisfy { $0.reasonCode == "acme.absent" })
    }
}
