import EnrollmentCore

/// The operations of RFC 7030 §3.2.2, by the names they have in paths.
enum ESTOperation: String, Sendable, CaseIterable {
    case cacerts, simpleenroll, simplereenroll, fullcmc, serverkeygen, csrattrs

    /// Where a path leads: the service it names (nil for the default one) and the operation.
    ///
    /// The path is compared as sent: a percent-encoded spelling of an operation is another path.
    struct Target: Sendable {
        let service: ServiceName?
        let operation: ESTOperation
    }

    /// - Throws: `.unknownPath` unless `path` is `/.well-known/est/[service/]operation`.
    static func target(of path: String) throws(ESTRefusal) -> Target {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        let service = segments.count == 5 ? segments.dropFirst(3).first.flatMap(serviceName) : nil
        guard segments.count == 4 || (segments.count == 5 && service != nil), segments.first == "",
            segments.dropFirst().first == ".well-known", segments.dropFirst(2).first == "est",
            let operation = segments.last.flatMap({ ESTOperation(rawValue: String($0)) })
        else { throw ESTRefusal(.unknownPath, service: service) }
        return Target(service: service, operation: operation)
    }

    /// What the ledger calls it; nil for an operation that asks for no certificate or is not served. A
    /// re-enrollment may turn out to be a rekey.
    var enrollment: EnrollmentOperation? {
        switch self {
        case .simpleenroll: .enroll
        case .simplereenroll: .renew
        case .cacerts, .fullcmc, .serverkeygen, .csrattrs: nil
        }
    }

    /// A segment that could name a service: 1 to 64 letters, digits, `.`, `_` or `-`, and no operation
    /// (RFC 7030 §3.2.2 forbids such labels).
    private static func serviceName(_ segment: Substring) -> ServiceName? {
        guard ESTOperation(rawValue: String(segment)) == nil, DeviceID(String(segment)) != nil else {
            return nil
        }
        return ServiceName(String(segment))
    }
}
