import SwiftASN1

/// CertificationRequest (RFC 2986 §4), parsed and unjudged: the signature is not verified, the key not
/// vetted.
package struct CertificationRequest: Sendable, Hashable {
    /// The most octets of DER that are read.
    package static let maximumLength = 16_384

    /// DER of the whole request.
    package let der: [UInt8]
    /// DER of CertificationRequestInfo: the octets the signature covers.
    package let information: [UInt8]
    package let subject: DistinguishedName
    package let subjectPublicKeyInfo: SubjectPublicKeyInfo
    /// In the order received; none twice.
    package let attributes: [RequestAttribute]
    package let signatureAlgorithm: AlgorithmIdentifier
    /// The octets of the signature BIT STRING.
    package let signature: [UInt8]

    /// Reads strict DER.
    ///
    /// DIVERGES: the order of the attributes, a SET OF, is not enforced, since deployed clients write them in
    /// the order they thought of them.
    ///
    /// - Parameter der: at most `maximumLength` octets, nothing after the request.
    /// - Throws: `PKIXError.tooLarge` or `.malformed`; duplicate attributes are malformed (RFC 2986 §4.1).
    package init(der: [UInt8]) throws(PKIXError) {
        let place = "CertificationRequest"
        let root = try DERReader.parse(der, atMost: Self.maximumLength, place)
        var outer = try DERCursor(root, place)
        let informationNode = try outer.required()
        signatureAlgorithm = try AlgorithmIdentifier(try outer.required(), "signatureAlgorithm")
        signature = try DERReader.wholeBits(try outer.required(), "signature")
        try outer.finish()

        var inner = try DERCursor(informationNode, "CertificationRequestInfo")
        guard try DERReader.smallInteger(try inner.required(), "version") == 0 else {
            throw .malformed("version")
        }
        subject = try DistinguishedName(try inner.required(), "subject")
        subjectPublicKeyInfo = try SubjectPublicKeyInfo(try inner.required())
        // Absent attributes break RFC 2986, yet carry no ambiguity, and old clients leave them out.
        if let node = inner.optional(.context(0)) {
            attributes = try RequestAttribute.list(node)
        } else {
            attributes = []
        }
        try inner.finish()
        information = Array(informationNode.encodedBytes)
        self.der = der
    }

    /// The extensions asked for (RFC 2985 §5.4.2); empty when there is no such attribute.
    ///
    /// - Parameter acceptingMicrosoft: whether 1.3.6.1.4.1.311.2.1.14 may stand for extensionRequest, as some
    ///   SCEP clients have it.
    /// - Throws: `PKIXError.malformed` unless there is exactly one value, without repeated extension;
    ///   `.forbidden` for the Microsoft attribute where it is not accepted, or both together.
    package func requestedExtensions(
        acceptingMicrosoft: Bool = false
    ) throws(PKIXError) -> [CertificateExtension] {
        let standard = attribute(.extensionRequest)
        let microsoft = attribute(.microsoftExtensionRequest)
        if microsoft != nil, !acceptingMicrosoft || standard != nil {
            throw .forbidden("Microsoft extension request attribute")
        }
        guard let attribute = standard ?? microsoft else { return [] }
        guard attribute.values.count == 1, let value = attribute.values.first else {
            throw .malformed("extensionRequest")
        }
        let node = try DERReader.parse(value, atMost: Self.maximumLength, "extensionRequest")
        return try CertificateExtension.list(node, "extensionRequest")
    }

    /// The challengePassword (RFC 2985 §5.4.1) as UTF-8, unjudged; nil when there is none.
    ///
    /// Read from any of the DirectoryString types and IA5String, up to what the request may hold.
    ///
    /// - Throws: `PKIXError.malformed` unless there is exactly one value of such a type.
    package func challengePassword() throws(PKIXError) -> [UInt8]? {
        guard let attribute = attribute(.challengePassword) else { return nil }
        guard attribute.values.count == 1, let value = attribute.values.first else {
            throw .malformed("challengePassword")
        }
        let node = try DERReader.parse(value, atMost: Self.maximumLength, "challengePassword")
        guard let text = try CharacterString(node, "challengePassword").anyText() else {
            throw .malformed("challengePassword")
        }
        return text
    }

    /// CertificationRequestInfo written again without its challengePassword: equal for two requests that
    /// differ in the secret only.
    package var informationWithoutChallengePassword: [UInt8] {
        let kept = attributes.filter { $0.type != .challengePassword }.flatMap(\.der)
        return DERWriter.sequence([
            DERWriter.integer(0), subject.der, subjectPublicKeyInfo.der,
            DERWriter.context(0, constructed: kept),
        ])
    }

    private func attribute(_ type: OID) -> RequestAttribute? { attributes.first { $0.type == type } }
}

/// One attribute of a certification request.
package struct RequestAttribute: Sendable, Hashable {
    package let type: OID
    /// DER of each value; at least one.
    package let values: [[UInt8]]
    /// DER of the whole attribute.
    package let der: [UInt8]

    static func list(_ node: ASN1Node) throws(PKIXError) -> [RequestAttribute] {
        var cursor = try DERCursor(node, .context(0), "attributes")
        var attributes: [RequestAttribute] = []
        var seen: Set<OID> = []
        while let child = cursor.next() {
            let attribute = try RequestAttribute(child)
            guard seen.insert(attribute.type).inserted else { throw .malformed("duplicate attribute") }
            attributes.append(attribute)
        }
        return attributes
    }

    private init(_ node: ASN1Node) throws(PKIXError) {
        var cursor = try DERCursor(node, "attribute")
        type = try DERReader.oid(try cursor.required(), "attribute")
        var members = try DERCursor(try cursor.required(), .set, "attribute")
        try cursor.finish()
        var values: [[UInt8]] = []
        while let value = members.next() { values.append(Array(value.encodedBytes)) }
        guard !values.isEmpty else { throw .malformed("attribute without value") }
        self.values = values
        der = Array(node.encodedBytes)
    }
}
