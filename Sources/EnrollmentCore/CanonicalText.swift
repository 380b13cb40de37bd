/// RFC 8785 text, written part by part: the one form in which documents are hashed and compared.
///
/// Members are given in canonical order by whoever names them one by one.
package struct CanonicalText: Sendable {
    /// What was written, in UTF-8.
    package private(set) var octets: [UInt8] = []
    /// Whether a value was written that another may follow.
    private var followsValue = false

    /// - Parameter capacity: octets to make room for.
    package init(capacity: Int = 0) { octets.reserveCapacity(capacity) }

    /// One value, whole.
    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: word("null")
        case .bool(let value): word(value ? "true" : "false")
        case .integer(let value): word(String(value))
        case .string(let text): string(text)
        case .array(let values): array { text in for value in values { text.value(value) } }
        case .object(let members):
            object { text in
                for (name, value) in members.sorted(by: { Self.isAscending($0.key, $1.key) }) {
                    text.string(name)
                    text.colon()
                    text.value(value)
                }
            }
        }
    }

    /// A string.
    package mutating func string(_ text: String) {
        separate()
        quote(text)
        followsValue = true
    }

    /// An array of what `elements` writes.
    package mutating func array(_ elements: (inout CanonicalText) -> Void) {
        enclose("[", "]", elements)
    }

    /// An object of what `members` writes: each a name and a value.
    package mutating func object(_ members: (inout CanonicalText) -> Void) {
        enclose("{", "}", members)
    }

    /// The name of the member whose value comes next; nothing in it needs an escape.
    package mutating func name(_ name: StaticString) {
        separate()
        octets.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { octets += $0 }
        octets.append(UInt8(ascii: "\""))
        colon()
    }

    /// Begins a text of its own after what was written; returns where.
    package mutating func begin() -> Int {
        followsValue = false
        return octets.count
    }

    private mutating func colon() {
        octets.append(UInt8(ascii: ":"))
        followsValue = false
    }

    private mutating func enclose(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout CanonicalText) -> Void
    ) {
        separate()
        octets.append(UInt8(ascii: open))
        followsValue = false
        body(&self)
        octets.append(UInt8(ascii: close))
        followsValue = true
    }

    private mutating func separate() {
        if followsValue { octets.append(UInt8(ascii: ",")) }
    }

    private mutating func word(_ text: String) {
        separate()
        octets += text.utf8
        followsValue = true
    }

    /// By UTF-16 code units (RFC 8785 §3.2.3).
    private static func isAscending(_ left: String, _ right: String) -> Bool {
        left.utf16.lexicographicallyPrecedes(right.utf16)
    }

    private mutating func quote(_ text: String) {
        octets.append(UInt8(ascii: "\""))
        let start = octets.count
        octets += text.utf8
        if octets.span.firstEscaped(from: start, before: octets.count) != nil {
            octets.removeSubrange(start...)
            for octet in text.utf8 { escape(octet) }
        }
        octets.append(UInt8(ascii: "\""))
    }

    /// RFC 8785 §3.2.2.2.
    private mutating func escape(_ octet: UInt8) {
        switch octet {
        case UInt8(ascii: "\""): octets += "\\\"".utf8
        case UInt8(ascii: "\\"): octets += "\\\\".utf8
        case 0x08: octets += "\\b".utf8
        case 0x09: octets += "\\t".utf8
        case 0x0a: octets += "\\n".utf8
        case 0x0c: octets += "\\f".utf8
        case 0x0d: octets += "\\r".utf8
        case 0..<0x20: octets += ("\\u00" + Hex.encode([octet])).utf8
        default: octets.append(octet)
        }
    }
}
