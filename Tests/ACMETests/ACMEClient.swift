import ACME
import Crypto
import EnrollmentCore
import EnrollmentTesting
import FrontEnd

/// What a test may make wrong in a request.
struct Forgery {
    var algorithm = "ES256"
    var nonce: JSONValue?
    var omitsNonce = false
    var url: String?
    var kid: String?
    var addsBothKeys = false
    var header: [String: JSONValue] = [:]
    var mediaType = "application/jose+json"
    var method = "POST"
    var corruptsSignature = false
    var body: [UInt8]?
    var query: String?
}

extension ACMEHarness {
    func b64(_ text: String) -> String { Base64.encodeURLSafe(Array(text.utf8)) }

    func send(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [],
        body: FrontEndRequest.Body = .complete([]), query: String? = nil
    ) async -> Answer {
        let path = String(url.dropFirst(Self.base.count))
        let request = FrontEndRequest(
            id: RequestID(at: clock.now(), random: random.octets(10)), receivedAt: clock.now(),
            method: method,
            path: path, query: query, headers: headers, body: body,
            peer: Peer(address: "192.0.2.7", isSecure: true))
        return Answer(response: await server.respond(to: request))
    }

    func nonce() async -> String {
        await send("HEAD", "\(Self.root)/new-nonce").header("Replay-Nonce") ?? ""
    }

    func jwk(_ key: P256.Signing.PrivateKey) -> JSONValue {
        let raw = Array(key.publicKey.rawRepresentation)
        return [
            "kty": "EC", "crv": "P-256", "x": .string(Base64.encodeURLSafe(Array(raw.prefix(32)))),
            "y": .string(Base64.encodeURLSafe(Array(raw.suffix(32)))),
        ]
    }

    func accountURL(_ key: P256.Signing.PrivateKey) throws -> String {
        "\(Self.root)/account/\(try JSONWebKey(jwk(key)).thumbprint)"
    }

    /// Signs as told, well or ill.
    func jws(
        _ url: String, _ payload: String, key: P256.Signing.PrivateKey, embedsKey: Bool,
        forgery: Forgery = Forgery()
    ) async throws -> [UInt8] {
        var header: [String: JSONValue] = [
            "alg": .string(forgery.algorithm), "url": .string(forgery.url ?? url),
        ]
        if !forgery.omitsNonce {
            if let nonce = forgery.nonce {
                header["nonce"] = nonce
            } else {
                header["nonce"] = .string(await nonce())
            }
        }
        if embedsKey || forgery.addsBothKeys { header["jwk"] = jwk(key) }
        if !embedsKey || forgery.addsBothKeys { header["kid"] = .string(try forgery.kid ?? accountURL(key)) }
        header.merge(forgery.header) { _, new in new }
        let protected = b64(JSONValue.object(header).canonicalText)
        let input = "\(protected).\(b64(payload))"
        var signature = Array(try key.signature(for: Array(input.utf8)).rawRepresentation)
        if forgery.corruptsSignature { signature[5] ^= 1 }
        let document: JSONValue = [
            "protected": .string(protected), "payload": .string(b64(payload)),
            "signature": .string(Base64.encodeURLSafe(signature)),
        ]
        return Array(document.canonicalText.utf8)
    }

    func post(
        _ url: String, _ payload: String, key other: P256.Signing.PrivateKey? = nil, embedsKey: Bool = false,
        forgery: Forgery = Forgery()
    ) async throws -> Answer {
        let body: [UInt8]
        if let forged = forgery.body {
            body = forged
        } else {
            body = try await jws(url, payload, key: other ?? key, embedsKey: embedsKey, forgery: forgery)
        }
        return await send(
            forgery.method, url, headers: [("content-type", forgery.mediaType)], body: .complete(body),
            query: forgery.query)
    }

    /// An inner JWS as a client of the credential makes it; the MAC is not checked here.
    func binding(
        key other: P256.Signing.PrivateKey? = nil, url: String = "\(ACMEHarness.root)/new-account",
        header extra: [String: JSONValue] = [:]
    ) -> JSONValue {
        var header: [String: JSONValue] = [
            "alg": "HS256", "kid": .string(Self.credential), "url": .string(url),
        ]
        header.merge(extra) { _, new in new }
        let protected = b64(JSONValue.object(header).canonicalText)
        let payload = b64(jwk(other ?? key).canonicalText)
        return [
            "protected": .string(protected), "payload": .string(payload),
            "signature": .string(Base64.encodeURLSafe([UInt8](repeating: 9, count: 32))),
        ]
    }

    @discardableResult
    func newAccount(key other: P256.Signing.PrivateKey? = nil) async throws -> Answer {
        let payload: JSONValue = [
            "termsOfServiceAgreed": true, "contact": ["mailto:a@example.test"],
            "externalAccountBinding": binding(key: other),
        ]
        return try await post(
            "\(Self.root)/new-account", payload.canonicalText, key: other, embedsKey: true)
    }

    func newOrder(_ payload: JSONValue? = nil) async throws -> Answer {
        let payload = payload ?? ["identifiers": [["type": "dns", "value": .string(Self.name)]]]
        return try await post("\(Self.root)/new-order", payload.canonicalText)
    }

    /// An order whose one authorization was answered; its URL.
    func answeredOrder() async throws -> String {
        try await newAccount()
        let order = try await newOrder()
        let authorization = try await post(order.first("authorizations") ?? "", "")
        _ = try await post(challengeURL(in: authorization), "{}")
        return order.header("Location") ?? ""
    }

    func challengeURL(in authorization: Answer) -> String {
        if case .object(let members) = authorization.json,
            case .array(let challenges)? = members["challenges"],
            case .object(let challenge)? = challenges.first, case .string(let url)? = challenge["url"]
        {
            return url
        }
        return ""
    }

    func finalize(_ order: String, _ request: String) async throws -> Answer {
        try await post("\(order)/finalize", JSONValue.object(["csr": .string(request)]).canonicalText)
    }
}
