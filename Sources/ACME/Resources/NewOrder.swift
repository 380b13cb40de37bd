import EnrollmentCore
import FrontEnd

extension ACMEServer {
    /// Opens an order, if policy could grant it (RFC 8555 §7.4).
    func newOrder(_ exchange: ACMEExchange) async throws(ACMEProblem) -> FrontEndResponse {
        try await authenticate(exchange) { account, signed throws(ACMEProblem) in
            try await newOrder(signed, account, exchange)
        }
    }

    private func newOrder(_ signed: SignedRequest, _ account: ACMEAccount, _ exchange: ACMEExchange)
        async throws(ACMEProblem) -> FrontEndResponse
    {
        let payload = try signed.object()
        let names = try OrderIdentifiers.read(payload["identifiers"])
        let profile = try profile(payload["profile"], exchange)
        let notAfter = try validity(payload, exchange)
        try await assess(names, profile, notAfter, account, exchange)

        let expires = exchange.now.adding(seconds: ACMEOrder.lifetime)
        var authorizations: [ACMEAuthorization] = []
        for name in names {
            let authorization = ACMEAuthorization(
                id: freshIdentifier(), account: account.id, name: name, token: freshIdentifier(),
                expires: expires)
            guard try await insert(authorization, exchange) else { throw .unavailable(retryAfter: 1) }
            authorizations.append(authorization)
        }
        let order = ACMEOrder(
            id: freshIdentifier(), account: account.id, expires: expires, names: names,
            authorizations: authorizations.map(\.id), profile: profile, notAfter: notAfter)
        guard try await insert(order, exchange) else { throw .unavailable(retryAfter: 1) }
        return exchange.json(
            201, shown(order, .pending, exchange),
            headers: [("Location", exchange.locations.url(.order(order.id)))])
    }

    private func profile(_ member: JSONValue?, _ exchange: ACMEExchange) throws(ACMEProblem) -> ProfileName? {
        guard let member else { return nil }
        guard let text = member.string else {
            throw .refused(.malformed, "profile", "profile must be a string")
        }
        guard exchange.service.profiles[ProfileName(text)] != nil else {
            throw .refused(.invalidProfile, "profile", "the directory offers no such profile")
        }
        return ProfileName(text)
    }

    /// notAfter, which shortens a certificate; notBefore is the issuer's to choose, and what cannot be
    /// fulfilled is refused (RFC 8555 §7.4).
    private func validity(_ payload: [String: JSONValue], _ exchange: ACMEExchange) throws(ACMEProblem)
        -> Timestamp?
    {
        guard payload["notBefore"] == nil else {
            throw .refused(.malformed, "not_before", "notBefore cannot be chosen")
        }
        guard let member = payload["notAfter"] else { return nil }
        guard let notAfter = member.timestamp, notAfter > exchange.now else {
            throw .refused(.malformed, "not_after", "notAfter must be a time to come")
        }
        return notAfter
    }

    private func assess(
        _ names: [String], _ profile: ProfileName?, _ notAfter: Timestamp?, _ account: ACMEAccount,
        _ exchange: ACMEExchange
    ) async throws(ACMEProblem) {
        let inquiry = EnrollmentInquiry(
            id: exchange.request.id, receivedAt: exchange.request.receivedAt, service: exchange.service.name,
            enrollmentProtocol: .acme, names: CertificateNames(dns: names), requestedProfile: profile,
            requestedNotAfter: notAfter, proofs: [.account(id: account.id)], peer: exchange.request.peer)
        switch await registrar.assess(inquiry) {
        case .possible: return
        case .deferred(_, let retryAfter), .unavailable(let retryAfter):
            throw .unavailable(retryAfter: retryAfter)
        case .refused(let refusal):
            switch refusal.kind {
            case .denied, .noUsableProof: throw .decided(.unauthorized, "the order was refused")
            case .malformed, .unacceptableRequest, .unacceptableKey, .unacceptableAlgorithm:
                throw .decided(.rejectedIdentifier, "the order's identifiers cannot be certified")
            case .throttled: throw .throttled(retryAfter: Self.throttleSpan)
            }
        }
    }
}
