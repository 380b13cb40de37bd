/// The requests of RFC 8894 §3.2.1.2. Closed: every other number, 18 of the old drafts included, is refused.
enum MessageType: String, Sendable, CaseIterable {
    case renewalReq = "17"
    case pkcsReq = "19"
    case certPoll = "20"
    case getCert = "21"
    case getCRL = "22"
}

/// pkiStatus (RFC 8894 §3.2.1.3).
enum PKIStatus: String, Sendable {
    case success = "0"
    case failure = "2"
    case pending = "3"
}

/// failInfo (RFC 8894 §3.2.1.4).
enum FailureInfo: String, Sendable {
    case badAlg = "0"
    case badMessageCheck = "1"
    case badRequest = "2"
    case badTime = "3"
    case badCertId = "4"
}

/// The signed attributes of RFC 8894 §3.2.1, dotted.
enum SCEPAttribute {
    static let messageType = "2.16.840.1.113733.1.9.2"
    static let pkiStatus = "2.16.840.1.113733.1.9.3"
    static let failInfo = "2.16.840.1.113733.1.9.4"
    static let senderNonce = "2.16.840.1.113733.1.9.5"
    static let recipientNonce = "2.16.840.1.113733.1.9.6"
    static let transactionID = "2.16.840.1.113733.1.9.7"
    static let failInfoText = "1.3.6.1.5.5.7.24.1"
}
