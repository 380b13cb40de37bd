/// What the compiler cannot check carries a stated invariant, and stays rare.
enum SafetyChecks {
    static let maximumUncheckedConformances = 11

    static func unexplained(_ source: SwiftSource) -> [Finding] {
        source.findings { line in
            if line.containsWord("try!") { return "try!" }
            if line.containsWord("fatalError(") { return "fatalError" }
            if line.containsWord("preconditionFailure(") { return "preconditionFailure" }
            if line.contains("@unchecked Sendable") { return "@unchecked Sendable" }
            if line.containsWord("nonisolated(unsafe)") { return "nonisolated(unsafe)" }
            if line.containsWord("unsafeBitCast(") { return "unsafeBitCast" }
            return hasForceUnwrap(line) ? "forced unwrapping or cast" : nil
        }
        .filter { !source.isExplained(line: $0.line, by: "// SAFETY") }
        .map { Finding(file: $0.file, line: $0.line, message: $0.message + " without // SAFETY: above it") }
    }

    /// A `!` right behind an operand and not the start of `!=` or `!==`.
    static func hasForceUnwrap(_ line: String) -> Bool {
        let characters = Array(line)
        return characters.indices.contains { index in
            guard characters[index] == "!", index > 0 else { return false }
            let before = characters[index - 1]
            guard before.isWordCharacter || ")]}\"?>`".contains(before) else { return false }
            return !(index + 1 < characters.count && characters[index + 1] == "=")
        }
    }

    static func uncheckedConformances(_ sources: [SwiftSource]) -> [Finding] {
        let all = sources.flatMap { source in
            source.findings { $0.contains("@unchecked Sendable") ? "@unchecked Sendable" : nil }
        }
        guard all.count > maximumUncheckedConformances else { return [] }
        return all.map {
            Finding(
                file: $0.file, line: $0.line,
                message: "one of \(all.count) @unchecked Sendable, at most "
                    + "\(maximumUncheckedConformances)")
        }
    }
}
