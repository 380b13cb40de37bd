package import Policy

/// Test results in the XML that continuous integration reads (the JUnit form: testsuites, testsuite,
/// testcase, failure).
package struct JUnitReport {
    private struct Suite {
        var name: String
        var cases: [(name: String, file: String, line: Int, failure: String?)] = []
    }

    private let suites: [Suite]

    /// - Parameters:
    ///   - report: of a bundle's cases.
    ///   - mutation: of its mutants, when they were tried.
    package init(_ report: PolicyReport, mutation: MutationReport? = nil) {
        var suites: [Suite] = []
        for result in report.results {
            if suites.last?.name != result.rule { suites.append(Suite(name: result.rule)) }
            let failure = result.passed ? nil : "expected: \(result.expected)\nactual:   \(result.actual)"
            suites[suites.count - 1].cases.append((result.name, result.file, result.line, failure))
        }
        if !report.problems.isEmpty {
            suites.append(
                Suite(
                    name: "untested rules",
                    cases: report.problems.map { ($0.message, $0.file, $0.line, $0.description) }))
        }
        if let mutation {
            let killed = mutation.killed.map { Self.line($0.mutant, failure: nil) }
            let survivors = mutation.survivors.map { Self.line($0, failure: $0.complaint.description) }
            suites.append(Suite(name: "mutants", cases: killed + survivors))
        }
        self.suites = suites
    }

    private static func line(_ mutant: Mutant, failure: String?)
        -> (name: String, file: String, line: Int, failure: String?)
    {
        ("\(mutant.rule.id): \(mutant.change)", mutant.position.file, mutant.position.line, failure)
    }

    /// The document, with a final line feed.
    package var xml: String {
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
        lines.append("<testsuites name=\"gatehouse policy test\" \(Self.counts(suites.flatMap(\.cases)))>")
        for suite in suites {
            lines.append("  <testsuite name=\"\(Self.escaped(suite.name))\" \(Self.counts(suite.cases))>")
            for line in suite.cases {
                let head =
                    "    <testcase classname=\"\(Self.escaped(suite.name))\""
                    + " name=\"\(Self.escaped(line.name))\" file=\"\(Self.escaped(line.file))\""
                    + " line=\"\(line.line)\" time=\"0\""
                guard let failure = line.failure else {
                    lines.append(head + "/>")
                    continue
                }
                let first = failure.split(separator: "\n").first.map(String.init) ?? failure
                lines.append(head + ">")
                lines.append(
                    "      <failure message=\"\(Self.escaped(first))\" type=\"policy\">"
                        + Self.escaped(failure, keepsLines: true) + "</failure>")
                lines.append("    </testcase>")
            }
            lines.append("  </testsuite>")
        }
        lines.append("</testsuites>")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func counts(_ cases: [(name: String, file: String, line: Int, failure: String?)]) -> String
    {
        let failures = cases.count { $0.failure != nil }
        return "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"0\" skipped=\"0\""
    }

    /// As character data or the value of an attribute. What XML 1.0 §2.2 cannot hold becomes U+FFFD.
    private static func escaped(_ text: String, keepsLines: Bool = false) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            case "\"": output += "&quot;"
            case "'": output += "&apos;"
            case "\n" where keepsLines: output += "\n"
            case "\t", "\n", "\r": output += "&#\(scalar.value);"
            case "\u{0}"..<"\u{20}", "\u{fffe}", "\u{ffff}": output += "\u{fffd}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
