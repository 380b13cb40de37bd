import SwiftASN1

/// TBSCertificate (RFC 5280 §4.1), version 3: read from DER, or composed and written byte-exactly.
package struct TBSCertificate: Sendable, Hashable {
    /// DER, octet for octet as read or written: what a signature covers.
    package let der: [UInt8]
    /// 1 to 3; ours are 3.
    package let version: Int
    /// The content octets of the INTEGER, big-endian, two's complement.
    package let serialNumber: [UInt8]
    package let signatureAlgorithm: AlgorithmIdentifier
    package let issuer: DistinguishedName
    /// Seconds since 1970-01-01T00:00:00Z.
    package let notBefore: Int64
    /// Seconds since 1970-01-01T00:00:00Z, inclusive.
    package let notAfter: Int64
    package let subject: DistinguishedName
    package let subjectPublicKeyInfo: SubjectPublicKeyInfo
    /// In order; none twice.
    package let extensions: [CertificateExtension]

    /// Composes a version 3 certificate body.
    ///
    /// - Parameters:
    ///   - serialNumber: positive big-endian number; leading zeros do not count.
    ///   - notBefore: seconds since the epoch, years 1950 to 9999.
    ///   - notAfter: likewise, inclusive.
    ///   - extensions: at least one, each kind at most once.
    package init(
        serialNumber: [UInt8], signatureAlgorithm: AlgorithmIdentifier, issuer: DistinguishedName,
        notBefore: Int64, notAfter: Int64, subject: DistinguishedName,
        subjectPublicKeyInfo: SubjectPublicKeyInfo,
        extensions: [CertificateExtension]
    ) {
        version = 3
        let serial = DERWriter.integer(magnitude: serialNumber)
        self.serialNumber = Array(serial.dropFirst(2))
        self.signatureAlgorithm = signatureAlgorithm
        self.issuer = issuer
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.subject = subject
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
        self.extensions = extensions
        der = DERWriter.sequence([
            DERWriter.context(0, constructed: DERWriter.integer(2)), serial, signatureAlgorithm.der,
            issuer.der,
            DERWriter.sequence([CertificateTime.element(notBefore), CertificateTime.element(notAfter)]),
            subject.der, subjectPublicKeyInfo.der,
            DERWriter.context(3, constructed: DERWriter.sequence(extensions.map(\.der))),
        ])
    }

    /// Reads strict DER.
    ///
    /// - Parameter der: at most 64 KiB, nothing after it.
    /// - Throws: `PKIXError.tooLarge` or `.malformed`.
    package init(der: [UInt8]) throws(PKIXError) {
        try self.init(
            try DERReader.parse(der, atMost: X509Certificate.maximumLength, "TBSCertificate"), rules: .strict)
    }

    init(_ node: ASN1Node, rules: X509Certificate.Rules) throws(PKIXError) {
        let place = "TBSCertificate"
        var cursor = try DERCursor(node, place)
        version = try Self.version(cursor.optional(.context(0)))
        serialNumber = try Self.serial(try cursor.required(), rules)
        signatureAlgorithm = try AlgorithmIdentifier(try cursor.required(), "signature")
        issuer = try DistinguishedName(try cursor.required(), "issuer")
        var validity = try DERCursor(try cursor.required(), "validity")
        notBefore = try CertificateTime.seconds(try validity.required(), "notBefore")
        notAfter = try CertificateTime.seconds(try validity.required(), "notAfter")
        try validity.finish()
        subject = try DistinguishedName(try cursor.required(), "subject")
        subjectPublicKeyInfo = try SubjectPublicKeyInfo(try cursor.required())
        _ = cursor.optional(.context(1))  // unique identifiers: obsolete, without meaning here
        _ = cursor.optional(.context(2))
        extensions = try Self.extensions(cursor.optional(.context(3)))
        guard extensions.isEmpty || version == 3 else { throw .malformed("extensions before version 3") }
        try cursor.finish()
        der = Array(node.encodedBytes)
    }

    /// The extension of that kind; nil when absent.
    package func `extension`(_ identifier: OID) -> CertificateExtension? {
        extensions.first { $0.identifier == identifier }
    }

    private static func version(_ node: ASN1Node?) throws(PKIXError) -> Int {
        guard let node else { return 1 }
        var wrapper = try DERCursor(node, .context(0), "version")
        let value = try DERReader.smallInteger(try wrapper.required(), "version")
        try wrapper.finish()
        guard value == 1 || value == 2 else { throw .malformed("version") }
        return value + 1
    }

    private static func serial(_ node: ASN1Node, _ rules: X509Certificate.Rules) throws(PKIXError) -> [UInt8]
    {
        let serial = try DERReader.integer(node, "serialNumber")
        switch rules {
        case .lenientSerial: return serial
        case .strict:
            guard serial.count <= 20, let first = serial.first, first < 0x80, serial != [0] else {
                throw .malformed("serialNumber")
            }
            return serial
        }
    }

    private static func extensions(_ node: ASN1Node?) throws(PKIXError) -> [CertificateExtension] {
        guard let node else { return [] }
        var wrapper = try DERCursor(node, .context(3), "extensions")
        let list = try CertificateExtension.list(try wrapper.required(), "extensions")
        try wrapper.finish()
        return list
    }
}
