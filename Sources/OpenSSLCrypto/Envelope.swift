import COpenSSL

/// CMS EnvelopedData (RFC 5652 §6): content only the holder of one RSA key can read.
package enum Envelope {
    /// What was in an envelope, and how it was protected.
    package struct Opened: Sendable {
        package let content: [UInt8]
        package let cipher: ContentCipher
    }

    /// Why an envelope stays closed.
    package enum Failure: Error, Sendable, Hashable {
        /// Encrypted with a cipher below the floor, dotted. Anyone can read that off the envelope.
        case unacceptableCipher(String)
        /// Everything else: structure, recipient, key, padding. One case on purpose, so that nobody can use
        /// the answer to find out which (Bleichenbacher, Vaudenay).
        case closed
    }

    private static let maximumRecipients: Int32 = 4

    /// Encrypts `content` to the RSA key of a certificate.
    ///
    /// - Throws: `OpenSSLError` when the certificate cannot be read or its key cannot transport keys.
    package static func seal(
        _ content: [UInt8], to certificate: [UInt8], cipher: ContentCipher
    ) throws(OpenSSLError) -> [UInt8] {
        ERR_clear_error()
        guard let recipient = decode(certificate, { d2i_X509(nil, $0, $1) }) else {
            throw OpenSSLError("d2i_X509")
        }
        defer { X509_free(recipient) }
        guard let recipients = shim_certificates_new() else { throw OpenSSLError("sk_X509_new") }
        defer { shim_certificates_free(recipients) }
        guard shim_certificates_push(recipients, recipient) > 0 else { throw OpenSSLError("sk_X509_push") }
        let message = withMemory(holding: content) {
            CMS_encrypt(recipients, $0, cipher.method, UInt32(CMS_BINARY))
        }
        guard case .some(.some(let message)) = message else { throw OpenSSLError("CMS_encrypt") }
        defer { CMS_ContentInfo_free(message) }
        guard let encoded = encode({ i2d_CMS_ContentInfo(message, $0) }) else {
            throw OpenSSLError("i2d_CMS_ContentInfo")
        }
        return encoded
    }

    /// Opens BER of an EnvelopedData in a ContentInfo with the key of `recipient`.
    ///
    /// A wrong RSA padding yields a random content key instead of an error (RFC 3218 §2.3.2), which
    /// then fails as any wrong key does.
    static func open(
        _ octets: [UInt8], key: OpaquePointer, certificate: OpaquePointer
    ) throws(Failure) -> Opened {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard BasicEncoding.isWellFormed(octets),
            let message = decode(octets, { d2i_CMS_ContentInfo(nil, $0, $1) })
        else { throw .closed }
        defer { CMS_ContentInfo_free(message) }
        guard OBJ_obj2nid(CMS_get0_type(message)) == NID_pkcs7_enveloped,
            (1...maximumRecipients).contains(shim_recipient_count(message)),
            let canonical = encode({ i2d_CMS_ContentInfo(message, $0) }),
            let name = DistinguishedEncoding.contentCipher(ofEnvelope: canonical)
        else { throw .closed }
        guard let cipher = ContentCipher(rawValue: name) else { throw .unacceptableCipher(name) }
        guard let output = BIO_new(BIO_s_mem()) else { throw .closed }
        defer { BIO_free(output) }
        guard CMS_decrypt(message, key, certificate, nil, output, 0) == 1 else { throw .closed }
        return Opened(content: contents(of: output), cipher: cipher)
    }
}
