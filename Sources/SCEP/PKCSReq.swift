import EnrollmentCore
import FrontEnd
import OpenSSLCrypto

extension SCEPServer {
    /// What a PKCSReq asks for (RFC 8894 §3.3.1): a first certificate, by challenge password.
    ///
    /// Signed with a certificate that somebody issued, for another key than the one requested or without a
    /// challenge, it asks for renewal: that is how clients without RenewalReq do it.
    func pkcsReq(
        _ opened: OpenedMessage, service: ServiceName, request: FrontEndRequest
    ) throws(MessageRefusal) -> EnrollmentIntent {
        let certificateRequest = try opened.certificateRequest()
        let signer = opened.message.signer
        let isSameKey = signer.subjectPublicKeyInfo == certificateRequest.publicKey.subjectPublicKeyInfo
        if !signer.isSelfIssued && (!isSameKey || certificateRequest.challenge == nil) {
            return renewal(opened.message, certificateRequest, service: service, request: request)
        }
        guard isSameKey else {
            throw MessageRefusal(
                .unacceptableRequest, "scep.signer_mismatch",
                "The message is signed with another key than the one requested.")
        }
        return EnrollmentIntent(
            id: request.id, receivedAt: request.receivedAt, service: service, enrollmentProtocol: .scep,
            operation: .enroll, request: certificateRequest, proofs: certificateRequest.challengeProofs,
            transaction: opened.message.reference(in: service), peer: request.peer)
    }
}

extension CertificateRequest {
    /// The challenge password; an empty one is none.
    var challenge: Secret? { challengePassword.flatMap { $0.revealed.isEmpty ? nil : $0 } }

    /// The challenge password as the proof it is offered as.
    var challengeProofs: [Proof] {
        challenge.map { [.oneTimeCredential(OfferedCredential(shape: .scep, text: $0))] } ?? []
    }
}
