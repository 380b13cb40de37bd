import EnrollmentCore

/// What a path below `/acme/{service}/` names.
enum ACMEResource: Sendable, Hashable {
    case directory, newNonce, newAccount, newOrder
    case account(String)
    case order(String)
    case finalize(String)
    case authorization(String)
    case challenge(authorization: String, type: String)
    case certificate(String)
}

/// A path taken apart. Percent-encoding is never needed in our URLs, so it is not decoded: such paths name
/// nothing.
struct ACMERoute: Sendable, Hashable {
    /// As written; whether it is declared is the registrar's to say.
    let service: ServiceName
    /// Nil when the rest of the path names nothing.
    let resource: ACMEResource?

    /// Nil when the path is not below `/acme/{service}/`.
    init?(path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, parts[0].isEmpty, parts[1] == "acme", (1...64).contains(parts[2].utf8.count)
        else {
            return nil
        }
        service = ServiceName(parts[2])
        resource = Self.resource(Array(parts.dropFirst(3)))
    }

    private static func resource(_ parts: [String]) -> ACMEResource? {
        guard let first = parts.first, parts.dropFirst().allSatisfy(isIdentifier) else { return nil }
        switch (first, parts.count) {
        case ("directory", 1): return .directory
        case ("new-nonce", 1): return .newNonce
        case ("new-account", 1): return .newAccount
        case ("new-order", 1): return .newOrder
        case ("account", 2): return .account(parts[1])
        case ("order", 2): return .order(parts[1])
        case ("order", 3) where parts[2] == "finalize": return .finalize(parts[1])
        case ("authorization", 2): return .authorization(parts[1])
        case ("challenge", 3): return .challenge(authorization: parts[1], type: parts[2])
        case ("certificate", 2): return .certificate(parts[1])
        default: return nil
        }
    }

    /// Base64url characters, few enough for a record's key.
    static func isIdentifier(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    return true
                default: return false
                }
            }
    }
}

/// The URLs of one service, built on the configured base and never on a Host header.
struct ACMELocations: Sendable, Hashable {
    private let root: String

    /// - Parameter baseURL: of the listener, without a trailing slash.
    init(baseURL: String, service: ServiceName) { root = "\(baseURL)/acme/\(service.rawValue)" }

    /// The absolute URL of a resource.
    func url(_ resource: ACMEResource) -> String {
        switch resource {
        case .directory: return "\(root)/directory"
        case .newNonce: return "\(root)/new-nonce"
        case .newAccount: return "\(root)/new-account"
        case .newOrder: return "\(root)/new-order"
        case .account(let id): return "\(root)/account/\(id)"
        case .order(let id): return "\(root)/order/\(id)"
        case .finalize(let id): return "\(root)/order/\(id)/finalize"
        case .authorization(let id): return "\(root)/authorization/\(id)"
        case .challenge(let id, let type): return "\(root)/challenge/\(id)/\(type)"
        case .certificate(let id): return "\(root)/certificate/\(id)"
        }
    }

    /// The account id in a `kid`; nil when the URL is not that of an account of this service.
    func accountID(in url: String) -> String? {
        let prefix = "\(root)/account/"
        guard url.utf8.starts(with: prefix.utf8) else { return nil }
        let id = String(url.dropFirst(prefix.count))
        return ACMERoute.isIdentifier(id) ? id : nil
    }
}
