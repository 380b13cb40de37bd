import EnrollmentCore

/// An account (RFC 8555 §7.1.2). Its id is the thumbprint of its key, so that a service knows a key by one
/// look-up and cannot hold two accounts for it.
struct ACMEAccount: StoredState {
    enum Status: String, Sendable {
        case valid, deactivated, revoked
    }

    static let kind = "acme.account"

    let id: String
    let key: JSONWebKey
    var status: Status
    var contact: [String]
    /// The verified external account binding as the client sent it (RFC 8555 §7.3.4).
    let binding: JSONValue
    let createdAt: Timestamp

    /// A new account, valid.
    init(key: JSONWebKey, contact: [String], binding: JSONValue, createdAt: Timestamp) {
        id = key.thumbprint
        self.key = key
        status = .valid
        self.contact = contact
        self.binding = binding
        self.createdAt = createdAt
    }

    init?(id: String, document: JSONValue) {
        guard let keyDocument = document["key"], let key = try? JSONWebKey(keyDocument), key.thumbprint == id,
            let status = document["status"]?.string.flatMap(Status.init), let binding = document["binding"],
            let contact = document["contact"]?.strings, let createdAt = document["created_at"]?.timestamp
        else { return nil }
        self.id = id
        self.key = key
        self.status = status
        self.contact = contact
        self.binding = binding
        self.createdAt = createdAt
    }

    var document: JSONValue {
        [
            "key": key.requiredMembers, "status": .string(status.rawValue), "binding": binding,
            "contact": .array(contact.map(JSONValue.string)), "created_at": .string(createdAt.description),
        ]
    }

    var forgottenAt: Timestamp? { nil }

    /// - Throws: 401 when the account was deactivated or revoked (RFC 8555 §7.3.6).
    func requireValid() throws(ACMEProblem) {
        guard status == .valid else {
            throw .refused(.unauthorized, "account_status", "the account is no longer valid", status: 401)
        }
    }
}
