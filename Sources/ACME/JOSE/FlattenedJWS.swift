package import EnrollmentCore

/// A JSON Web Signature in flattened serialization (RFC 7515 §7.2.2) under the restrictions of RFC 8555,
/// §6.2, parsed but not verified.
package struct FlattenedJWS: Sendable, Hashable {
    /// How the header names the signing key.
    package enum SigningKey: Sendable, Hashable {
        case embedded(JSONValue)
        case identified(String)
    }

    /// The three members as sent.
    package let serialized: JSONValue
    /// As named, known to us or not.
    package let algorithm: String
    package let url: String
    /// As sent; nil when absent.
    package let nonce: String?
    package let signingKey: SigningKey
    package let payload: [UInt8]
    package let signature: [UInt8]
    /// `protected` "." `payload`, as sent: what is signed (RFC 7515 §5.1).
    package let signingInput: [UInt8]

    private static let refusedHeaderMembers = ["crit", "b64", "jku", "x5u", "x5c"]

    /// - Parameter bytes: the body of a request.
    /// - Throws: `JWSError`.
    package init(_ bytes: [UInt8]) throws(JWSError) {
        let document: JSONValue
        do throws(JSONReaderError) { document = try JSONReader.read(bytes) } catch { throw .json(error) }
        try self.init(document)
    }

    /// - Parameter document: the object itself, as in an external account binding.
    /// - Throws: `JWSError`.
    package init(_ document: JSONValue) throws(JWSError) {
        guard case .object(let members) = document, members["header"] == nil, members["signatures"] == nil,
            let protected = members["protected"]?.string, let payload = members["payload"]?.string,
            let signature = members["signature"]?.string
        else { throw .notFlattened }
        guard let headerOctets = Base64.decodeURLSafe(protected.utf8),
            let payloadOctets = Base64.decodeURLSafe(payload.utf8),
            let signatureOctets = Base64.decodeURLSafe(signature.utf8), !signatureOctets.isEmpty
        else { throw .base64 }
        let header: JSONValue
        do throws(JSONReaderError) { header = try JSONReader.read(headerOctets) } catch { throw .json(error) }
        guard case .object(let fields) = header, Self.refusedHeaderMembers.allSatisfy({ fields[$0] == nil }),
            let algorithm = fields["alg"]?.string, let url = fields["url"]?.string
        else { throw .header }
        switch (fields["jwk"], fields["kid"]) {
        case (.some(let key), nil): signingKey = .embedded(key)
        case (nil, .some(.string(let identifier))): signingKey = .identified(identifier)
        default: throw .keyReference
        }
        switch fields["nonce"] {
        case nil: nonce = nil
        case .some(.string(let text)) where Base64.decodeURLSafe(text.utf8) != nil: nonce = text
        default: throw .header  // RFC 8555 §6.5.2: not base64url is malformed, not a bad nonce
        }
        serialized = [
            "protected": .string(protected), "payload": .string(payload), "signature": .string(signature),
        ]
        self.algorithm = algorithm
        self.url = url
        self.payload = payloadOctets
        self.signature = signatureOctets
        signingInput = Array(protected.utf8) + [UInt8(ascii: ".")] + Array(payload.utf8)
    }
}

/// Why bytes are not a JWS that we read.
package enum JWSError: Error, Sendable, Hashable {
    case json(JSONReaderError)
    /// A member is missing or no string, or the serialization is another.
    case notFlattened
    /// Padding, white space, another alphabet, or unused bits.
    case base64
    /// The protected header lacks a member, holds one of the wrong type, or one we refuse.
    case header
    /// Neither or both of `jwk` and `kid`.
    case keyReference
}
