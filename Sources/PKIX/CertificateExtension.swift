import SwiftASN1

/// Extension (RFC 5280 §4.2).
package struct CertificateExtension: Sendable, Hashable {
    package let identifier: OID
    package let isCritical: Bool
    /// The octets inside extnValue: the DER of the extension's own type.
    package let value: [UInt8]

    package init(_ identifier: OID, isCritical: Bool, value: [UInt8]) {
        self.identifier = identifier
        self.isCritical = isCritical
        self.value = value
    }

    /// DER of this extension.
    package var der: [UInt8] {
        DERWriter.sequence(
            [DERWriter.oid(identifier)] + (isCritical ? [DERWriter.true] : []) + [
                DERWriter.octetString(value)
            ])
    }

    /// Extensions: a non-empty SEQUENCE of at most 64, none twice.
    static func list(_ node: ASN1Node, _ place: String) throws(PKIXError) -> [CertificateExtension] {
        var cursor = try DERCursor(node, place)
        var extensions: [CertificateExtension] = []
        var seen: Set<OID> = []
        while let child = cursor.next() {
            let found = try CertificateExtension(child, place)
            guard seen.insert(found.identifier).inserted else {
                throw .malformed("\(place): duplicate extension")
            }
            extensions.append(found)
            guard extensions.count <= 64 else { throw .malformed("\(place): over 64 extensions") }
        }
        guard !extensions.isEmpty else { throw .malformed(place) }
        return extensions
    }

    private init(_ node: ASN1Node, _ place: String) throws(PKIXError) {
        var cursor = try DERCursor(node, place)
        identifier = try DERReader.oid(try cursor.required(), place)
        if let critical = cursor.optional(.boolean) {
            // An explicit FALSE would be a DEFAULT value encoded, which DER forbids (X.690 §11.5).
            guard try DERReader.boolean(critical, place) else {
                throw .malformed("\(place): encoded default")
            }
            isCritical = true
        } else {
            isCritical = false
        }
        value = Array(try DERReader.primitive(try cursor.required(), .octetString, place))
        try cursor.finish()
    }
}

/// What basicConstraints says (RFC 5280 §4.2.1.9).
package struct BasicConstraints: Sendable, Hashable {
    package let isCA: Bool
    package let pathLength: Int?

    package init(isCA: Bool, pathLength: Int?) {
        self.isCA = isCA
        self.pathLength = pathLength
    }
}

/// Bits of keyUsage (RFC 5280 §4.2.1.3), by their number.
package enum KeyUsageBit: Int, Sendable, Hashable, CaseIterable {
    case digitalSignature = 0
    case contentCommitment = 1
    case keyEncipherment = 2
    case dataEncipherment = 3
    case keyAgreement = 4
    case keyCertSign = 5
    case crlSign = 6
    case encipherOnly = 7
    case decipherOnly = 8
}

extension CertificateExtension {
    /// basicConstraints of a CA, critical.
    ///
    /// - Parameter pathLength: how many CAs may follow; nil for any number.
    package static func certificateAuthority(pathLength: Int?) -> CertificateExtension {
        let length = pathLength.map { [DERWriter.integer($0)] } ?? []
        return CertificateExtension(
            .basicConstraints, isCritical: true, value: DERWriter.sequence([DERWriter.true] + length))
    }

    /// basicConstraints of an end entity, critical: cA FALSE is the default, so the sequence is empty.
    package static let endEntity = CertificateExtension(
        .basicConstraints, isCritical: true, value: DERWriter.sequence([]))

    /// keyUsage, critical.
    package static func keyUsage(_ bits: Set<KeyUsageBit>) -> CertificateExtension {
        CertificateExtension(
            .keyUsage, isCritical: true, value: DERWriter.namedBits(Set(bits.map(\.rawValue))))
    }

    /// extKeyUsage, not critical.
    package static func extendedKeyUsage(_ purposes: [OID]) -> CertificateExtension {
        CertificateExtension(
            .extendedKeyUsage, isCritical: false, value: DERWriter.sequence(purposes.map(DERWriter.oid)))
    }

    /// subjectAltName; critical exactly when the subject is empty (RFC 5280 §4.2.1.6).
    package static func subjectAlternativeName(
        _ names: [GeneralName], isCritical: Bool
    ) -> CertificateExtension {
        CertificateExtension(
            .subjectAlternativeName, isCritical: isCritical, value: DERWriter.sequence(names.map(\.der)))
    }

    /// subjectKeyIdentifier, not critical.
    package static func subjectKeyIdentifier(_ identifier: [UInt8]) -> CertificateExtension {
        CertificateExtension(
            .subjectKeyIdentifier, isCritical: false, value: DERWriter.octetString(identifier))
    }

    /// authorityKeyIdentifier with keyIdentifier alone, not critical.
    package static func authorityKeyIdentifier(_ identifier: [UInt8]) -> CertificateExtension {
        CertificateExtension(
            .authorityKeyIdentifier, isCritical: false,
            value: DERWriter.sequence([DERWriter.context(0, primitive: identifier)]))
    }

    /// The value read as basicConstraints.
    package func basicConstraints() throws(PKIXError) -> BasicConstraints {
        let place = "basicConstraints"
        var cursor = try DERCursor(try DERReader.parse(value, atMost: 64, place), place)
        var isCA = false
        if let node = cursor.optional(.boolean) { isCA = try DERReader.boolean(node, place) }
        var pathLength: Int?
        if let node = cursor.optional(.integer) { pathLength = try DERReader.smallInteger(node, place) }
        try cursor.finish()
        return BasicConstraints(isCA: isCA, pathLength: pathLength)
    }

    /// The value read as keyUsage.
    package func keyUsage() throws(PKIXError) -> Set<KeyUsageBit> {
        let node = try DERReader.parse(value, atMost: 16, "keyUsage")
        let content = Array(try DERReader.primitive(node, .bitString, "keyUsage"))
        guard let unused = content.first, unused < 8, content.count > 1 else { throw .malformed("keyUsage") }
        let octets = content.dropFirst()
        return Set(
            KeyUsageBit.allCases.filter { bit in
                guard bit.rawValue / 8 < octets.count else { return false }
                return octets[octets.startIndex + bit.rawValue / 8] & (0x80 >> UInt8(bit.rawValue % 8)) != 0
            })
    }

    /// The value read as extKeyUsage: 1 to 64 purposes.
    package func extendedKeyUsage() throws(PKIXError) -> [OID] {
        let place = "extKeyUsage"
        var cursor = try DERCursor(try DERReader.parse(value, atMost: 4_096, place), place)
        var purposes: [OID] = []
        while let node = cursor.next() { purposes.append(try DERReader.oid(node, place)) }
        guard (1...64).contains(purposes.count) else { throw .malformed(place) }
        return purposes
    }

    /// The value read as subjectAltName.
    package func subjectAlternativeName() throws(PKIXError) -> [GeneralName] {
        try GeneralName.list(der: value)
    }

    /// The value read as subjectKeyIdentifier.
    package func subjectKeyIdentifier() throws(PKIXError) -> [UInt8] {
        let place = "subjectKeyIdentifier"
        let node = try DERReader.parse(value, atMost: 256, place)
        return Array(try DERReader.primitive(node, .octetString, place))
    }

    /// The keyIdentifier of the value read as authorityKeyIdentifier; nil when it holds none.
    package func authorityKeyIdentifier() throws(PKIXError) -> [UInt8]? {
        let place = "authorityKeyIdentifier"
        var cursor = try DERCursor(try DERReader.parse(value, atMost: 4_096, place), place)
        guard let node = cursor.optional(.context(0)) else { return nil }
        return Array(try DERReader.primitive(node, .context(0), place))
    }
}
