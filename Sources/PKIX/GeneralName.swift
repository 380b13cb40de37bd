import SwiftASN1

/// GeneralName (RFC 5280 §4.2.1.6). Values are as read: nothing is normalised, text is free of control
/// characters.
package enum GeneralName: Sendable, Hashable {
    /// dNSName, ASCII.
    case dns(String)
    /// rfc822Name, ASCII.
    case email(String)
    /// uniformResourceIdentifier, ASCII.
    case uri(String)
    /// iPAddress: 4 or 16 octets.
    case ip([UInt8])
    /// otherName of Microsoft's user principal name.
    case userPrincipalName(String)
    /// Any other: the choice's name in RFC 5280 and the DER of the whole element.
    case other(kind: String, der: [UInt8])

    /// The most names that one extension may hold.
    package static let maximumCount = 100

    /// GeneralNames.
    ///
    /// - Parameter der: the content of a subjectAltName extension.
    /// - Throws: `PKIXError`; `.forbidden` for text that is not ASCII or holds control characters.
    package static func list(der: [UInt8]) throws(PKIXError) -> [GeneralName] {
        var cursor = try DERCursor(
            try DERReader.parse(der, atMost: 16_384, "GeneralNames"), "GeneralNames")
        var names: [GeneralName] = []
        while let node = cursor.next() {
            names.append(try GeneralName(node))
            guard names.count <= maximumCount else { throw .forbidden("over 100 subject alternative names") }
        }
        guard !names.isEmpty else { throw .malformed("GeneralNames") }
        return names
    }

    init(_ node: ASN1Node) throws(PKIXError) {
        switch node.identifier {
        case .context(0): self = try Self.otherName(node)
        case .context(1): self = .email(try Self.ascii(node))
        case .context(2): self = .dns(try Self.ascii(node))
        case .context(3): self = .other(kind: "x400Address", der: Array(node.encodedBytes))
        case .context(4): self = .other(kind: "directoryName", der: Array(node.encodedBytes))
        case .context(5): self = .other(kind: "ediPartyName", der: Array(node.encodedBytes))
        case .context(6): self = .uri(try Self.ascii(node))
        case .context(7):
            let octets = Array(try DERReader.primitive(node, node.identifier, "iPAddress"))
            guard octets.count == 4 || octets.count == 16 else { throw .malformed("iPAddress") }
            self = .ip(octets)
        case .context(8): self = .other(kind: "registeredID", der: Array(node.encodedBytes))
        default: throw .malformed("GeneralName")
        }
    }

    private static func ascii(_ node: ASN1Node) throws(PKIXError) -> String {
        let octets = Array(try DERReader.primitive(node, node.identifier, "GeneralName"))
        guard octets.allSatisfy({ $0 < 0x80 }) else {
            throw .forbidden("subject alternative name outside ASCII")
        }
        return try CharacterString.visible(octets)
    }

    private static func otherName(_ node: ASN1Node) throws(PKIXError) -> GeneralName {
        var cursor = try DERCursor(node, node.identifier, "otherName")
        let type = try DERReader.oid(try cursor.required(), "otherName.type-id")
        var wrapper = try DERCursor(try cursor.required(), .context(0), "otherName.value")
        let value = try wrapper.required()
        try wrapper.finish()
        try cursor.finish()
        guard type == .userPrincipalName else {
            return .other(kind: "otherName", der: Array(node.encodedBytes))
        }
        let octets = Array(try DERReader.primitive(value, .utf8String, "user principal name"))
        return .userPrincipalName(try CharacterString.visible(octets))
    }

    /// DER of this name.
    package var der: [UInt8] {
        switch self {
        case .email(let text): return DERWriter.context(1, primitive: Array(text.utf8))
        case .dns(let text): return DERWriter.context(2, primitive: Array(text.utf8))
        case .uri(let text): return DERWriter.context(6, primitive: Array(text.utf8))
        case .ip(let octets): return DERWriter.context(7, primitive: octets)
        case .userPrincipalName(let text):
            let value = DERWriter.context(0, constructed: DERWriter.utf8String(text))
            return DERWriter.context(0, constructed: DERWriter.oid(.userPrincipalName) + value)
        case .other(_, let der): return der
        }
    }
}
