import COpenSSL

/// The certificate a message was signed with, read leniently: clients sign first requests with throw-away
/// certificates that strict parsers reject. Nothing in it is evidence of anybody's identity.
package struct SignerCertificate: Sendable, Hashable {
    /// DER, octet for octet as sent.
    package let der: [UInt8]
    /// DER of its SubjectPublicKeyInfo.
    package let subjectPublicKeyInfo: [UInt8]
    /// Whether issuer and subject are the same name. Its signature is not checked.
    package let isSelfIssued: Bool

    init?(_ certificate: OpaquePointer) {
        guard let der = encode({ i2d_X509(certificate, $0) }),
            let key = X509_get_X509_PUBKEY(certificate), let spki = encode({ i2d_X509_PUBKEY(key, $0) })
        else { return nil }
        self.der = der
        subjectPublicKeyInfo = spki
        isSelfIssued =
            X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0
    }
}
