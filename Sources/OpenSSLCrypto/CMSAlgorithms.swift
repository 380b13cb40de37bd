import COpenSSL

/// Digests a message may be signed with (RFC 5754 §2). MD5 and SHA-1 have no case: they cannot be accepted.
package enum MessageDigest: String, Sendable, Hashable, CaseIterable {
    case sha256 = "2.16.840.1.101.3.4.2.1"
    case sha384 = "2.16.840.1.101.3.4.2.2"
    case sha512 = "2.16.840.1.101.3.4.2.3"

    /// OpenSSL's table for it, static storage.
    var method: OpaquePointer? {
        switch self {
        case .sha256: return EVP_sha256()
        case .sha384: return EVP_sha384()
        case .sha512: return EVP_sha512()
        }
    }

    /// The signature algorithms that go with it: plain rsaEncryption (RFC 3370 §3.2) or the combined form.
    var signatureAlgorithms: [String] {
        let plain = "1.2.840.113549.1.1.1"
        switch self {
        case .sha256: return [plain, "1.2.840.113549.1.1.11"]
        case .sha384: return [plain, "1.2.840.113549.1.1.12"]
        case .sha512: return [plain, "1.2.840.113549.1.1.13"]
        }
    }
}

/// Ciphers an envelope may be encrypted with (RFC 3565 §4.1). DES and triple DES have no case.
package enum ContentCipher: String, Sendable, Hashable, CaseIterable {
    case aes128 = "2.16.840.1.101.3.4.1.2"
    case aes192 = "2.16.840.1.101.3.4.1.22"
    case aes256 = "2.16.840.1.101.3.4.1.42"

    /// OpenSSL's table for it, static storage.
    var method: OpaquePointer? {
        switch self {
        case .aes128: return EVP_aes_128_cbc()
        case .aes192: return EVP_aes_192_cbc()
        case .aes256: return EVP_aes_256_cbc()
        }
    }
}

/// One signed attribute with one value (RFC 5652 §5.3).
package enum SignedAttributeValue: Sendable, Hashable {
    case printableString([UInt8])
    case utf8String(String)
    case octetString([UInt8])

    /// The ASN.1 universal tag number.
    var tag: Int32 {
        switch self {
        case .printableString: return V_ASN1_PRINTABLESTRING
        case .utf8String: return V_ASN1_UTF8STRING
        case .octetString: return V_ASN1_OCTET_STRING
        }
    }

    var octets: [UInt8] {
        switch self {
        case .printableString(let octets), .octetString(let octets): return octets
        case .utf8String(let text): return Array(text.utf8)
        }
    }
}

/// Signed attributes by dotted object identifier.
package typealias SignedAttributes = [String: SignedAttributeValue]
