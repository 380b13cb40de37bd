/// Files, functions and lines that a reader can hold at once.
enum SizeChecks {
    static let maximumFileLines = 400
    static let maximumFunctionLines = 40
    static let maximumColumns = 110

    static func longFiles(_ source: SwiftSource) -> [Finding] {
        let count = source.lines.last == "" ? source.lines.count - 1 : source.lines.count
        guard count > maximumFileLines else { return [] }
        return [Finding(file: source.path, line: 0, message: "\(count) lines, at most \(maximumFileLines)")]
    }

    /// A vector in base64 or hexadecimal is one word and may be longer; a line of a test that quotes data may
    /// be as long as its data.
    static func longLines(_ source: SwiftSource) -> [Finding] {
        let isTest = source.path.hasPrefix("Tests/")
        return zip(1..., source.lines).compactMap { number, line in
            guard line.count > maximumColumns, line.trimmed.contains(" ") else { return nil }
            guard !(isTest && line.contains(where: { "\"'".contains($0) })) else { return nil }
            let message = "\(line.count) columns, at most \(maximumColumns)"
            return Finding(file: source.path, line: number, message: message)
        }
    }

    /// Measured from the line of `func` or `init` to the closing brace of its body.
    static func longFunctions(_ source: SwiftSource) -> [Finding] {
        source.code.indices.compactMap { start in
            let words = source.code[start].words
            guard words.contains("func") || source.code[start].trimmed.hasDeclarationOf("init"),
                let end = endOfBody(source.code, from: start), end - start + 1 > maximumFunctionLines
            else { return nil }
            let message = "a function of \(end - start + 1) lines, at most \(maximumFunctionLines)"
            return Finding(file: source.path, line: start + 1, message: message)
        }
    }

    /// The line on which the body opened at or after `start` closes; nil for a requirement without body.
    private static func endOfBody(_ code: [String], from start: Int) -> Int? {
        var parentheses = 0
        var braces = 0
        for index in code.indices[start...] {
            for character in code[index] {
                switch character {
                case "(": parentheses += 1
                case ")": parentheses -= 1
                case "{": braces += 1
                case "}":
                    braces -= 1
                    if braces < 0 { return nil }
                    if braces == 0, parentheses == 0 { return index }
                default: break
                }
            }
            if index > start, braces == 0, parentheses == 0, code[index].containsWord("func") { return nil }
        }
        return nil
    }
}

extension String {
    fileprivate func hasDeclarationOf(_ name: String) -> Bool {
        let modifiers: Set<String> = [
            "package", "private", "fileprivate", "convenience", "required", "public",
        ]
        return containsWord(name + "(") && words.first { !modifiers.contains($0) } == name
            && !hasPrefix(".") && !hasPrefix("self")
    }
}
