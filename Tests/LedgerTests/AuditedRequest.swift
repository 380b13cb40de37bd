import EnrollmentCore
import Ledger

/// One request of the audited ledger, as registration would hand it over.
struct AuditedRequest {
    let wish: AuditSeed.Wish
    let id: RequestID
    let key: TransactionKey
    let device: DeviceID
    let credential: CredentialID?
    let spki: [UInt8]
    let serial: [UInt8]
    let policy: [UInt8]
    let instant: Timestamp

    /// - Parameters:
    ///   - number: distinguishes serial numbers and keys.
    ///   - serial: nil for one after `number`.
    init(_ wish: AuditSeed.Wish, number: UInt8, serial: [UInt8]?, policy: [UInt8], at instant: Timestamp)
        throws
    {
        self.wish = wish
        id = RequestID(at: instant, random: FreshRandom().octets(10))
        key = TransactionKey(digest: Digest(of: Array((wish.transaction ?? "transaction \(number)").utf8)))
        device = try required(DeviceID(wish.device))
        credential = wish.credential
        let seed = Digest(of: Array((wish.key ?? wish.transaction ?? "key \(number)").utf8)).bytes
        spki = Self.publicKey(wish.algorithm, seed)
        self.serial = serial ?? [0x0a] + [UInt8](repeating: 0, count: 14) + [number]
        self.policy = policy
        self.instant = instant
    }

    func attempt(_ known: Circumstances) -> AttemptRecord {
        let isPermit = wish.effect == .permit
        return AttemptRecord(
            id: id, kind: .enroll, receivedAt: instant, key: key, reference: nil, input: input(known),
            decision: DecisionRecord(
                effect: wish.effect, reasonCode: wish.reasonCode, reason: "because", ruleIDs: [wish.rule],
                owner: "Device Identity", policy: Digest(of: policy),
                profile: isPermit ? ProfileName("client-auth") : nil,
                maximumNotAfter: isPermit ? instant.adding(seconds: 100 * 86_400) : nil,
                obligations: wish.obligations, trace: []),
            credential: credential.map {
                CredentialUse(id: $0, device: device, service: LedgerFixture.service, consumes: true)
            })
    }

    private func input(_ known: Circumstances) -> PolicyInput {
        let proof: VerifiedProof =
            if let credential {
                .oneTimeCredential(id: credential, device: device, state: .usable)
            } else {
                .clientCertificate(
                    certificate: Digest(of: [1]), device: device, state: .valid,
                    names: CertificateNames(commonName: device.rawValue))
            }
        return PolicyInput(
            service: LedgerFixture.service, enrollmentProtocol: wish.enrollmentProtocol, operation: .enroll,
            instant: instant,
            request: RequestFacts(
                names: CertificateNames(commonName: device.rawValue),
                publicKey: PublicKey(
                    subjectPublicKeyInfo: spki, algorithm: KeyAlgorithm(rawValue: wish.algorithm) ?? .p256),
                digest: Digest(of: spki)),
            proofs: [proof], provenDevice: device, device: nil, history: known.history,
            approvals: known.approvals, clientAddress: "192.0.2.1")
    }

    var reservation: ReservationRecord {
        ReservationRecord(
            issuer: "issuing", serial: serial, tbsCertificate: tbs, publicKey: Digest(of: spki),
            names: CertificateNames(commonName: device.rawValue), notBefore: instant,
            notAfter: instant.adding(seconds: wish.validity * 86_400),
            signingDeadline: instant.adding(seconds: 10))
    }

    /// The outline of a TBSCertificate: what comes before the key is empty but for the serial number.
    private var tbs: [UInt8] {
        Enrollment.sequence(
            [0xa0, 3, 2, 1, 2, 2, UInt8(serial.count)] + serial + [0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0] + spki)
    }

    var certificate: [UInt8] { Enrollment.sequence(tbs + [0x30, 0, 0x03, 1, 0]) }

    private static func publicKey(_ algorithm: String, _ seed: [UInt8]) -> [UInt8] {
        let elliptic: [UInt8] = [
            0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7,
        ]
        guard algorithm != "ec-p256" else {
            return Enrollment.sequence(elliptic + [3, 66, 0, 4] + seed + seed)
        }
        let rsa: [UInt8] = [
            0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0, 3, 0x82, 1, 0x0f, 0, 0x30,
            0x82, 1, 0x0a, 2, 0x82, 1, 1, 0,
        ]
        let modulus = (0..<8).flatMap { _ in seed }
        return Enrollment.sequence(rsa + modulus + [2, 3, 1, 0, 1])
    }
}
