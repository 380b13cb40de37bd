import SwiftASN1

/// Certificate (RFC 5280 §4.1), parsed and unjudged: no signature, date or path is checked.
package struct X509Certificate: Sendable, Hashable {
    /// How exact a serial number must be.
    package enum Rules: Sendable {
        /// RFC 5280 §4.1.2.2: positive, at most 20 octets.
        case strict
        /// Any INTEGER: some SCEP clients sign with a self-made certificate whose serial is negative or zero.
        case lenientSerial
    }

    /// The most octets of DER that are read.
    package static let maximumLength = 65_536

    /// DER of the whole certificate.
    package let der: [UInt8]
    package let toBeSigned: TBSCertificate
    package let signatureAlgorithm: AlgorithmIdentifier
    /// The octets of the signature BIT STRING.
    package let signature: [UInt8]

    /// Reads strict DER.
    ///
    /// - Parameters:
    ///   - der: at most `maximumLength` octets, nothing after the certificate.
    ///   - rules: how exact the serial number must be.
    /// - Throws: `PKIXError.tooLarge` or `.malformed`; inner and outer algorithm must agree.
    package init(der: [UInt8], rules: Rules = .strict) throws(PKIXError) {
        let place = "Certificate"
        var cursor = try DERCursor(try DERReader.parse(der, atMost: Self.maximumLength, place), place)
        toBeSigned = try TBSCertificate(try cursor.required(), rules: rules)
        signatureAlgorithm = try AlgorithmIdentifier(try cursor.required(), "signatureAlgorithm")
        signature = try DERReader.wholeBits(try cursor.required(), "signatureValue")
        try cursor.finish()
        guard signatureAlgorithm == toBeSigned.signatureAlgorithm else {
            throw .malformed("signatureAlgorithm")
        }
        self.der = der
    }

    /// Assembles a certificate around the exact bytes that were signed.
    ///
    /// - Parameters:
    ///   - tbsCertificate: DER of the TBSCertificate.
    ///   - signature: as it belongs into the BIT STRING.
    /// - Returns: DER of the certificate.
    package static func assemble(
        tbsCertificate: [UInt8], signatureAlgorithm: AlgorithmIdentifier, signature: [UInt8]
    ) -> [UInt8] {
        DERWriter.sequence([tbsCertificate, signatureAlgorithm.der, DERWriter.bitString(signature)])
    }

    /// The content octets of the serialNumber INTEGER.
    package var serialNumber: [UInt8] { toBeSigned.serialNumber }
    package var issuer: DistinguishedName { toBeSigned.issuer }
    package var subject: DistinguishedName { toBeSigned.subject }
    /// Seconds since 1970-01-01T00:00:00Z.
    package var notBefore: Int64 { toBeSigned.notBefore }
    /// Seconds since 1970-01-01T00:00:00Z, inclusive.
    package var notAfter: Int64 { toBeSigned.notAfter }
    package var subjectPublicKeyInfo: SubjectPublicKeyInfo { toBeSigned.subjectPublicKeyInfo }
    package var extensions: [CertificateExtension] { toBeSigned.extensions }

    /// The extension of that kind; nil when absent.
    package func `extension`(_ identifier: OID) -> CertificateExtension? { toBeSigned.extension(identifier) }
}
