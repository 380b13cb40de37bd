package import EnrollmentCore
import Policy

/// A request in the terms of a policy case, with ages instead of instants. Analysis composes one for each
/// question it puts to the engine, and shows it to people as an example.
package struct RequestSketch: Sendable, Hashable {
    /// What one posture source says; `age` is negative for the future and nil when there is no date.
    struct Posture: Sendable, Hashable {
        let source: String
        var status: PostureStatus
        var jailbroken: Bool?
        var age: Int64?
    }

    /// One person's word and how long ago it was given, in seconds.
    struct Word: Sendable, Hashable {
        let approver: String
        let verdict: Approval.Verdict
        let age: Int64
    }

    let service: ServiceName
    let profile: ProfileName
    var enrollmentProtocol: EnrollmentProtocol
    var operation = EnrollmentOperation.enroll
    var instant = Self.defaultInstant
    var deviceID = Self.defaultDevice
    var serial: String?
    var udid: String?
    var sid: String?
    var owner: String?
    var groups: [String] = []
    var deviceDNS: [String] = []
    var deviceEmail: [String] = []
    var deviceUPN: [String] = []
    var posture: [Posture] = []
    var hasCredential = true
    var hasCertificate = false
    /// Seconds since control of every name asked for was shown; nil when it was not.
    var domainControlAge: Int64?
    var commonName: String?
    var requestDNS: [String] = []
    var requestEmail: [String] = []
    var requestUPN: [String] = []
    /// Dotted object identifiers asked for.
    var usages: [String] = []
    var keyAlgorithm: KeyAlgorithm
    /// Seconds.
    var validity: Int64?
    var activeCertificates: Int64 = 0
    var failedAttempts: Int64 = 0
    var lastProofs: [String] = []
    var mintedBy: String?
    var approvals: [Word] = []
    var clientAddress = "192.0.2.1"

    static let defaultInstant = Timestamp(seconds: 1_795_348_800)
    static let defaultDevice = "EXAMPLE-1"

    init(
        service: ServiceName, profile: ProfileName, enrollmentProtocol: EnrollmentProtocol,
        keyAlgorithm: KeyAlgorithm
    ) {
        self.service = service
        self.profile = profile
        self.enrollmentProtocol = enrollmentProtocol
        self.keyAlgorithm = keyAlgorithm
    }

    /// The request as the engine takes it.
    package var input: PolicyInput {
        let names = CertificateNames(
            commonName: commonName, dns: requestDNS, email: requestEmail, upn: requestUPN)
        let device = DeviceID(deviceID)
        return PolicyInput(
            service: service, requestedProfile: profile, enrollmentProtocol: enrollmentProtocol,
            operation: operation, instant: instant,
            request: RequestFacts(
                names: names, extendedKeyUsages: usages,
                publicKey: PublicKey(subjectPublicKeyInfo: [], algorithm: keyAlgorithm),
                digest: Digest(of: []), requestedNotAfter: validity.map { instant.adding(seconds: $0) }),
            proofs: device.map { proofs(of: $0, names) } ?? [], provenDevice: device,
            device: device.map(facts),
            history: HistoryFacts(
                activeCertificates: Int(clamping: activeCertificates),
                failedAttempts: Int(clamping: failedAttempts), lastProofs: lastProofs, mintedBy: mintedBy),
            approvals: approvals.map {
                Approval(approver: $0.approver, verdict: $0.verdict, at: instant.adding(seconds: -$0.age))
            }.sorted { $0.approver < $1.approver },
            clientAddress: clientAddress)
    }

    private func facts(of device: DeviceID) -> DeviceFacts {
        DeviceFacts(
            id: device, serial: serial, udid: udid, groups: groups, dns: deviceDNS, email: deviceEmail,
            upn: deviceUPN, sid: sid, owner: owner,
            posture: posture.map { fact in
                PostureFact(
                    source: fact.source, status: fact.status, jailbroken: fact.jailbroken,
                    observedAt: fact.age.map { instant.adding(seconds: -$0) })
            })
    }

    private func proofs(of device: DeviceID, _ names: CertificateNames) -> [VerifiedProof] {
        var proofs: [VerifiedProof] = []
        if hasCredential, let id = CredentialID("AAAAAAAAAAAAAAAA") {
            proofs.append(.oneTimeCredential(id: id, device: device, state: .usable))
        }
        if hasCertificate {
            proofs.append(
                .clientCertificate(certificate: Digest(of: []), device: device, state: .valid, names: names))
        }
        if let domainControlAge {
            proofs.append(
                .domainControl(
                    names.dns.map {
                        DomainAuthorization(
                            name: $0, method: "http-01",
                            validatedAt: instant.adding(seconds: -domainControlAge))
                    }))
        }
        return proofs
    }
}
