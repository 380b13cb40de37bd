import EnrollmentCore
import Testing

@testable import Policy
@testable import Simulation

/// Text written part by part is the text of the value (RFC 8785), whoever writes it.
struct CanonicalTextTests {
    private static func text(_ write: (inout CanonicalText) -> Void) -> String {
        var text = CanonicalText()
        write(&text)
        return String(decoding: text.octets, as: UTF8.self)
    }

    private static func value(_ chance: inout Chance, depth: Int) -> JSONValue {
        switch chance.below(depth > 0 ? 7 : 5) {
        case 0: return .null
        case 1: return .bool(chance.flip())
        case 2: return .integer(Int64(truncatingIfNeeded: chance.next()))
        case 3, 4: return .string(chance.text())
        case 5: return .array((0..<chance.below(4)).map { _ in value(&chance, depth: depth - 1) })
        default:
            let members = (0..<chance.below(5)).map { _ in
                (chance.text(), value(&chance, depth: depth - 1))
            }
            return .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
        }
    }

    @Test("any value has the text that the reader gives the value back for")
    func values() throws {
        var chance = Chance(state: 11)
        for _ in 0..<2_000 {
            let value = Self.value(&chance, depth: 4)
            let text = Self.text { $0.value(value) }
            #expect(try RecordDocument.read(Array(text.utf8)) == value)
        }
    }

    @Test("members stand in the order of UTF-16, escapes are those of RFC 8785")
    func order() {
        let value: JSONValue = [
            "\u{1f98a}": 1, "\u{ff5e}": 2, "b": 3, "a": 4, "": 5,
            "a\u{0}": "\u{1}\u{8}\u{c}\n\r\t\"\\/\u{7f}é",
        ]
        let expected =
            #"{"":5,"a":4,"a\u0000":"\u0001\b\f\n\r\t\"\\/"# + "\u{7f}é"
            + "\",\"b\":3,\"\u{1f98a}\":1,\"\u{ff5e}\":2}"
        #expect(Self.text { $0.value(value) } == expected)
    }

    @Test("a text of its own begins without a comma")
    func parts() {
        var text = CanonicalText()
        text.string("a")
        let start = text.begin()
        text.array { text in
            text.object { text in
                text.name("one")
                text.value(nil)
                text.name("two")
                text.array { _ in }
            }
            text.string("b")
        }
        #expect(String(decoding: text.octets[start...], as: UTF8.self) == #"[{"one":null,"two":[]},"b"]"#)
    }

    /// Members that are named one by one are named in canonical order.
    @Test("what policy writes is the text of the value that the ledger records")
    func decisions() throws {
        let rule = SimulationTests.rule
        let shadowed = try Recorded.bundle(editing: rule, "mode: enforce", "mode: shadow")
        #expect(shadowed.rules.contains { $0.mode == .shadow })
        var chance = Chance(state: 5)
        for bundle in [try Recorded.bundle(), shadowed] {
            for policyCase in bundle.cases {
                var other = policyCase.input
                other.request.names = chance.names()
                other.request.names.unsupported = []
                for input in [policyCase.input, other] {
                    let engine = PolicyEngine(bundle: bundle)
                    for decision in RecordedRequest.Kind.allCases.compactMap({ engine.answer(input, $0) }) {
                        #expect(Self.text(decision.writeTrace) == decision.trace.canonicalText)
                        #expect(Self.text(decision.writeObligations) == decision.obligations.canonicalText)
                    }
                }
            }
        }
    }
}
