/// Bounds on what one connection may use.
package struct ListenerLimits: Sendable, Hashable {
    /// One header field, or the request target, in octets.
    package var headerFieldSize: Int
    /// All header fields of a request, in octets.
    package var headerSize: Int
    package var headerCount: Int
    /// From the connection's start, TLS handshake included, to the end of the first request's header.
    package var firstHeadTimeout: Duration
    /// From one answer to the end of the next request's header.
    package var idleTimeout: Duration
    /// From a request's header to the end of its body.
    package var bodyTimeout: Duration
    /// Open connections of one listener; more wait in the kernel's queue.
    package var connections: Int

    /// The defaults suit enrollment: small requests, few per connection.
    package init(
        headerFieldSize: Int = 32_768, headerSize: Int = 65_536, headerCount: Int = 100,
        firstHeadTimeout: Duration = .seconds(15), idleTimeout: Duration = .seconds(60),
        bodyTimeout: Duration = .seconds(30), connections: Int = 2_048
    ) {
        self.headerFieldSize = headerFieldSize
        self.headerSize = headerSize
        self.headerCount = headerCount
        self.firstHeadTimeout = firstHeadTimeout
        self.idleTimeout = idleTimeout
        self.bodyTimeout = bodyTimeout
        self.connections = connections
    }
}
