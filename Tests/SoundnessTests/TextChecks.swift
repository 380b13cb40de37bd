/// Documentation, policies and everything else that is text.
enum TextChecks {
    /// Folders of one particular machine.
    private static let machineFolders = ["work", "root", "home", "Users"].map { "/" + $0 }

    static func machinePaths(_ file: TextFile) -> [Finding] {
        findings(file) { line in
            machineFolders.first { folder in isPath(folder, in: line) }.map { "a path of one machine: \($0)" }
        }
    }

    /// Whether `folder` stands in the line as the start of an absolute path.
    private static func isPath(_ folder: String, in line: String) -> Bool {
        let characters = Array(line)
        return line.offsets(ofWord: folder).contains { offset in
            let before = offset > 0 ? characters[offset - 1] : " "
            let end = offset + folder.count
            let after = end < characters.count ? characters[end] : " "
            return !"./~-:*}$%])".contains(before) && !".-<>:(".contains(after)
        }
    }

    /// Relative links of Markdown files lead to something.
    static func deadLinks(_ file: TextFile, exists: (String) -> Bool) -> [Finding] {
        guard file.path.hasSuffix(".md") else { return [] }
        var isCode = false
        return findings(file) { line in
            if line.trimmed.hasPrefix("```") { isCode.toggle() }
            guard !isCode else { return nil }
            return targets(of: line).first { !exists(resolve($0, from: file.folder)) }
                .map { "a link to \($0), which is not there" }
        }
    }

    /// What stands between `](` and `)`, without anchors and outside addresses.
    private static func targets(of line: String) -> [String] {
        let characters = Array(line)
        let openings = characters.indices.dropLast().filter { index in
            characters[index] == "]" && characters[index + 1] == "("
        }
        return openings.compactMap { opening in
            let text = String(characters[(opening + 2)...].prefix { $0 != ")" })
            let path = String(text.prefix { $0 != "#" })
            return path.isEmpty || text.contains("://") || text.hasPrefix("mailto:") ? nil : path
        }
    }

    private static func resolve(_ path: String, from folder: String) -> String {
        var parts = path.hasPrefix("/") ? [] : folder.split(separator: "/").map(String.init)
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }

    /// Decision records are `NNNN-title.md`, counted from 0001 without a gap, and begin with their number.
    static func decisionRecords(_ files: [TextFile]) -> [Finding] {
        let records = files.filter { $0.folder == "docs/decisions" && $0.name != "README.md" }
            .sorted { $0.name < $1.name }
        return zip(1..., records).compactMap { number, file in
            let digits = String(number)
            let prefix = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            guard file.name.hasPrefix(prefix + "-") else {
                return Finding(file: file.path, line: 0, message: "expected decision record \(prefix) here")
            }
            guard file.lines.first?.hasPrefix("# \(prefix). ") == true else {
                return Finding(file: file.path, line: 1, message: "begins with “# \(prefix). Title”")
            }
            return nil
        }
    }

    /// No rule without table tests beside it.
    static func rulesWithoutCases(_ paths: [String]) -> [Finding] {
        let known = Set(paths)
        return paths.filter { $0.hasPrefix("policies/rules/") && $0.hasSuffix(".yaml") }
            .filter { !$0.hasSuffix(".cases.yaml") }
            .filter { !known.contains($0.dropLast(".yaml".count) + ".cases.yaml") }
            .map { Finding(file: $0, line: 0, message: "a rule without a .cases.yaml beside it") }
    }

    /// Every package of the manifest is accounted for.
    static func undocumentedPackages(_ manifest: PackageManifest, in page: TextFile) -> [Finding] {
        manifest.packages.filter { name in !page.lines.contains { $0.contains(name) } }
            .map { Finding(file: page.path, line: 0, message: "says nothing of the package \($0)") }
    }

    /// A knowing departure from a standard is listed, with the file that departs.
    static func unlistedDivergences(_ source: SwiftSource, in page: TextFile) -> [Finding] {
        let isListed = page.lines.contains { $0.contains(source.path) }
        guard source.path.hasPrefix("Sources/"), !isListed else { return [] }
        return zip(1..., source.lines).filter { $0.1.contains("// DIVERGES:") }.map {
            Finding(
                file: source.path, line: $0.0, message: "diverges, but \(page.path) does not name the file")
        }
    }

    private static func findings(_ file: TextFile, _ message: (String) -> String?) -> [Finding] {
        zip(1..., file.lines).compactMap { number, line in
            message(line).map { Finding(file: file.path, line: number, message: $0) }
        }
    }
}
