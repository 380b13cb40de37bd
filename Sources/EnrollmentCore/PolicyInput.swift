/// Everything a decision may depend on, and what the ledger keeps of a request: no secret, challenge or token
/// ever enters it. The same input and bundle give the same decision for ever (invariant I5).
package struct PolicyInput: Sendable, Hashable, Codable {
    package var service: ServiceName
    package var requestedProfile: ProfileName?
    package var enrollmentProtocol: EnrollmentProtocol
    package var operation: EnrollmentOperation
    /// The moment of judgement; every age is counted from here.
    package var instant: Timestamp
    package var request: RequestFacts
    package var proofs: [VerifiedProof]
    /// Devices claimed outside the certificate request.
    package var claimedDevices: [String]
    /// The device all proofs name; nil when none or several are named, which denies.
    package var provenDevice: DeviceID?
    /// Nil when the directory does not know the proven device, which denies.
    package var device: DeviceFacts?
    package var history: HistoryFacts
    /// What people said of this transaction: the latest word of each, ordered by approver.
    package var approvals: [Approval]
    package var clientAddress: String

    enum CodingKeys: String, CodingKey {
        case service, operation, instant, request, proofs, device, history, approvals
        case requestedProfile = "requested_profile"
        case enrollmentProtocol = "protocol"
        case claimedDevices = "claimed_devices"
        case provenDevice = "proven_device"
        case clientAddress = "client_address"
    }

    package init(
        service: ServiceName, requestedProfile: ProfileName? = nil, enrollmentProtocol: EnrollmentProtocol,
        operation: EnrollmentOperation, instant: Timestamp, request: RequestFacts, proofs: [VerifiedProof],
        claimedDevices: [String] = [], provenDevice: DeviceID?, device: DeviceFacts?,
        history: HistoryFacts = HistoryFacts(), approvals: [Approval] = [], clientAddress: String
    ) {
        self.service = service
        self.requestedProfile = requestedProfile
        self.enrollmentProtocol = enrollmentProtocol
        self.operation = operation
        self.instant = instant
        self.request = request
        self.proofs = proofs
        self.claimedDevices = claimedDevices
        self.provenDevice = provenDevice
        self.device = device
        self.history = history
        self.approvals = approvals
        self.clientAddress = clientAddress
    }

    /// Reads an input as recorded; what was recorded before there were approvals had none.
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            service: try members.decode(ServiceName.self, forKey: .service),
            requestedProfile: try members.decodeIfPresent(ProfileName.self, forKey: .requestedProfile),
            enrollmentProtocol: try members.decode(EnrollmentProtocol.self, forKey: .enrollmentProtocol),
            operation: try members.decode(EnrollmentOperation.self, forKey: .operation),
            instant: try members.decode(Timestamp.self, forKey: .instant),
            request: try members.decode(RequestFacts.self, forKey: .request),
            proofs: try members.decode([VerifiedProof].self, forKey: .proofs),
            claimedDevices: try members.decode([String].self, forKey: .claimedDevices),
            provenDevice: try members.decodeIfPresent(DeviceID.self, forKey: .provenDevice),
            device: try members.decodeIfPresent(DeviceFacts.self, forKey: .device),
            history: try members.decode(HistoryFacts.self, forKey: .history),
            approvals: try members.decodeIfPresent([Approval].self, forKey: .approvals) ?? [],
            clientAddress: try members.decode(String.self, forKey: .clientAddress))
    }
}

/// One person's word on one transaction, as the ledger has it.
package struct Approval: Sendable, Hashable, Codable {
    /// What was said.
    package enum Verdict: String, Sendable, Hashable, Codable, CaseIterable { case approve, deny }

    /// Who said it, as the operating system or the identity provider names them, e.g. `os:jane`.
    package var approver: String
    package var verdict: Verdict
    package var at: Timestamp

    package init(approver: String, verdict: Verdict, at: Timestamp) {
        self.approver = approver
        self.verdict = verdict
        self.at = at
    }
}

/// What policy may know of a certificate request. Holds all that a later re-decision needs to issue.
package struct RequestFacts: Sendable, Hashable, Codable {
    package var names: CertificateNames
    /// Whether nothing is to be filled in from the decision.
    package var namesAreComplete: Bool
    /// Dotted object identifiers.
    package var extendedKeyUsages: [String]
    /// Nil in an inquiry made before the key is known (ACME newOrder).
    package var publicKey: PublicKey?
    /// Digest of the certificate request without its challenge password; nil in an inquiry.
    package var digest: Digest?
    package var requestedNotAfter: Timestamp?

    enum CodingKeys: String, CodingKey {
        case names, digest
        case namesAreComplete = "names_complete"
        case extendedKeyUsages = "extended_key_usages"
        case publicKey = "public_key"
        case requestedNotAfter = "requested_not_after"
    }

    package init(
        names: CertificateNames, namesAreComplete: Bool = false, extendedKeyUsages: [String] = [],
        publicKey: PublicKey?, digest: Digest? = nil, requestedNotAfter: Timestamp? = nil
    ) {
        self.names = names
        self.namesAreComplete = namesAreComplete
        self.extendedKeyUsages = extendedKeyUsages
        self.publicKey = publicKey
        self.digest = digest
        self.requestedNotAfter = requestedNotAfter
    }

    /// The facts of a verified certificate request.
    package init(_ request: CertificateRequest, namesAreComplete: Bool, requestedNotAfter: Timestamp?) {
        self.init(
            names: request.names, namesAreComplete: namesAreComplete,
            extendedKeyUsages: request.extendedKeyUsages, publicKey: request.publicKey,
            digest: request.digest, requestedNotAfter: requestedNotAfter)
    }
}
