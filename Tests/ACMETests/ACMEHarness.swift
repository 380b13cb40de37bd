import ACME
import Crypto
import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Synchronization
import Testing

/// One server with scripted surroundings, and a client of it that signs like any other.
struct ACMEHarness {
    static let base = "https://gate.example:8443"
    static let root = "\(base)/acme/laptops"
    static let name = "lt-042.devices.localhost"
    static let credential = "ABCDEFGHIJKLMNOP"

    let clock = ManualClock()
    let random = SeededRandom()
    let store: InMemoryProtocolStateStore
    let registrar: ScriptedRegistrar
    let validator: ScriptedValidator
    let server: ACMEServer
    /// The test account's key: octets 1 to 32.
    let key: P256.Signing.PrivateKey

    init(
        script: ScriptedRegistrar.Script? = nil, validation: DomainValidationResult = .valid
    ) throws {
        store = InMemoryProtocolStateStore(clock: clock)
        key = try P256.Signing.PrivateKey(rawRepresentation: Array(UInt8(1)...32))
        let script = script ?? Self.permitting()
        registrar = ScriptedRegistrar(
            services: [
                ScriptedRegistrar.laptops,
                ServiceDescription(name: ServiceName("scep-only"), protocols: [.scep], profiles: [:]),
                ServiceDescription(name: ServiceName("servers"), protocols: [.acme], profiles: [:]),
            ],
            authorities: CertificateAuthorities(issuing: [0x30, 0x01, 0x02], chain: [[0x30, 0x01, 0x03]]),
            script: script)
        validator = ScriptedValidator(validation)
        server = ACMEServer(
            baseURL: Self.base, registrar: BindingRegistrar(registrar, store), store: store, clock: clock,
            random: random, nonceKey: Secret([UInt8](repeating: 7, count: 32)), validator: validator)
    }

    /// A registrar that permits everything and issues a fixed certificate.
    static func permitting() -> ScriptedRegistrar.Script {
        ScriptedRegistrar.Script(
            enroll: { .issued(Self.certificate(for: $0)) }, assess: { _ in .possible }, bind: { _ in .bound })
    }

    static func certificate(for intent: EnrollmentIntent) -> IssuedCertificate {
        guard let device = DeviceID("LT-042") else { preconditionFailure("a constant") }
        return IssuedCertificate(
            requestID: intent.id, certificate: [0x30, 0x01, 0x01], issuer: "issuing", serial: [1],
            device: device, notAfter: intent.receivedAt.adding(seconds: 90 * 86_400))
    }
}

/// Stores the account of a binding that the script accepts, as a real registrar does in its transaction.
struct BindingRegistrar: Registrar {
    let scripted: ScriptedRegistrar
    let store: any ProtocolStateStore

    init(_ scripted: ScriptedRegistrar, _ store: any ProtocolStateStore) {
        self.scripted = scripted
        self.store = store
    }

    func service(named name: ServiceName?) -> ServiceDescription? { scripted.service(named: name) }
    func authorities(for service: ServiceName) -> CertificateAuthorities? {
        scripted.authorities(for: service)
    }
    func enroll(_ intent: EnrollmentIntent) async -> EnrollmentOutcome { await scripted.enroll(intent) }
    func assess(_ inquiry: EnrollmentInquiry) async -> Assessment { await scripted.assess(inquiry) }
    func refuse(_ refused: RefusedRequest) async -> EnrollmentOutcome { await scripted.refuse(refused) }
    func outcome(of poll: TransactionPoll) async -> EnrollmentOutcome? { await scripted.outcome(of: poll) }

    func bind(_ offer: AccountBindingOffer) async -> AccountBindingOutcome {
        let outcome = await scripted.bind(offer)
        if case .bound = outcome { _ = try? await store.insert(offer.account) }
        return outcome
    }
}

/// Answers every validation alike and remembers what it was asked.
final class ScriptedValidator: DomainControlValidator {
    struct Call: Hashable {
        var name: String
        var token: String
        var keyAuthorization: String
    }

    private let result: DomainValidationResult
    private let recorded = Mutex<[Call]>([])

    init(_ result: DomainValidationResult) { self.result = result }

    var calls: [Call] { recorded.withLock { $0 } }

    func validate(name: String, token: String, keyAuthorization: String, timeLimit: Duration) async
        -> DomainValidationResult
    {
        recorded.withLock { $0.append(Call(name: name, token: token, keyAuthorization: keyAuthorization)) }
        return result
    }
}

/// A response taken apart.
struct Answer {
    let response: FrontEndResponse

    var status: Int { response.status }
    func header(_ name: String) -> String? { response.headers.first { $0.name == name }?.value }
    var json: JSONValue { (try? JSONReader.read(response.body)) ?? .null }
    var text: String { String(decoding: response.body, as: UTF8.self) }

    /// A member of the JSON object, when it is a string.
    func string(_ name: String) -> String? {
        if case .object(let members) = json, case .string(let text)? = members[name] { return text }
        return nil
    }

    /// The first element of an array of strings.
    func first(_ name: String) -> String? {
        if case .object(let members) = json, case .array(let elements)? = members[name],
            case .string(let text)? = elements.first
        {
            return text
        }
        return nil
    }

    /// The problem type without its prefix; nil when the answer is no problem.
    var problem: String? {
        guard header("Content-Type") == "application/problem+json" else { return nil }
        return string("type").map { String($0.dropFirst("urn:ietf:params:acme:error:".count)) }
    }
}
