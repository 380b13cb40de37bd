import SwiftASN1

/// Strict reading of one DER element and, by cursor, of its parts. Total: bad input throws.
///
/// The parser underneath refuses indefinite and padded lengths, trailing bytes, and nesting over 50 levels
/// while it descends, so its recursion is bounded; size is bounded here before it starts.
enum DERReader {
    static func parse(_ der: [UInt8], atMost limit: Int, _ place: String) throws(PKIXError) -> ASN1Node {
        guard der.count <= limit else { throw .tooLarge }
        do { return try DER.parse(der) } catch { throw .malformed(place) }
    }

    static func primitive(
        _ node: ASN1Node, _ identifier: ASN1Identifier, _ place: String
    ) throws(PKIXError) -> ArraySlice<UInt8> {
        guard node.identifier == identifier, case .primitive(let content) = node.content else {
            throw .malformed(place)
        }
        return content
    }

    static func oid(_ node: ASN1Node, _ place: String) throws(PKIXError) -> OID {
        guard let oid = OID(contents: try primitive(node, .objectIdentifier, place)) else {
            throw .malformed(place)
        }
        return oid
    }

    /// The content octets of an INTEGER, checked to be minimal.
    static func integer(_ node: ASN1Node, _ place: String) throws(PKIXError) -> [UInt8] {
        let content = Array(try primitive(node, .integer, place))
        guard let first = content.first else { throw .malformed(place) }
        if content.count > 1 {
            let second = content[1]
            if first == 0x00 && second < 0x80 || first == 0xff && second >= 0x80 { throw .malformed(place) }
        }
        return content
    }

    /// The value of an INTEGER from 0 to 2³¹ − 1.
    static func smallInteger(_ node: ASN1Node, _ place: String) throws(PKIXError) -> Int {
        let content = try integer(node, place)
        guard content.count <= 4, let first = content.first, first < 0x80 else { throw .malformed(place) }
        return content.reduce(0) { $0 << 8 | Int($1) }
    }

    static func boolean(_ node: ASN1Node, _ place: String) throws(PKIXError) -> Bool {
        switch Array(try primitive(node, .boolean, place)) {
        case [0x00]: return false
        case [0xff]: return true
        default: throw .malformed(place)
        }
    }

    /// The octets of a BIT STRING without unused bits, as keys and signatures are.
    static func wholeBits(_ node: ASN1Node, _ place: String) throws(PKIXError) -> [UInt8] {
        let content = try primitive(node, .bitString, place)
        guard content.first == 0 else { throw .malformed(place) }
        return Array(content.dropFirst())
    }
}

/// Walks the children of a constructed element in order.
struct DERCursor {
    private var children: ASN1NodeCollection.Iterator
    private var ahead: ASN1Node?
    private let place: String

    init(_ sequence: ASN1Node, _ place: String) throws(PKIXError) {
        try self.init(sequence, .sequence, place)
    }

    init(_ node: ASN1Node, _ identifier: ASN1Identifier, _ place: String) throws(PKIXError) {
        guard node.identifier == identifier, case .constructed(let nodes) = node.content else {
            throw .malformed(place)
        }
        children = nodes.makeIterator()
        ahead = children.next()
        self.place = place
    }

    /// The next child, whatever it is; nil at the end.
    mutating func next() -> ASN1Node? {
        defer { ahead = children.next() }
        return ahead
    }

    /// The next child, which must be there.
    mutating func required() throws(PKIXError) -> ASN1Node {
        guard let node = next() else { throw .malformed(place) }
        return node
    }

    /// The next child if it bears that tag.
    mutating func optional(_ identifier: ASN1Identifier) -> ASN1Node? {
        guard let node = ahead, node.identifier == identifier else { return nil }
        return next()
    }

    /// Refuses children that are left over.
    func finish() throws(PKIXError) {
        guard ahead == nil else { throw .malformed(place) }
    }
}

extension ASN1Identifier {
    static func context(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }
}
