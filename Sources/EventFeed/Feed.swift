/// A feed of ledger events to another system.
package struct Feed: Sendable, Hashable {
    /// Names its cursor in the database: 1 to 63 lower-case letters, digits, dashes.
    package let name: String
    package let format: EventFormat
    /// Whether client addresses are sent.
    package let sendsPersonal: Bool
    package let destination: FeedDestination

    package init(name: String, format: EventFormat, sendsPersonal: Bool, destination: FeedDestination) {
        self.name = name
        self.format = format
        self.sendsPersonal = sendsPersonal
        self.destination = destination
    }
}

/// Where a feed goes.
package enum FeedDestination: Sendable, Hashable {
    /// A file that lines are appended to.
    case file(path: String)
    case syslog(SyslogReceiver)
}

/// A syslog receiver over TLS (RFC 5425).
package struct SyslogReceiver: Sendable, Hashable {
    package let host: String
    package let port: Int
    /// What the receiver's certificate must name: a DNS name or an IP address.
    package let serverName: String
    /// PEM file of trust anchors; nil trusts the system's.
    package let trustAnchors: String?
    /// PEM file of our chain and its key; nil shows no certificate.
    package let clientIdentity: String?

    package init(
        host: String, port: Int = 6_514, serverName: String? = nil, trustAnchors: String? = nil,
        clientIdentity: String? = nil
    ) {
        self.host = host
        self.port = port
        self.serverName = serverName ?? host
        self.trustAnchors = trustAnchors
        self.clientIdentity = clientIdentity
    }
}

/// How a feed stands, for metrics.
package struct FeedReport: Sendable, Hashable {
    package let name: String
    /// Events before this index are delivered.
    package var position: Int64 = 0
    /// Leaves of the log that are not.
    package var behind: Int64 = 0
    /// Whether this gateway delivers and its receiver takes.
    package var isConnected = false
    /// How often delivery broke off since the gateway started.
    package var failures: Int64 = 0
}

/// Why a feed does not go on for now.
package struct FeedFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
}
