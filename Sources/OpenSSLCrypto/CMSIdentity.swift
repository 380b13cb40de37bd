import COpenSSL

/// An RSA key with its certificate, able to sign messages and to open envelopes: a registration authority's,
/// or in tests a device's. Loaded once, used from any thread.
///
/// SAFETY (`@unchecked Sendable`): OpenSSL documents EVP_PKEY and X509 as shareable between threads once
/// built; both are set in the initializer, never changed, and never leave this module.
package final class CMSIdentity: @unchecked Sendable {
    private let key: OpaquePointer
    private let certificateObject: OpaquePointer
    /// DER of the certificate.
    package let certificate: [UInt8]

    /// - Parameters:
    ///   - key: an unencrypted private key, PKCS#8 or PKCS#1, as DER or PEM.
    ///   - certificate: DER.
    /// - Throws: `OpenSSLError` when either cannot be read, they do not belong together, or the key
    ///   is not RSA of at least 2048 bits.
    package init(key: [UInt8], certificate: [UInt8]) throws(OpenSSLError) {
        ERR_clear_error()
        guard let keyObject = Self.readKey(key) else { throw OpenSSLError("reading the private key") }
        guard let certificateObject = decode(certificate, { d2i_X509(nil, $0, $1) }) else {
            EVP_PKEY_free(keyObject)
            throw OpenSSLError("d2i_X509")
        }
        self.key = keyObject
        self.certificateObject = certificateObject
        self.certificate = certificate
        guard X509_check_private_key(certificateObject, keyObject) == 1 else {
            throw OpenSSLError("key and certificate differ")
        }
        guard EVP_PKEY_get_base_id(keyObject) == EVP_PKEY_RSA, EVP_PKEY_get_bits(keyObject) >= 2_048 else {
            throw OpenSSLError("not an RSA key of at least 2048 bits")
        }
    }

    deinit {
        EVP_PKEY_free(key)
        X509_free(certificateObject)
    }

    /// Opens an envelope addressed to this certificate (issuer and serial number, or key identifier).
    ///
    /// - Parameter octets: BER of an EnvelopedData in a ContentInfo.
    /// - Throws: `Envelope.Failure`.
    package func open(_ octets: [UInt8]) throws(Envelope.Failure) -> Envelope.Opened {
        try Envelope.open(octets, key: key, certificate: certificateObject)
    }

    /// DER of a SignedData (RFC 5652 §5) by this key over `content`, its certificate enclosed.
    ///
    /// - Parameters:
    ///   - content: nil leaves the content out and signs the digest of nothing.
    ///   - attributes: beside contentType, messageDigest and signingTime.
    ///   - signingTime: seconds since the Unix epoch.
    /// - Throws: `OpenSSLError`.
    package func sign(
        _ content: [UInt8]?, attributes: SignedAttributes, digest: MessageDigest, signingTime: Int64
    ) throws(OpenSSLError) -> [UInt8] {
        ERR_clear_error()
        let flags = UInt32(CMS_BINARY | CMS_PARTIAL | (content == nil ? CMS_DETACHED : 0))
        guard let message = CMS_sign(nil, nil, nil, nil, flags) else { throw OpenSSLError("CMS_sign") }
        defer { CMS_ContentInfo_free(message) }
        let signerFlags = UInt32(CMS_BINARY | CMS_NOSMIMECAP)
        guard let signer = CMS_add1_signer(message, certificateObject, key, digest.method, signerFlags) else {
            throw OpenSSLError("CMS_add1_signer")
        }
        try Self.add(attributes, signingTime: signingTime, to: signer)
        let isComplete = withMemory(holding: content ?? []) {
            CMS_final(message, $0, nil, UInt32(CMS_BINARY)) == 1
        }
        guard isComplete == true else { throw OpenSSLError("CMS_final") }
        guard let encoded = encode({ i2d_CMS_ContentInfo(message, $0) }) else {
            throw OpenSSLError("i2d_CMS_ContentInfo")
        }
        return encoded
    }

    private static func add(
        _ attributes: SignedAttributes, signingTime: Int64, to signer: OpaquePointer
    ) throws(OpenSSLError) {
        // Given here, since OpenSSL would otherwise take the time from the system's clock.
        guard let time = ASN1_TIME_set(nil, time_t(signingTime)) else { throw OpenSSLError("ASN1_TIME_set") }
        defer { ASN1_STRING_free(time) }
        guard
            CMS_signed_add1_attr_by_NID(
                signer, NID_pkcs9_signingTime, ASN1_STRING_type(time), ASN1_STRING_get0_data(time),
                ASN1_STRING_length(time)) == 1
        else { throw OpenSSLError("signingTime") }
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
            let octets = value.octets
            guard
                CMS_signed_add1_attr_by_txt(signer, name, value.tag, octets, Int32(clamping: octets.count))
                    == 1
            else { throw OpenSSLError("attribute \(name)") }
        }
    }

    private static func readKey(_ octets: [UInt8]) -> OpaquePointer? {
        if octets.starts(with: Array("-----BEGIN".utf8)) {
            // An empty pass phrase rather than none: none would ask on the terminal.
            var passphrase: [CChar] = [0]
            return withMemory(holding: octets) { PEM_read_bio_PrivateKey($0, nil, nil, &passphrase) } ?? nil
        }
        return decode(octets) { d2i_AutoPrivateKey(nil, $0, $1) }
    }
}
