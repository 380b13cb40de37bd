/// Who is at the other end of the connection, as the listener saw it.
package struct Peer: Sendable, Hashable {
    /// The IP address in text form, without port; taken from the socket, never from a header.
    package let address: String
    /// Whether the connection is TLS.
    package let isSecure: Bool
    /// DER of the client certificate whose key TLS proved possession of, if the client sent one. Neither its
    /// chain nor its validity has been checked: that is a `ProofVerifier`'s work.
    package let clientCertificate: [UInt8]?

    package init(address: String, isSecure: Bool, clientCertificate: [UInt8]? = nil) {
        self.address = address
        self.isSecure = isSecure
        self.clientCertificate = clientCertificate
    }
}
