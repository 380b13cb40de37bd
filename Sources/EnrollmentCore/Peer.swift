/// Who is at the other end of the connection, as the listener saw it.
package struct Peer: Sendable, Hashable {
    /// The IP address in text form, without port; taken from the socket, never from a header.
    package let address: String
    /// Whether the connection is TLS.
    package let isSecure: Bool
    /// DER of the client certificate whose key TLS proved possession of, if the client sent one. Neither its
    /// chain nor its validity has been checked: that is a `ProofVerifier`'s work.
    package let clientCertificate: [UInt8]?

    /// What is throttled together: an IPv4 address, or the /64 that one IPv6 subscriber has (RFC 6177).
    package var network: String {
        guard let octets = IPAddressText.decode(address), octets.count == 16 else { return address }
        return IPAddressText.encode(octets.prefix(8) + [UInt8](repeating: 0, count: 8)) + "/64"
    }

    package init(address: String, isSecure: Bool, clientCertificate: [UInt8]? = nil) {
        self.address = address
        self.isSecure = isSecure
        self.clientCertificate = clientCertificate
    }
}
