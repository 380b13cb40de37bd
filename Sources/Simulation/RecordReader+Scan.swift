import EnrollmentCore

/// Steps over JSON text without making anything of it: most of a record is never asked for.
///
/// Faults are told, not thrown.
struct RecordScan {
    private(set) var place: Int
    /// Where the strings stand that have the length asked for, quotes included.
    var strings: [Range<Int>] = []
    private let length: Int

    /// - Parameters:
    ///   - place: where to begin.
    ///   - length: of the strings to note, in octets with their quotes.
    init(_ place: Int, noting length: Int) {
        self.place = place
        self.length = length
    }

    /// Steps over one value, with arrays and objects in it nested no deeper than that.
    ///
    /// - Returns: what is wrong; nil when nothing is.
    mutating func value(_ text: Span<UInt8>, before end: Int, deepest: Int) -> String? {
        // A bit for each level that is open, the innermost lowest: 1 for an object.
        var (kinds, depth): (UInt64, Int) = (0, 0)
        while true {
            var isOpened = false
            let first = next(text, end)
            if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                guard depth < deepest else { return "nested deeper than \(RecordReader.maximumDepth)" }
                kinds = kinds << 1 | (first == UInt8(ascii: "{") ? 1 : 0)
                depth += 1
                place += 1
                isOpened = first == UInt8(ascii: "{") || !octets(text, end)
            } else if let fault = scalar(first, text, end) {
                return fault
            }
            while depth > 0 {
                let isObject = kinds & 1 == 1
                if next(text, end) == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    place += 1
                    kinds >>= 1
                    depth -= 1
                    isOpened = false
                    continue
                }
                if !isOpened {
                    guard next(text, end) == UInt8(ascii: ",") else {
                        return "a comma or the end of a list is needed here"
                    }
                    place += 1
                }
                if isObject, let fault = name(text, end) { return fault }
                break
            }
            if depth == 0 { return nil }
        }
    }

    /// Steps over the numbers of an array up to the comma behind the last of them that `plainOctet` reads:
    /// keys are recorded so. False when there are none.
    private mutating func octets(_ text: Span<UInt8>, _ end: Int) -> Bool {
        let first = place
        while let next = text.plainOctet(at: place, before: end)?.end { place = next }
        guard place > first else { return false }
        place -= 1
        return true
    }

    private mutating func scalar(_ first: UInt8?, _ text: Span<UInt8>, _ end: Int) -> String? {
        switch first {
        case UInt8(ascii: "\""): return string(text, before: end)
        case UInt8(ascii: "t"): return literal("true", text, end) ? nil : "true is needed here"
        case UInt8(ascii: "f"): return literal("false", text, end) ? nil : "false is needed here"
        case UInt8(ascii: "n"): return literal("null", text, end) ? nil : "null is needed here"
        default: return integer(text, before: end)
        }
    }

    /// Steps over a string with its quotes.
    mutating func string(_ text: Span<UInt8>, before end: Int) -> String? {
        guard place < end, text[place] == UInt8(ascii: "\"") else { return "a string is needed here" }
        let start = place
        place += 1
        while let stop = text.firstEscaped(from: place, before: end) {
            switch text[stop] {
            case UInt8(ascii: "\""):
                place = stop + 1
                if place - start == length { strings.append(start..<place) }
                return nil
            case UInt8(ascii: "\\"): place = stop + 2
            default: return "a string without an end"
            }
        }
        return "a string without an end"
    }

    /// The octet behind white space; nil at the end.
    private mutating func next(_ text: Span<UInt8>, _ end: Int) -> UInt8? {
        while place < end {
            let octet = text[place]
            guard octet == 0x20 || octet == 0x0a || octet == 0x0d || octet == 0x09 else { return octet }
            place += 1
        }
        return nil
    }

    private mutating func name(_ text: Span<UInt8>, _ end: Int) -> String? {
        guard next(text, end) == UInt8(ascii: "\"") else { return "a string is needed here" }
        if let fault = string(text, before: end) { return fault }
        guard next(text, end) == UInt8(ascii: ":") else { return "a colon is needed here" }
        place += 1
        return nil
    }

    private mutating func literal(_ word: StaticString, _ text: Span<UInt8>, _ end: Int) -> Bool {
        let count = word.utf8CodeUnitCount
        guard end - place >= count else { return false }
        for offset in 0..<count where text[place + offset] != word.withUTF8Buffer({ $0[offset] }) {
            return false
        }
        place += count
        return true
    }

    private mutating func integer(_ text: Span<UInt8>, before end: Int) -> String? {
        let isNegative = place < end && text[place] == UInt8(ascii: "-")
        let first = isNegative ? place + 1 : place
        var last = first
        while last < end, text[last] &- 0x30 <= 9 { last += 1 }
        guard last > first else { return "no value that is known here" }
        guard last == first + 1 || text[first] != 0x30 else { return "a number that begins with 0" }
        if last - first > 18 {
            let digits = RecordReader.digits(in: text, from: first, before: end, negative: isNegative)
            guard digits.value != nil else { return "a number that is too large" }
        }
        place = last
        guard last < end else { return nil }
        switch text[last] {
        case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): return "a number that is not whole"
        default: return nil
        }
    }
}

extension Span<UInt8> {
    /// A number from 0 to 255 as canonical text has it in an array, and where the comma behind it ends; nil
    /// when it is written in any other way.
    @inline(__always)
    func plainOctet(at first: Int, before end: Int) -> (value: UInt8, end: Int)? {
        let comma = UInt8(ascii: ",")
        guard end - first >= 4 else { return nil }
        let (one, two, three) = (self[first] &- 0x30, self[first + 1] &- 0x30, self[first + 2] &- 0x30)
        guard one <= 9 else { return nil }
        if self[first + 1] == comma { return (one, first + 2) }
        guard two <= 9, one > 0 else { return nil }
        if self[first + 2] == comma { return (one * 10 + two, first + 3) }
        let value = UInt16(one) * 100 + UInt16(two) * 10 + UInt16(three)
        guard three <= 9, self[first + 3] == comma, value <= 255 else { return nil }
        return (UInt8(value), first + 4)
    }
}
