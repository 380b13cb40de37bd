/// Every `package` type and function says what it means.
enum DocumentationChecks {
    private static let documented: Set<String> = [
        "func", "struct", "enum", "class", "actor", "protocol", "typealias", "subscript",
    ]
    /// Members that the standard library's protocols document.
    private static let inherited: Set<String> = [
        "encode", "hash", "run", "validate", "makeAsyncIterator", "log", "metadataKey",
    ]
    private static let modifiers: Set<String> = [
        "package", "static", "final", "mutating", "nonisolated", "nonmutating", "consuming",
        "borrowing", "indirect", "override", "nonsending", "convenience", "required",
    ]

    struct Declaration {
        let line: Int
        let kind: String
        let name: String
    }

    /// - Parameter requirements: names of functions that a protocol of ours documents for its conformers.
    static func undocumented(_ source: SwiftSource, requirements: Set<String>) -> [Finding] {
        let declarations = packageDeclarations(source).filter { declaration in
            let isWitness = requirements.contains(declaration.name) || inherited.contains(declaration.name)
            let isMember = declaration.kind == "func" || declaration.kind == "subscript"
            return !(isMember && (isWitness || declaration.name.isEmpty))
        }
        return (declarations + protocolRequirements(source))
            .filter { !hasDocumentation(source, line: $0.line) }
            .map {
                let message = "\($0.kind) \($0.name) has no documentation comment"
                return Finding(file: source.path, line: $0.line, message: message)
            }
    }

    static func packageDeclarations(_ source: SwiftSource) -> [Declaration] {
        zip(1..., source.code).compactMap { number, line in
            let words = declarationWords(line)
            guard let kind = words.firstIndex(where: { !modifiers.contains($0) }),
                words[..<kind].contains("package"), documented.contains(words[kind])
            else { return nil }
            // `static func ==` has no word behind it: operators are their protocol's.
            let name = words.indices.contains(kind + 1) ? words[kind + 1] : ""
            let isOperator = ["func =", "func <", "func ~"].contains(where: line.contains)
            return Declaration(line: number, kind: words[kind], name: isOperator ? "" : name)
        }
    }

    /// The `func` and `var` lines directly inside `package protocol` bodies.
    static func protocolRequirements(_ source: SwiftSource) -> [Declaration] {
        var found: [Declaration] = []
        var depth = 0
        var bodyDepth: Int?
        for (number, line) in zip(1..., source.code) {
            let words = declarationWords(line)
            if let bodyDepth, depth == bodyDepth, let kind = words.first(where: { !modifiers.contains($0) }),
                kind == "func" || kind == "var", let index = words.firstIndex(of: kind),
                index + 1 < words.count
            {
                found.append(Declaration(line: number, kind: kind, name: words[index + 1]))
            }
            if words.starts(with: ["package", "protocol"]) { bodyDepth = depth + 1 }
            depth += line.count { $0 == "{" } - line.count { $0 == "}" }
            if let body = bodyDepth, depth < body, line.contains("}") { bodyDepth = nil }
        }
        return found
    }

    /// The words of a line without the attributes in front.
    private static func declarationWords(_ line: String) -> [String] {
        var rest = line.trimmed
        while rest.hasPrefix("@") {
            guard let end = rest.firstIndex(where: \.isWhitespace) else { return [] }
            rest = rest[end...].trimmed
        }
        return rest.words
    }

    private static func hasDocumentation(_ source: SwiftSource, line number: Int) -> Bool {
        var index = number - 2
        while source.lines.indices.contains(index) {
            let line = source.lines[index].trimmed
            if line.hasPrefix("///") { return true }
            guard line.hasPrefix("@") || line.hasPrefix("// ") else { return false }
            index -= 1
        }
        return false
    }
}
