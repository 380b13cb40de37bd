import EnrollmentCore
import Foundation
import Policy
import Testing

@testable import PolicyReview

/// `policy fmt`: one form, the same meaning, no comment lost.
struct FormatterTests {
    private func formatted(_ text: String, _ path: String = "rules/entry.yaml") throws -> String {
        let file = BundleFile(path: path, bytes: Array(text.utf8))
        return String(decoding: try BundleFormatter.formatted(file).bytes, as: UTF8.self)
    }

    static let before = """


        # yaml-language-server: $schema=../.schema/rule-v1.json
        # About the effect.
        effect: permit   # at its end
        # Why.
        because: it is so

        # What is required.
        # In two lines.
        require:
          # Inside.
          device.group: guests
        # Outdented, and still inside.
          device.serial: S-1


        policy: v1
        id: entry
        # At the end.
        """
    static let after = """
        # yaml-language-server: $schema=../.schema/rule-v1.json
        policy: v1
        id: entry
        # Why.
        because: it is so
        # About the effect.
        effect: permit   # at its end

        # What is required.
        # In two lines.
        require:
          # Inside.
          device.group: guests
        # Outdented, and still inside.
          device.serial: S-1
        # At the end.

        """

    @Test func keysTakeTheirCommentsAlong() throws {
        #expect(try formatted(Self.before) == Self.after)
        #expect(try formatted(Self.after) == Self.after)
    }

    @Test func otherFilesKeepTheirOrder() throws {
        #expect(
            try formatted("\n\nteams: 1  \n\n\n\nowners: 2   \n\n", "owners.yaml")
                == "teams: 1\n\nowners: 2\n")
    }

    @Test(arguments: [
        "because: |\n  one\n\n\n  two\n", "because: \"one\n\n\n  two\"\n", "because: |\n  one  \n  two\n",
    ])
    func refusesWhatWouldChangeATextsMeaning(text: String) {
        #expect(throws: PolicyLoadError.self) { try formatted(text) }
    }

    @Test func refusesWhatIsNoBundleFile() {
        #expect(throws: PolicyLoadError.self) { try formatted("a: 1\na: 2\n") }
        #expect(throws: PolicyLoadError.self) { try formatted("a:\t1\n") }
    }

    /// Broken spacing and shuffled keys come back to the one form.
    @Test func mendsStarterFilesWhateverTheirSpacing() throws {
        var random = SeededRandom(state: 7)
        for file in try SampleBundle.starterFiles() {
            let form = try BundleFormatter.formatted(file)
            #expect(try BundleFormatter.formatted(form) == form)
            #expect(try form.saysTheSame(as: file))
            for _ in 0..<20 {
                let lines = String(decoding: form.bytes, as: UTF8.self)
                    .split(separator: "\n", omittingEmptySubsequences: false)
                var broken = String(repeating: "\n", count: Int(random.next() % 3))
                for line in lines {
                    let extra = line.isEmpty ? String(repeating: "\n", count: Int(random.next() % 3)) : ""
                    broken += line + String(repeating: " ", count: Int(random.next() % 4)) + "\n" + extra
                }
                let again = try BundleFormatter.formatted(
                    BundleFile(path: file.path, bytes: Array(broken.utf8)))
                #expect(again == form)
            }
        }
    }

    @Test func shuffledKeysSortTheSame() throws {
        var random = SeededRandom(state: 11)
        let form = try formatted(SampleBundle.entry)
        var sections: [String] = []
        for line in SampleBundle.entry.split(separator: "\n") {
            if line.hasPrefix(" "), let last = sections.popLast() {
                sections.append(last + "\n" + line)
            } else {
                sections.append("# on \(line.prefix(4))\n" + line)
            }
        }
        let expected = try formatted(sections.joined(separator: "\n"))
        #expect(
            expected.split(separator: "\n").count { !$0.hasPrefix("#") } == form.split(separator: "\n").count)
        for _ in 0..<50 {
            sections.shuffle(using: &random)
            #expect(try formatted(sections.joined(separator: "\n")) == expected)
        }
    }
}

/// Reproducible numbers (the xorshift of Marsaglia, 2003).
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
