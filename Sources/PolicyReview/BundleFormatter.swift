package import Policy

/// Puts the files of a bundle in one form: the keys of a rule in one order with the comments above them, no
/// spaces at the ends of lines, one blank line at most, none at the start, a line feed at the end. It adds,
/// drops and wraps nothing else, and changes no meaning.
package enum BundleFormatter {
    /// The keys of a rule file, in the order in which they stand.
    package static let ruleKeys = [
        "policy", "id", "title", "citation", "because", "owner", "review_by", "mode", "effect", "applies_to",
        "require", "block_unless", "block_if", "certificate", "approval",
    ]

    /// The file in its form.
    ///
    /// - Throws: when it is not YAML as bundles are written in, or when its form would say something else
    ///   (blank lines or trailing spaces within a text).
    package static func formatted(_ file: BundleFile) throws(PolicyLoadError) -> BundleFile {
        _ = try file.saysTheSame(as: file)
        let text = String(decoding: file.bytes, as: UTF8.self)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(trimmed)
        if isRule(file.path) { lines = ordered(lines) }
        let result = BundleFile(path: file.path, bytes: Array(tidied(lines).utf8))
        // Not a line more or less but blank ones, and the same tree: then it says the same.
        guard words(lines) == words(text.split(separator: "\n").map(trimmed)),
            try file.saysTheSame(as: result)
        else {
            throw PolicyLoadError(diagnostics: [
                PolicyDiagnostic(
                    file: file.path, line: 0, column: 0,
                    message: "formatting would change what this file says",
                    remedy: "write its texts in one line each")
            ])
        }
        return result
    }

    private static func isRule(_ path: String) -> Bool {
        path.hasPrefix("rules/") && path.hasSuffix(".yaml") && !path.hasSuffix(".cases.yaml")
    }

    private static func trimmed(_ line: Substring) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return String(line)
    }

    private static func words(_ lines: [String]) -> [String] { lines.filter { !$0.isEmpty }.sorted() }

    /// One blank line at most between others, none at the start or the end.
    private static func tidied(_ lines: [String]) -> String {
        var output: [String] = []
        for line in lines where !(line.isEmpty && output.last?.isEmpty ?? true) { output.append(line) }
        while output.last?.isEmpty == true { output.removeLast() }
        return output.joined(separator: "\n") + "\n"
    }

    /// A key at the top with all that belongs to it.
    private struct Section {
        var key: String
        /// Blank lines and comments above the key, the key's own line, and what is below it.
        var lines: [String]
    }

    /// What stands above the first key and does not belong to it, the sections in order, and comments at the
    /// end that belong to no key.
    private static func ordered(_ lines: [String]) -> [String] {
        var head: [String] = []
        var sections: [Section] = []
        // Blank lines and comments since the last line that says something.
        var loose: [String] = []
        for line in lines {
            if line.isEmpty || line.hasPrefix("#") {
                loose.append(line)
            } else if let key = key(of: line) {
                if sections.isEmpty { (head, loose) = heading(head + loose) }
                sections.append(Section(key: key, lines: loose + [line]))
                loose = []
            } else if sections.isEmpty {
                head += loose + [line]
                loose = []
            } else {
                sections[sections.count - 1].lines += loose + [line]
                loose = []
            }
        }
        let known = Dictionary(uniqueKeysWithValues: zip(ruleKeys, 0...))
        let sorted = sections.enumerated().sorted { left, right in
            (known[left.element.key] ?? ruleKeys.count, left.offset)
                < (known[right.element.key] ?? ruleKeys.count, right.offset)
        }
        return head + spaced(sorted.map(\.element)) + loose
    }

    /// A section that comes first has no blank line above it; one that moved from there gets none.
    private static func spaced(_ sections: [Section]) -> [String] {
        guard var first = sections.first else { return [] }
        while first.lines.first?.isEmpty == true { first.lines.removeFirst() }
        return first.lines + sections.dropFirst().flatMap(\.lines)
    }

    /// Parts what stands above the first key: the mode lines of editors and whatever a blank line sets apart
    /// belong to the file, the rest to the key.
    private static func heading(_ lines: [String]) -> (file: [String], key: [String]) {
        let blank = lines.lastIndex(of: "")
        let mode = lines.lastIndex { $0.hasPrefix("# yaml-language-server:") || $0.hasPrefix("---") }
        guard let end = [blank, mode].compactMap(\.self).max() else { return ([], lines) }
        return (Array(lines[...end]), Array(lines[(end + 1)...]))
    }

    /// The key of a line `key:` or `key: value` without indentation.
    private static func key(of line: String) -> String? {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        let name = line[..<colon]
        let isWord = name.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "_") }
        let rest = line[line.index(after: colon)...]
        return !name.isEmpty && isWord && (rest.isEmpty || rest.hasPrefix(" ")) ? String(name) : nil
    }
}
