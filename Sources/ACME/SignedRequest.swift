import EnrollmentCore
import FrontEnd

/// A POST whose signature, nonce and URL were found good.
struct SignedRequest: Sendable {
    /// The payload as signed; empty in a POST-as-GET (RFC 8555 §6.3).
    let payload: [UInt8]
    let url: String
    let key: JSONWebKey

    /// The payload as an object.
    func object() throws(ACMEProblem) -> [String: JSONValue] {
        guard let document = try? JSONReader.read(payload), case .object(let members) = document else {
            throw .refused(.malformed, "payload", "the payload is not the JSON object this resource takes")
        }
        return members
    }

    /// - Throws: unless the request is a POST-as-GET.
    func requireEmptyPayload() throws(ACMEProblem) {
        guard payload.isEmpty else {
            throw .refused(.malformed, "payload", "the resource is read by a POST with an empty payload")
        }
    }
}

extension ACMEServer {
    /// Checks a request of somebody whose key is in the request itself (`jwk`): newAccount.
    func authenticateByKey(_ exchange: ACMEExchange) async throws(ACMEProblem) -> SignedRequest {
        let jws = try parse(exchange)
        let algorithm = try algorithm(of: jws)
        guard case .embedded(let document) = jws.signingKey else {
            throw .refused(.malformed, "key_reference", "the request must carry its key as jwk")
        }
        let key: JSONWebKey
        do throws(JSONWebKeyError) {
            key = try JSONWebKey(document)
        } catch {
            switch error {
            case .malformed: throw .refused(.malformed, "jwk", "the jwk cannot be read")
            case .unacceptable:
                throw .refused(
                    .badPublicKey, "key", "the account key is of a kind or size that is not accepted")
            }
        }
        return try await verify(jws, algorithm, key, exchange)
    }

    /// Checks a request of an account (`kid`), which must be valid, and has it answered.
    ///
    /// What `answer` refuses is recorded as that account's; what is refused before could be anybody's.
    func authenticate(
        _ exchange: ACMEExchange,
        _ answer: (ACMEAccount, SignedRequest) async throws(ACMEProblem) -> FrontEndResponse
    ) async throws(ACMEProblem) -> FrontEndResponse {
        let (account, signed) = try await verified(exchange)
        do throws(ACMEProblem) { return try await answer(account, signed) } catch {
            var problem = error
            problem.account = account.id
            throw problem
        }
    }

    private func verified(_ exchange: ACMEExchange) async throws(ACMEProblem) -> (ACMEAccount, SignedRequest)
    {
        let jws = try parse(exchange)
        let algorithm = try algorithm(of: jws)
        guard case .identified(let url) = jws.signingKey else {
            throw .refused(.malformed, "key_reference", "the request must name its account as kid")
        }
        guard let id = exchange.locations.accountID(in: url) else {
            throw .refused(.malformed, "kid", "the kid is not the URL of an account of this directory")
        }
        guard let account = try await loadAccount(id, exchange) else {
            throw .refused(.accountDoesNotExist, "account", "there is no such account")
        }
        guard algorithm.fits(account.key) else { throw badAlgorithm }
        try account.requireValid()
        return (account, try await verify(jws, algorithm, account.key, exchange))
    }

    /// Size and shape.
    private func parse(_ exchange: ACMEExchange) throws(ACMEProblem) -> FlattenedJWS {
        try exchange.allow(["POST"])
        guard case .complete(let body) = exchange.request.body, body.count <= maximumBodySize else {
            throw .refused(.malformed, "body_size", "the body is too large", status: 413)
        }
        guard exchange.request.mediaType == "application/jose+json" else {
            throw .refused(.malformed, "media_type", "the body must be application/jose+json", status: 415)
        }
        do throws(JWSError) {
            return try FlattenedJWS(body)
        } catch {
            throw Self.problem(for: error)
        }
    }

    static func problem(for error: JWSError) -> ACMEProblem {
        switch error {
        case .json(.duplicateName):
            return .refused(.malformed, "jws", "the JWS names a member twice")
        case .json(.tooLarge), .json(.tooDeep), .json(.malformed), .json(.notWhole):
            return .refused(.malformed, "jws", "the JWS is not JSON that can be read")
        case .notFlattened: return .refused(.malformed, "jws", "the JWS is not in flattened serialization")
        case .base64: return .refused(.malformed, "jws", "the JWS is not in unpadded base64url")
        case .header:
            return .refused(
                .malformed, "jws", "the protected header lacks a member or has one that is refused")
        case .keyReference:
            return .refused(.malformed, "key_reference", "the protected header must have one of jwk and kid")
        }
    }

    private func algorithm(of jws: FlattenedJWS) throws(ACMEProblem) -> SignatureAlgorithm {
        guard let algorithm = SignatureAlgorithm(rawValue: jws.algorithm) else { throw badAlgorithm }
        return algorithm
    }

    private var badAlgorithm: ACMEProblem {
        var problem = ACMEProblem.refused(
            .badSignatureAlgorithm, "alg", "the signature algorithm is not accepted, or not for this key")
        problem.members["algorithms"] = .array(SignatureAlgorithm.allCases.map { .string($0.rawValue) })
        return problem
    }

    /// Signature, nonce, URL, in this order: a nonce burns only for who may burn it.
    private func verify(
        _ jws: FlattenedJWS, _ algorithm: SignatureAlgorithm, _ key: JSONWebKey, _ exchange: ACMEExchange
    ) async throws(ACMEProblem) -> SignedRequest {
        guard algorithm.fits(key) else { throw badAlgorithm }
        guard algorithm.verifies(jws.signature, over: jws.signingInput, by: key) else {
            throw .refused(.unauthorized, "signature", "the signature does not verify")
        }
        try await burn(jws.nonce, exchange)
        let url = baseURL + exchange.request.path
        guard exchange.request.query == nil, jws.url.utf8.elementsEqual(url.utf8) else {
            throw .refused(.unauthorized, "url", "the request was signed for another URL")
        }
        return SignedRequest(payload: jws.payload, url: jws.url, key: key)
    }

    private func burn(_ nonce: String?, _ exchange: ACMEExchange) async throws(ACMEProblem) {
        let bad = ACMEProblem.refused(.badNonce, "bad_nonce", "the nonce is unknown, used or too old")
        guard let nonce, let expiry = nonces.expiry(of: nonce, for: exchange.service.name, at: exchange.now)
        else {
            throw bad
        }
        let key = ProtocolRecordKey(service: exchange.service.name, kind: "acme.nonce", id: nonce)
        let isFirst: Bool
        do throws(LedgerError) {
            // Remembered a little longer than it is good, for replicas whose clocks lag.
            isFirst = try await store.consumeOnce(
                key, expiresAt: expiry.adding(seconds: NonceMint.clockTolerance))
        } catch {
            throw .unavailable(retryAfter: Self.outageSpan)
        }
        guard isFirst else { throw bad }
    }
}
