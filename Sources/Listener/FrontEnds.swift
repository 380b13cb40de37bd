package import FrontEnd

/// What the listeners lead to.
package struct FrontEnds: Sendable {
    package let est: any ProtocolFrontEnd
    package let acme: any ProtocolFrontEnd
    package let scep: any ProtocolFrontEnd
    /// DER of an issuer's certificate by its name; nil when there is none.
    package let authorityCertificate: @Sendable (_ issuer: String) -> [UInt8]?

    package init(
        est: any ProtocolFrontEnd, acme: any ProtocolFrontEnd, scep: any ProtocolFrontEnd,
        authorityCertificate: @escaping @Sendable (_ issuer: String) -> [UInt8]?
    ) {
        self.est = est
        self.acme = acme
        self.scep = scep
        self.authorityCertificate = authorityCertificate
    }

    /// The front-end of a route; nil for a route that the listener answers.
    func frontEnd(for route: Route) -> (any ProtocolFrontEnd)? {
        switch route {
        case .est: est
        case .acme: acme
        case .scep: scep
        case .authorityCertificate, .live, .ready, .metrics, .unknown: nil
        }
    }
}

/// Something the gateway needs in order to be of use, asked for by `/readyz`.
package struct ReadinessCheck: Sendable {
    /// Shown to whoever asks, e.g. `database`.
    package let name: String
    /// Must answer within a second or two.
    package let isReady: @Sendable () async -> Bool

    package init(name: String, isReady: @escaping @Sendable () async -> Bool) {
        self.name = name
        self.isReady = isReady
    }
}
