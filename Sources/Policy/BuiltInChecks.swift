import EnrollmentCore

/// A block that no rule can lift.
struct Block: Sendable, Hashable {
    let code: ReasonCode
    let kind: RefusalKind
}

/// What is checked before any rule: that the request makes sense, that its proofs hold for one device of the
/// directory, and that key and history do not forbid it. Every fact here is one that we establish ourselves.
struct BuiltInChecks {
    let conditions: ConditionEvaluation
    let bundle: PolicyBundle

    private var input: PolicyInput { conditions.input }
    private var question: PolicyQuestion { conditions.question }

    /// The service and the profile to decide on, or the first block in a fixed order.
    func scope() -> Result<(Service, CertificateProfile), BlockedError> {
        guard let service = bundle.service(named: input.service) else { return blocked(.serviceUnknown) }
        guard service.protocols.contains(input.enrollmentProtocol) else {
            return blocked(.protocolNotEnabled)
        }
        guard !bundle.refuses(reviewBy: service.reviewBy, at: input.instant) else {
            return blocked(.reviewOverdue)
        }
        if let block = proofBlock() ?? directoryBlock() ?? renewalBlock() {
            return .failure(BlockedError(block))
        }
        let name = input.requestedProfile ?? service.profiles.first
        guard let name, service.profiles.contains(name), let profile = bundle.profile(named: name) else {
            return blocked(.profileNotOffered)
        }
        guard !bundle.refuses(reviewBy: profile.reviewBy, at: input.instant) else {
            return blocked(.reviewOverdue)
        }
        if let block = requestBlock(profile) ?? limitBlock(service) { return .failure(BlockedError(block)) }
        return .success((service, profile))
    }

    private func blocked<Success>(_ code: ReasonCode) -> Result<Success, BlockedError> {
        .failure(BlockedError(denied(code)))
    }

    private func denied(_ code: ReasonCode) -> Block { Block(code: code, kind: .denied) }
    private func noUsableProof(_ code: ReasonCode) -> Block { Block(code: code, kind: .noUsableProof) }

    private func proofBlock() -> Block? {
        let named = input.proofs.compactMap(\.device)
        guard named.allSatisfy({ $0 == named.first }) else { return noUsableProof(.proofConflict) }
        guard let proven = input.provenDevice, named.contains(proven) else {
            return noUsableProof(input.provenDevice == nil || named.isEmpty ? .proofNone : .proofConflict)
        }
        guard input.claimedDevices.allSatisfy({ $0 == proven.rawValue }) else {
            return noUsableProof(.credentialOtherDevice)
        }
        return input.proofs.lazy.compactMap(stateBlock).first
    }

    private func stateBlock(_ proof: VerifiedProof) -> Block? {
        switch proof {
        case .oneTimeCredential(_, _, let state), .account(_, _, _, let state):
            switch state {
            case .usable: return nil
            case .spent: return noUsableProof(.credentialSpent)
            case .expired: return noUsableProof(.credentialExpired)
            case .revoked: return noUsableProof(.credentialRevoked)
            case .foreignService: return noUsableProof(.credentialForeignService)
            }
        case .clientCertificate(_, _, let state, _):
            switch state {
            case .valid: return nil
            case .expired: return noUsableProof(.certificateExpired)
            case .revoked: return noUsableProof(.certificateRevoked)
            case .foreignService: return noUsableProof(.certificateForeignService)
            }
        case .domainControl: return nil
        }
    }

    private func directoryBlock() -> Block? {
        guard let device = input.device, device.id == input.provenDevice else {
            return denied(.deviceUnknown)
        }
        if input.history.keyBlocked { return denied(.keyBlocked) }
        if input.history.keySeenOnOtherDevice { return denied(.keyOtherDevice) }
        return nil
    }

    /// RFC 7030 §4.2.2: a renewal repeats the subject and subjectAltName of the certificate that proves it.
    private func renewalBlock() -> Block? {
        switch input.operation {
        case .enroll: return nil
        case .renew, .rekey:
            let predecessors = input.proofs.compactMap { proof -> CertificateNames? in
                if case .clientCertificate(_, _, .valid, let names) = proof { return names }
                return nil
            }
            guard !predecessors.isEmpty else { return noUsableProof(.proofCertificateRequired) }
            let isUnchanged = predecessors.allSatisfy { $0 == input.request.names }
            return isUnchanged || question == .account ? nil : denied(.identityChanged)
        }
    }

    private func requestBlock(_ profile: CertificateProfile) -> Block? {
        guard question != .account else { return nil }
        if let key = input.request.publicKey {
            guard profile.keyAlgorithms.contains(key.algorithm) else { return denied(.keyNotAllowed) }
        } else if question == .request {
            return denied(.keyMissing)
        }
        guard input.request.names.unsupported.isEmpty else { return denied(.namesUnsupported) }
        if let end = input.request.requestedNotAfter, end <= input.instant { return denied(.validityPast) }
        return nil
    }

    /// A renewal's predecessor is live and on its way out, so it does not count; what else the device holds
    /// does, or one certificate could be renewed without bound.
    private func limitBlock(_ service: Service) -> Block? {
        let limit = service.limits.liveCertificatesPerDevice
        let live = input.history.activeCertificates
        switch input.operation {
        case .enroll: return live >= limit ? denied(.limitLiveCertificates) : nil
        case .renew, .rekey: return live > limit ? denied(.limitLiveCertificates) : nil
        }
    }
}

/// Carries a block out of the checks.
struct BlockedError: Error, Sendable, Hashable {
    let block: Block
    init(_ block: Block) { self.block = block }
}
