import EnrollmentCore
import FrontEnd

extension ACMEServer {
    /// Creates an account, or finds the one of the key (RFC 8555 §7.3, §7.3.1, §7.3.4).
    func newAccount(_ exchange: ACMEExchange) async throws(ACMEProblem) -> FrontEndResponse {
        let signed = try await authenticateByKey(exchange)
        if let existing = try await loadAccount(signed.key.thumbprint, exchange) {
            return try found(existing, exchange)
        }
        let payload = try signed.object()
        if payload["onlyReturnExisting"] == true {
            throw .refused(.accountDoesNotExist, "account", "there is no account of that key")
        }
        let contact = try Contact.read(payload["contact"]) ?? []
        guard let offered = payload["externalAccountBinding"] else {
            throw .refused(
                .externalAccountRequired, "eab_missing", "an account needs an external account binding")
        }
        let (binding, jws) = try externalAccountBinding(offered, signed)
        let account = ACMEAccount(
            key: signed.key, contact: contact, binding: jws.serialized, createdAt: exchange.now)
        let offer = AccountBindingOffer(
            id: exchange.request.id, receivedAt: exchange.request.receivedAt, service: exchange.service.name,
            binding: binding, account: account.record(exchange.service.name), accountID: account.id,
            peer: exchange.request.peer)
        switch await registrar.bind(offer) {
        case .bound: return created(account, exchange)
        case .unavailable(let retryAfter): throw .unavailable(retryAfter: retryAfter)
        case .refused(let refusal):
            // The same request may have won on another connection: then the account is there.
            if let existing = try await loadAccount(account.id, exchange) {
                return try found(existing, exchange)
            }
            throw Self.problem(forBinding: refusal.kind)
        }
    }

    func loadAccount(_ id: String, _ exchange: ACMEExchange) async throws(ACMEProblem) -> ACMEAccount? {
        try await load(ACMEAccount.self, id, exchange)?.state
    }

    private func found(_ account: ACMEAccount, _ exchange: ACMEExchange) throws(ACMEProblem)
        -> FrontEndResponse
    {
        try account.requireValid()
        return exchange.json(200, shown(account), headers: [location(account, exchange)])
    }

    private func created(_ account: ACMEAccount, _ exchange: ACMEExchange) -> FrontEndResponse {
        exchange.json(201, shown(account), headers: [location(account, exchange)])
    }

    private func location(_ account: ACMEAccount, _ exchange: ACMEExchange) -> (name: String, value: String) {
        ("Location", exchange.locations.url(.account(account.id)))
    }

    /// The inner JWS, its form checked; whether its MAC is right only the registrar can tell.
    private func externalAccountBinding(_ document: JSONValue, _ outer: SignedRequest) throws(ACMEProblem)
        -> (ExternalAccountBinding, FlattenedJWS)
    {
        let inner: FlattenedJWS
        do throws(JWSError) {
            inner = try FlattenedJWS(document)
        } catch {
            throw .refused(.malformed, "eab", "the external account binding is not a JWS that can be read")
        }
        guard inner.algorithm == "HS256" else {
            var problem = ACMEProblem.refused(
                .badSignatureAlgorithm, "eab_alg", "the external account binding must use HS256")
            problem.members["algorithms"] = ["HS256"]
            throw problem
        }
        guard case .identified(let keyID) = inner.signingKey, (1...200).contains(keyID.utf8.count) else {
            throw .refused(.malformed, "eab", "the external account binding must name its key as kid")
        }
        guard inner.nonce == nil else {
            throw .refused(.malformed, "eab", "the external account binding must not have a nonce")
        }
        guard inner.url.utf8.elementsEqual(outer.url.utf8) else {
            throw .refused(.unauthorized, "eab_url", "the external account binding is for another URL")
        }
        guard let document = try? JSONReader.read(inner.payload), let key = try? JSONWebKey(document),
            key.material == outer.key.material
        else {
            throw .refused(.unauthorized, "eab_key", "the external account binding is for another key")
        }
        let binding = ExternalAccountBinding(
            keyID: keyID, signingInput: inner.signingInput, authenticationCode: inner.signature)
        return (binding, inner)
    }

    private static func problem(forBinding kind: RefusalKind) -> ACMEProblem {
        switch kind {
        case .denied, .noUsableProof:
            return .decided(.unauthorized, "the external account binding was not accepted")
        case .malformed, .unacceptableRequest, .unacceptableKey, .unacceptableAlgorithm:
            return .decided(.malformed, "the external account binding cannot be used")
        case .throttled: return .throttled(retryAfter: throttleSpan)
        }
    }
}
