import EnrollmentCore
import Testing

@testable import Simulation

/// A member is compared with a JSON text without either being read into a value.
struct RecordComparisonTests {
    /// The text of a value with white space and members anywhere.
    private static func text(_ value: JSONValue, _ chance: inout Chance) -> String {
        let space = ["", " ", "\n\t"][chance.below(3)]
        switch value {
        case .null, .bool, .integer, .string: return space + value.canonicalText
        case .array(let values):
            let parts = values.map { text($0, &chance) }
            return space + "[" + parts.joined(separator: "," + space) + space + "]"
        case .object(let members):
            // A dictionary has them in an order of its own.
            let parts = members.map { name, value in
                space + JSONValue.string(name).canonicalText + space + ":" + text(value, &chance)
            }
            return space + "{" + parts.joined(separator: "," + space) + space + "}"
        }
    }

    private static func value(_ chance: inout Chance, depth: Int) -> JSONValue {
        switch chance.below(depth > 0 ? 8 : 4) {
        case 0: return .bool(chance.flip())
        case 1: return .integer(Int64(chance.below(3)))
        case 2: return .string(["", "a", "b", "é", "\"", "\u{1}"][chance.below(6)])
        case 3: return .null
        case 4, 5: return .array((0..<chance.below(3)).map { _ in value(&chance, depth: depth - 1) })
        default:
            let members = (0..<chance.below(4)).map { _ in
                (["a", "b", "aa", "", "\n"][chance.below(5)], value(&chance, depth: depth - 1))
            }
            return .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func isSame(_ value: JSONValue, _ text: String) throws -> Bool {
        let body = try RecordMembers(Array("{\"a\":\(value.canonicalText),\"b\":7}".utf8))
        return body.is("a", json: Array(text.utf8).span)
    }

    @Test("it says what comparing the values says, in any order and spacing")
    func values() throws {
        var chance = Chance(state: 23)
        var same = 0
        for _ in 0..<4_000 {
            let value = Self.value(&chance, depth: 3)
            let other = chance.flip() ? value : Self.value(&chance, depth: 3)
            guard value != .null else { continue }
            let isSame = try Self.isSame(value, Self.text(other, &chance))
            #expect(isSame == (value == other), "\(value.canonicalText) and \(other.canonicalText)")
            same += isSame ? 1 : 0
        }
        #expect(same > 1_000)
    }

    @Test(
        arguments: [
            #"{"x":1,"y":2,"y":2}"#, #"{"x":1,"x":1}"#, #"{"x":1,"y":2}}"#, #"{"x":1,"y":2} 3"#,
            #"{"x":1,"y":2"#,
            #"{"x":1,"y":20}"#, #"{"x":1}"#, #"{"x":1,"z":2}"#, "", "{", #"[1,2]"#, #"{"x":1,"y":"2"}"#,
            String(repeating: #"{"x":"#, count: 5_000), String(repeating: "[", count: 5_000),
        ])
    func otherTexts(_ text: String) throws {
        #expect(try !Self.isSame(["x": 1, "y": 2], text))
    }

    @Test("escapes mean the same, in names too")
    func escapes() throws {
        #expect(try Self.isSame(["x": "é\n"], #"{"\u0078":"\u00e9\u000a"}"#))
        #expect(try !Self.isSame(["x": "é\n"], #"{"\u0078":"\u00e8\u000a"}"#))
    }

    @Test("what is no string is no digits, no text and no word")
    func numbers() throws {
        let body = try RecordMembers(Array(#"{"a":1234}"#.utf8))
        #expect(!body.isHex("a", of: [0x23]))
        #expect(!body.is("a", Array("23".utf8)))
        #expect(!body.is("a", word: "23"))
    }

    @Test("a quote, a backslash and a control character are found where they are, and nothing else is")
    func escaped() {
        var chance = Chance(state: 5)
        for _ in 0..<4_000 {
            let octets = (0..<chance.below(40)).map { _ -> UInt8 in
                chance.below(12) == 0
                    ? [0x22, 0x5c, 0x1f, 0x00, 0x20, 0x21, 0x23, 0x7f, 0x80, 0xff, 0xa2, 0xdc][
                        chance.below(12)]
                    : UInt8(0x61 + chance.below(26))
            }
            let first = chance.below(octets.count + 1)
            let expected = octets[first...].firstIndex { $0 == 0x22 || $0 == 0x5c || $0 < 0x20 }
            #expect(octets.span.firstEscaped(from: first, before: octets.count) == expected)
        }
    }
}
