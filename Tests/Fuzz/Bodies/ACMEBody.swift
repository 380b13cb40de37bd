import ACME
import Crypto
import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Synchronization

/// One POST to ACME in the name of an account with an open order. The first octet, `a` to `h`, names the
/// resource; what follows is the payload, signed as it should be. `A` to `H` send it as the body instead.
enum ACMEBody {
    private static let base = "https://gate.example:8443"
    private static let service = ServiceName("laptops")
    private static let random = SeededRandom()
    private static let nonceKey = Secret([UInt8](repeating: 7, count: 32))
    private static let nonces = NonceMint(key: nonceKey, random: random)

    /// A key that signs, and how it names itself.
    private struct Account {
        let key: P256.Signing.PrivateKey
        let jwk: JSONValue
        let url: String

        init() {
            guard let key = try? P256.Signing.PrivateKey(rawRepresentation: Array(UInt8(1)...32)) else {
                preconditionFailure("a constant")
            }
            let raw = Array(key.publicKey.rawRepresentation)
            self.key = key
            jwk = [
                "kty": "EC", "crv": "P-256", "x": .string(Base64.encodeURLSafe(Array(raw.prefix(32)))),
                "y": .string(Base64.encodeURLSafe(Array(raw.suffix(32)))),
            ]
            guard let name = try? JSONWebKey(jwk) else { preconditionFailure("a constant") }
            url = "\(base)/acme/laptops/account/\(name.thumbprint)"
        }
    }

    private static let account = Account()

    /// The records of one account with one order, and where each resource of theirs is.
    private static let prepared: (records: [ProtocolRecord], paths: [String]) = {
        let store = ForgetfulStore([])
        func path(_ name: String) -> String { "/acme/laptops/\(name)" }
        let url = JSONValue.string(base + path("new-account"))
        let inner: JSONValue = ["alg": "HS256", "kid": "ABCDEFGHIJKLMNOP", "url": url]
        let binding: JSONValue = [
            "protected": encoded(inner), "payload": encoded(account.jwk),
            "signature": .string(Base64.encodeURLSafe([UInt8](repeating: 9, count: 32))),
        ]
        post(path("new-account"), ["externalAccountBinding": binding], embedsKey: true, to: store)
        let order = post(
            path("new-order"), ["identifiers": [["type": "dns", "value": "lt-042.devices.localhost"]]],
            embedsKey: false, to: store)
        let created = order.headers.first { $0.name == "Location" }.map {
            String($0.value.dropFirst(base.count))
        }
        guard let created, case .object(let members)? = try? JSONReader.read(order.body),
            case .array(let list)? = members["authorizations"], case .string(let location)? = list.first
        else { preconditionFailure("no order: \(FrontEndRun.text(order.body))") }
        let authorization = String(location.dropFirst(base.count))
        let challenge = authorization.split(separator: "/").last.map { "challenge/\($0)/http-01" } ?? ""
        return (
            store.all,
            [
                path("new-account"), path("new-order"), String(account.url.dropFirst(base.count)), created,
                created + "/finalize", authorization, path(challenge), path("certificate/A"),
            ]
        )
    }()

    static func run(_ octets: [UInt8]) {
        guard let first = octets.first else { return }
        let (records, paths) = prepared
        let path = paths[(Int(first & 0x1f) + 7) % paths.count]
        let store = ForgetfulStore(records)
        let content = Array(octets.dropFirst())
        if first & 0x20 == 0 {
            send(path, content, to: store)
        } else {
            let embedsKey = path.hasSuffix("new-account")
            send(path, signed(path, content, embedsKey: embedsKey), to: store)
        }
    }

    private static func encoded(_ document: JSONValue) -> JSONValue {
        .string(Base64.encodeURLSafe(Array(document.canonicalText.utf8)))
    }

    private static func signed(_ path: String, _ payload: [UInt8], embedsKey: Bool) -> [UInt8] {
        let nonce = nonces.issue(for: service, at: FrontEndRun.now)
        var header: [String: JSONValue] = [
            "alg": "ES256", "nonce": .string(nonce), "url": .string(base + path),
        ]
        if embedsKey { header["jwk"] = account.jwk } else { header["kid"] = .string(account.url) }
        let protected = Base64.encodeURLSafe(Array(JSONValue.object(header).canonicalText.utf8))
        let payload = Base64.encodeURLSafe(payload)
        guard let signature = try? account.key.signature(for: Array("\(protected).\(payload)".utf8)) else {
            preconditionFailure("a key that signs")
        }
        let document: JSONValue = [
            "protected": .string(protected), "payload": .string(payload),
            "signature": .string(Base64.encodeURLSafe(Array(signature.rawRepresentation))),
        ]
        return Array(document.canonicalText.utf8)
    }

    @discardableResult
    private static func post(
        _ path: String, _ payload: JSONValue, embedsKey: Bool, to store: ForgetfulStore
    ) -> FrontEndResponse {
        send(path, signed(path, Array(payload.canonicalText.utf8), embedsKey: embedsKey), to: store)
    }

    @discardableResult
    private static func send(_ path: String, _ body: [UInt8], to store: ForgetfulStore) -> FrontEndResponse {
        let registrar = ScriptedRegistrar(
            script: .init(
                enroll: { .deferred($0.id, retryAfter: 600) }, assess: { _ in .possible },
                bind: { offer in
                    store.put(offer.account)
                    return .bound
                }))
        let server = ACMEServer(
            baseURL: base, registrar: registrar, store: store, clock: ManualClock(FrontEndRun.now),
            random: random, nonceKey: nonceKey, validator: WillingValidator())
        let headers = [(name: "content-type", value: "application/jose+json")]
        return FrontEndRun.answer(server, FrontEndRun.request("POST", path, headers: headers, body))
    }
}

private struct WillingValidator: DomainControlValidator {
    func validate(name: String, token: String, keyAuthorization: String, timeLimit: Duration) async
        -> DomainValidationResult
    { .valid }
}

/// Protocol state that starts from given records and is thrown away after one input.
private final class ForgetfulStore: ProtocolStateStore {
    private struct Contents {
        var records: [ProtocolRecordKey: ProtocolRecord]
        var used: Set<ProtocolRecordKey> = []
    }

    private let contents: Mutex<Contents>

    init(_ records: [ProtocolRecord]) {
        contents = Mutex(Contents(records: Dictionary(uniqueKeysWithValues: records.map { ($0.key, $0) })))
    }

    var all: [ProtocolRecord] { contents.withLock { Array($0.records.values) } }

    func put(_ record: ProtocolRecord) { contents.withLock { $0.records[record.key] = record } }

    func load(_ key: ProtocolRecordKey) async throws(LedgerError) -> ProtocolRecord? {
        contents.withLock { $0.records[key] }
    }

    func insert(_ record: ProtocolRecord) async throws(LedgerError) -> Bool {
        contents.withLock { contents in
            guard contents.records[record.key] == nil else { return false }
            contents.records[record.key] = record
            return true
        }
    }

    func replace(_ record: ProtocolRecord, version: Int64) async throws(LedgerError) -> Bool {
        contents.withLock { contents in
            guard contents.records[record.key]?.version == version else { return false }
            contents.records[record.key] = ProtocolRecord(
                key: record.key, version: version &+ 1, document: record.document, expiresAt: record.expiresAt
            )
            return true
        }
    }

    func consumeOnce(_ key: ProtocolRecordKey, expiresAt: Timestamp) async throws(LedgerError) -> Bool {
        contents.withLock { $0.used.insert(key).inserted }
    }
}
