package import EnrollmentCore

/// One named front door as the catalog declares it.
package struct Service: Sendable, Hashable {
    package let name: ServiceName
    package let description: String
    package let owner: Owner
    /// An RFC 3339 date; overdue is a warning.
    package let reviewBy: Timestamp
    package let protocols: Set<EnrollmentProtocol>
    /// Whether paths that name no service mean this one; exactly one service of a bundle says so.
    package let isDefault: Bool
    /// The issuing CA's name, e.g. `issuing`.
    package let issuer: String
    /// Profiles it may grant, the first being the one used when a request asks for none.
    package let profiles: [ProfileName]
    package let limits: ServiceLimits

    init(
        name: ServiceName, description: String, owner: Owner, reviewBy: Timestamp,
        protocols: Set<EnrollmentProtocol>, isDefault: Bool, issuer: String, profiles: [ProfileName],
        limits: ServiceLimits
    ) {
        self.name = name
        self.description = description
        self.owner = owner
        self.reviewBy = reviewBy
        self.protocols = protocols
        self.isDefault = isDefault
        self.issuer = issuer
        self.profiles = profiles
        self.limits = limits
    }
}

/// A service's bounds.
package struct ServiceLimits: Sendable, Hashable {
    /// Live certificates one device may hold through the service. At the limit enroll is denied; beyond it
    /// renew and rekey are, whose predecessor is not counted.
    package let liveCertificatesPerDevice: Int
    /// Rows a second for requests whose requester did not verify; the rest is counted.
    package let unverifiedRowsPerSecond: Int
    /// Seconds for which a deferred request holds its credential past expiry, at most 72 h by default.
    package let deferredCredentialHold: Int64
    /// Seconds for which an ACME account may order.
    package let accountOrderSpan: Int64

    init(
        liveCertificatesPerDevice: Int, unverifiedRowsPerSecond: Int, deferredCredentialHold: Int64,
        accountOrderSpan: Int64
    ) {
        self.liveCertificatesPerDevice = liveCertificatesPerDevice
        self.unverifiedRowsPerSecond = unverifiedRowsPerSecond
        self.deferredCredentialHold = deferredCredentialHold
        self.accountOrderSpan = accountOrderSpan
    }
}
