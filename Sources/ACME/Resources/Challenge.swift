import EnrollmentCore
import FrontEnd

extension ACMEServer {
    /// The time one validation may take: shorter than clients wait for an answer.
    static let validationLimit: Duration = .seconds(10)
    /// Seconds after which an attempt counts as lost with the replica that ran it.
    static let lostAttemptSpan: Int64 = 30

    /// Reads a challenge, or has it validated while the client waits (RFC 8555 §7.5.1).
    func challenge(_ name: String, of id: String, _ exchange: ACMEExchange) async throws(ACMEProblem)
        -> FrontEndResponse
    {
        try await authenticate(exchange) { account, signed throws(ACMEProblem) in
            guard let type = ChallengeType(rawValue: name), challengeTypes.contains(type) else {
                throw .absent
            }
            var authorization = try await loadAuthorization(id, of: account, exchange)
            if !signed.payload.isEmpty {
                _ = try signed.object()
                authorization = try await attempt(type, authorization, account, exchange)
            }
            return exchange.json(
                200, shown(type, of: authorization, exchange),
                headers: [("Link", "<\(exchange.locations.url(.authorization(id)))>;rel=\"up\"")])
        }
    }

    /// Runs a validation unless one runs already, or the authorization is decided.
    private func attempt(
        _ type: ChallengeType, _ authorization: ACMEAuthorization, _ account: ACMEAccount,
        _ exchange: ACMEExchange
    ) async throws(ACMEProblem) -> ACMEAuthorization {
        var isOurs = false
        let started = try await update(ACMEAuthorization.self, authorization.id, exchange) { authorization in
            isOurs = authorization.start(type, at: exchange.now)
            return isOurs
        }
        guard isOurs else { return started }
        let result = await validator.validate(
            name: started.name, token: started.token,
            keyAuthorization: "\(started.token).\(account.key.thumbprint)", timeLimit: Self.validationLimit)
        let finish = clock.now()
        let ended: ACMEAuthorization.Progress
        switch result {
        case .valid: ended = .valid(type, at: finish)
        case .failed(let failure, let detail):
            ended = .invalid(type, Self.problem(for: failure, detail).document)
        }
        let decided = try await update(ACMEAuthorization.self, authorization.id, exchange) { authorization in
            // Only the attempt that is still ours may decide; it may have been given up or deactivated.
            guard case .processing(type, exchange.now) = authorization.progress else { return false }
            authorization.progress = ended
            return true
        }
        if case .failed(let failure, _) = result { await record(failure, account, exchange) }
        return decided
    }

    /// A failed validation answers 200 (RFC 8555 §7.5.1), and is on the ledger all the same.
    private func record(
        _ failure: DomainValidationFailure, _ account: ACMEAccount, _ exchange: ACMEExchange
    ) async {
        _ = await registrar.refuse(
            RefusedRequest(
                id: exchange.request.id, receivedAt: exchange.request.receivedAt,
                service: exchange.service.name, enrollmentProtocol: .acme, kind: .noUsableProof,
                reasonCode: failure.reasonCode,
                reason: "control of a name was not shown (account \(account.id))",
                isVerified: true, peer: exchange.request.peer))
    }

    private static func problem(for failure: DomainValidationFailure, _ detail: String) -> ACMEProblem {
        switch failure {
        case .connection: return .decided(.connection, detail)
        case .dns: return .decided(.dns, detail)
        case .incorrectResponse: return .decided(.incorrectResponse, detail)
        case .unauthorized: return .decided(.unauthorized, detail)
        }
    }
}

extension ACMEAuthorization {
    /// Marks an attempt as begun; false when nothing is to be begun.
    fileprivate mutating func start(_ type: ChallengeType, at now: Timestamp) -> Bool {
        guard isOpen(at: now) else { return false }
        if case .processing(_, let since) = progress, now.seconds(since: since) < ACMEServer.lostAttemptSpan {
            return false
        }
        progress = .processing(type, since: now)
        return true
    }
}

extension DomainValidationFailure {
    fileprivate var reasonCode: String {
        switch self {
        case .connection: return "acme.validation.connection"
        case .dns: return "acme.validation.dns"
        case .incorrectResponse: return "acme.validation.incorrect_response"
        case .unauthorized: return "acme.validation.unauthorized"
        }
    }
}
