package import EnrollmentCore
import Policy

extension RegistrationAuthority {
    package func refuse(_ refused: RefusedRequest) async -> EnrollmentOutcome {
        await record(refused, guessedAt: nil)
    }

    /// Answers a request whose proofs show nobody.
    func refuseUnproven(_ refused: RefusedRequest, _ error: ProofError) async -> EnrollmentOutcome {
        switch error {
        case .unavailable(let cause): return unavailable(cause, refused.id)
        case .wrongCredential(let id), .throttled(let id): return await record(refused, guessedAt: id)
        case .none, .unknown: return await record(refused, guessedAt: nil)
        }
    }

    private func record(_ refused: RefusedRequest, guessedAt credential: CredentialID?) async
        -> EnrollmentOutcome
    {
        let engine = policy.engine
        let service = refused.service.flatMap { engine.bundle.service(named: $0) }
        let now = clock.now()
        let answer = EnrollmentOutcome.refused(Refusal(id: refused.id, kind: refused.kind))
        // An unknown service has no budget of its own, and its name is the client's: all of them share one.
        let mayRecord =
            refused.isVerified
            || budget.admit(
                service: service?.name.rawValue ?? "", source: refused.peer.address, kind: refused.kind,
                guessedAt: credential, rowsPerSecond: service?.limits.unverifiedRowsPerSecond ?? 10, at: now)
        guard mayRecord else { return answer }
        // An undeclared name is whatever a client put into its path, a secret even.
        var declared = refused
        declared.service = service?.name
        let record = RefusalRecord(
            request: declared, owner: (service?.owner ?? engine.bundle.owner).team,
            policy: engine.bundle.digest,
            decidedAt: now, credential: credential)
        do throws(LedgerError) {
            try await ledger.record(record)
            return answer
        } catch {
            return unavailable(error, refused.id)
        }
    }
}

extension RefusedRequest {
    /// The refusal of an intent whose proofs show nobody.
    init(unproven error: ProofError, _ intent: EnrollmentIntent) {
        self.init(
            id: intent.id, receivedAt: intent.receivedAt, service: intent.service,
            enrollmentProtocol: intent.enrollmentProtocol, operation: intent.operation, error: error,
            peer: intent.peer)
    }

    init(
        id: RequestID, receivedAt: Timestamp, service: ServiceName, enrollmentProtocol: EnrollmentProtocol,
        operation: EnrollmentOperation?, error: ProofError, peer: Peer
    ) {
        let (code, reason, kind) = error.refusal
        self.init(
            id: id, receivedAt: receivedAt, service: service, enrollmentProtocol: enrollmentProtocol,
            operation: operation, kind: kind, reasonCode: code, reason: reason, peer: peer)
    }
}

extension ProofError {
    fileprivate var refusal: (code: String, reason: String, kind: RefusalKind) {
        switch self {
        case .none: return ("proof.none", "no proof of identity was offered", .noUsableProof)
        case .wrongCredential:
            return ("credential.wrong", "the credential is unknown or its secret is wrong", .noUsableProof)
        case .unknown(let what): return ("proof.unknown", what, .noUsableProof)
        case .throttled:
            return ("credential.throttled", "too many wrong guesses from this source", .throttled)
        case .unavailable: return ("proof.unavailable", "the proof could not be checked", .noUsableProof)
        }
    }
}
