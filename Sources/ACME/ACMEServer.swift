package import EnrollmentCore
package import FrontEnd

/// The ACME front-end (RFC 8555): directories, accounts bound to enrollment credentials, orders, and
/// domain control by http-01.
package struct ACMEServer: ProtocolFrontEnd {
    package let maximumBodySize = JSONReader.maximumSize

    let baseURL: String
    let registrar: any Registrar
    let store: any ProtocolStateStore
    let clock: any WallClock
    let random: any RandomSource
    let nonces: NonceMint
    let validator: any DomainControlValidator
    let challengeTypes: [ChallengeType]

    /// - Parameters:
    ///   - baseURL: of the listener as clients see it, e.g. `https://127.0.0.1:8443`, without trailing slash.
    ///   - registrar: judges, issues and records.
    ///   - store: keeps accounts, orders and authorizations, for all replicas.
    ///   - clock: read once at the start of a request, and once more after a validation.
    ///   - random: makes object ids, tokens and nonces.
    ///   - nonceKey: 32 octets that authenticate nonces, the same on every replica.
    ///   - validator: fetches http-01 resources.
    ///   - challengeTypes: offered with every authorization, in that order.
    package init(
        baseURL: String, registrar: any Registrar, store: any ProtocolStateStore, clock: any WallClock,
        random: any RandomSource, nonceKey: Secret, validator: any DomainControlValidator,
        challengeTypes: [ChallengeType] = [.http01]
    ) {
        self.baseURL = baseURL
        self.registrar = registrar
        self.store = store
        self.clock = clock
        self.random = random
        nonces = NonceMint(key: nonceKey, random: random)
        self.validator = validator
        self.challengeTypes = challengeTypes
    }

    package func respond(to request: FrontEndRequest) async -> FrontEndResponse {
        guard let route = ACMERoute(path: request.path),
            let service = registrar.service(named: route.service), service.protocols.contains(.acme)
        else {
            let problem = ACMEProblem.refused(
                .malformed, "service", "there is no such directory", status: 404)
            return await refuse(request, service: nil, problem)
        }
        let exchange = ACMEExchange(
            request: request, service: service, now: clock.now(),
            locations: ACMELocations(baseURL: baseURL, service: service.name))
        var response: FrontEndResponse
        do throws(ACMEProblem) {
            response = try await answer(route.resource, exchange)
        } catch {
            response = await refuse(request, service: service.name, error)
        }
        if request.method == "POST" {
            response.headers.append(("Replay-Nonce", nonces.issue(for: service.name, at: exchange.now)))
        }
        if route.resource != .directory {
            response.headers.append(("Link", "<\(exchange.locations.url(.directory))>;rel=\"index\""))
        }
        response.headers.append(("Cache-Control", "no-store"))
        if request.method == "HEAD" { response.body = [] }
        return response
    }

    private func answer(_ resource: ACMEResource?, _ exchange: ACMEExchange) async throws(ACMEProblem)
        -> FrontEndResponse
    {
        switch resource {
        case nil: throw .absent
        case .directory: return try directory(exchange)
        case .newNonce: return try newNonce(exchange)
        case .newAccount: return try await newAccount(exchange)
        case .newOrder: return try await newOrder(exchange)
        case .account(let id): return try await account(id, exchange)
        case .order(let id): return try await order(id, exchange)
        case .finalize(let id): return try await finalize(id, exchange)
        case .authorization(let id): return try await authorization(id, exchange)
        case .challenge(let id, let type): return try await challenge(type, of: id, exchange)
        case .certificate(let id): return try await certificate(id, exchange)
        }
    }

    /// Has a problem recorded, unless it is on the ledger already, and answers it.
    private func refuse(_ request: FrontEndRequest, service: ServiceName?, _ problem: ACMEProblem) async
        -> FrontEndResponse
    {
        guard let record = problem.record else { return problem.response(id: request.id) }
        let refused = RefusedRequest(
            id: request.id, receivedAt: request.receivedAt, service: service, enrollmentProtocol: .acme,
            kind: record.kind, reasonCode: record.reasonCode,
            reason: problem.detail + (problem.account.map { " (account \($0))" } ?? ""),
            isVerified: problem.account != nil, peer: request.peer)
        switch await registrar.refuse(refused) {
        case .refused(let refusal) where refusal.kind == .throttled && record.kind != .throttled:
            return ACMEProblem.throttled(retryAfter: Self.throttleSpan).response(id: request.id)
        case .unavailable(let retryAfter):
            return ACMEProblem.unavailable(retryAfter: retryAfter).response(id: request.id)
        case .refused, .issued, .deferred: return problem.response(id: request.id)
        }
    }

    /// Seconds after which a throttled client may ask again: budgets refill every second.
    static let throttleSpan: Int64 = 5
    /// Seconds after which to ask again while the store is out of reach.
    static let outageSpan: Int64 = 5
}

/// One request on its way: what every resource needs to know of it.
struct ACMEExchange: Sendable {
    let request: FrontEndRequest
    let service: ServiceDescription
    /// The instant of the request.
    let now: Timestamp
    let locations: ACMELocations

    /// A JSON response.
    func json(
        _ status: Int, _ document: JSONValue, headers: [(name: String, value: String)] = []
    ) -> FrontEndResponse {
        FrontEndResponse(
            status: status, headers: [("Content-Type", "application/json")] + headers,
            body: Array(document.canonicalText.utf8))
    }

    /// - Throws: 405 unless the request's method is one of `methods`.
    func allow(_ methods: [String]) throws(ACMEProblem) {
        guard !methods.contains(request.method) else { return }
        var problem = ACMEProblem.refused(
            .malformed, "method", "the resource is not to be had by this method", status: 405)
        problem.headers = [("Allow", methods.joined(separator: ", "))]
        throw problem
    }
}
