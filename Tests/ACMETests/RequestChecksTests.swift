import ACME
import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Testing

/// A request made wrong in one way, and its exact answer.
struct Misfit: Sendable, CustomTestStringConvertible {
    let what: String
    let forgery: Forgery
    let status: Int
    let problem: String
    let code: String

    init(_ what: String, _ status: Int, _ problem: String, _ code: String, _ make: (inout Forgery) -> Void) {
        self.what = what
        self.status = status
        self.problem = problem
        self.code = "acme.\(code)"
        var forgery = Forgery()
        make(&forgery)
        self.forgery = forgery
    }

    var testDescription: String { what }
}

@Suite struct RequestChecksTests {
    static let misfits: [Misfit] = [
        Misfit("nonce of nobody", 400, "badNonce", "bad_nonce") { $0.nonce = "AAAA" },
        Misfit("nonce absent", 400, "badNonce", "bad_nonce") { $0.omitsNonce = true },
        Misfit("nonce not base64url", 400, "malformed", "jws") { $0.nonce = "a+b=" },
        Misfit("nonce no string", 400, "malformed", "jws") { $0.nonce = 7 },
        Misfit("url of another resource", 403, "unauthorized", "url") {
            $0.url = ACMEHarness.root + "/new-account"
        },
        Misfit("url of another host", 403, "unauthorized", "url") {
            $0.url = "https://evil.example/acme/laptops/new-order"
        },
        Misfit("url with a query", 403, "unauthorized", "url") { $0.query = "x=1" },
        Misfit("alg none", 400, "badSignatureAlgorithm", "alg") { $0.algorithm = "none" },
        Misfit("alg a MAC", 400, "badSignatureAlgorithm", "alg") { $0.algorithm = "HS256" },
        Misfit("alg of another curve", 400, "badSignatureAlgorithm", "alg") { $0.algorithm = "ES384" },
        Misfit("alg of another kind", 400, "badSignatureAlgorithm", "alg") { $0.algorithm = "RS256" },
        Misfit("jwk and kid", 400, "malformed", "key_reference") { $0.addsBothKeys = true },
        Misfit("kid elsewhere", 400, "malformed", "kid") {
            $0.kid = "https://evil.example/acme/laptops/account/a"
        },
        Misfit("kid of another service", 400, "malformed", "kid") {
            $0.kid = ACMEHarness.base + "/acme/servers/account/a"
        },
        Misfit("kid of nobody", 400, "accountDoesNotExist", "account") {
            $0.kid = ACMEHarness.root + "/account/a"
        },
        Misfit("crit", 400, "malformed", "jws") { $0.header = ["crit": ["b64"]] },
        Misfit("b64", 400, "malformed", "jws") { $0.header = ["b64": false] },
        Misfit("jku", 400, "malformed", "jws") { $0.header = ["jku": "https://evil.example/"] },
        Misfit("signature", 403, "unauthorized", "signature") { $0.corruptsSignature = true },
        Misfit("media type", 415, "malformed", "media_type") { $0.mediaType = "application/json" },
        Misfit("GET", 405, "malformed", "method") { $0.method = "GET" },
        Misfit("PUT", 405, "malformed", "method") { $0.method = "PUT" },
        Misfit("no JSON", 400, "malformed", "jws") { $0.body = Array("hello".utf8) },
        Misfit("empty", 400, "malformed", "jws") { $0.body = [] },
        Misfit("not UTF-8", 400, "malformed", "jws") { $0.body = [0x7b, 0xff, 0x7d] },
        Misfit("trailing octets", 400, "malformed", "jws") {
            $0.body = Array("{\"protected\":\"\",\"payload\":\"\",\"signature\":\"AA\"} {}".utf8)
        },
        Misfit("padding", 400, "malformed", "jws") {
            $0.body = Array("{\"protected\":\"e30=\",\"payload\":\"\",\"signature\":\"AA\"}".utf8)
        },
        Misfit("name twice", 400, "malformed", "jws") {
            $0.body = Array(
                "{\"protected\":\"e30\",\"payload\":\"\",\"payload\":\"\",\"signature\":\"AA\"}".utf8)
        },
        Misfit("general serialization", 400, "malformed", "jws") {
            $0.body = Array(
                "{\"payload\":\"\",\"signatures\":[{\"protected\":\"e30\",\"signature\":\"AA\"}]}".utf8)
        },
        Misfit("unprotected header", 400, "malformed", "jws") {
            $0.body = Array(
                "{\"protected\":\"e30\",\"header\":{},\"payload\":\"\",\"signature\":\"AA\"}".utf8)
        },
        Misfit("too large", 413, "malformed", "body_size") {
            $0.body = [UInt8](repeating: 0x20, count: 65_537)
        },
    ]

    @Test(arguments: misfits)
    func refusesExactly(_ misfit: Misfit) async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let payload = "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"\(ACMEHarness.name)\"}]}"
        let answer = try await harness.post("\(ACMEHarness.root)/new-order", payload, forgery: misfit.forgery)
        #expect(answer.status == misfit.status)
        #expect(answer.problem == misfit.problem)
        #expect(harness.registrar.record.refusals.map(\.reasonCode) == [misfit.code])
        #expect(harness.registrar.record.inquiries.isEmpty)
        #expect((answer.header("Replay-Nonce") != nil) == (misfit.forgery.method == "POST"))
        #expect(answer.header("Link") == "<\(ACMEHarness.root)/directory>;rel=\"index\"")
    }

    @Test func badNonceCarriesOneThatWorks() async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let url = try harness.accountURL(harness.key)
        var forgery = Forgery()
        forgery.nonce = .string(await harness.nonce())
        #expect(try await harness.post(url, "", forgery: forgery).status == 200)
        let replayed = try await harness.post(url, "", forgery: forgery)
        #expect(replayed.problem == "badNonce")
        forgery.nonce = .string(try #require(replayed.header("Replay-Nonce")))
        #expect(try await harness.post(url, "", forgery: forgery).status == 200)
        forgery.nonce = .string(await harness.nonce())
        harness.clock.advance(seconds: 3_600)
        #expect(try await harness.post(url, "", forgery: forgery).problem == "badNonce")
    }

    @Test func nonceSurvivesABadSignatureAndBurnsOnABadURL() async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        let url = try harness.accountURL(harness.key)
        var forgery = Forgery()
        forgery.nonce = .string(await harness.nonce())
        forgery.corruptsSignature = true
        #expect(try await harness.post(url, "", forgery: forgery).problem == "unauthorized")
        forgery.corruptsSignature = false
        forgery.url = ACMEHarness.root + "/new-order"
        #expect(try await harness.post(url, "", forgery: forgery).problem == "unauthorized")
        forgery.url = nil
        #expect(try await harness.post(url, "", forgery: forgery).problem == "badNonce")
    }

    @Test(arguments: [
        "/acme/nowhere/directory", "/acme/scep-only/directory", "/acme", "/acme/", "/acme//directory", "/",
        "/acme/laptops", "/acme/laptops/", "/acme/laptops/revoke-cert", "/acme/laptops/order",
        "/acme/laptops/order/a/b", "/acme/laptops/order/%61", "/acme/laptops/directory/",
    ])
    func unknownPaths(_ path: String) async throws {
        let harness = try ACMEHarness()
        let answer = await harness.send("GET", ACMEHarness.base + path)
        #expect(answer.status == 404)
        #expect(answer.problem == "malformed")
        #expect(harness.registrar.record.refusals.count == 1)
    }

    @Test func directoryAndNonces() async throws {
        let harness = try ACMEHarness()
        let directory = await harness.send("GET", "\(ACMEHarness.root)/directory")
        #expect(directory.status == 200)
        #expect(
            directory.json == [
                "newNonce": .string("\(ACMEHarness.root)/new-nonce"),
                "newAccount": .string("\(ACMEHarness.root)/new-account"),
                "newOrder": .string("\(ACMEHarness.root)/new-order"),
                "meta": [
                    "externalAccountRequired": true, "profiles": ["client-auth": "TLS client certificates"],
                ],
            ])
        #expect(directory.header("Link") == nil)
        for (method, status) in [("HEAD", 200), ("GET", 204), ("POST", 405)] {
            let answer = await harness.send(method, "\(ACMEHarness.root)/new-nonce")
            #expect(answer.status == status)
            #expect(answer.header("Replay-Nonce") != nil)
            #expect(answer.header("Cache-Control") == "no-store")
        }
    }

    @Test func throttledAndUnavailableRefusals() async throws {
        for (outcome, status, problem) in [
            (RefusalKind.throttled as RefusalKind?, 429, "rateLimited"), (nil, 503, "serverInternal"),
        ] {
            var script = ACMEHarness.permitting()
            script.refuse = { refused in
                outcome.map { .refused(Refusal(id: refused.id, kind: $0)) } ?? .unavailable(retryAfter: 9)
            }
            let harness = try ACMEHarness(script: script)
            let answer = await harness.send("GET", "\(ACMEHarness.root)/new-order")
            #expect(answer.status == status)
            #expect(answer.problem == problem)
            #expect(answer.header("Retry-After") != nil)
        }
    }

    @Test func storeOutage() async throws {
        let harness = try ACMEHarness()
        try await harness.newAccount()
        harness.store.fail(with: .unavailable("down"))
        let answer = try await harness.newOrder()
        #expect(answer.status == 503)
        #expect(answer.header("Retry-After") == "5")
        #expect(answer.header("Replay-Nonce") != nil)
    }
}
