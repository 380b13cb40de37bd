import SwiftASN1

/// AlgorithmIdentifier (RFC 5280 §4.1.1.2).
package struct AlgorithmIdentifier: Sendable, Hashable {
    /// DER as read or written.
    package let der: [UInt8]
    package let algorithm: OID
    /// DER of the parameters; nil when absent, which is not the same as NULL.
    package let parameters: [UInt8]?

    /// - Parameters:
    ///   - algorithm: what it names.
    ///   - parameters: one complete DER element, or nil.
    package init(_ algorithm: OID, parameters: [UInt8]? = nil) {
        self.algorithm = algorithm
        self.parameters = parameters
        der = DERWriter.sequence([DERWriter.oid(algorithm)] + (parameters.map { [$0] } ?? []))
    }

    init(_ node: ASN1Node, _ place: String) throws(PKIXError) {
        var cursor = try DERCursor(node, place)
        algorithm = try DERReader.oid(try cursor.required(), place)
        parameters = cursor.next().map { Array($0.encodedBytes) }
        try cursor.finish()
        der = Array(node.encodedBytes)
    }
}

/// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7): any key, unjudged.
package struct SubjectPublicKeyInfo: Sendable, Hashable {
    /// DER, octet for octet as read.
    package let der: [UInt8]
    package let algorithm: AlgorithmIdentifier
    /// The octets inside the subjectPublicKey BIT STRING.
    package let key: [UInt8]

    /// - Parameter der: at most 16 KiB, nothing after it.
    /// - Throws: `PKIXError.tooLarge` or `.malformed`.
    package init(der: [UInt8]) throws(PKIXError) {
        try self.init(try DERReader.parse(der, atMost: 16_384, "subjectPublicKeyInfo"))
    }

    init(_ node: ASN1Node) throws(PKIXError) {
        var cursor = try DERCursor(node, "subjectPublicKeyInfo")
        algorithm = try AlgorithmIdentifier(try cursor.required(), "subjectPublicKeyInfo.algorithm")
        key = try DERReader.wholeBits(try cursor.required(), "subjectPublicKey")
        try cursor.finish()
        der = Array(node.encodedBytes)
    }

    /// The named curve of an EC key (RFC 5480 §2.1.1); nil for other keys and for explicit parameters.
    package var namedCurve: OID? {
        guard algorithm.algorithm == .ecPublicKey, let parameters = algorithm.parameters,
            let node = try? DERReader.parse(parameters, atMost: 256, "ECParameters")
        else { return nil }
        return try? DERReader.oid(node, "ECParameters")
    }
}

/// RSAPublicKey (RFC 8017 §A.1.1).
package struct RSAPublicKey: Sendable, Hashable {
    /// Unsigned big-endian, without leading zero.
    package let modulus: [UInt8]
    /// Unsigned big-endian, without leading zero.
    package let exponent: [UInt8]

    /// - Parameter der: the octets inside the subjectPublicKey BIT STRING.
    /// - Throws: `PKIXError.malformed` also for negative or zero numbers.
    package init(der: [UInt8]) throws(PKIXError) {
        var cursor = try DERCursor(try DERReader.parse(der, atMost: 16_384, "RSAPublicKey"), "RSAPublicKey")
        modulus = try Self.positive(try cursor.required(), "modulus")
        exponent = try Self.positive(try cursor.required(), "publicExponent")
        try cursor.finish()
    }

    /// The modulus' length in bits.
    package var bitCount: Int {
        guard let first = modulus.first else { return 0 }
        return modulus.count * 8 - first.leadingZeroBitCount
    }

    private static func positive(_ node: ASN1Node, _ place: String) throws(PKIXError) -> [UInt8] {
        let content = try DERReader.integer(node, place)
        guard let first = content.first, first < 0x80, content != [0] else { throw .malformed(place) }
        return first == 0 ? Array(content.dropFirst()) : content
    }
}
