import EnrollmentCore

/// The ways to show control of a name (RFC 8555 §8).
package enum ChallengeType: String, Sendable, Hashable, CaseIterable {
    case http01 = "http-01"
}

/// An authorization (RFC 8555 §7.1.4) with its challenges, which share one token and one fate: each may be
/// answered, one answer decides.
struct ACMEAuthorization: StoredState {
    enum Progress: Sendable {
        case pending
        /// An attempt runs since then.
        case processing(ChallengeType, since: Timestamp)
        case valid(ChallengeType, at: Timestamp)
        case invalid(ChallengeType, JSONValue)
        case deactivated
    }

    static let kind = "acme.authorization"

    let id: String
    let account: String
    let name: String
    let token: String
    let expires: Timestamp
    var progress: Progress

    /// A new authorization, pending.
    init(id: String, account: String, name: String, token: String, expires: Timestamp) {
        self.id = id
        self.account = account
        self.name = name
        self.token = token
        self.expires = expires
        progress = .pending
    }

    init?(id: String, document: JSONValue) {
        guard let account = document["account"]?.string, let name = document["name"]?.string,
            let token = document["token"]?.string, let expires = document["expires"]?.timestamp
        else { return nil }
        let type = document["challenge"]?.string.flatMap(ChallengeType.init)
        switch (document["status"], type, document["at"]?.timestamp, document["error"]) {
        case ("pending", _, _, _): progress = .pending
        case ("processing", .some(let type), .some(let since), _): progress = .processing(type, since: since)
        case ("valid", .some(let type), .some(let instant), _): progress = .valid(type, at: instant)
        case ("invalid", .some(let type), _, .some(let error)): progress = .invalid(type, error)
        case ("deactivated", _, _, _): progress = .deactivated
        default: return nil
        }
        self.id = id
        self.account = account
        self.name = name
        self.token = token
        self.expires = expires
    }

    var document: JSONValue {
        var members: [String: JSONValue] = [
            "account": .string(account), "name": .string(name), "token": .string(token),
            "expires": .string(expires.description),
        ]
        switch progress {
        case .pending: members["status"] = "pending"
        case .deactivated: members["status"] = "deactivated"
        case .processing(let type, let since):
            members["status"] = "processing"
            members["challenge"] = .string(type.rawValue)
            members["at"] = .string(since.description)
        case .valid(let type, let instant):
            members["status"] = "valid"
            members["challenge"] = .string(type.rawValue)
            members["at"] = .string(instant.description)
        case .invalid(let type, let error):
            members["status"] = "invalid"
            members["challenge"] = .string(type.rawValue)
            members["error"] = error
        }
        return .object(members)
    }

    var forgottenAt: Timestamp? { expires.adding(seconds: ACMEOrder.afterlife) }

    /// Control of the name as shown, while it may be used.
    func control(at now: Timestamp) -> DomainAuthorization? {
        guard case .valid(let type, let instant) = progress, now < expires else { return nil }
        return DomainAuthorization(name: name, method: type.rawValue, validatedAt: instant)
    }

    /// Whether it can still become valid.
    func isOpen(at now: Timestamp) -> Bool {
        switch progress {
        case .pending, .processing: return now < expires
        case .valid, .invalid, .deactivated: return false
        }
    }
}
