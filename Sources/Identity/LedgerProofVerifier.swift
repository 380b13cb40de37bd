package import EnrollmentCore

/// Checks proofs against what the ledger knows: credentials it governs, certificates it issued, accounts it
/// bound. It believes nothing else, so a certificate of a CA with the same name proves nothing.
package struct LedgerProofVerifier: ProofVerifier {
    private let ledger: any IssuanceLedger
    private let credentials: any CredentialStore
    private let masterKeys: MasterKeys
    private let guesses: GuessLimiter

    package init(
        ledger: any IssuanceLedger, credentials: any CredentialStore, masterKeys: MasterKeys,
        guesses: GuessLimiter
    ) {
        self.ledger = ledger
        self.credentials = credentials
        self.masterKeys = masterKeys
        self.guesses = guesses
    }

    package func verify(
        _ proofs: [Proof], service: ServiceName, from peer: Peer, at now: Timestamp,
        key: @Sendable (VerifiedRequester) -> TransactionKey?
    ) async throws(ProofError) -> VerifiedRequester {
        var authentic: [AuthenticProof] = []
        var unknown: ProofError = .none
        for proof in proofs {
            do throws(ProofError) {
                authentic.append(try await authenticate(proof, service: service))
            } catch {
                switch error {
                case .wrongCredential(let id):
                    throw guesses.countFailure(from: peer.network, at: now) ? .throttled(id) : error
                case .unknown: unknown = error
                case .none, .throttled, .unavailable: throw error
                }
            }
        }
        guard authentic.contains(where: { $0.device != nil }) else { throw unknown }
        let provisional = requester(authentic, proofs: [])
        let transaction = key(provisional)
        return requester(authentic, proofs: authentic.map { $0.proof(service, transaction, now) })
    }

    package func reverify(
        _ proofs: [VerifiedProof], service: ServiceName, key: TransactionKey, at now: Timestamp
    ) async throws(LedgerError) -> [VerifiedProof] {
        var current: [VerifiedProof] = []
        for proof in proofs { current.append(try await reverify(proof, service, key, now)) }
        return current
    }

    private func requester(_ authentic: [AuthenticProof], proofs: [VerifiedProof]) -> VerifiedRequester {
        let devices = Set(authentic.compactMap(\.device))
        let identity = Digest(ofFields: authentic.map(\.identity).filter { !$0.isEmpty })
        return VerifiedRequester(
            device: devices.count == 1 ? devices.first : nil, proofs: proofs, identity: identity.bytes)
    }

    private func reverify(
        _ proof: VerifiedProof, _ service: ServiceName, _ key: TransactionKey, _ now: Timestamp
    ) async throws(LedgerError) -> VerifiedProof {
        switch proof {
        case .oneTimeCredential(let id, let device, _):
            guard let record = try await credentials.credential(id) else {
                return .oneTimeCredential(id: id, device: device, state: .revoked)
            }
            return .oneTimeCredential(
                id: id, device: device, state: record.state(for: key, service: service, at: now))
        case .clientCertificate(let digest, let device, _, let names):
            guard let record = try await ledger.certificate(digest: digest) else {
                return .clientCertificate(certificate: digest, device: device, state: .revoked, names: names)
            }
            return AuthenticProof.certificate(record).proof(service, key, now)
        case .account(let id, let credential, let device, _):
            guard let binding = try await credentials.accountBinding(service: service, account: id) else {
                return .account(id: id, credential: credential, device: device, state: .revoked)
            }
            return AuthenticProof.account(id, binding).proof(service, key, now)
        case .domainControl: return proof
        }
    }

    private func authenticate(_ proof: Proof, service: ServiceName) async throws(ProofError) -> AuthenticProof
    {
        switch proof {
        case .oneTimeCredential(let offered):
            guard let id = CredentialShapes.id(in: offered.text) else { throw .wrongCredential(nil) }
            return try await authenticate(id, usedAs: offered.shape) { $0.matches(offered) }
        case .externalAccountBinding(let binding):
            guard let id = CredentialID(binding.keyID) else { throw .wrongCredential(nil) }
            return try await authenticate(id, usedAs: .acme) { $0.matches(binding) }
        case .clientCertificate(let certificate):
            let digest = Digest(of: certificate)
            guard
                let record = try await reading({ () async throws(LedgerError) in
                    try await ledger.certificate(digest: digest)
                })
            else { throw .unknown("the client certificate is not ours") }
            return .certificate(record)
        case .account(let id):
            guard
                let binding = try await reading({ () async throws(LedgerError) in
                    try await credentials.accountBinding(service: service, account: id)
                })
            else { throw .unknown("nobody bound this account") }
            return .account(id, binding)
        case .domainControl(let names): return .domainControl(names)
        }
    }

    /// The secret is compared for unknown ids too, against a credential nobody holds, so that both answers
    /// take the same work.
    private func authenticate(
        _ id: CredentialID, usedAs shape: EnrollmentProtocol, matches: (CredentialShapes) -> Bool
    ) async throws(ProofError) -> AuthenticProof {
        let record = try await reading({ () async throws(LedgerError) in try await credentials.credential(id)
        })
        let version = record?.masterKeyVersion ?? masterKeys.currentVersion
        let isRight = matches(CredentialShapes(of: id, version: version, masterKeys: masterKeys))
        guard let record, isRight else { throw .wrongCredential(record?.id) }
        guard record.restrictedTo == nil || record.restrictedTo == shape else { throw .wrongCredential(id) }
        return .credential(record)
    }

    private func reading<Value>(_ body: () async throws(LedgerError) -> Value) async throws(ProofError)
        -> Value
    {
        do throws(LedgerError) { return try await body() } catch { throw .unavailable(error) }
    }
}

/// A proof whose secret or signature was right; its worth still depends on the transaction and the instant.
enum AuthenticProof: Sendable {
    case credential(CredentialRecord)
    case certificate(CertificateRecord)
    case account(String, AccountBinding)
    case domainControl([DomainAuthorization])

    var device: DeviceID? {
        switch self {
        case .credential(let record): return record.device
        case .certificate(let record): return record.device
        case .account(_, let binding): return binding.device
        case .domainControl: return nil
        }
    }

    /// Its part of the requester's identity; domain control adds none.
    var identity: [UInt8] {
        switch self {
        case .credential(let record): return Array("credential \(record.id)".utf8)
        case .certificate(let record): return Array("certificate \(record.digest)".utf8)
        case .account(let id, _): return Array("account \(id)".utf8)
        case .domainControl: return []
        }
    }

    /// What policy may know of it. Without a transaction key (an inquiry) a credential must be unspent.
    func proof(_ service: ServiceName, _ key: TransactionKey?, _ now: Timestamp) -> VerifiedProof {
        switch self {
        case .credential(let record):
            let state = record.state(for: key ?? Self.noTransaction, service: service, at: now)
            return .oneTimeCredential(id: record.id, device: record.device, state: state)
        case .certificate(let record):
            return .clientCertificate(
                certificate: record.digest, device: record.device, state: Self.state(record, service, now),
                names: record.names)
        case .account(let id, let binding):
            let state: CredentialState =
                binding.isRevoked ? .revoked : now < binding.orderUntil ? .usable : .expired
            return .account(id: id, credential: binding.credential, device: binding.device, state: state)
        case .domainControl(let names): return .domainControl(names)
        }
    }

    private static let noTransaction = TransactionKey(digest: Digest(ofFields: []))

    private static func state(
        _ record: CertificateRecord, _ service: ServiceName, _ now: Timestamp
    ) -> CertificateState {
        if record.service != service { return .foreignService }
        if record.isRevoked { return .revoked }
        return now <= record.notAfter && record.notBefore <= now ? .valid : .expired
    }
}
