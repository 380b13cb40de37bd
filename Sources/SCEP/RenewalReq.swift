import EnrollmentCore
import FrontEnd
import OpenSSLCrypto

extension SCEPServer {
    /// What a RenewalReq asks for (RFC 8894 §3.3.1.2): a certificate on the strength of the one it is signed
    /// with. The message's signature proves possession of the old key, the request's own that of the new one.
    func renewalReq(
        _ opened: OpenedMessage, service: ServiceName, request: FrontEndRequest
    ) throws(MessageRefusal) -> EnrollmentIntent {
        renewal(opened.message, try opened.certificateRequest(), service: service, request: request)
    }

    /// The signer's certificate is the proof, alone: certmonger repeats the challenge of its first enrolment
    /// in every renewal, spent as it is, and a renewal needs none (RFC 8894 §2.4).
    func renewal(
        _ message: PKIMessage, _ certificateRequest: CertificateRequest, service: ServiceName,
        request: FrontEndRequest
    ) -> EnrollmentIntent {
        let signer = message.signer
        let isSameKey = signer.subjectPublicKeyInfo == certificateRequest.publicKey.subjectPublicKeyInfo
        return EnrollmentIntent(
            id: request.id, receivedAt: request.receivedAt, service: service, enrollmentProtocol: .scep,
            operation: isSameKey ? .renew : .rekey, request: certificateRequest,
            proofs: [.clientCertificate(signer.der)],
            transaction: message.reference(in: service), peer: request.peer)
    }
}
