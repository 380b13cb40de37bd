import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Testing

/// Every request that cannot become an intent is recorded once, and answered as the table of answers says.
struct ESTRefusalTests {
    @Test(arguments: [
        ESTCase("plain HTTP", 403, "est.insecure", .denied) { $0.isSecure = false },
        ESTCase("unknown operation", 404, "est.operation") { $0.path = "/.well-known/est/laptops/enroll" },
        ESTCase("no operation", 404, "est.operation") { $0.path = "/.well-known/est" },
        ESTCase("trailing slash", 404, "est.operation") { $0.path += "/" },
        ESTCase("operation as label", 404, "est.operation") {
            $0.path = "/.well-known/est/cacerts/simpleenroll"
        },
        ESTCase("escaped operation", 404, "est.operation") {
            $0.path = "/.well-known/est/laptops/simple%65nroll"
        },
        ESTCase("operation in another case", 404, "est.operation") {
            $0.path = "/.well-known/est/laptops/SimpleEnroll"
        },
        ESTCase("hostile label", 404, "est.operation") { $0.path = "/.well-known/est/..%2f/simpleenroll" },
        ESTCase("unknown service", 404, "est.service") { $0.path = "/.well-known/est/nowhere/simpleenroll" },
        ESTCase("service without EST", 404, "est.not_enabled") {
            $0.path = "/.well-known/est/network-gear/simpleenroll"
        },
        ESTCase("serverkeygen", 501, "est.operation_not_served") {
            $0.path = "/.well-known/est/laptops/serverkeygen"
        },
        ESTCase("csrattrs", 501, "est.operation_not_served") {
            $0.path = "/.well-known/est/csrattrs"
            $0.method = "GET"
        },
        ESTCase("fullcmc", 501, "est.operation_not_served") { $0.path = "/.well-known/est/laptops/fullcmc" },
        ESTCase("enroll by GET", 405, "est.method") { $0.method = "GET" },
        ESTCase("cacerts by POST", 405, "est.method") { $0.path = "/.well-known/est/cacerts" },
        ESTCase("too large", 413, "est.body_size") { $0.body = .tooLarge(limit: 65_536) },
        ESTCase("no media type", 415, "est.media_type") { $0.mediaType = nil },
        ESTCase("another media type", 415, "est.media_type") { $0.mediaType = "application/pkcs10-like" },
        ESTCase("no proof", 401, "est.no_proof", .noUsableProof) { $0.authorization = [] },
        ESTCase("another scheme", 401, "est.authorization", .noUsableProof) {
            $0.authorization = ["Bearer abcd"]
        },
        ESTCase("Basic that is not base64", 401, "est.authorization", .noUsableProof) {
            $0.authorization = ["Basic LT-042:SECRET"]
        },
        ESTCase("Basic without colon", 401, "est.authorization", .noUsableProof) {
            $0.authorization = ["Basic " + Base64.encode(Array("LT-042".utf8))]
        },
        ESTCase("Basic twice", 401, "est.authorization", .noUsableProof) {
            $0.authorization += $0.authorization
        },
        ESTCase("long user name", 401, "est.authorization", .noUsableProof) {
            $0.authorization = [
                "Basic " + Base64.encode([UInt8](repeating: 65, count: 65) + Array(":x".utf8))
            ]
        },
        ESTCase("re-enrol without certificate", 401, "est.no_client_certificate", .noUsableProof) {
            $0.path = "/.well-known/est/laptops/simplereenroll"
        },
        ESTCase("unreadable client certificate", 401, "est.client_certificate", .noUsableProof) {
            $0.path = "/.well-known/est/laptops/simplereenroll"
            $0.certificate = [0x30, 0x03, 0x02, 0x01, 0x00]
        },
        ESTCase("empty body", 400, "est.base64") { $0.body = .complete([]) },
        ESTCase("white space alone", 400, "est.base64") { $0.body = .complete(Array(" \r\n".utf8)) },
        ESTCase("PEM armour", 400, "est.base64") {
            $0.body = .complete(Array("-----BEGIN CERTIFICATE REQUEST-----\n\(Vectors.request)\n".utf8))
        },
        ESTCase("raw DER", 400, "est.base64") {
            $0.body = .complete(Base64.decode(Vectors.request.utf8) ?? [])
        },
        ESTCase("URL-safe alphabet", 400, "est.base64") {
            $0.body = .complete(Vectors.request.utf8.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 })
        },
        ESTCase("no padding", 400, "est.base64") {
            $0.body = .complete(Vectors.request.utf8.filter { $0 != UInt8(ascii: "=") })
        },
        ESTCase("padding too long", 400, "est.base64") {
            $0.body = .complete(Array((Vectors.request + "====").utf8))
        },
        ESTCase("vertical tab", 400, "est.base64") {
            $0.body = .complete(Array(("\u{0b}" + Vectors.request).utf8))
        },
        ESTCase("not DER", 400, "csr.malformed") { $0.body = .complete(Array("AAAA".utf8)) },
        ESTCase("octets after the request", 400, "csr.malformed") {
            let der = (Base64.decode(Vectors.request.utf8) ?? []) + [0]
            $0.body = .complete(Array(Base64.encode(der).utf8))
        },
        ESTCase("broken signature", 400, "csr.possession", .unacceptableRequest) {
            $0.body = .complete(Array(Vectors.brokenSignature.utf8))
        },
        ESTCase("RSA 1024", 400, "csr.key", .unacceptableKey) {
            $0.body = .complete(Array(Vectors.smallRSA.utf8))
        },
        ESTCase("unlisted curve", 400, "csr.key", .unacceptableKey) {
            $0.body = .complete(Array(Vectors.unlistedCurve.utf8))
        },
        ESTCase("CA:TRUE", 400, "csr.contents", .unacceptableRequest) {
            $0.body = .complete(Array(Vectors.authority.utf8))
        },
    ])
    func refuses(_ test: ESTCase) async {
        let registrar = ScriptedRegistrar(services: Self.services)
        let answer = await test.answer(from: registrar)
        #expect(answer.status == test.status)
        #expect(registrar.record.intents.isEmpty)
        #expect(registrar.record.refusals.map(\.reasonCode) == [test.reasonCode])
        #expect(registrar.record.refusals.map(\.kind) == [test.kind])
        #expect(registrar.record.refusals.allSatisfy { $0.enrollmentProtocol == .est && $0.id == ESTCase.id })
        #expect(answer.text == "\(test.kind.rawValue)\nrequest \(ESTCase.id)\n")
        #expect(answer.values("www-authenticate").isEmpty == (test.status != 401))
        #expect(answer.values("allow").isEmpty == (test.status != 405))
    }

    @Test func recordsServiceAndOperation() async {
        let registrar = ScriptedRegistrar(services: Self.services)
        _ = await ESTCase("") { $0.mediaType = nil }.answer(from: registrar)
        _ = await ESTCase("") { $0.path = "/.well-known/est/nowhere/simpleenroll" }.answer(from: registrar)
        _ = await ESTCase("") { $0.path = "/.well-known/est/simplereenroll" }.answer(from: registrar)
        #expect(registrar.record.refusals.map(\.service?.rawValue) == ["laptops", "nowhere", "laptops"])
        #expect(registrar.record.refusals.map(\.operation) == [.enroll, nil, .renew])
    }

    /// A registrar that is flooded or down is what the client hears of, whatever was wrong with the request.
    @Test(arguments: [
        (EnrollmentOutcome.refused(Refusal(id: ESTCase.id, kind: .throttled)), 429),
        (EnrollmentOutcome.unavailable(retryAfter: 7), 503),
    ])
    func passesOnWhatTheRegistrarSays(_ outcome: EnrollmentOutcome, _ status: Int) async {
        let registrar = ScriptedRegistrar(script: .init(refuse: { _ in outcome }))
        let answer = await ESTCase("") { $0.mediaType = nil }.answer(from: registrar)
        #expect(answer.status == status)
        #expect(answer.values("retry-after").count == 1)
    }

    @Test func quotesNoSecret() async {
        let registrar = ScriptedRegistrar()
        for authorization in ["Basic SECRETTEXT", "Bearer SECRETTEXT"] {
            let answer = await ESTCase("") { $0.authorization = [authorization] }.answer(from: registrar)
            #expect(!answer.text.contains("SECRET"))
        }
        #expect(registrar.record.refusals.allSatisfy { !$0.reason.contains("SECRET") })
    }

    private static let services = [
        ScriptedRegistrar.laptops,
        ServiceDescription(name: ServiceName("network-gear"), protocols: [.scep], profiles: [:]),
    ]
}
