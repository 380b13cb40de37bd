import EnrollmentCore
import FrontEnd

extension ACMEServer {
    /// Reads or deactivates an authorization (RFC 8555 §7.5, §7.5.2).
    func authorization(_ id: String, _ exchange: ACMEExchange) async throws(ACMEProblem) -> FrontEndResponse {
        try await authenticate(exchange) { account, signed throws(ACMEProblem) in
            var authorization = try await loadAuthorization(id, of: account, exchange)
            if !signed.payload.isEmpty {
                guard try signed.object()["status"] == "deactivated" else {
                    throw .refused(
                        .malformed, "authorization_update",
                        "an authorization can be deactivated, nothing else")
                }
                authorization = try await update(ACMEAuthorization.self, id, exchange) { authorization in
                    guard
                        authorization.isOpen(at: exchange.now)
                            || authorization.control(at: exchange.now) != nil
                    else { return false }
                    authorization.progress = .deactivated
                    return true
                }
            }
            return exchange.json(200, shown(authorization, exchange))
        }
    }

    /// The account's own authorization; another's is as absent as none.
    func loadAuthorization(_ id: String, of account: ACMEAccount, _ exchange: ACMEExchange)
        async throws(ACMEProblem) -> ACMEAuthorization
    {
        guard let authorization = try await load(ACMEAuthorization.self, id, exchange)?.state,
            authorization.account == account.id
        else { throw .absent }
        return authorization
    }

    /// The authorization object (RFC 8555 §7.1.4).
    func shown(_ authorization: ACMEAuthorization, _ exchange: ACMEExchange) -> JSONValue {
        let status: String
        switch authorization.progress {
        case .pending, .processing: status = exchange.now < authorization.expires ? "pending" : "expired"
        case .valid: status = exchange.now < authorization.expires ? "valid" : "expired"
        case .invalid: status = "invalid"
        case .deactivated: status = "deactivated"
        }
        return [
            "status": .string(status), "expires": .string(authorization.expires.rfc3339),
            "identifier": ["type": "dns", "value": .string(authorization.name)],
            "challenges": .array(offered(authorization).map { shown($0, of: authorization, exchange) }),
        ]
    }

    /// All challenges while undecided; afterwards the one that decided (RFC 8555 §7.1.4).
    private func offered(_ authorization: ACMEAuthorization) -> [ChallengeType] {
        switch authorization.progress {
        case .pending, .processing, .deactivated: return challengeTypes
        case .valid(let type, _), .invalid(let type, _): return [type]
        }
    }

    /// The challenge object (RFC 8555 §8).
    func shown(_ type: ChallengeType, of authorization: ACMEAuthorization, _ exchange: ACMEExchange)
        -> JSONValue
    {
        var members: [String: JSONValue] = [
            "type": .string(type.rawValue), "status": "pending", "token": .string(authorization.token),
            "url": .string(
                exchange.locations.url(.challenge(authorization: authorization.id, type: type.rawValue))),
        ]
        switch authorization.progress {
        case .processing(type, _): members["status"] = "processing"
        case .valid(type, let instant):
            members["status"] = "valid"
            members["validated"] = .string(instant.rfc3339)
        case .invalid(type, let error):
            members["status"] = "invalid"
            members["error"] = error
        case .pending, .deactivated, .processing, .valid, .invalid: break
        }
        return .object(members)
    }
}
