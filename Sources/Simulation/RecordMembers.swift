package import EnrollmentCore

/// One object of a recorded document, its members at their places: read once, compared often, copied never.
///
/// Stricter than JSON, as recorded documents are: names are in canonical order, so none is there twice, and
/// written without escapes.
package struct RecordMembers: Sendable {
    /// The text that the object is part of.
    package let bytes: [UInt8]
    private let members: [Member]

    private struct Member {
        let name: Range<Int>
        let value: Range<Int>
    }

    /// - Parameters:
    ///   - bytes: the text of the object, or a text with the object in it.
    ///   - range: where the object is; nil is all of it.
    /// - Throws: when it is no object, or nothing that is recorded.
    package init(_ bytes: [UInt8], _ range: Range<Int>? = nil) throws(RecordError) {
        var reader = RecordReader(bytes, range)
        var members: [Member] = []
        members.reserveCapacity(20)
        if try reader.opens("{", "}", "an object") {
            repeat {
                let name = try reader.memberName()
                guard Self.isPlain(bytes.span, name) else { throw reader.error("a name with an escape") }
                if let last = members.last, !Self.isAscending(bytes.span, last.name, name) {
                    throw reader.error("members are not in canonical order")
                }
                reader.skipWhiteSpace()
                let start = reader.index
                try reader.skip()
                members.append(Member(name: name, value: start..<reader.index))
            } while try reader.goesOn("}")
        }
        try reader.finish()
        self.bytes = bytes
        self.members = members
    }

    /// Where the value of that member is, as written; nil when there is none or it is null.
    package func place(_ name: StaticString) -> Range<Int>? {
        let text = bytes.span
        for member in members where Self.isEqual(text, member.name, name) {
            let isNull = member.value.count == 4 && text[member.value.lowerBound] == UInt8(ascii: "n")
            return isNull ? nil : member.value
        }
        return nil
    }

    /// Whether there is such a member, null included.
    package func has(_ name: StaticString) -> Bool {
        members.contains { Self.isEqual(bytes.span, $0.name, name) }
    }

    /// The octets of a string; nil when there is none.
    package func octets(_ name: StaticString) -> [UInt8]? {
        guard let place = place(name) else { return nil }
        var reader = RecordReader(bytes, place)
        return try? reader.stringOctets()
    }

    /// A string; nil when there is none.
    package func text(_ name: StaticString) -> String? {
        guard let place = place(name) else { return nil }
        var reader = RecordReader(bytes, place)
        return try? reader.string()
    }

    /// An instant in microseconds since 1970-01-01T00:00:00Z, written in RFC 3339; nil when there is none.
    package func time(_ name: StaticString) -> Int64? {
        text(name).flatMap { Timestamp(rfc3339: $0)?.microseconds }
    }

    /// Whether a member is `true`; false when it is anything else.
    package func isTrue(_ name: StaticString) -> Bool {
        place(name).map { bytes[$0].elementsEqual("true".utf8) } ?? false
    }

    /// Any value; nil when there is none, or it is null.
    package func value(_ name: StaticString) -> JSONValue? {
        guard let place = place(name) else { return nil }
        var reader = RecordReader(bytes, place)
        return try? reader.document()
    }

    /// The object that a member is; nil when there is none.
    package func object(_ name: StaticString) -> RecordMembers? {
        guard let place = place(name) else { return nil }
        return try? RecordMembers(bytes, place)
    }

    /// Whether a string member is these octets; with nil, whether there is none.
    package func `is`(_ name: StaticString, _ expected: [UInt8]?) -> Bool {
        guard let place = place(name), let expected else { return self.place(name) == nil && expected == nil }
        guard place.count == expected.count + 2 else { return octets(name) == expected }
        return Self.isEqual(bytes.span, place.lowerBound + 1, expected.span) || octets(name) == expected
    }

    /// Whether a string member is the lower-case hexadecimal text of these octets; with nil, whether there is
    /// none.
    package func isHex(_ name: StaticString, of expected: [UInt8]?) -> Bool {
        guard let place = place(name), let expected else { return self.place(name) == nil && expected == nil }
        guard place.count == 2 * expected.count + 2 else { return false }
        let (text, octets) = (bytes.span, expected.span)
        for offset in octets.indices {
            let at = place.lowerBound + 1 + 2 * offset
            guard text[at] == Self.digit(octets[offset] >> 4), text[at + 1] == Self.digit(octets[offset] & 15)
            else { return false }
        }
        return true
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
    }

    private static func isEqual(_ text: Span<UInt8>, _ start: Int, _ other: Span<UInt8>) -> Bool {
        for offset in other.indices where text[start + offset] != other[offset] { return false }
        return true
    }

    private static func isEqual(_ text: Span<UInt8>, _ range: Range<Int>, _ name: StaticString) -> Bool {
        guard range.count == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { buffer in
            for offset in buffer.indices where text[range.lowerBound + offset] != buffer[offset] {
                return false
            }
            return true
        }
    }

    private static func isPlain(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for place in range where text[place] == UInt8(ascii: "\\") || text[place] >= 0x80 { return false }
        return true
    }

    private static func isAscending(_ text: Span<UInt8>, _ first: Range<Int>, _ second: Range<Int>) -> Bool {
        for offset in 0..<min(first.count, second.count) {
            let (left, right) = (text[first.lowerBound + offset], text[second.lowerBound + offset])
            if left != right { return left < right }
        }
        return first.count < second.count
    }
}
