import Crypto
import EnrollmentCore
import EnrollmentTesting
import Identity
import Testing

/// A minted credential with the shapes that its device was given.
struct Credential {
    let id: CredentialID
    let shapes: CredentialShapes

    /// As SCEP challenge password or EST password.
    func proof(_ shape: EnrollmentProtocol = .est) throws -> Proof {
        .oneTimeCredential(OfferedCredential(shape: shape, text: try #require(shapes.text(for: shape))))
    }

    /// The same id with another secret.
    func wrongProof(_ shape: EnrollmentProtocol = .est) -> Proof {
        .oneTimeCredential(
            OfferedCredential(shape: shape, text: Secret(id.rawValue + String(repeating: "A", count: 32))))
    }

    /// An external-account binding keyed by it.
    func binding(of account: String) throws -> ExternalAccountBinding {
        let signed = Array("protected.\(account)".utf8)
        let key = SymmetricKey(data: try #require(shapes.externalAccountKey).revealed)
        return ExternalAccountBinding(
            keyID: id.rawValue, signingInput: signed,
            authenticationCode: Array(HMAC<SHA256>.authenticationCode(for: signed, using: key)))
    }
}

/// A device's certificate request: a fresh key unless one is given.
func certificateRequest(
    _ key: PublicKey? = nil, device: String = "LT-042", names: CertificateNames? = nil
) throws -> CertificateRequest {
    let key = try key ?? freshKey()
    let names =
        names
        ?? CertificateNames(commonName: device, dns: ["\(device.lowercased()).devices.localhost"])
    return CertificateRequest(
        publicKey: key, names: names, extendedKeyUsages: [],
        digest: Digest(ofFields: [key.subjectPublicKeyInfo, Array("\(names)".utf8)]), challengePassword: nil)
}

func freshKey() throws -> PublicKey {
    try PublicKey(subjectPublicKeyInfo: Array(P256.Signing.PrivateKey().publicKey.derRepresentation))
}

/// What a device asks for, again and again if need be.
struct Ask {
    var via = EnrollmentProtocol.est
    var operation = EnrollmentOperation.enroll
    var service = Gatehouse.laptops
    var request: CertificateRequest
    var proofs: [Proof]
    var claims: [String] = []
    var reference: TransactionReference?
    var address = "192.0.2.7"

    init(_ proofs: Proof..., request: CertificateRequest? = nil) throws {
        self.proofs = proofs
        self.request = try request ?? certificateRequest()
    }

    func with(_ change: (inout Ask) -> Void) -> Ask {
        var other = self
        change(&other)
        return other
    }
}

extension EnrollmentOutcome {
    var certificate: IssuedCertificate? {
        if case .issued(let certificate) = self { certificate } else { nil }
    }
    var refusal: RefusalKind? { if case .refused(let refusal) = self { refusal.kind } else { nil } }

    /// In one word, refusals with their kind.
    var name: String {
        switch self {
        case .issued: "issued"
        case .deferred: "deferred"
        case .refused(let refusal): refusal.kind.rawValue
        case .unavailable: "unavailable"
        }
    }
}

/// Runs `body` for each element at once; the results come in the order of the elements.
func inParallel<Element: Sendable, Value: Sendable>(
    _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: (Int, Value).self) { group in
        for (index, element) in elements.enumerated() {
            group.addTask { (index, try await body(element)) }
        }
        var results: [(Int, Value)] = []
        for try await result in group { results.append(result) }
        return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
