package import EnrollmentCore
import Policy

extension RegistrationAuthority {
    package func assess(_ inquiry: EnrollmentInquiry) async -> Assessment {
        do throws(ProofError) {
            let requester = try await verifier.verify(
                inquiry.proofs, service: inquiry.service, from: inquiry.peer, at: clock.now()
            ) { _ in nil }
            return try await assess(inquiry, by: requester)
        } catch {
            let refused = RefusedRequest(
                id: inquiry.id, receivedAt: inquiry.receivedAt, service: inquiry.service,
                enrollmentProtocol: inquiry.enrollmentProtocol, operation: .enroll, error: error,
                peer: inquiry.peer)
            switch await refuseUnproven(refused, error) {
            case .refused(let refusal): return .refused(refusal)
            case .unavailable(let retryAfter), .deferred(_, let retryAfter):
                return .unavailable(retryAfter: retryAfter)
            case .issued: return .unavailable(retryAfter: timing.retryAfter)
            }
        }
    }

    private func assess(_ inquiry: EnrollmentInquiry, by requester: VerifiedRequester)
        async throws(ProofError)
        -> Assessment
    {
        var input = PolicyInput(
            service: inquiry.service, requestedProfile: inquiry.requestedProfile,
            enrollmentProtocol: inquiry.enrollmentProtocol, operation: .enroll, instant: clock.now(),
            request: RequestFacts(
                names: inquiry.names, publicKey: nil, requestedNotAfter: inquiry.requestedNotAfter),
            proofs: requester.proofs, claimedDevices: inquiry.claimedDevices, provenDevice: requester.device,
            device: nil, clientAddress: inquiry.peer.address)
        do throws(LedgerError) {
            try await gather(&input, publicKey: nil, transaction: nil, at: input.instant)
            let decision = policy.engine.assess(input)
            let attempt = AttemptRecord(
                id: inquiry.id, kind: .assess, receivedAt: inquiry.receivedAt, key: nil, reference: nil,
                input: input, decision: DecisionRecord(decision),
                credential: CredentialUse(of: input.proofs, service: inquiry.service))
            let recorded = try await ledger.record(attempt)
            observer.decided(attempt.decision, recorded, inquiry.enrollmentProtocol)
            switch decision.outcome {
            case .permit: return .possible
            case .defer(let retryAfter): return .deferred(recorded, retryAfter: retryAfter)
            case .deny(let kind): return .refused(Refusal(id: recorded, kind: kind))
            }
        } catch {
            throw .unavailable(error)
        }
    }

    package func bind(_ offer: AccountBindingOffer) async -> AccountBindingOutcome {
        do throws(ProofError) {
            let requester = try await verifier.verify(
                [.externalAccountBinding(offer.binding)], service: offer.service, from: offer.peer,
                at: clock.now()
            ) { bindingKey(of: offer, by: $0) }
            return try await bind(offer, by: requester)
        } catch {
            let refused = RefusedRequest(
                id: offer.id, receivedAt: offer.receivedAt, service: offer.service, enrollmentProtocol: .acme,
                operation: nil, error: error, peer: offer.peer)
            switch await refuseUnproven(refused, error) {
            case .refused(let refusal): return .refused(refusal)
            case .unavailable(let retryAfter), .deferred(_, let retryAfter):
                return .unavailable(retryAfter: retryAfter)
            case .issued: return .unavailable(retryAfter: timing.retryAfter)
            }
        }
    }

    private func bindingKey(of offer: AccountBindingOffer, by requester: VerifiedRequester) -> TransactionKey
    {
        TransactionKey(
            service: offer.service, operation: "bind", requester: requester, reference: nil,
            request: Digest(of: Array(offer.accountID.utf8)))
    }

    /// A device that could not get a certificate now gets no account either, and keeps its credential.
    private func bind(_ offer: AccountBindingOffer, by requester: VerifiedRequester) async throws(ProofError)
        -> AccountBindingOutcome
    {
        var input = PolicyInput(
            service: offer.service, enrollmentProtocol: .acme, operation: .enroll, instant: clock.now(),
            request: RequestFacts(names: CertificateNames(), publicKey: nil), proofs: requester.proofs,
            provenDevice: requester.device, device: nil, clientAddress: offer.peer.address)
        let key = bindingKey(of: offer, by: requester)
        do throws(LedgerError) {
            try await gather(&input, publicKey: nil, transaction: nil, at: input.instant)
            for _ in 0..<2 {
                let engine = policy.engine
                let decision = engine.assessAccount(input)
                let attempt = AttemptRecord(
                    id: offer.id, kind: .bind, receivedAt: offer.receivedAt, key: key, reference: nil,
                    input: input, decision: DecisionRecord(decision),
                    credential: CredentialUse(of: input.proofs, service: offer.service))
                switch decision.outcome {
                case .permit: break
                case .defer(let retryAfter):
                    let recorded = try await ledger.record(attempt)
                    observer.decided(attempt.decision, recorded, .acme)
                    return .unavailable(retryAfter: retryAfter)
                case .deny(let kind): return try await refuse(attempt, kind)
                }
                let span = engine.bundle.service(named: offer.service)?.limits.accountOrderSpan ?? 0
                let state = try await credentials.bind(
                    attempt, account: offer.account, accountID: offer.accountID,
                    orderUntil: input.instant.adding(seconds: span))
                if state == .usable { return .bound }
                input.proofs = try await verifier.reverify(
                    input.proofs, service: offer.service, key: key, at: clock.now())
            }
            return .unavailable(retryAfter: timing.retryAfter)
        } catch {
            throw .unavailable(error)
        }
    }

    private func refuse(_ attempt: AttemptRecord, _ kind: RefusalKind) async throws(LedgerError)
        -> AccountBindingOutcome
    {
        let recorded = try await ledger.record(attempt)
        observer.decided(attempt.decision, recorded, .acme)
        for case .oneTimeCredential(let id, _, let state) in attempt.input.proofs
        where state != .usable && recorded == attempt.id {
            try await credentials.alertSpent(
                id, state: state, request: recorded, owner: attempt.decision.owner, at: clock.now())
        }
        return .refused(Refusal(id: recorded, kind: kind))
    }
}
