import EnrollmentCore
import OpenSSLCrypto
import PKIX

/// A pkiMessage with its envelope opened.
struct OpenedMessage: Sendable {
    let message: PKIMessage
    /// What was in the envelope.
    let content: [UInt8]
    /// The request's cipher, mirrored in the answer: a client can open what it sends.
    let cipher: ContentCipher

    /// - Throws: the refusal. An envelope that does not open and one that holds no certification request get
    ///   the same answer, so that nobody can use us to learn what is in somebody else's.
    init(_ message: PKIMessage, with authority: CMSIdentity) throws(MessageRefusal) {
        do throws(Envelope.Failure) {
            let opened = try authority.open(message.envelope)
            self.message = message
            content = opened.content
            cipher = opened.cipher
        } catch {
            switch error {
            case .unacceptableCipher(let name):
                throw MessageRefusal(
                    .unacceptableAlgorithm, "scep.content_cipher",
                    "The envelope's cipher \(name) is below the floor.")
            case .closed:
                throw MessageRefusal(.malformed, "scep.envelope", "The envelope does not open.")
            }
        }
    }

    /// The PKCS#10 request in it (RFC 8894 §3.3.1).
    func certificateRequest() throws(MessageRefusal) -> CertificateRequest {
        do throws(CertificateRequestError) {
            return try CertificateRequest(der: content, attributeRules: .acceptingMicrosoft)
        } catch {
            throw MessageRefusal(error, told: isOfSigner ? nil : .unacceptableRequest)
        }
    }

    /// Whether the request, acceptable or not, is about the key that signed the message. Anybody can sign an
    /// envelope that is not theirs; only its owner is told what exactly is wrong inside.
    private var isOfSigner: Bool {
        // DIVERGES: badAlg would be the RFC 8894 §3.2.1.4.2 answer for anybody.
        let request = try? CertificationRequest(der: content)
        return request?.subjectPublicKeyInfo.der == message.signer.subjectPublicKeyInfo
    }
}

extension MessageRefusal {
    init(_ error: CertificateRequestError, told: RefusalKind?) {
        switch error {
        case .tooLarge:
            self.init(.malformed, "scep.request_too_large", "The certification request is too large.")
        case .malformed(let place):
            self.init(
                .malformed, "scep.request_malformed", "The certification request cannot be read: \(place).")
        case .possessionNotProven:
            self.init(
                .unacceptableRequest, "scep.possession",
                "The certification request's own signature does not verify.")
        case .unacceptableAlgorithm(let name):
            self.init(
                .unacceptableAlgorithm, "scep.request_algorithm",
                "The certification request is signed with \(name).", told: told)
        case .unacceptableKey(let description):
            self.init(
                .unacceptableKey, "scep.request_key", "The key is not acceptable: \(description).", told: told
            )
        case .unacceptableContents(let description):
            self.init(
                .unacceptableRequest, "scep.request_contents",
                "The request is not acceptable: \(description).")
        }
    }
}
