package import EnrollmentCore
package import Issuance
import PKIX
import Policy

/// The order of steps of every request, whatever its protocol (RFC 5280 §3):
/// verify → gather → decide → prepare · reserve · sign · commit.
package struct RegistrationAuthority: Registrar {
    /// The policy in force.
    package let policy: ActivePolicy
    let issuers: [String: CertificateAuthority]
    let verifier: any ProofVerifier
    let directory: any DeviceDirectory
    let ledger: any IssuanceLedger
    let credentials: any CredentialStore
    let clock: any WallClock
    let serials: any SerialNumberSource
    let budget: UnverifiedBudget
    let observer: EnrollmentObserver
    let timing: RegistrationTiming

    /// - Parameters:
    ///   - issuers: the issuing authorities by the name that services use.
    ///   - budget: bounds the rows that requests without a verified requester may cause.
    package init(
        policy: ActivePolicy, issuers: [String: CertificateAuthority], verifier: any ProofVerifier,
        directory: any DeviceDirectory, ledger: any IssuanceLedger, credentials: any CredentialStore,
        clock: any WallClock, serials: any SerialNumberSource, budget: UnverifiedBudget,
        observer: EnrollmentObserver = EnrollmentObserver(), timing: RegistrationTiming = RegistrationTiming()
    ) {
        self.policy = policy
        self.issuers = issuers
        self.verifier = verifier
        self.directory = directory
        self.ledger = ledger
        self.credentials = credentials
        self.clock = clock
        self.serials = serials
        self.budget = budget
        self.observer = observer
        self.timing = timing
    }

    package func service(named name: ServiceName?) -> ServiceDescription? {
        let bundle = policy.engine.bundle
        guard let service = name.map({ bundle.service(named: $0) }) ?? bundle.defaultService else {
            return nil
        }
        let profiles = service.profiles.compactMap { bundle.profile(named: $0) }
        return ServiceDescription(
            name: service.name, protocols: service.protocols,
            profiles: Dictionary(
                profiles.map { ($0.name, $0.description) }, uniquingKeysWith: { first, _ in first }))
    }

    package func authorities(for service: ServiceName) -> CertificateAuthorities? {
        guard let issuer = policy.engine.bundle.service(named: service)?.issuer,
            let authority = issuers[issuer]
        else { return nil }
        return CertificateAuthorities(issuing: authority.certificate.der, chain: authority.chain)
    }

    /// DER of an issuing authority's certificate by its name; nil when there is none.
    package func issuerCertificate(named name: String) -> [UInt8]? { issuers[name]?.certificate.der }

    package func enroll(_ intent: EnrollmentIntent) async -> EnrollmentOutcome {
        observer.reached(.received)
        let requester: VerifiedRequester
        do throws(ProofError) {
            requester = try await verifier.verify(
                intent.proofs, service: intent.service, from: intent.peer, at: clock.now()
            ) { transactionKey(of: intent, by: $0) }
        } catch {
            return await refuseUnproven(RefusedRequest(unproven: error, intent), error)
        }
        observer.reached(.verified)
        return await judge(candidate(for: intent, by: requester))
    }

    package func outcome(of poll: TransactionPoll) async -> EnrollmentOutcome? {
        do throws(LedgerError) {
            guard let deferred = try await ledger.deferredRequest(under: poll.reference) else { return nil }
            guard let publicKey = deferred.input.request.publicKey else { return nil }
            var candidate = Candidate(
                id: poll.id, receivedAt: poll.receivedAt, service: deferred.input.service, key: deferred.key,
                reference: poll.reference, publicKey: publicKey, input: deferred.input,
                follows: deferred.request)
            candidate.input.clientAddress = poll.peer.address
            try await refreshProofs(of: &candidate)
            return await judge(candidate)
        } catch {
            return unavailable(error, poll.id)
        }
    }

    func unavailable(_ error: LedgerError, _ id: RequestID) -> EnrollmentOutcome {
        observer.failed(error, id)
        return .unavailable(retryAfter: timing.retryAfter)
    }

    func refreshProofs(of candidate: inout Candidate) async throws(LedgerError) {
        candidate.input.proofs = try await verifier.reverify(
            candidate.input.proofs, service: candidate.service, key: candidate.key, at: clock.now())
    }

    private func transactionKey(of intent: EnrollmentIntent, by requester: VerifiedRequester)
        -> TransactionKey
    {
        TransactionKey(
            service: intent.service, operation: intent.operation.rawValue, requester: requester,
            reference: intent.transaction, request: intent.request.digest)
    }

    private func candidate(for intent: EnrollmentIntent, by requester: VerifiedRequester) -> Candidate {
        let redacted = Redaction(of: intent.proofs)
        var input = PolicyInput(
            service: intent.service, requestedProfile: intent.requestedProfile,
            enrollmentProtocol: intent.enrollmentProtocol, operation: intent.operation,
            instant: intent.receivedAt,
            request: RequestFacts(
                intent.request, namesAreComplete: intent.namesAreComplete,
                requestedNotAfter: intent.requestedNotAfter),
            proofs: requester.proofs, claimedDevices: intent.claimedDevices.map { redacted($0) },
            provenDevice: requester.device, device: nil, clientAddress: intent.peer.address)
        input.request.names = redacted(input.request.names)
        return Candidate(
            id: intent.id, receivedAt: intent.receivedAt, service: intent.service,
            key: transactionKey(of: intent, by: requester), reference: intent.transaction,
            publicKey: intent.request.publicKey, input: input, follows: nil)
    }
}

/// How long registration waits, in seconds.
package struct RegistrationTiming: Sendable {
    /// From a reservation to the moment after which a retry may close it.
    package let signing: Int64
    /// What a client is told to wait when something is out of reach.
    package let retryAfter: Int64
    /// How long a request waits for the outcome of its twin before it is told to retry.
    package let patience: Int64

    package init(signing: Int64 = 10, retryAfter: Int64 = 5, patience: Int64 = 15) {
        self.signing = signing
        self.retryAfter = retryAfter
        self.patience = patience
    }
}
