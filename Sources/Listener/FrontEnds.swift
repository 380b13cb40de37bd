package import FrontEnd

/// What the listeners lead to.
package struct FrontEnds: Sendable {
    package let est: any ProtocolFrontEnd
    package let acme: any ProtocolFrontEnd
    package let scep: any ProtocolFrontEnd
    /// The transparency log, on the admin listener.
    package let log: any ProtocolFrontEnd
    /// DER of an issuer's certificate by its name; nil when there is none.
    package let authorityCertificate: @Sendable (_ issuer: String) -> [UInt8]?

    package init(
        est: any ProtocolFrontEnd, acme: any ProtocolFrontEnd, scep: any ProtocolFrontEnd,
        log: any ProtocolFrontEnd,
        authorityCertificate: @escaping @Sendable (_ issuer: String) -> [UInt8]?
    ) {
        self.est = est
        self.acme = acme
        self.scep = scep
        self.log = log
        self.authorityCertificate = authorityCertificate
    }

    /// The front-end of a route; nil for a route that the listener answers.
    func frontEnd(for route: Route) -> (any ProtocolFrontEnd)? {
        switch route {
        case .est: est
        case .acme: acme
        case .scep: scep
        case .log: log
        case .authorityCertificate, .live, .ready, .metrics, .unknown: nil
        }
    }
}

/// Something the gateway needs in order to be of use, asked for by `/readyz`.
package struct ReadinessCheck: Sendable {
    /// Shown to whoever asks, e.g. `database`.
    package let name: String
    /// What is wrong, nil when nothing is. Must answer within a second or two.
    package let fault: @Sendable () async -> String?

    /// - Parameter isReady: there is no more to say than yes or no.
    package init(name: String, isReady: @escaping @Sendable () async -> Bool) {
        self.name = name
        fault = { await isReady() ? nil : name }
    }

    /// - Parameter reason: what a person can act on; nil when nothing is wrong.
    package init(name: String, reason: @escaping @Sendable () async -> String?) {
        self.name = name
        fault = { await reason().map { "\(name): \($0)" } }
    }
}
