/// The registration authority as the front-ends see it: their only door to policy, issuance and ledger.
package protocol Registrar: Sendable {
    /// The declared service of that name, or the default service for nil; nil when there is none.
    func service(named name: ServiceName?) -> ServiceDescription?

    /// The certificates of the authorities behind a service; nil when there is no such service.
    func authorities(for service: ServiceName) -> CertificateAuthorities?

    /// Judges an intent and, when policy permits, issues. Records before it answers.
    func enroll(_ intent: EnrollmentIntent) async -> EnrollmentOutcome

    /// Whether an intent could be granted once the proofs and the key still missing are there.
    /// Records the decision, reserves nothing.
    func assess(_ inquiry: EnrollmentInquiry) async -> Assessment

    /// Records a request that cannot become an intent; returns what to answer, which is `.refused` with the
    /// same kind unless the budget for unverified requests (`.throttled`) or the ledger (`.unavailable`)
    /// says otherwise.
    func refuse(_ refused: RefusedRequest) async -> EnrollmentOutcome

    /// Decides a deferred transaction again and answers as `enroll` would; nil when the reference is unknown.
    func outcome(of poll: TransactionPoll) async -> EnrollmentOutcome?

    /// Verifies an external-account binding, and consumes its credential in the same transaction that
    /// stores the account (RFC 8555 §7.3.4).
    func bind(_ offer: AccountBindingOffer) async -> AccountBindingOutcome
}

/// What a front-end may know of a service.
package struct ServiceDescription: Sendable, Hashable {
    package let name: ServiceName
    package let protocols: Set<EnrollmentProtocol>
    /// Profiles by name with a line of description each, for ACME's directory.
    package let profiles: [ProfileName: String]

    package init(name: ServiceName, protocols: Set<EnrollmentProtocol>, profiles: [ProfileName: String]) {
        self.name = name
        self.protocols = protocols
        self.profiles = profiles
    }
}

/// DER of the certificates that clients of a service need.
package struct CertificateAuthorities: Sendable, Hashable {
    /// The issuing CA.
    package let issuing: [UInt8]
    /// From the issuing CA's issuer up to the root, the root last.
    package let chain: [[UInt8]]

    package init(issuing: [UInt8], chain: [[UInt8]]) {
        self.issuing = issuing
        self.chain = chain
    }
}

/// A question asked before the key is known (ACME newOrder).
package struct EnrollmentInquiry: Sendable {
    package let id: RequestID
    package let receivedAt: Timestamp
    package let service: ServiceName
    package let enrollmentProtocol: EnrollmentProtocol
    package let names: CertificateNames
    package let requestedProfile: ProfileName?
    package let requestedNotAfter: Timestamp?
    package let proofs: [Proof]
    package let claimedDevices: [String]
    package let peer: Peer

    package init(
        id: RequestID, receivedAt: Timestamp, service: ServiceName, enrollmentProtocol: EnrollmentProtocol,
        names: CertificateNames, requestedProfile: ProfileName? = nil, requestedNotAfter: Timestamp? = nil,
        proofs: [Proof], claimedDevices: [String] = [], peer: Peer
    ) {
        self.id = id
        self.receivedAt = receivedAt
        self.service = service
        self.enrollmentProtocol = enrollmentProtocol
        self.names = names
        self.requestedProfile = requestedProfile
        self.requestedNotAfter = requestedNotAfter
        self.proofs = proofs
        self.claimedDevices = claimedDevices
        self.peer = peer
    }
}

/// The answer to an inquiry.
package enum Assessment: Sendable {
    /// Nothing known forbids it; proofs not yet offered count as able to change.
    case possible
    case deferred(RequestID, retryAfter: Int64)
    case refused(Refusal)
    case unavailable(retryAfter: Int64)
}

/// A request that never became an intent.
package struct RefusedRequest: Sendable {
    package let id: RequestID
    package let receivedAt: Timestamp
    /// As asked for in the path; nil when the path names none. What is recorded is a declared service's name
    /// only.
    package var service: ServiceName?
    package let enrollmentProtocol: EnrollmentProtocol
    package let operation: EnrollmentOperation?
    package let kind: RefusalKind
    /// A stable reason code, lower case with dots and underscores, e.g. `scep.message_type`.
    package let reasonCode: String
    /// One sentence for the auditor. Never quotes secrets or unbounded input.
    package let reason: String
    /// Whether the requester was verified before the request was refused: then it is recorded, whatever the
    /// budget for strangers.
    package let isVerified: Bool
    package let peer: Peer

    package init(
        id: RequestID, receivedAt: Timestamp, service: ServiceName?, enrollmentProtocol: EnrollmentProtocol,
        operation: EnrollmentOperation? = nil, kind: RefusalKind, reasonCode: String, reason: String,
        isVerified: Bool = false, peer: Peer
    ) {
        self.id = id
        self.receivedAt = receivedAt
        self.service = service
        self.enrollmentProtocol = enrollmentProtocol
        self.operation = operation
        self.kind = kind
        self.reasonCode = reasonCode
        self.reason = reason
        self.isVerified = isVerified
        self.peer = peer
    }
}

/// A client asking what became of its transaction.
package struct TransactionPoll: Sendable {
    package let id: RequestID
    package let receivedAt: Timestamp
    package let reference: TransactionReference
    package let enrollmentProtocol: EnrollmentProtocol
    package let peer: Peer

    package init(
        id: RequestID, receivedAt: Timestamp, reference: TransactionReference,
        enrollmentProtocol: EnrollmentProtocol, peer: Peer
    ) {
        self.id = id
        self.receivedAt = receivedAt
        self.reference = reference
        self.enrollmentProtocol = enrollmentProtocol
        self.peer = peer
    }
}

/// An ACME external-account binding and the account it is to bind.
package struct AccountBindingOffer: Sendable {
    package let id: RequestID
    package let receivedAt: Timestamp
    package let service: ServiceName
    package let binding: ExternalAccountBinding
    /// The account's own id and state, stored in the transaction that consumes the credential.
    package let account: ProtocolRecord
    package let accountID: String
    package let peer: Peer

    package init(
        id: RequestID, receivedAt: Timestamp, service: ServiceName, binding: ExternalAccountBinding,
        account: ProtocolRecord, accountID: String, peer: Peer
    ) {
        self.id = id
        self.receivedAt = receivedAt
        self.service = service
        self.binding = binding
        self.account = account
        self.accountID = accountID
        self.peer = peer
    }
}

/// The answer to a binding offer.
package enum AccountBindingOutcome: Sendable {
    case bound
    case refused(Refusal)
    case unavailable(retryAfter: Int64)
}
