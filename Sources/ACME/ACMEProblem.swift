import EnrollmentCore
import FrontEnd

/// The problem types of RFC 8555 §6.7 that we use; the raw value follows `urn:ietf:params:acme:error:`.
enum ProblemType: String, Sendable, Hashable, CaseIterable {
    case accountDoesNotExist, badCSR, badNonce, badPublicKey, badSignatureAlgorithm, compound, connection, dns
    case externalAccountRequired, incorrectResponse, invalidContact, invalidProfile, malformed, orderNotReady
    case rateLimited, rejectedIdentifier, serverInternal, unauthorized, unsupportedContact
    case unsupportedIdentifier

    var uri: String { "urn:ietf:params:acme:error:\(rawValue)" }

    /// The status that goes with it unless the case at hand says otherwise.
    var status: Int {
        switch self {
        case .accountDoesNotExist, .badCSR, .badNonce, .badPublicKey, .badSignatureAlgorithm, .compound,
            .connection, .dns, .incorrectResponse, .invalidContact, .invalidProfile, .malformed,
            .rejectedIdentifier, .unsupportedContact, .unsupportedIdentifier:
            return 400
        case .externalAccountRequired, .orderNotReady, .unauthorized: return 403
        case .rateLimited: return 429
        case .serverInternal: return 503
        }
    }

    /// How the ledger files a refusal of that type.
    var refusalKind: RefusalKind {
        switch self {
        case .malformed, .badNonce, .serverInternal: return .malformed
        case .accountDoesNotExist, .externalAccountRequired, .unauthorized, .connection, .dns,
            .incorrectResponse:
            return .noUsableProof
        case .badSignatureAlgorithm: return .unacceptableAlgorithm
        case .badPublicKey: return .unacceptableKey
        case .badCSR, .compound, .invalidContact, .invalidProfile, .orderNotReady, .rejectedIdentifier,
            .unsupportedContact, .unsupportedIdentifier:
            return .unacceptableRequest
        case .rateLimited: return .throttled
        }
    }
}

/// Why a request is not done: a problem document (RFC 7807, RFC 8555 §6.7) and what the ledger is to know.
struct ACMEProblem: Error, Sendable {
    let type: ProblemType
    var status: Int
    /// One sentence without input in it, for the client and the auditor alike.
    let detail: String
    /// How it is recorded; nil when the registrar knows of it already, or when it is no refusal.
    var record: (kind: RefusalKind, reasonCode: String)?
    /// The account that asked, once its signature was found good.
    var account: String?
    /// Further members of the document.
    var members: [String: JSONValue] = [:]
    var headers: [(name: String, value: String)] = []

    private init(_ type: ProblemType, status: Int, detail: String, record: (RefusalKind, String)?) {
        self.type = type
        self.status = status
        self.detail = detail
        self.record = record.map { (kind: $0.0, reasonCode: $0.1) }
    }

    /// A refusal of ours, not yet on the ledger.
    ///
    /// - Parameters:
    ///   - code: the reason code, without the `acme.` before it.
    ///   - kind: when it is not the usual one of the type.
    ///   - status: when it is not the usual one of the type.
    static func refused(
        _ type: ProblemType, _ code: String, _ detail: String, kind: RefusalKind? = nil, status: Int? = nil
    ) -> ACMEProblem {
        ACMEProblem(
            type, status: status ?? type.status, detail: detail,
            record: (kind ?? type.refusalKind, "acme.\(code)"))
    }

    /// A refusal that the registrar decided, hence recorded.
    static func decided(_ type: ProblemType, _ detail: String) -> ACMEProblem {
        ACMEProblem(type, status: type.status, detail: detail, record: nil)
    }

    /// Nothing was decided; ask again.
    static func unavailable(retryAfter: Int64) -> ACMEProblem {
        var problem = decided(.serverInternal, "the request cannot be answered now; try again later")
        problem.headers = [("Retry-After", String(max(1, retryAfter)))]
        return problem
    }

    /// Too many requests.
    static func throttled(retryAfter: Int64) -> ACMEProblem {
        var problem = decided(.rateLimited, "too many requests; try again later")
        problem.headers = [("Retry-After", String(max(1, retryAfter)))]
        return problem
    }

    /// No such object, or not this account's: the two look alike.
    static let absent = refused(
        .malformed, "absent", "there is no such object", kind: .malformed, status: 404)

    /// The document without the correlation id, as it also sits in orders and challenges.
    var document: JSONValue {
        .object(
            members.merging(
                ["type": .string(type.uri), "status": .integer(Int64(status)), "detail": .string(detail)],
                uniquingKeysWith: { _, own in own }))
    }

    /// The response; `id` is what the client may quote to the operator.
    func response(id: RequestID) -> FrontEndResponse {
        var shown = self
        shown.members["instance"] = .string("urn:uuid:\(id)")
        return FrontEndResponse(
            status: status, headers: [("Content-Type", "application/problem+json")] + headers,
            body: Array(shown.document.canonicalText.utf8))
    }
}
