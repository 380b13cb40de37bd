import EnrollmentCore
import OpenSSLCrypto

/// A pkiMessage from a client (RFC 8894 §3) whose signature verified. Its envelope is still closed.
struct PKIMessage: Sendable {
    let type: MessageType
    let transaction: Transaction
    /// The enclosed signer certificate; evidence of nothing but possession of its key.
    let signer: SignerCertificate
    /// BER of the EnvelopedData.
    let envelope: [UInt8]

    /// Why there is none.
    enum Failure: Error, Sendable {
        /// No transaction can be made out; the text names the place.
        case unreadable(String)
        case refused(Transaction, MessageRefusal)
    }

    /// - Parameter octets: BER.
    /// - Throws: `Failure`.
    init(_ octets: [UInt8]) throws(Failure) {
        let names = [SCEPAttribute.messageType, SCEPAttribute.transactionID, SCEPAttribute.senderNonce]
        let signed: SignedMessage
        do throws(SignedMessage.Failure) {
            signed = try SignedMessage(octets, reading: names)
        } catch {
            throw Self.failure(error)
        }
        guard let transaction = Transaction(signed.attributes, digest: signed.digest) else {
            throw .unreadable("no transactionID")
        }
        guard transaction.senderNonce.count == 16 else {
            throw .refused(
                transaction, MessageRefusal(.malformed, "scep.sender_nonce", "The nonce is not 16 octets."))
        }
        guard case .printableString(let number) = signed.attributes[SCEPAttribute.messageType],
            let type = MessageType(rawValue: String(decoding: number, as: UTF8.self))
        else {
            throw .refused(
                transaction,
                MessageRefusal(
                    .malformed, "scep.message_type", "The message type is missing or not one we know."))
        }
        self.type = type
        self.transaction = transaction
        signer = signed.signer
        envelope = signed.content
    }

    private static func failure(_ error: SignedMessage.Failure) -> Failure {
        switch error {
        case .unreadable(let place): return .unreadable(place)
        case .rejected(let attributes, let rejection):
            guard let transaction = Transaction(attributes, digest: .sha256) else {
                return .unreadable("no transactionID")
            }
            switch rejection {
            case .algorithm(let name):
                let reason = "The signature's algorithm \(name) is below the floor."
                return .refused(
                    transaction, MessageRefusal(.unacceptableAlgorithm, "scep.signature_algorithm", reason))
            case .key(let description):
                let reason = "The signing key is not acceptable: \(description)."
                return .refused(transaction, MessageRefusal(.unacceptableKey, "scep.signer_key", reason))
            case .signature:
                let reason = "The signature does not verify."
                return .refused(
                    transaction,
                    MessageRefusal(.unacceptableRequest, "scep.signature", reason, failure: .badMessageCheck))
            }
        }
    }

    /// Where a poll finds the transaction: ids are guessable, so the signer's key is part of it.
    func reference(in service: ServiceName) -> TransactionReference {
        let text = Digest(ofFields: [transaction.id, Digest(of: signer.subjectPublicKeyInfo).bytes])
            .description
        return TransactionReference(service: service, text: text, isOrder: false)
    }
}

/// What an answer repeats of a request. Chosen by the client and not secret: a label, no identity.
struct Transaction: Sendable {
    /// Octets of a PrintableString, 1 to 255.
    let id: [UInt8]
    /// As sent; empty when there was none.
    let senderNonce: [UInt8]
    /// The digest of the request's signature, mirrored in the answer's.
    let digest: MessageDigest

    /// Nil without a usable transactionID.
    init?(_ attributes: SignedAttributes, digest: MessageDigest) {
        guard case .printableString(let id) = attributes[SCEPAttribute.transactionID],
            (1...255).contains(id.count)
        else { return nil }
        self.id = id
        self.digest = digest
        if case .octetString(let nonce) = attributes[SCEPAttribute.senderNonce], nonce.count <= 64 {
            senderNonce = nonce
        } else {
            senderNonce = []
        }
    }
}

/// Why a readable message does not become an intent, for the answer and for the record.
struct MessageRefusal: Error, Sendable {
    let kind: RefusalKind
    let reasonCode: String
    let reason: String
    /// Overrides what the kind would say.
    let failure: FailureInfo?
    /// What the client is told instead of the kind that is recorded, when the truth would tell strangers what
    /// is in an envelope.
    let told: RefusalKind?

    init(
        _ kind: RefusalKind, _ reasonCode: String, _ reason: String, failure: FailureInfo? = nil,
        told: RefusalKind? = nil
    ) {
        self.kind = kind
        self.reasonCode = reasonCode
        self.reason = reason
        self.failure = failure
        self.told = told
    }

    /// The outcome as the client is told it.
    func answer(_ outcome: EnrollmentOutcome) -> EnrollmentOutcome {
        guard let told, case .refused(let refusal) = outcome, refusal.kind == kind else { return outcome }
        return .refused(Refusal(id: refusal.id, kind: told))
    }
}
