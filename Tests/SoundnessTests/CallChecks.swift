/// Calls that belong to one place, and constructs that have no place on input.
enum CallChecks {
    private static let ambient = [
        "Date(", "Date.now", "Date.init", "SystemRandomNumberGenerator", "UUID()", "ProcessInfo",
        "randomElement(", "shuffled(", "random(in:", "arc4random", "getenv(", "time(nil", "gettimeofday",
        "clock_gettime",
    ]

    /// Time, randomness and environment are parameters; only the executables supply them.
    static func ambientInputs(_ source: SwiftSource) -> [Finding] {
        guard source.target != "Gateway", source.target != "Verifier" else { return [] }
        return source.findings { line in
            ambient.first(where: line.containsWord).map { "\($0) belongs to Gateway; take it as a parameter" }
        }
    }

    private static let patterns = [
        "Regex", "NSRegularExpression", "RegexBuilder", "wholeMatch(", "firstMatch(", "prefixMatch(",
    ]
    private static let patternLiterals = ["#/", "(/", "= /^", ": /^", ", /^"]

    static func regularExpressions(_ source: SwiftSource) -> [Finding] {
        source.findings { line in
            let literal = patternLiterals.first { line.contains($0) }
            let found = patterns.first(where: line.containsWord) ?? literal
            return found.map { "\($0): regular expressions can take for ever; write a linear matcher" }
        }
    }

    /// Who may construct what (invariants I1 to I3). Declarations name the type without parenthesis.
    private static let makers: [(call: String, folder: String)] = [
        ("Grant(", "Sources/Policy/"),
        ("Reservation(", "Sources/Ledger/"),
        ("IssuedCertificate(", "Sources/Ledger/"),
    ]

    static func constructions(_ source: SwiftSource) -> [Finding] {
        guard source.path.hasPrefix("Sources/") else { return [] }
        return source.findings { line in
            makers.first { line.containsWord($0.call) && !source.path.hasPrefix($0.folder) }
                .map { "\($0.call) is constructed in \($0.folder) only" }
        }
    }

    private static let parsers: Set<String> = ["PKIX", "FrontEnd", "SCEP", "EST", "ACME"]

    /// A number built up digit by digit traps when the digits do not end; other products are left to review
    /// and fuzzing.
    static func trappingAccumulation(_ source: SwiftSource) -> [Finding] {
        guard let target = source.target, parsers.contains(target) else { return [] }
        return source.findings { line in
            guard accumulates(line) else { return nil }
            return "a product that can trap: use multipliedReportingOverflow(by:), or say why not, // SAFETY:"
        }
        .filter { !source.isExplained(functionAround: $0.line, by: "// SAFETY") }
    }

    /// `x *= …`, or `x = … x * …`.
    private static func accumulates(_ line: String) -> Bool {
        let parts = line.split(separator: " ")
        guard let assignment = parts.firstIndex(where: { $0 == "=" || $0 == "*=" }), assignment > 0 else {
            return false
        }
        if parts[assignment] == "*=" { return true }
        let name = String(parts[assignment - 1])
        return parts[assignment...].joined(separator: " ").contains(name + " * ")
    }
}
