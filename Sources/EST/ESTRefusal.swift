import EnrollmentCore

/// A request that did not become an intent, and under which service and operation to record it.
struct ESTRefusal: Error, Sendable {
    let cause: ESTRequestError
    let service: ServiceName?
    let operation: EnrollmentOperation?

    init(_ cause: ESTRequestError, service: ServiceName?, operation: EnrollmentOperation? = nil) {
        self.cause = cause
        self.service = service
        self.operation = operation
    }
}

/// Why a request did not become an intent.
enum ESTRequestError: Sendable {
    case insecure
    /// No operation of RFC 7030 below a possible service name.
    case unknownPath
    case unknownService
    /// The service exists and does not speak EST.
    case notEnabled
    /// An operation that RFC 7030 knows and we do not serve.
    case notServed
    case wrongMethod(allowed: String)
    case bodyTooLarge(limit: Int)
    case wrongMediaType
    /// Neither Basic credential nor client certificate.
    case noProof
    case noClientCertificate
    /// The client certificate is not DER that we can read.
    case unreadableClientCertificate
    /// An Authorization field that is not one readable Basic credential.
    case unreadableAuthorization
    case malformedBase64
    case request(CertificateRequestError)

    /// The status of its answer (product: Answers; RFC 7030 §4.2.3).
    var status: Int {
        switch self {
        case .insecure: 403
        case .unknownPath, .unknownService, .notEnabled: 404
        case .notServed: 501
        case .wrongMethod: 405
        case .bodyTooLarge: 413
        case .wrongMediaType: 415
        case .noProof, .noClientCertificate, .unreadableClientCertificate, .unreadableAuthorization: 401
        case .malformedBase64, .request: 400
        }
    }

    var kind: RefusalKind {
        switch self {
        case .insecure: .denied
        case .unknownPath, .unknownService, .notEnabled, .notServed, .wrongMethod, .bodyTooLarge,
            .wrongMediaType, .malformedBase64:
            .malformed
        case .noProof, .noClientCertificate, .unreadableClientCertificate, .unreadableAuthorization:
            .noUsableProof
        case .request(let error):
            switch error {
            case .tooLarge, .malformed: .malformed
            case .possessionNotProven, .unacceptableContents: .unacceptableRequest
            case .unacceptableAlgorithm: .unacceptableAlgorithm
            case .unacceptableKey: .unacceptableKey
            }
        }
    }

    /// Stable; part of the ledger's vocabulary.
    var reasonCode: String {
        switch self {
        case .insecure: "est.insecure"
        case .unknownPath: "est.operation"
        case .unknownService: "est.service"
        case .notEnabled: "est.not_enabled"
        case .notServed: "est.operation_not_served"
        case .wrongMethod: "est.method"
        case .bodyTooLarge: "est.body_size"
        case .wrongMediaType: "est.media_type"
        case .noProof: "est.no_proof"
        case .noClientCertificate: "est.no_client_certificate"
        case .unreadableClientCertificate: "est.client_certificate"
        case .unreadableAuthorization: "est.authorization"
        case .malformedBase64: "est.base64"
        case .request(let error):
            switch error {
            case .tooLarge: "csr.size"
            case .malformed: "csr.malformed"
            case .possessionNotProven: "csr.possession"
            case .unacceptableAlgorithm: "csr.algorithm"
            case .unacceptableKey: "csr.key"
            case .unacceptableContents: "csr.contents"
            }
        }
    }

    /// For the auditor; quotes nothing the client sent but what the request parser names, cut short.
    var reason: String {
        switch self {
        case .insecure: "EST was asked for outside TLS."
        case .unknownPath: "The path names no EST operation."
        case .unknownService: "The path names no declared service."
        case .notEnabled: "The service does not speak EST."
        case .notServed: "The EST operation is not served."
        case .wrongMethod(let allowed): "The operation takes \(allowed)."
        case .bodyTooLarge(let limit): "The body is larger than \(limit) octets."
        case .wrongMediaType: "The body is not declared as application/pkcs10."
        case .noProof: "Neither a Basic credential nor a client certificate was offered."
        case .noClientCertificate: "Re-enrollment without a client certificate."
        case .unreadableClientCertificate: "The client certificate cannot be read."
        case .unreadableAuthorization: "The Authorization field is not one Basic credential."
        case .malformedBase64: "The body is not base64."
        case .request(let error): Self.reason(error)
        }
    }

    private static func reason(_ error: CertificateRequestError) -> String {
        switch error {
        case .tooLarge: "The certificate request is too large."
        case .malformed(let place): "The certificate request is malformed: \(place.prefix(200))."
        case .possessionNotProven: "The signature of the certificate request does not verify."
        case .unacceptableAlgorithm(let name): "The signature algorithm is not accepted: \(name.prefix(200))."
        case .unacceptableKey(let why): "The key is not accepted: \(why.prefix(200))."
        case .unacceptableContents(let what): "The certificate request is not accepted: \(what.prefix(200))."
        }
    }
}
