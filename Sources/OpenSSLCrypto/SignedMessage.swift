import COpenSSL

/// A CMS SignedData (RFC 5652 §5) with one RSA signature that verified, over a digest that is good enough,
/// by the certificate it carries. Holding one means: whoever holds that certificate's key signed this.
package struct SignedMessage: Sendable {
    /// The signed content; empty when the message carries none.
    package let content: [UInt8]
    package let signer: SignerCertificate
    package let digest: MessageDigest
    /// Those of the attributes asked for that are there.
    package let attributes: SignedAttributes

    /// Why a message is not accepted.
    package enum Failure: Error, Sendable {
        /// Its attributes cannot be read, so there is nothing to answer to; the text names the place.
        case unreadable(String)
        /// Its attributes could be read, but are not to be believed: they serve to address the answer.
        case rejected(SignedAttributes, Rejection)
    }

    /// Why a readable message is not accepted.
    package enum Rejection: Sendable, Hashable {
        /// A digest or signature algorithm below the floor, dotted.
        case algorithm(String)
        /// A signing key that is not RSA (its owner could not open an encrypted reply) or is not of 2048 to
        /// 8192 bits.
        case key(String)
        /// The signature does not verify, or its certificate is missing.
        case signature
    }

    private static let maximumCertificates = 8

    /// Reads and verifies a message.
    ///
    /// - Parameters:
    ///   - octets: BER.
    ///   - names: dotted identifiers of the attributes wanted; each may be there once, with one value that is
    ///     a PrintableString, UTF8String or OCTET STRING.
    /// - Throws: `Failure`.
    package init(_ octets: [UInt8], reading names: [String]) throws(Failure) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard BasicEncoding.isWellFormed(octets) else { throw .unreadable("not one BER element") }
        guard BasicEncoding.hasFewDigestAlgorithms(octets) else {
            throw .unreadable("too many digest algorithms")
        }
        guard let message = decode(octets, { d2i_CMS_ContentInfo(nil, $0, $1) }) else {
            throw .unreadable("not CMS")
        }
        defer { CMS_ContentInfo_free(message) }
        guard OBJ_obj2nid(CMS_get0_type(message)) == NID_pkcs7_signed,
            OBJ_obj2nid(CMS_get0_eContentType(message)) == NID_pkcs7_data
        else { throw .unreadable("not SignedData over data") }
        guard shim_signer_count(message) == 1, let signerInfo = shim_first_signer(message) else {
            throw .unreadable("not exactly one signer")
        }
        try Self.checkCertificateCount(message)
        let attributes = try Self.attributes(names, of: signerInfo)
        do throws(RejectedSignature) {
            (signer, digest) = try Self.algorithms(of: signerInfo, in: message)
            content = try Self.verifiedContent(of: message)
        } catch {
            throw .rejected(attributes, error.rejection)
        }
        self.attributes = attributes
    }

    private struct RejectedSignature: Error {
        let rejection: Rejection
    }

    private static func checkCertificateCount(_ message: OpaquePointer) throws(Failure) {
        guard let certificates = CMS_get1_certs(message) else { return }
        defer { shim_certificates_release(certificates) }
        guard shim_certificate_count(certificates) <= maximumCertificates else {
            throw .unreadable("too many certificates")
        }
    }

    private static func attributes(
        _ names: [String], of signerInfo: OpaquePointer
    ) throws(Failure) -> SignedAttributes {
        var found: SignedAttributes = [:]
        for name in names {
            guard let identifier = OBJ_txt2obj(name, 1) else { continue }
            defer { ASN1_OBJECT_free(identifier) }
            guard CMS_signed_get_attr_by_OBJ(signerInfo, identifier, -1) >= 0 else { continue }
            guard let value = value(of: identifier, in: signerInfo) else {
                throw .unreadable("attribute \(name)")
            }
            found[name] = value
        }
        return found
    }

    /// The value of an attribute that is there exactly once with exactly one value.
    private static func value(of identifier: OpaquePointer, in signer: OpaquePointer) -> SignedAttributeValue?
    {
        /// OpenSSL's word for "one attribute, one value, or nothing".
        let exactlyOnce: Int32 = -3
        func octets(_ tag: Int32) -> [UInt8]? {
            guard let data = CMS_signed_get0_data_by_OBJ(signer, identifier, exactlyOnce, tag) else {
                return nil
            }
            let string = UnsafePointer(data.assumingMemoryBound(to: ASN1_STRING.self))
            return Array(
                UnsafeBufferPointer(
                    start: ASN1_STRING_get0_data(string),
                    count: Int(max(0, ASN1_STRING_length(string)))))
        }
        if let octets = octets(V_ASN1_PRINTABLESTRING) { return .printableString(octets) }
        if let octets = octets(V_ASN1_OCTET_STRING) { return .octetString(octets) }
        return octets(V_ASN1_UTF8STRING).map { .utf8String(String(decoding: $0, as: UTF8.self)) }
    }

    /// The signer's certificate and the digest, once both pass the floor.
    private static func algorithms(
        of signerInfo: OpaquePointer, in message: OpaquePointer
    ) throws(RejectedSignature) -> (SignerCertificate, MessageDigest) {
        guard CMS_set1_signers_certs(message, nil, 0) == 1 else {
            throw RejectedSignature(rejection: .signature)
        }
        var key: OpaquePointer?
        var certificate: OpaquePointer?
        var digestAlgorithm: UnsafeMutablePointer<X509_ALGOR>?
        var signatureAlgorithm: UnsafeMutablePointer<X509_ALGOR>?
        CMS_SignerInfo_get0_algs(signerInfo, &key, &certificate, &digestAlgorithm, &signatureAlgorithm)
        guard let key, let certificate, let signer = SignerCertificate(certificate) else {
            throw RejectedSignature(rejection: .signature)
        }
        let digestName = dotted(algorithm: digestAlgorithm)
        guard let digest = MessageDigest(rawValue: digestName) else {
            throw RejectedSignature(rejection: .algorithm(digestName))
        }
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA else {
            throw RejectedSignature(rejection: .key("not RSA"))
        }
        let bits = EVP_PKEY_get_bits(key)
        guard (2_048...8_192).contains(bits) else {
            throw RejectedSignature(rejection: .key("RSA of \(bits) bits"))
        }
        let signatureName = dotted(algorithm: signatureAlgorithm)
        guard digest.signatureAlgorithms.contains(signatureName) else {
            throw RejectedSignature(rejection: .algorithm(signatureName))
        }
        return (signer, digest)
    }

    private static func verifiedContent(of message: OpaquePointer) throws(RejectedSignature) -> [UInt8] {
        guard let output = BIO_new(BIO_s_mem()) else { throw RejectedSignature(rejection: .signature) }
        defer { BIO_free(output) }
        let isAbsent = CMS_get0_content(message)?.pointee == nil
        // The certificate is not evidence (see above), so its path is not built; the signature is
        // what counts.
        let flags = UInt32(CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY)
        let verified = withMemory(holding: []) { empty in
            CMS_verify(message, nil, nil, isAbsent ? empty : nil, output, flags) == 1
        }
        guard verified == true else { throw RejectedSignature(rejection: .signature) }
        return contents(of: output)
    }
}
