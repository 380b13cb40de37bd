/// The three sockets of a gateway.
package enum ListenerName: String, Sendable, Hashable, CaseIterable {
    /// TLS with an optional client certificate: every protocol.
    case tls
    /// Plain HTTP: protocols that secure their own payload.
    case http
    /// Operations, on loopback.
    case admin
}

/// What a path on a listener leads to. Only the prefix is looked at; the rest is the front-end's.
package enum Route: Sendable, Hashable {
    case est, acme, scep
    /// DER of an issuer's certificate.
    case authorityCertificate(issuer: String)
    case live, ready, metrics
    /// The transparency log.
    case log
    case unknown

    /// The route's name in metrics and logs: never more than these.
    package enum Label: String, Sendable, Hashable, CaseIterable {
        case est, acme, scep
        case authorityCertificate = "ca"
        case live = "livez"
        case ready = "readyz"
        case metrics
        case log
        case unknown
    }

    /// - Parameters:
    ///   - listener: where the request came in; a path of another listener is unknown here.
    ///   - path: as sent, percent-encoding untouched, without query. An escaped prefix is no prefix.
    package init(listener: ListenerName, path: String) {
        self = Route.match(listener, path.split(separator: "/", omittingEmptySubsequences: false))
    }

    /// Its name in metrics and logs.
    package var label: Label {
        switch self {
        case .est: .est
        case .acme: .acme
        case .scep: .scep
        case .authorityCertificate: .authorityCertificate
        case .live: .live
        case .ready: .ready
        case .metrics: .metrics
        case .log: .log
        case .unknown: .unknown
        }
    }

    private static func match(_ listener: ListenerName, _ segments: [Substring]) -> Route {
        guard segments.first == "" else { return .unknown }
        let first = segments.dropFirst().first ?? ""
        let second = segments.dropFirst(2).first
        switch listener {
        case .tls:
            if first == "acme" { return .acme }
            if first == "scep" { return .scep }
            return first == ".well-known" && second == "est" ? .est : .unknown
        case .http:
            if first == "scep" { return .scep }
            return authorityCertificate(segments)
        case .admin:
            if first == "log", second != nil { return .log }
            guard segments.count == 2 else { return .unknown }
            switch first {
            case "livez": return .live
            case "readyz": return .ready
            case "metrics": return .metrics
            default: return .unknown
            }
        }
    }

    private static func authorityCertificate(_ segments: [Substring]) -> Route {
        guard segments.count == 3, segments.dropFirst().first == "ca", let file = segments.last,
            file.hasSuffix(".cer"), file.utf8.count > 4
        else { return .unknown }
        return .authorityCertificate(issuer: String(file.dropLast(4)))
    }
}
