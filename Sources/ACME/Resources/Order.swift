import EnrollmentCore
import FrontEnd

/// What an order is to its client (RFC 8555 §7.1.6).
enum OrderStatus: Sendable {
    case pending
    /// Every name is shown to be controlled.
    case ready([DomainAuthorization])
    case valid
    case invalid(JSONValue)

    var name: String {
        switch self {
        case .pending: return "pending"
        case .ready: return "ready"
        case .valid: return "valid"
        case .invalid: return "invalid"
        }
    }
}

extension ACMEServer {
    /// An order, as it is now (RFC 8555 §7.4).
    func order(_ id: String, _ exchange: ACMEExchange) async throws(ACMEProblem) -> FrontEndResponse {
        try await authenticate(exchange) { account, signed throws(ACMEProblem) in
            try signed.requireEmptyPayload()
            let order = try await loadOrder(id, of: account, exchange)
            return exchange.json(200, shown(order, try await status(of: order, exchange), exchange))
        }
    }

    /// The account's own order; another's is as absent as none.
    func loadOrder(_ id: String, of account: ACMEAccount, _ exchange: ACMEExchange) async throws(ACMEProblem)
        -> ACMEOrder
    {
        guard let order = try await load(ACMEOrder.self, id, exchange)?.state, order.account == account.id
        else {
            throw .absent
        }
        return order
    }

    /// Where an order stands at the instant of the request. Expiry counts whenever it is used.
    func status(of order: ACMEOrder, _ exchange: ACMEExchange) async throws(ACMEProblem) -> OrderStatus {
        switch order.progress {
        case .valid: return .valid
        case .invalid(let error): return .invalid(error)
        case .open: break
        }
        guard exchange.now < order.expires else {
            return .invalid(ACMEProblem.decided(.malformed, "the order has expired").document)
        }
        var controls: [DomainAuthorization] = []
        var isPending = false
        for id in order.authorizations {
            let authorization = try await load(ACMEAuthorization.self, id, exchange)?.state
            if let control = authorization?.control(at: exchange.now) {
                controls.append(control)
            } else if authorization?.isOpen(at: exchange.now) == true {
                isPending = true
            } else {
                return .invalid(ACMEProblem.decided(.unauthorized, "an authorization failed").document)
            }
        }
        return isPending ? .pending : .ready(controls)
    }

    /// The order object (RFC 8555 §7.1.3).
    func shown(_ order: ACMEOrder, _ status: OrderStatus, _ exchange: ACMEExchange) -> JSONValue {
        var error: JSONValue?
        var certificate: JSONValue?
        switch status {
        case .pending, .ready: break
        case .valid: certificate = .string(exchange.locations.url(.certificate(order.id)))
        case .invalid(let problem): error = problem
        }
        return .object(present: [
            "status": .string(status.name), "expires": .string(order.expires.rfc3339),
            "identifiers": .array(order.names.map { ["type": "dns", "value": .string($0)] }),
            "authorizations": .array(
                order.authorizations.map { .string(exchange.locations.url(.authorization($0))) }),
            "finalize": .string(exchange.locations.url(.finalize(order.id))),
            "notAfter": order.notAfter.map { .string($0.rfc3339) },
            "profile": order.profile.map { .string($0.rawValue) }, "error": error, "certificate": certificate,
        ])
    }
}
