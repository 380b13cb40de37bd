import SwiftASN1

/// Name (RFC 5280 §4.1.2.4), kept as read.
package struct DistinguishedName: Sendable, Hashable {
    /// DER, octet for octet as read or written.
    package let der: [UInt8]
    /// Every attribute, in order, relative names flattened.
    package let attributes: [NameAttribute]

    /// The empty name.
    package static let empty = DistinguishedName(attributes: [])

    /// - Parameter der: at most 16 KiB, nothing after it.
    /// - Throws: `PKIXError.tooLarge` or `.malformed`.
    package init(der: [UInt8]) throws(PKIXError) {
        try self.init(try DERReader.parse(der, atMost: 16_384, "Name"), "Name")
    }

    /// A name of one attribute each relative name.
    package init(attributes: [NameAttribute]) {
        self.attributes = attributes
        der = DERWriter.sequence(attributes.map { DERWriter.setOf([$0.der]) })
    }

    init(_ node: ASN1Node, _ place: String) throws(PKIXError) {
        var relativeNames = try DERCursor(node, place)
        var attributes: [NameAttribute] = []
        while let relativeName = relativeNames.next() {
            var members = try DERCursor(relativeName, .set, place)
            let count = attributes.count
            while let member = members.next() { attributes.append(try NameAttribute(member, place)) }
            guard attributes.count > count, attributes.count <= 64 else { throw .malformed(place) }
        }
        self.attributes = attributes
        der = Array(node.encodedBytes)
    }

    /// Whether it has no attribute.
    package var isEmpty: Bool { attributes.isEmpty }
}

/// AttributeTypeAndValue of a name.
package struct NameAttribute: Sendable, Hashable {
    package let type: OID
    /// DER of the whole attribute.
    package let der: [UInt8]
    private let string: CharacterString

    /// An attribute in the string type its definition asks for, UTF8String where it leaves the choice
    /// (RFC 5280 §4.1.2.4 and appendix A).
    package init(_ type: OID, _ text: String) {
        self.type = type
        let value: [UInt8]
        switch type {
        case .countryName, .serialNumber, .dnQualifier:
            value = DERWriter.printableString(text)
            string = CharacterString(kind: .printable, octets: Array(text.utf8))
        case .emailAddress, .domainComponent:
            value = DERWriter.ia5String(text)
            string = CharacterString(kind: .ia5, octets: Array(text.utf8))
        default:
            value = DERWriter.utf8String(text)
            string = CharacterString(kind: .utf8, octets: Array(text.utf8))
        }
        der = DERWriter.sequence([DERWriter.oid(type), value])
    }

    init(_ node: ASN1Node, _ place: String) throws(PKIXError) {
        var cursor = try DERCursor(node, place)
        type = try DERReader.oid(try cursor.required(), place)
        string = try CharacterString(try cursor.required(), place)
        try cursor.finish()
        der = Array(node.encodedBytes)
    }

    /// The value as text.
    ///
    /// - Throws: `PKIXError.forbidden` for TeletexString, UniversalString, BMPString and unknown types, for
    ///   control and invisible characters, and for an empty value or one over 1 KiB.
    package func text() throws(PKIXError) -> String { try string.plainText() }
}
