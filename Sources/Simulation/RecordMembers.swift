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
        var strings: [Range<Int>] = []
        try self.init(bytes, range, noting: 0, in: &strings)
    }

    /// As above, and notes where in the values, at any depth, strings of that many octets stand, quotes
    /// included.
    package init(
        _ bytes: [UInt8], _ range: Range<Int>? = nil, noting length: Int, in strings: inout [Range<Int>]
    ) throws(RecordError) {
        var members: [Member] = []
        members.reserveCapacity(20)
        try Self.read(bytes, range, noting: length, in: &strings) { member in
            members.append(member)
            return true
        }
        self.bytes = bytes
        self.members = members
    }

    /// Reads the members of an object one by one, as long as `body` wants more.
    private static func read(
        _ bytes: [UInt8], _ range: Range<Int>?, noting length: Int, in strings: inout [Range<Int>],
        _ body: (Member) -> Bool
    ) throws(RecordError) {
        var reader = RecordReader(bytes, range)
        var last: Range<Int>?
        if try reader.opens("{", "}", "an object") {
            repeat {
                let name = try reader.plainMemberName()
                if let last, !isAscending(bytes.span, last, name) {
                    throw reader.error("members are not in canonical order")
                }
                last = name
                reader.skipWhiteSpace()
                let start = reader.index
                try reader.skip(noting: length, in: &strings)
                guard body(Member(name: name, value: start..<reader.index)) else { return }
            } while try reader.goesOn("}")
        }
        try reader.finish()
    }

    /// Where the value of that member is, as written; nil when there is none or it is null.
    package func place(_ name: StaticString) -> Range<Int>? {
        let (text, members) = (bytes.span, members.span)
        let length = name.utf8CodeUnitCount
        for index in members.indices {
            let member = members[index]
            // Most names have another length, and this is asked thirty times for each record.
            guard member.name.count == length, text.has(name, at: member.name.lowerBound) else { continue }
            return Self.isNull(text, member.value) ? nil : member.value
        }
        return nil
    }

    /// Where the value of a member of that member is; nil when there is none or it is null. No more of the
    /// object is read than what comes before it.
    package func place(_ outer: StaticString, _ name: StaticString) -> Range<Int>? {
        guard let place = place(outer) else { return nil }
        var found: Range<Int>?
        var strings: [Range<Int>] = []
        try? Self.read(bytes, place, noting: 0, in: &strings) { member in
            guard bytes.span.has(name, exactlyAt: member.name) else { return true }
            found = member.value
            return false
        }
        return found.flatMap { Self.isNull(bytes.span, $0) ? nil : $0 }
    }

    /// Whether there is such a member, null included.
    package func has(_ name: StaticString) -> Bool {
        members.contains { bytes.span.has(name, exactlyAt: $0.name) }
    }

    /// The octets of a string; nil when there is none.
    package func octets(_ name: StaticString) -> [UInt8]? { place(name).flatMap(octets) }

    /// The octets of a string in an object that is a member; nil when there is none.
    package func octets(_ outer: StaticString, _ name: StaticString) -> [UInt8]? {
        place(outer, name).flatMap(octets)
    }

    private func octets(_ place: Range<Int>) -> [UInt8]? {
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
        guard let place = place(name) else { return nil }
        if let time = RecordedTime.microseconds(bytes.span, place) { return time }
        var reader = RecordReader(bytes, place)
        return (try? reader.string()).flatMap { Timestamp(rfc3339: $0)?.microseconds }
    }

    /// Whether a member is `true`; false when it is anything else.
    package func isTrue(_ name: StaticString) -> Bool { place(name).map(isTrue) ?? false }

    /// Whether a member of an object that is a member is `true`; false when it is anything else.
    package func isTrue(_ outer: StaticString, _ name: StaticString) -> Bool {
        place(outer, name).map(isTrue) ?? false
    }

    private func isTrue(_ place: Range<Int>) -> Bool { bytes[place].elementsEqual("true".utf8) }

    /// Any value; nil when there is none, or it is null.
    package func value(_ name: StaticString) -> JSONValue? { place(name).flatMap(value) }

    /// Any value in an object that is a member; nil when there is none, or it is null.
    package func value(_ outer: StaticString, _ name: StaticString) -> JSONValue? {
        place(outer, name).flatMap(value)
    }

    private func value(_ place: Range<Int>) -> JSONValue? {
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
        guard let expected else { return place(name) == nil }
        return self.is(name, expected.span)
    }

    /// Whether a string member is these octets.
    package func `is`(_ name: StaticString, _ expected: Span<UInt8>) -> Bool {
        guard let place = place(name) else { return false }
        if place.count == expected.count + 2 {
            return isPlainly(place, expected)
        }
        // Written with escapes it is longer than it is.
        guard place.count > expected.count + 2, let octets = octets(place) else { return false }
        return octets.count == expected.count && octets.span.has(expected, at: 0)
    }

    /// Whether a string of that length is written without escapes, and is these octets.
    private func isPlainly(_ place: Range<Int>, _ expected: Span<UInt8>) -> Bool {
        let text = bytes.span
        return text[place.lowerBound] == UInt8(ascii: "\"") && text.has(expected, at: place.lowerBound + 1)
            && text.firstEscaped(from: place.lowerBound + 1, before: place.upperBound - 1) == nil
    }

    /// Whether a string member is the same in both objects, or missing in both.
    package func `is`(_ name: StaticString, asIn other: RecordMembers) -> Bool {
        guard let place = place(name), let otherPlace = other.place(name) else {
            return self.place(name) == nil && other.place(name) == nil
        }
        let text = bytes.span
        // Where the text is the same, it need not be read.
        if text.has(other.bytes.span.extracting(otherPlace), exactlyAt: place) {
            return text[place.lowerBound] == UInt8(ascii: "\"")
        }
        return octets(place).map { $0 == other.octets(otherPlace) } ?? false
    }

    /// Whether a member is an array of these texts.
    package func `is`(_ name: StaticString, texts: [String]) -> Bool {
        guard let place = place(name) else { return false }
        var text = CanonicalText(capacity: place.count)
        text.array { text in for element in texts { text.string(element) } }
        return bytes.span.has(text.octets.span, exactlyAt: place)
            || value(place) == .array(texts.map(JSONValue.string))
    }

    /// Whether a member has the value of this JSON, whose members may come in any order.
    package func `is`(_ name: StaticString, json: Span<UInt8>) -> Bool {
        guard let place = place(name) else { return false }
        let json = json.withUnsafeBufferPointer { Array($0) }
        var (ours, theirs) = (RecordReader(bytes, place), RecordReader(json))
        if let isSame = try? ours.isSame(as: &theirs) { return isSame && (try? theirs.finish()) != nil }
        // Names with escapes are read the long way.
        return value(place).map { (try? RecordDocument.read(json)) == $0 } ?? false
    }

    /// Whether a string member is this word, which needs no escapes.
    package func `is`(_ name: StaticString, word: StaticString) -> Bool {
        guard let place = place(name), place.count == word.utf8CodeUnitCount + 2 else { return false }
        return bytes[place.lowerBound] == UInt8(ascii: "\"") && bytes.span.has(word, at: place.lowerBound + 1)
    }

    /// Whether a string member is the lower-case hexadecimal text of these octets; with nil, whether there is
    /// none.
    package func isHex(_ name: StaticString, of expected: [UInt8]?) -> Bool {
        guard let expected else { return place(name) == nil }
        return isHex(name, of: expected.span)
    }

    /// Whether a string member is the lower-case hexadecimal text of these octets.
    package func isHex(_ name: StaticString, of expected: Span<UInt8>) -> Bool {
        guard let place = place(name), place.count == 2 * expected.count + 2 else { return false }
        let text = bytes.span.extracting(place)
        guard text[0] == UInt8(ascii: "\"") else { return false }
        let digits = Self.hexDigits
        var at = 1
        for offset in expected.indices {
            guard Self.isHex(text, at, expected[offset], digits) else { return false }
            at += 2
        }
        return true
    }

    /// Whether a string member is the lower-case hexadecimal text of this digest.
    package func isHex(_ name: StaticString, of expected: Digest) -> Bool {
        expected.withUnsafeBytes { octets in
            octets.withMemoryRebound(to: UInt8.self) { isHex(name, of: $0.span) }
        }
    }

    /// Whether a string member is the lower-case text of this UUID; with nil, whether there is none.
    package func isUUID(_ name: StaticString, _ number: UInt128?) -> Bool {
        guard let place = place(name), let number else { return self.place(name) == nil && number == nil }
        let text = bytes.span.extracting(place)
        guard text.count == 38, text[0] == UInt8(ascii: "\"") else { return false }
        let digits = Self.hexDigits
        var at = 1
        for octet in 0..<16 {
            if octet == 4 || octet == 6 || octet == 8 || octet == 10 {
                guard text[at] == UInt8(ascii: "-") else { return false }
                at += 1
            }
            let expected = UInt8(truncatingIfNeeded: number >> UInt128(120 - 8 * octet))
            guard Self.isHex(text, at, expected, digits) else { return false }
            at += 2
        }
        return true
    }
}

extension RecordMembers {
    /// Other text for a part of an object.
    package struct Replacement {
        let place: Range<Int>
        let text: [UInt8]

        /// - Parameters:
        ///   - place: where a value is, as written.
        ///   - text: JSON.
        package init(_ place: Range<Int>, _ text: [UInt8]) {
            self.place = place
            self.text = text
        }
    }

    /// The octets at `range` with other text in places.
    ///
    /// - Parameter replacements: in ascending order, apart from each other, all within `range`.
    package func octets(at range: Range<Int>, replacing replacements: [Replacement]) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(replacements.reduce(range.count) { $0 + $1.text.count })
        var start = range.lowerBound
        for replacement in replacements {
            octets += bytes[start..<replacement.place.lowerBound]
            octets += replacement.text
            start = replacement.place.upperBound
        }
        octets += bytes[start..<range.upperBound]
        return octets
    }

    /// The object with other text in places.
    ///
    /// - Parameter replacements: as above; each of one string for another, within the members' values.
    package func replacing(_ replacements: [Replacement]) -> RecordMembers {
        guard !replacements.isEmpty else { return self }
        let octets = octets(at: bytes.indices, replacing: replacements)
        func moved(_ place: Int) -> Int {
            replacements.reduce(place) { moved, replacement in
                replacement.place.upperBound <= place
                    ? moved + replacement.text.count - replacement.place.count : moved
            }
        }
        return RecordMembers(
            octets,
            members.map { member in
                Member(
                    name: moved(member.name.lowerBound)..<moved(member.name.upperBound),
                    value: moved(member.value.lowerBound)..<moved(member.value.upperBound))
            })
    }

    private init(_ bytes: [UInt8], _ members: [Member]) {
        self.bytes = bytes
        self.members = members
    }

    /// Whether the two digits of an octet stand at `place`.
    private static func isHex(
        _ text: Span<UInt8>, _ place: Int, _ octet: UInt8, _ digits: [UInt16]
    ) -> Bool {
        // SAFETY (unsafeLoadUnaligned): it looks whether two octets are there, and any octets are a number.
        UInt16(littleEndian: text.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt16.self))
            == digits[Int(octet)]
    }

    /// By octet: its two digits, the first in the lower half.
    private static let hexDigits: [UInt16] = (UInt16(0)...255).map { octet in
        func digit(_ nibble: UInt16) -> UInt16 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }
        return digit(octet >> 4) | digit(octet & 15) << 8
    }

    private static func isNull(_ text: Span<UInt8>, _ value: Range<Int>) -> Bool {
        value.count == 4 && text[value.lowerBound] == UInt8(ascii: "n")
    }

    private static func isAscending(_ text: Span<UInt8>, _ first: Range<Int>, _ second: Range<Int>) -> Bool {
        for offset in 0..<min(first.count, second.count) {
            let (left, right) = (text[first.lowerBound + offset], text[second.lowerBound + offset])
            if left != right { return left < right }
        }
        return first.count < second.count
    }
}

/// An instant as the ledger writes all of its own: `"2026-11-22T10:00:00.000000Z"`.
private enum RecordedTime {
    /// Nil for any other way to write one, which is read the long way.
    static func microseconds(_ text: Span<UInt8>, _ place: Range<Int>) -> Int64? {
        guard place.count == 29 else { return nil }
        let start = place.lowerBound + 1
        guard text[start + 4] == UInt8(ascii: "-"), text[start + 7] == UInt8(ascii: "-"),
            text[start + 10] == UInt8(ascii: "T"), text[start + 13] == UInt8(ascii: ":"),
            text[start + 16] == UInt8(ascii: ":"), text[start + 19] == UInt8(ascii: "."),
            text[start + 26] == UInt8(ascii: "Z")
        else { return nil }
        var isNumeric = true
        func number(_ offset: Int, _ count: Int) -> Int64 {
            var value: Int64 = 0
            for place in start + offset..<start + offset + count {
                let digit = text[place] &- 0x30
                if digit > 9 { isNumeric = false }
                value = value * 10 + Int64(digit)
            }
            return value
        }
        let year = number(0, 4)
        let seconds = CivilTime.secondsSinceEpoch(
            year: year, month: number(5, 2), day: number(8, 2), hour: number(11, 2), minute: number(14, 2),
            second: number(17, 2))
        let fraction = number(20, 6)
        guard isNumeric, year >= 1970, let seconds else { return nil }
        return seconds * 1_000_000 + fraction
    }
}
