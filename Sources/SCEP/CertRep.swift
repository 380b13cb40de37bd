import EnrollmentCore
import FrontEnd
import OpenSSLCrypto
import PKIX

/// Writes the answers to pkiMessages (RFC 8894 §3.3.2).
struct CertRep: Sendable {
    /// Whom an issued certificate is encrypted to.
    struct Recipient: Sendable {
        /// DER of the certificate that signed the request.
        let certificate: [UInt8]
        let cipher: ContentCipher
    }

    let authority: CMSIdentity
    let transaction: Transaction
    /// 16 fresh octets.
    let senderNonce: [UInt8]
    /// Seconds since the Unix epoch.
    let signingTime: Int64

    /// Turns an outcome into the HTTP response. Overload is HTTP's to say, everything else is a CertRep.
    ///
    /// - Parameters:
    ///   - recipient: nil for a request that could not be opened, which has nothing issued.
    ///   - failure: overrides what the kind of a refusal would say.
    func response(
        to outcome: EnrollmentOutcome, recipient: Recipient? = nil, failure: FailureInfo? = nil
    ) -> FrontEndResponse {
        do throws(OpenSSLError) {
            switch outcome {
            case .issued(let issued):
                guard let recipient else { return .unavailable(retryAfter: SCEPServer.retryAfter) }
                let content = try Envelope.seal(
                    CertificateBag.certsOnly([issued.certificate]), to: recipient.certificate,
                    cipher: recipient.cipher)
                return .pkiMessage(try sign(content, .success))
            case .deferred:
                return .pkiMessage(try sign(nil, .pending))
            case .refused(let refusal):
                guard refusal.kind != .throttled else { return .throttled }
                let text = "\(refusal.kind.text) (request \(refusal.id))"
                return .pkiMessage(
                    try sign(
                        nil, .failure,
                        [
                            SCEPAttribute.failInfo: .printableString(
                                Array((failure ?? refusal.kind.failureInfo).rawValue.utf8)),
                            SCEPAttribute.failInfoText: .utf8String(text),
                        ]))
            case .unavailable(let retryAfter):
                return .unavailable(retryAfter: retryAfter)
            }
        } catch {
            // Nothing is lost: the same request sent again gets the same certificate.
            return .unavailable(retryAfter: SCEPServer.retryAfter)
        }
    }

    private func sign(
        _ content: [UInt8]?, _ status: PKIStatus, _ more: SignedAttributes = [:]
    ) throws(OpenSSLError) -> [UInt8] {
        var attributes: SignedAttributes = [
            SCEPAttribute.messageType: .printableString(Array("3".utf8)),
            SCEPAttribute.pkiStatus: .printableString(Array(status.rawValue.utf8)),
            SCEPAttribute.transactionID: .printableString(transaction.id),
            SCEPAttribute.senderNonce: .octetString(senderNonce),
            SCEPAttribute.recipientNonce: .octetString(transaction.senderNonce),
        ]
        attributes.merge(more) { _, new in new }
        return try authority.sign(
            content, attributes: attributes, digest: transaction.digest, signingTime: signingTime)
    }
}

extension RefusalKind {
    /// failInfo for a refusal (product: Answers).
    var failureInfo: FailureInfo {
        switch self {
        case .noUsableProof: return .badMessageCheck
        case .denied, .malformed, .unacceptableRequest, .throttled: return .badRequest
        case .unacceptableKey, .unacceptableAlgorithm: return .badAlg
        }
    }

    /// The coarse reason a device may show. What cannot be read and what reads but is wrong say the same, so
    /// that an answer does not tell what is in an envelope.
    fileprivate var text: String {
        switch self {
        case .noUsableProof: return "no usable proof"
        case .denied: return "denied"
        case .malformed, .unacceptableRequest: return "request not acceptable"
        case .unacceptableKey, .unacceptableAlgorithm: return "key or algorithm not acceptable"
        case .throttled: return "too many requests"
        }
    }
}
