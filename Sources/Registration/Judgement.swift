import EnrollmentCore
import Issuance
import Policy

extension RegistrationAuthority {
    /// Answers a request whose requester is known: the final answer of its transaction if there is one, else
    /// a new decision and, when that permits, a certificate.
    func judge(_ candidate: Candidate) async -> EnrollmentOutcome {
        var candidate = candidate
        do throws(LedgerError) {
            if let refused = try await refuseConflict(candidate) { return refused }
            // Each round either answers or has lost to another request that got its reservation: for the same
            // transaction or credential, which happens a few times at most, or for the same device or key,
            // as often as others of that device ask at the same time.
            for _ in 0..<Self.rounds {
                if let settled = try await settled(candidate) { return settled }
                let engine = policy.engine
                let decision = try await decide(&candidate, by: engine)
                guard case .permit(let grant) = decision.outcome else {
                    return try await conclude(candidate, decision)
                }
                if let outcome = try await issue(candidate, grant, decision, by: engine) { return outcome }
                try await refreshProofs(of: &candidate)
            }
            return .unavailable(retryAfter: timing.retryAfter)
        } catch {
            return unavailable(error, candidate.id)
        }
    }

    private static let rounds = 64

    /// The answer that another request with the same transaction key has found, waited for if need be.
    private func settled(_ candidate: Candidate) async throws(LedgerError) -> EnrollmentOutcome? {
        let started = clock.now()
        var pause: Int64 = 10
        while true {
            switch try await ledger.standing(of: candidate.key) {
            case .open: return nil
            case .issued(let certificate): return .issued(certificate)
            case .inFlight:
                if clock.now().seconds(since: started) >= timing.patience {
                    return .unavailable(retryAfter: timing.retryAfter)
                }
                try? await Task.sleep(for: .milliseconds(pause))
                pause = min(pause * 2, 200)
            }
        }
    }

    /// Gathers facts and decides. The engine does no input or output: all it needs is in the input.
    private func decide(_ candidate: inout Candidate, by engine: PolicyEngine) async throws(LedgerError)
        -> Decision
    {
        let now = clock.now()
        candidate.input.instant = now
        try await gather(
            &candidate.input, publicKey: candidate.publicKey.digest, transaction: candidate.key, at: now)
        let decision = engine.decide(candidate.input)
        observer.reached(.decided)
        return decision
    }

    /// Fills in what directory and ledger know of the proven device, and what people said of the transaction.
    func gather(
        _ input: inout PolicyInput, publicKey: Digest?, transaction: TransactionKey?, at now: Timestamp
    ) async throws(LedgerError) {
        guard let device = input.provenDevice else { return }
        input.device = try await directory.facts(for: device, at: now)
        let circumstances = try await ledger.circumstances(
            device: device, service: input.service, publicKey: publicKey,
            credential: CredentialUse(of: input.proofs, service: input.service)?.id,
            transaction: transaction, at: now)
        input.history = circumstances.history
        input.approvals = circumstances.approvals
    }

    /// Records a decision that issues nothing, and answers it.
    private func conclude(_ candidate: Candidate, _ decision: Decision) async throws(LedgerError)
        -> EnrollmentOutcome
    {
        let attempt = attempt(candidate, DecisionRecord(decision))
        let recorded = try await ledger.record(attempt)
        observer.decided(attempt.decision, recorded, candidate.input.enrollmentProtocol)
        switch decision.outcome {
        case .permit: return .unavailable(retryAfter: timing.retryAfter)
        case .defer(let retryAfter): return .deferred(recorded, retryAfter: retryAfter)
        case .deny(let kind):
            // A refusal that was counted with an earlier one has had its alert.
            if let spent = candidate.unusableCredential, recorded == candidate.id {
                try await credentials.alertSpent(
                    spent.id, state: spent.state, request: recorded, owner: decision.owner.team,
                    at: clock.now())
            }
            return .refused(Refusal(id: recorded, kind: kind))
        }
    }

    /// Prepares, reserves, signs and commits. Nil when the decision must be taken again.
    private func issue(
        _ candidate: Candidate, _ grant: Grant, _ decision: Decision, by engine: PolicyEngine
    ) async throws(LedgerError) -> EnrollmentOutcome? {
        let record = DecisionRecord(decision)
        guard let issuer = engine.bundle.service(named: candidate.service)?.issuer,
            let authority = issuers[issuer]
        else {
            return try await refuse(candidate, record, "issuer.unknown", "the service's issuer is not loaded")
        }
        let now = clock.now()
        let prepared: PreparedCertificate
        do throws(IssuanceError) {
            prepared = try authority.prepare(
                grant, publicKey: candidate.publicKey, serial: serials.next(), at: now)
        } catch {
            return try await refuse(candidate, record, "issuance.lint", "\(error)")
        }
        observer.reached(.prepared)
        let deadline = now.adding(seconds: timing.signing)
        switch try await ledger.reserve(attempt(candidate, record), prepared.reservation(deadline: deadline))
        {
        case .inFlight, .credential, .history: return nil
        case .issued(let certificate): return .issued(certificate)
        case .reserved(let reservation):
            observer.reached(.reserved)
            observer.decided(record, candidate.id, candidate.input.enrollmentProtocol)
            return try await sign(prepared, under: reservation, by: authority)
        }
    }

    private func sign(
        _ prepared: consuming PreparedCertificate, under reservation: Reservation,
        by authority: CertificateAuthority
    ) async throws(LedgerError) -> EnrollmentOutcome {
        let signed: SignedCertificateRecord
        do throws(IssuanceError) {
            signed = try await authority.sign(prepared, under: reservation, at: clock.now())
        } catch {
            _ = try await ledger.close(reservation.requestID, because: "signing failed: \(error)")
            return .unavailable(retryAfter: timing.retryAfter)
        }
        observer.reached(.signed)
        guard let certificate = try await ledger.commit(signed, under: reservation) else {
            return .unavailable(retryAfter: timing.retryAfter)
        }
        observer.reached(.committed)
        return .issued(certificate)
    }

    /// Records that a permitted request could not be turned into a certificate: a fault of ours or of the
    /// profile, so it fails closed and names itself.
    private func refuse(_ candidate: Candidate, _ permitted: DecisionRecord, _ code: String, _ reason: String)
        async throws(LedgerError) -> EnrollmentOutcome
    {
        let record = DecisionRecord(
            effect: .deny, reasonCode: code, reason: reason, ruleIDs: permitted.ruleIDs,
            owner: permitted.owner,
            policy: permitted.policy, profile: nil, maximumNotAfter: nil, obligations: permitted.obligations,
            trace: permitted.trace, decidedBy: .issuance)
        let recorded = try await ledger.record(attempt(candidate, record))
        observer.decided(record, recorded, candidate.input.enrollmentProtocol)
        return .refused(Refusal(id: recorded, kind: .unacceptableRequest))
    }

    /// Refuses a request that comes under the reference of another one that waits or is in flight: a client
    /// that reuses its transaction id, or somebody who has its key. An order's own protocol sees to this.
    private func refuseConflict(_ candidate: Candidate) async throws(LedgerError) -> EnrollmentOutcome? {
        guard let reference = candidate.reference, !reference.isOrder, candidate.follows == nil,
            let digest = candidate.input.request.digest
        else { return nil }
        let now = clock.now()
        guard
            let first = try await ledger.conflict(
                under: reference, operation: candidate.input.operation, request: digest, at: now)
        else { return nil }
        var candidate = candidate
        candidate.input.instant = now
        let bundle = policy.engine.bundle
        let owner = (bundle.service(named: candidate.service)?.owner ?? bundle.owner).team
        let record = DecisionRecord(
            effect: .deny, reasonCode: "transaction.conflict",
            reason: "another request was made under this transaction id: \(first)", ruleIDs: [],
            owner: owner, policy: bundle.digest, profile: nil, maximumNotAfter: nil, obligations: [:],
            trace: [], decidedBy: .registration)
        let recorded = try await ledger.record(attempt(candidate, record))
        observer.decided(record, recorded, candidate.input.enrollmentProtocol)
        // A refusal that was counted with an earlier one has had its alert.
        if recorded == candidate.id {
            try await ledger.append(
                AlertRecord(
                    at: now, detector: "transaction-conflict", severity: .high, owner: owner,
                    subject: candidate.input.provenDevice?.rawValue ?? reference.text, request: recorded,
                    detail: record.reason))
        }
        return .refused(Refusal(id: recorded, kind: .unacceptableRequest))
    }

    private func attempt(_ candidate: Candidate, _ decision: DecisionRecord) -> AttemptRecord {
        AttemptRecord(
            id: candidate.id, kind: .enroll, receivedAt: candidate.receivedAt, key: candidate.key,
            reference: candidate.reference, input: candidate.input, decision: decision,
            credential: candidate.credential, follows: candidate.follows)
    }
}
