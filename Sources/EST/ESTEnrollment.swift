import EnrollmentCore
import FrontEnd
import PKIX

/// A simpleenroll or simplereenroll whose every part was read (RFC 7030 §4.2).
struct ESTEnrollment: Sendable {
    let service: ServiceName
    let operation: EnrollmentOperation
    let request: CertificateRequest
    /// All that was offered; a verifier demands that all name one device.
    let proofs: [Proof]
    let claimedDevices: [String]

    /// - Parameter mustPossessCertificate: simplereenroll, which a client certificate must authenticate.
    static func parse(
        _ request: FrontEndRequest, _ service: ServiceName, mustPossessCertificate: Bool
    ) throws(ESTRefusal) -> ESTEnrollment {
        let asked: EnrollmentOperation = mustPossessCertificate ? .renew : .enroll
        func refusal(_ cause: ESTRequestError) -> ESTRefusal {
            ESTRefusal(cause, service: service, operation: asked)
        }
        guard request.method == "POST" else { throw refusal(.wrongMethod(allowed: "POST")) }
        let body: [UInt8]
        switch request.body {
        case .tooLarge(let limit): throw refusal(.bodyTooLarge(limit: limit))
        case .complete(let octets): body = octets
        }
        guard request.mediaType == "application/pkcs10" else { throw refusal(.wrongMediaType) }
        if mustPossessCertificate, request.peer.clientCertificate == nil {
            throw refusal(.noClientCertificate)
        }
        do throws(ESTRequestFailure) {
            let basic = try basicCredential(of: request)
            guard basic != nil || request.peer.clientCertificate != nil else {
                throw ESTRequestFailure(.noProof)
            }
            let certificateRequest = try certificateRequest(base64: body)
            let operation =
                try mustPossessCertificate
                ? reenrollment(request.peer.clientCertificate ?? [], certificateRequest) : .enroll
            var proofs: [Proof] = []
            if let basic {
                proofs.append(.oneTimeCredential(OfferedCredential(shape: .est, text: basic.password)))
            }
            if let certificate = request.peer.clientCertificate {
                proofs.append(.clientCertificate(certificate))
            }
            return ESTEnrollment(
                service: service, operation: operation, request: certificateRequest, proofs: proofs,
                claimedDevices: basic.map { $0.user.isEmpty ? [] : [$0.user] } ?? [])
        } catch { throw refusal(error.cause) }
    }

    /// Nil when no Authorization field was sent.
    private static func basicCredential(of request: FrontEndRequest) throws(ESTRequestFailure)
        -> BasicCredential?
    {
        let fields = request.headers.filter { $0.name == "authorization" }
        guard let field = fields.first else { return nil }
        guard fields.count == 1, let credential = BasicCredential(authorization: field.value) else {
            throw ESTRequestFailure(.unreadableAuthorization)
        }
        return credential
    }

    /// RFC 8951 §3.1: base64 whatever the transfer encoding says; white space between characters is legal.
    private static func certificateRequest(base64 body: [UInt8]) throws(ESTRequestFailure)
        -> CertificateRequest
    {
        let characters = body.filter { character in
            switch character {
            case UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: " "), UInt8(ascii: "\t"): false
            default: true
            }
        }
        guard !characters.isEmpty, let der = Base64.decode(characters) else {
            throw ESTRequestFailure(.malformedBase64)
        }
        do throws(CertificateRequestError) { return try CertificateRequest(der: der) } catch {
            throw ESTRequestFailure(.request(error))
        }
    }

    /// RFC 7030 §4.2.2: the same key renews, another rekeys.
    private static func reenrollment(
        _ certificate: [UInt8], _ request: CertificateRequest
    ) throws(ESTRequestFailure) -> EnrollmentOperation {
        let parsed: X509Certificate
        do throws(PKIXError) { parsed = try X509Certificate(der: certificate) } catch {
            throw ESTRequestFailure(.unreadableClientCertificate)
        }
        return parsed.subjectPublicKeyInfo.der == request.publicKey.subjectPublicKeyInfo ? .renew : .rekey
    }
}

/// A cause on its way to the place that knows service and operation.
private struct ESTRequestFailure: Error {
    let cause: ESTRequestError
    init(_ cause: ESTRequestError) { self.cause = cause }
}
