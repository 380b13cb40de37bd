import EnrollmentCore

/// An order (RFC 8555 §7.1.3). What is stored is only what its authorizations do not tell: whether it is
/// still open, or how it ended. Pending and ready are read off the authorizations.
struct ACMEOrder: StoredState {
    enum Progress: Sendable {
        case open
        case valid
        case invalid(JSONValue)
    }

    static let kind = "acme.order"
    /// Seconds for which an order and its authorizations may be used.
    static let lifetime: Int64 = 86_400
    /// Seconds for which an expired or failed order can still be read.
    static let afterlife: Int64 = 7 * 86_400

    let id: String
    let account: String
    var progress: Progress
    /// Until when it may be used.
    let expires: Timestamp
    /// Lower-case DNS names, without duplicates, in the order asked for.
    let names: [String]
    /// Ids, in the order of `names`.
    let authorizations: [String]
    let profile: ProfileName?
    let notAfter: Timestamp?
    /// The digest of the certificate request that finalizes it: one order, one request.
    var requestDigest: Digest?
    /// The end of the certificate's validity, once issued: until then the order can be read.
    var certificateNotAfter: Timestamp?

    /// A new order, open.
    init(
        id: String, account: String, expires: Timestamp, names: [String], authorizations: [String],
        profile: ProfileName?, notAfter: Timestamp?
    ) {
        self.id = id
        self.account = account
        progress = .open
        self.expires = expires
        self.names = names
        self.authorizations = authorizations
        self.profile = profile
        self.notAfter = notAfter
    }

    init?(id: String, document: JSONValue) {
        guard let account = document["account"]?.string, let expires = document["expires"]?.timestamp,
            let names = document["names"]?.strings, let authorizations = document["authorizations"]?.strings
        else { return nil }
        switch (document["status"], document["error"]) {
        case ("open", _): progress = .open
        case ("valid", _): progress = .valid
        case ("invalid", .some(let error)): progress = .invalid(error)
        default: return nil
        }
        self.id = id
        self.account = account
        self.expires = expires
        self.names = names
        self.authorizations = authorizations
        profile = document["profile"]?.string.map { ProfileName($0) }
        notAfter = document["not_after"]?.timestamp
        requestDigest = document["request_digest"]?.string.flatMap(Hex.decode).flatMap(Digest.init(bytes:))
        certificateNotAfter = document["certificate_not_after"]?.timestamp
    }

    var document: JSONValue {
        let (status, error): (JSONValue, JSONValue?)
        switch progress {
        case .open: (status, error) = ("open", nil)
        case .valid: (status, error) = ("valid", nil)
        case .invalid(let problem): (status, error) = ("invalid", problem)
        }
        return .object(present: [
            "account": .string(account), "status": status, "error": error,
            "expires": .string(expires.description), "names": .array(names.map(JSONValue.string)),
            "authorizations": .array(authorizations.map(JSONValue.string)),
            "profile": profile.map { .string($0.rawValue) },
            "not_after": notAfter.map { .string($0.description) },
            "request_digest": requestDigest.map { .string($0.description) },
            "certificate_not_after": certificateNotAfter.map { .string($0.description) },
        ])
    }

    var forgottenAt: Timestamp? {
        max(expires.adding(seconds: Self.afterlife), certificateNotAfter ?? expires)
    }
}

/// A certificate chain as the client downloads it (RFC 8555 §7.4.2), under the id of its order.
struct ACMECertificate: StoredState {
    static let kind = "acme.certificate"

    let id: String
    let account: String
    /// Leaf first, without the root.
    let pem: String
    let notAfter: Timestamp

    init(order: ACMEOrder, pem: String, notAfter: Timestamp) {
        id = order.id
        account = order.account
        self.pem = pem
        self.notAfter = notAfter
    }

    init?(id: String, document: JSONValue) {
        guard let account = document["account"]?.string, let pem = document["pem"]?.string,
            let notAfter = document["not_after"]?.timestamp
        else { return nil }
        self.id = id
        self.account = account
        self.pem = pem
        self.notAfter = notAfter
    }

    var document: JSONValue {
        ["account": .string(account), "pem": .string(pem), "not_after": .string(notAfter.description)]
    }

    var forgottenAt: Timestamp? { notAfter }
}
