import Crypto
import EnrollmentCore
import EnrollmentTesting
import Identity
import Issuance
import Ledger
import PKIX
import Registration
import Testing

/// What devices and people do in a few days: something for every table.
struct Days {
    let ledger: PostgresLedger
    let registrar: RegistrationAuthority
    let mint: CredentialMint
    let clock: ManualClock
    let random: SeededRandom

    private static let laptops = ServiceName("laptops")
    private static let contractors = ServiceName("contractors")

    func pass(_ signer: MoodySigner) async throws {
        // A contractor who is refused, so that the first word on record is of a transaction without
        // certificate.
        let refused = try await ask(Self.contractors, "CX-2", names: CertificateNames(commonName: "CX-2"))
        #expect(Self.name(await registrar.enroll(refused.intent)) == "deferred")
        try await say(.deny, of: refused.intent.id)

        let spent = try await issue("LT-1")
        let second = try await issue("LT-2")
        _ = try await ledger.revoke(
            issuer: "issuing", serial: second.issued.serial, at: clock.now(), reason: .keyCompromise,
            by: "os:jane", because: "stolen")
        // Its credential again, and a guess at it.
        _ = await registrar.enroll(try intent(Self.laptops, [spent.proof], spent.request(key: nil)))
        let guess = Proof.oneTimeCredential(
            OfferedCredential(
                shape: .est, text: Secret(second.credential.rawValue + String(repeating: "A", count: 32))))
        _ = await registrar.enroll(try intent(Self.laptops, [guess], second.request(key: nil)))
        // A machine that no rule lets in.
        #expect(Self.name(await registrar.enroll(try await ask(Self.laptops, "SRV-1").intent)) == "refused")

        signer.set(false)
        #expect(
            Self.name(await registrar.enroll(try await ask(Self.laptops, "LT-3").intent)) == "unavailable")
        signer.set(true)

        let approved = try await ask(Self.contractors, "CX-1", names: CertificateNames(commonName: "CX-1"))
        #expect(Self.name(await registrar.enroll(approved.intent)) == "deferred")
        try await say(.approve, of: approved.intent.id)
        let again = try intent(Self.contractors, [approved.proof], approved.intent.request)
        #expect(Self.name(await registrar.enroll(again)) == "issued")

        try await orderByAccount()
        try await administer()
    }

    private func administer() async throws {
        try await ledger.append(
            AdminEvent(
                at: clock.now(), actor: "os:jane", action: "device.set", target: "LT-2", reason: "stolen"))
        _ = try await ledger.refuse(
            PolicyRefusalRecord(
                candidate: Digest(of: Array("nonsense".utf8)), at: clock.now(), actor: "test",
                owner: "Policy Team", faults: "no rules", detail: "refused"))
    }

    private func orderByAccount() async throws {
        let (record, shapes) = try await credential(Self.laptops, "LT-3")
        let signed = Array("protected.account-1".utf8)
        let key = SymmetricKey(data: try #require(shapes.externalAccountKey).revealed)
        let offer = AccountBindingOffer(
            id: newID(), receivedAt: clock.now(), service: Self.laptops,
            binding: ExternalAccountBinding(
                keyID: record.id.rawValue, signingInput: signed,
                authenticationCode: Array(HMAC<SHA256>.authenticationCode(for: signed, using: key))),
            account: ProtocolRecord(
                key: ProtocolRecordKey(service: Self.laptops, kind: "acme.account", id: "account-1"),
                document: [:], expiresAt: nil),
            accountID: "account-1", peer: Peer(address: "192.0.2.7", isSecure: true))
        guard case .bound = await registrar.bind(offer) else {
            Issue.record("account-1 was not bound")
            return
        }
        let order = EnrollmentIntent(
            id: newID(), receivedAt: clock.now(), service: Self.laptops, enrollmentProtocol: .acme,
            operation: .enroll, request: try Self.request("LT-3", nil), proofs: [.account(id: "account-1")],
            claimedDevices: [],
            transaction: TransactionReference(service: Self.laptops, text: "order-1", isOrder: true),
            peer: Peer(address: "192.0.2.7", isSecure: true))
        #expect(Self.name(await registrar.enroll(order)) == "issued")
    }

    // MARK: Asking

    struct Asked {
        let credential: CredentialID
        let proof: Proof
        let intent: EnrollmentIntent
    }

    struct Issued {
        let credential: CredentialID
        let proof: Proof
        let issued: IssuedCertificate

        func request(key: PublicKey?) throws -> CertificateRequest {
            try Days.request(issued.device.rawValue, nil)
        }
    }

    private func issue(_ device: String) async throws -> Issued {
        let asked = try await ask(Self.laptops, device)
        guard case .issued(let certificate) = await registrar.enroll(asked.intent) else { throw NotIssued() }
        return Issued(credential: asked.credential, proof: asked.proof, issued: certificate)
    }

    private func ask(_ service: ServiceName, _ device: String, names: CertificateNames? = nil) async throws
        -> Asked
    {
        let (record, shapes) = try await credential(service, device)
        let proof = Proof.oneTimeCredential(
            OfferedCredential(shape: .est, text: try #require(shapes.text(for: .est))))
        return Asked(
            credential: record.id, proof: proof,
            intent: try intent(service, [proof], try Self.request(device, names)))
    }

    private func intent(_ service: ServiceName, _ proofs: [Proof], _ request: CertificateRequest) throws
        -> EnrollmentIntent
    {
        EnrollmentIntent(
            id: newID(), receivedAt: clock.now(), service: service, enrollmentProtocol: .est,
            operation: .enroll, request: request, proofs: proofs, claimedDevices: [], transaction: nil,
            peer: Peer(address: "192.0.2.7", isSecure: true))
    }

    private static func request(_ device: String, _ names: CertificateNames?) throws -> CertificateRequest {
        let key = try PublicKey(
            subjectPublicKeyInfo: Array(P256.Signing.PrivateKey().publicKey.derRepresentation))
        let names =
            names ?? CertificateNames(commonName: device, dns: ["\(device.lowercased()).devices.localhost"])
        return CertificateRequest(
            publicKey: key, names: names, extendedKeyUsages: [],
            digest: Digest(ofFields: [key.subjectPublicKeyInfo, Array("\(names)".utf8)]),
            challengePassword: nil)
    }

    private func credential(_ service: ServiceName, _ device: String) async throws -> (
        CredentialRecord, CredentialShapes
    ) {
        try await mint.mint(
            service: service, device: try #require(DeviceID(device)), restrictedTo: nil, timeToLive: 3_600,
            actor: "test")
    }

    private func say(_ verdict: Approval.Verdict, of request: RequestID) async throws {
        let word = Approval(approver: "os:operator", verdict: verdict, at: clock.now())
        let spoken = SpokenWord(request: request, word: word, reason: verdict == .deny ? "no" : nil)
        #expect(try await ledger.append(spoken) == .recorded)
    }

    private func newID() -> RequestID { RequestID(at: clock.now(), random: random.octets(10)) }

    private static func name(_ outcome: EnrollmentOutcome) -> String {
        switch outcome {
        case .issued: "issued"
        case .deferred: "deferred"
        case .refused: "refused"
        case .unavailable: "unavailable"
        }
    }
}

struct NotIssued: Error {}
