import EnrollmentCore
import Policy
import Testing

@testable import PolicyReview

/// What devices and clients say stays text, in Markdown and on a terminal.
struct HostileTextTests {
    private static let hostile =
        "HOSTILE`` `<script>|[x](http://e) **b** _i_ \u{1b}[2J\u{0}\u{202e}\u{2028}\r\n# head\n- item\n\n> quote \\"

    /// Every text in the document replaced, but for those that the account's wording hangs on.
    private func poisoned(_ value: JSONValue, _ name: String = "") -> JSONValue {
        switch value {
        case .string:
            let kept = ["effect", "verdict", "kind", "operation", "decided_by"].contains(name)
            return kept ? value : .string(Self.hostile)
        case .array(let items): return .array(items.map { poisoned($0, name) })
        case .object(let members):
            return .object(
                Dictionary(uniqueKeysWithValues: members.map { ($0.key, poisoned($0.value, $0.key)) }))
        case .null, .bool, .integer: return value
        }
    }

    /// What is left of a line without its code spans and its escaped characters.
    private func bare(_ line: Substring) -> String {
        var output = ""
        var isCode = false
        var isEscaped = false
        for character in line {
            if isEscaped {
                isEscaped = false
            } else if character == "\\", !isCode {
                isEscaped = true
            } else if character == "`" {
                isCode.toggle()
            } else if !isCode {
                output.append(character)
            }
        }
        #expect(!isCode && !isEscaped)
        return output
    }

    private func expectHarmless(_ text: String) {
        for line in text.split(separator: "\n") {
            for scalar in line.unicodeScalars {
                let category = scalar.properties.generalCategory
                #expect(category != .control && category != .format && category != .lineSeparator)
            }
            let bare = bare(line)
            #expect(!bare.contains { "<>*[]|".contains($0) } && !bare.contains("_i_"))
            #expect(!bare.hasPrefix("#"))
        }
    }

    @Test func accountsOfHostileRecordsAreHarmless() throws {
        let bundle = try SampleBundle.starter()
        for policyCase in bundle.cases {
            let documents = DecisionDocuments(
                input: policyCase.input, question: policyCase.question, bundle: bundle)
            let hostile = DecisionDocuments(
                request: poisoned(documents.request), decision: poisoned(documents.decision))
            let account = DecisionAccount(hostile, bundle: nil, recomputation: .different([Self.hostile]))
            expectHarmless(account.document.string(.markdown))
            let lines = account.document.string(.text).split(separator: "\n")
            #expect(
                lines.allSatisfy { !$0.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202e } })
        }
    }

    @Test func hostileNamesAreShownInOneSpan() throws {
        let bundle = try SampleBundle.starter()
        var input = try bundle.policyCase("healthy laptop over EST").input
        input.request.names.commonName = Self.hostile
        input.clientAddress = Self.hostile
        let account = DecisionAccount(
            DecisionDocuments(input: input, question: .request, bundle: bundle), bundle: bundle)
        let text = account.document.string(.markdown)
        expectHarmless(text)
        #expect(text.contains("naming `HOSTILE·· ·<script>|[x](http://e) **b** _i_ ·[2J····"))
    }

    @Test func longValuesAreCut() throws {
        let long = Prose.seen(String(repeating: "x", count: 10_000)).string(.markdown)
        #expect(long.count == Prose.longestSeen + 3)
        #expect(Prose.seen("").string(.markdown) == "`·`")
    }

    @Test func barsStayInTheirCell() {
        var document = Document()
        document.table(["a"], [["\(seen: "x|y") and \("p|q")"]])
        #expect(document.string(.markdown).hasSuffix("| `x\\|y` and p\\|q |\n"))
    }

    /// Authors of a bundle write what they like in titles and reasons.
    @Test func hostileBundlesRenderHarmlessly() throws {
        let rule = SampleBundle.entry
            .replacing("title: Badges for guests", with: "title: \"<b>*x*</b> [a](b) `c` | d\"")
            .replacing("LOST-1", with: "\"<i>`\"")
        let bundle = try SampleBundle.small(["entry": (rule, SampleBundle.entryCases)])
        let text = BundleDocument(bundle: bundle).document.string(.markdown)
        for line in text.split(separator: "\n") where !line.hasPrefix("|") {
            #expect(!bare(line).contains { "<>*[]".contains($0) }, "\(line)")
        }
        let tables = text.split(separator: "\n").filter { $0.hasPrefix("|") }
        #expect(tables.allSatisfy { $0.replacing("\\|", with: "").count { $0 == "|" } == 7 })
    }
}
