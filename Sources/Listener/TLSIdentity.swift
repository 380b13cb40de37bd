package import EnrollmentCore
import NIOSSL

/// The certificate and key a TLS listener shows.
package struct TLSIdentity: Sendable {
    /// PEM, the listener's own certificate first, then its issuers; the root may be left out.
    package let certificateChain: [UInt8]
    /// PEM of the private key.
    package let privateKey: Secret

    package init(certificateChain: [UInt8], privateKey: Secret) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }

    /// TLS 1.2 and 1.3 with HTTP/1.1 alone; a client certificate is asked for, never demanded.
    ///
    /// - Throws: when the PEM does not parse or the key does not fit.
    func context() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(certificateChain)
        let key = try NIOSSLPrivateKey(bytes: privateKey.revealed, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .certificates([])
        configuration.applicationProtocols = ["http/1.1"]
        configuration.cipherSuiteValues = [
            .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ]
        return try NIOSSLContext(configuration: configuration)
    }
}
