import ACME
import Crypto
import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Testing

/// Whose a refusal is: an account's once its signature verified, anybody's before.
@Suite struct VerifiedRefusalTests {
    /// Below the directory's root, with what to send there.
    static let requests: [(path: String, payload: String, code: String)] = [
        ("new-order", "{}", "identifiers"), ("account/other", "", "absent"),
        ("account/own", "{\"status\":\"valid\"}", "account_update"), ("account/own", "[]", "payload"),
        ("order/none", "", "absent"), ("order/none", "{}", "payload"), ("order/none/finalize", "", "absent"),
        ("authorization/none", "", "absent"), ("challenge/none/http-01", "{}", "absent"),
        ("challenge/none/dns-01", "{}", "absent"), ("certificate/none", "", "absent"),
        ("certificate/none", "{}", "payload"),
    ]

    private static func url(_ path: String, _ harness: ACMEHarness) throws -> String {
        path == "account/own" ? try harness.accountURL(harness.key) : "\(ACMEHarness.root)/\(path)"
    }

    @Test("what a verified account is refused is recorded as its own", arguments: requests)
    func verified(_ path: String, _ payload: String, _ code: String) async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let answer = try await harness.post(try Self.url(path, harness), payload)
        #expect(answer.problem != nil)
        let refused = try #require(harness.registrar.record.refusals.first)
        #expect(harness.registrar.record.refusals.count == 1)
        #expect(refused.reasonCode == "acme.\(code)")
        #expect(refused.isVerified)
        let account = try JSONWebKey(harness.jwk(harness.key)).thumbprint
        #expect(refused.reason.hasSuffix("(account \(account))"))
    }

    @Test("what fails before that is a stranger's, whatever account it names", arguments: requests)
    func unverified(_ path: String, _ payload: String, _: String) async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let forgeries = [
            Forgery(corruptsSignature: true), Forgery(omitsNonce: true),
            Forgery(url: "https://elsewhere.example/"), Forgery(mediaType: "application/json"),
            Forgery(kid: "\(ACMEHarness.root)/account/nobody"),
        ]
        for forgery in forgeries {
            let answer = try await harness.post(try Self.url(path, harness), payload, forgery: forgery)
            #expect(answer.problem != nil)
        }
        let refusals = harness.registrar.record.refusals
        #expect(refusals.count == forgeries.count)
        #expect(refusals.allSatisfy { !$0.isVerified && !$0.reason.contains("(account") })
    }

    @Test func aFailedValidationIsTheAccounts() async throws {
        let harness = try ACMEHarness(validation: .failed(.connection, detail: "no answer"))
        _ = try await harness.answeredOrder()
        let refusals = harness.registrar.record.refusals
        #expect(refusals.map(\.reasonCode) == ["acme.validation.connection"])
        #expect(refusals.map(\.isVerified) == [true])
    }
}
