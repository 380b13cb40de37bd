import EnrollmentCore
import Policy

/// A request with a verified requester, on its way through judgement.
struct Candidate: Sendable {
    let id: RequestID
    let receivedAt: Timestamp
    let service: ServiceName
    let key: TransactionKey
    let reference: TransactionReference?
    let publicKey: PublicKey
    /// Facts and instant are filled in anew for each decision.
    var input: PolicyInput
    /// The earlier request this one decides again.
    var follows: RequestID?

    /// The credential whose use belongs to the transaction.
    var credential: CredentialUse? { CredentialUse(of: input.proofs, service: service) }

    /// The credential that was presented although it is not usable any more, which is an alert.
    var unusableCredential: (id: CredentialID, state: CredentialState)? {
        for case .oneTimeCredential(let id, _, let state) in input.proofs where state != .usable {
            return (id, state)
        }
        return nil
    }
}

extension CredentialUse {
    /// The use that verified proofs make of a credential: a one-time credential is spent, the one behind an
    /// account is looked at only.
    init?(of proofs: [VerifiedProof], service: ServiceName) {
        for proof in proofs {
            switch proof {
            case .oneTimeCredential(let id, let device, _):
                self.init(id: id, device: device, service: service, consumes: true)
                return
            case .account(_, let id, let device, _):
                self.init(id: id, device: device, service: service, consumes: false)
                return
            case .clientCertificate, .domainControl: continue
            }
        }
        return nil
    }
}

extension TransactionKey {
    /// SHA-256 over service, operation, verified requester, order and request digest.
    init(
        service: ServiceName, operation: String, requester: VerifiedRequester,
        reference: TransactionReference?,
        request: Digest
    ) {
        let order = reference.flatMap { $0.isOrder ? $0.text : nil } ?? ""
        self.init(
            digest: Digest(ofFields: [
                Array(service.rawValue.utf8), Array(operation.utf8),
                Array((requester.device?.rawValue ?? "").utf8),
                requester.identity, Array(order.utf8), request.bytes,
            ]))
    }
}

extension DecisionRecord {
    /// A copy of a decision, for the ledger.
    init(_ decision: Decision) {
        let effect: DecisionEffect
        var grant: Grant?
        switch decision.outcome {
        case .permit(let granted): (effect, grant) = (.permit, granted)
        case .defer: effect = .defer
        case .deny: effect = .deny
        }
        self.init(
            effect: effect, reasonCode: decision.reasonCode, reason: decision.reason,
            ruleIDs: decision.ruleIDs,
            owner: decision.owner.team, policy: decision.policy, profile: grant?.profile.name,
            maximumNotAfter: grant?.maximumNotAfter, obligations: decision.obligations, trace: decision.trace)
    }
}
