import SwiftASN1

/// One of ASN.1's character string types with its octets.
struct CharacterString: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case utf8, printable, ia5, numeric, visible, teletex, bmp, universal, other
    }

    let kind: Kind
    let octets: [UInt8]

    init(kind: Kind, octets: [UInt8]) {
        self.kind = kind
        self.octets = octets
    }

    init(_ node: ASN1Node, _ place: String) throws(PKIXError) {
        switch node.identifier {
        case .utf8String: kind = .utf8
        case .printableString: kind = .printable
        case .ia5String: kind = .ia5
        case .numericString: kind = .numeric
        case .visibleString: kind = .visible
        case .teletexString: kind = .teletex
        case .bmpString: kind = .bmp
        case .universalString: kind = .universal
        default: kind = .other
        }
        switch node.content {
        case .primitive(let content): octets = Array(content)
        case .constructed:
            guard kind == .other else { throw .malformed(place) }  // X.690 §10.2
            octets = Array(node.encodedBytes)
        }
    }

    /// Text fit for a name; see `NameAttribute.text()`.
    func plainText() throws(PKIXError) -> String {
        switch kind {
        case .utf8: return try Self.visible(octets)
        case .printable, .ia5, .numeric, .visible:
            guard octets.allSatisfy({ $0 < 0x80 }) else {
                throw .forbidden("character outside its string type")
            }
            return try Self.visible(octets)
        case .teletex, .bmp, .universal, .other: throw .forbidden("string type")
        }
    }

    /// UTF-8 text of any type, unjudged; nil when it is not of its type.
    func anyText() -> [UInt8]? {
        switch kind {
        case .utf8, .printable, .ia5, .numeric, .visible, .teletex: return octets
        case .bmp: return Self.scalars(octets, width: 2)
        case .universal: return Self.scalars(octets, width: 4)
        case .other: return nil
        }
    }

    /// Valid UTF-8 of 1 to 1024 octets, without control, format and separator characters.
    static func visible(_ octets: [UInt8]) throws(PKIXError) -> String {
        guard (1...1_024).contains(octets.count), let text = String(validating: octets, as: UTF8.self) else {
            throw .forbidden("empty, overlong or undecodable text")
        }
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator:
                throw .forbidden("control character")
            default: continue
            }
        }
        return text
    }

    private static func scalars(_ octets: [UInt8], width: Int) -> [UInt8]? {
        guard octets.count % width == 0 else { return nil }
        var text = ""
        for start in stride(from: 0, to: octets.count, by: width) {
            let value = octets[start..<start + width].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard let scalar = Unicode.Scalar(value) else { return nil }
            text.unicodeScalars.append(scalar)
        }
        return Array(text.utf8)
    }
}
