import EnrollmentCore
import FrontEnd
import OpenSSLCrypto
import PKIX
import Testing

/// A SCEP client for tests: writes pkiMessages and reads CertReps with a device's key.
struct SCEPDevice {
    static let messageType = "2.16.840.1.113733.1.9.2"
    static let pkiStatus = "2.16.840.1.113733.1.9.3"
    static let failInfo = "2.16.840.1.113733.1.9.4"
    static let senderNonce = "2.16.840.1.113733.1.9.5"
    static let recipientNonce = "2.16.840.1.113733.1.9.6"
    static let transactionID = "2.16.840.1.113733.1.9.7"
    static let failInfoText = "1.3.6.1.5.5.7.24.1"

    let identity: CMSIdentity

    /// The device with its self-signed certificate, or with the one that was issued to it.
    static func device(_ name: String = "device", issued: Bool = false) throws -> SCEPDevice {
        let certificate = "\(name).\(issued ? "issued" : "self-signed").pem"
        return SCEPDevice(identity: try SCEPVectors.identity("\(name).key.pem", certificate))
    }

    /// The device with whatever certificate signed a captured message: clients make their own.
    static func signer(of message: [UInt8], key: String) throws -> SCEPDevice {
        let certificate = try SignedMessage(message, reading: []).signer.der
        return SCEPDevice(identity: try CMSIdentity(key: SCEPVectors.octets(key), certificate: certificate))
    }

    /// What a message says; change what a test is about.
    struct Message {
        var type: SignedAttributeValue? = .printableString(Array("19".utf8))
        var transactionID: SignedAttributeValue? = .printableString(Array("T-1".utf8))
        var senderNonce: SignedAttributeValue? = .octetString(Array("0123456789abcdef".utf8))
        var cipher = ContentCipher.aes256
        var digest = MessageDigest.sha256
        var recipient = "ra.pem"
        /// Sent instead of an envelope around the content.
        var envelope: [UInt8]?

        init(_ type: String = "19") { self.type = .printableString(Array(type.utf8)) }

        func with(_ change: (inout Message) -> Void) -> Message {
            var changed = self
            change(&changed)
            return changed
        }
    }

    func write(_ message: Message = Message(), content: [UInt8]) throws -> [UInt8] {
        let envelope =
            try message.envelope
            ?? Envelope.seal(content, to: SCEPVectors.certificate(message.recipient), cipher: message.cipher)
        var attributes: SignedAttributes = [:]
        attributes[Self.messageType] = message.type
        attributes[Self.transactionID] = message.transactionID
        attributes[Self.senderNonce] = message.senderNonce
        return try identity.sign(
            envelope, attributes: attributes, digest: message.digest, signingTime: 1_795_348_800)
    }

    /// A CertRep, its signature verified and, when it has content, opened.
    struct Reply {
        var status: String
        var failInfo: String?
        var failInfoText: String?
        var attributes: SignedAttributes
        var digest: MessageDigest
        var signer: [UInt8]
        var certificates: [[UInt8]]
        var cipher: ContentCipher?
    }

    func read(_ response: FrontEndResponse) throws -> Reply {
        #expect(response.status == 200)
        #expect(response.headers.contains { $0 == ("content-type", "application/x-pki-message") })
        let names = [
            Self.messageType, Self.pkiStatus, Self.failInfo, Self.senderNonce, Self.recipientNonce,
            Self.transactionID, Self.failInfoText,
        ]
        let signed = try SignedMessage(response.body, reading: names)
        func text(_ name: String) -> String? {
            signed.attributes[name].map { String(decoding: $0.textOctets, as: UTF8.self) }
        }
        #expect(text(Self.messageType) == "3")
        let opened = signed.content.isEmpty ? nil : try identity.open(signed.content)
        return Reply(
            status: text(Self.pkiStatus) ?? "", failInfo: text(Self.failInfo),
            failInfoText: text(Self.failInfoText), attributes: signed.attributes, digest: signed.digest,
            signer: signed.signer.der,
            certificates: try opened.map { try CertificateBag.certificates(in: $0.content) } ?? [],
            cipher: opened?.cipher)
    }
}

extension SignedAttributeValue {
    fileprivate var textOctets: [UInt8] {
        switch self {
        case .printableString(let octets), .octetString(let octets): return octets
        case .utf8String(let text): return Array(text.utf8)
        }
    }
}
