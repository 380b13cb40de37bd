import EnrollmentCore
import FrontEnd
import PKIX

extension ACMEServer {
    /// Hands an order's certificate request to the registrar (RFC 8555 §7.4).
    ///
    /// An order takes one certificate request. The same one again is the same question (a retry)
    /// and gets the same answer; another is refused while the first may still lead to a certificate.
    func finalize(_ id: String, _ exchange: ACMEExchange) async throws(ACMEProblem) -> FrontEndResponse {
        try await authenticate(exchange) { account, signed throws(ACMEProblem) in
            try await finalize(try await loadOrder(id, of: account, exchange), signed, exchange)
        }
    }

    private func finalize(_ order: ACMEOrder, _ signed: SignedRequest, _ exchange: ACMEExchange)
        async throws(ACMEProblem) -> FrontEndResponse
    {
        let status = try await status(of: order, exchange)
        switch status {
        case .pending, .invalid: throw Self.notReady
        case .valid:
            guard try CertificationWish(signed, order).request.digest == order.requestDigest else {
                throw Self.notReady
            }
            return exchange.json(200, shown(order, .valid, exchange))
        case .ready(let controls):
            let wish = try CertificationWish(signed, order)
            try await refuseAccountKey(wish.request.publicKey, exchange)
            let pinned = try await pin(wish.request.digest, to: order, exchange)
            if case .valid = pinned.progress { return exchange.json(200, shown(pinned, .valid, exchange)) }
            return try await enroll(wish, pinned, controls, exchange)
        }
    }

    private static let notReady = ACMEProblem.refused(
        .orderNotReady, "order_not_ready", "the order is not ready to be finalized")

    /// A certified key may not be an account's (RFC 8555 §11.1).
    private func refuseAccountKey(_ key: PublicKey, _ exchange: ACMEExchange) async throws(ACMEProblem) {
        guard let candidate = JSONWebKey(certifying: key) else {
            throw .refused(
                .badCSR, "csr_key", "the key of the certificate request cannot be read",
                kind: .unacceptableKey)
        }
        guard try await loadAccount(candidate.thumbprint, exchange) == nil else {
            throw .refused(
                .badCSR, "csr_account_key", "the certificate request is for an account key",
                kind: .unacceptableKey)
        }
    }

    private func pin(_ digest: Digest, to order: ACMEOrder, _ exchange: ACMEExchange)
        async throws(ACMEProblem)
        -> ACMEOrder
    {
        try await update(ACMEOrder.self, order.id, exchange) { order throws(ACMEProblem) in
            if let pinned = order.requestDigest {
                guard pinned == digest else { throw Self.notReady }
                if case .invalid = order.progress { throw Self.notReady }
                return false
            }
            guard case .open = order.progress else { throw Self.notReady }
            order.requestDigest = digest
            return true
        }
    }

    private func unpin(_ digest: Digest, from order: ACMEOrder, _ exchange: ACMEExchange)
        async throws(ACMEProblem)
    {
        _ = try await update(ACMEOrder.self, order.id, exchange) { order in
            guard case .open = order.progress, order.requestDigest == digest else { return false }
            order.requestDigest = nil
            return true
        }
    }

    private func enroll(
        _ wish: CertificationWish, _ order: ACMEOrder, _ controls: [DomainAuthorization],
        _ exchange: ACMEExchange
    ) async throws(ACMEProblem) -> FrontEndResponse {
        let intent = EnrollmentIntent(
            id: exchange.request.id, receivedAt: exchange.request.receivedAt, service: exchange.service.name,
            enrollmentProtocol: .acme, operation: .enroll, request: wish.request,
            namesAreComplete: true, requestedProfile: order.profile, requestedNotAfter: order.notAfter,
            proofs: [.account(id: order.account), .domainControl(controls)],
            transaction: TransactionReference(service: exchange.service.name, text: order.id, isOrder: true),
            peer: exchange.request.peer)
        switch await registrar.enroll(intent) {
        case .issued(let certificate):
            let valid = try await complete(order, with: certificate, exchange)
            return exchange.json(200, shown(valid, .valid, exchange))
        case .deferred(_, let retryAfter):
            try await unpin(wish.request.digest, from: order, exchange)
            throw .unavailable(retryAfter: retryAfter)
        case .unavailable(let retryAfter):
            // The request stays pinned: what became of it is not known.
            throw .unavailable(retryAfter: retryAfter)
        case .refused(let refusal):
            throw try await close(order, wish, refusal.kind, exchange)
        }
    }

    /// Stores the chain, then says so: whoever sees a valid order finds its certificate.
    private func complete(_ order: ACMEOrder, with issued: IssuedCertificate, _ exchange: ACMEExchange)
        async throws(ACMEProblem) -> ACMEOrder
    {
        guard let authorities = registrar.authorities(for: exchange.service.name) else {
            throw .unavailable(retryAfter: Self.outageSpan)
        }
        // The chain goes up to, not including, the root: that one is configured, not downloaded.
        let chain = [issued.certificate, authorities.issuing] + authorities.chain.dropLast()
        let pem = chain.map { PEM.encode(label: "CERTIFICATE", der: $0) }.joined()
        _ = try await insert(ACMECertificate(order: order, pem: pem, notAfter: issued.notAfter), exchange)
        return try await update(ACMEOrder.self, order.id, exchange) { order in
            guard case .open = order.progress else { return false }
            order.progress = .valid
            order.certificateNotAfter = issued.notAfter
            return true
        }
    }

    /// What a refusal does to the order: a bad request leaves it ready for another, anything else ends it.
    private func close(
        _ order: ACMEOrder, _ wish: CertificationWish, _ kind: RefusalKind, _ exchange: ACMEExchange
    ) async throws(ACMEProblem) -> ACMEProblem {
        switch kind {
        case .malformed, .unacceptableRequest, .unacceptableKey, .unacceptableAlgorithm:
            try await unpin(wish.request.digest, from: order, exchange)
            return .decided(.badCSR, "the certificate request is not acceptable")
        case .throttled:
            try await unpin(wish.request.digest, from: order, exchange)
            return .throttled(retryAfter: Self.throttleSpan)
        case .denied, .noUsableProof:
            let problem = ACMEProblem.decided(.unauthorized, "the order was refused")
            _ = try await update(ACMEOrder.self, order.id, exchange) { order in
                guard case .open = order.progress else { return false }
                order.progress = .invalid(problem.document)
                return true
            }
            return problem
        }
    }
}
