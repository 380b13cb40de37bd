import Yams

/// A YAML value with its place: scalars as written, nothing resolved, nothing shared.
struct YAMLNode: Sendable {
    struct Entry: Sendable {
        let key: String
        let position: SourcePosition
        let value: YAMLNode
    }

    indirect enum Content: Sendable {
        /// `isPlain` when written without quotes, so that it may be a number, a boolean or null.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    let position: SourcePosition
    let content: Content

    var entries: [Entry]? {
        if case .mapping(let entries) = content { return entries }
        return nil
    }

    subscript(key: String) -> YAMLNode? { entries?.first { $0.key == key }?.value }

    /// For messages: "a mapping", "a list", "text".
    var kind: String {
        switch content {
        case .scalar("", isPlain: true): return "nothing"
        case .scalar: return "a single value"
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        }
    }
}

/// Reads the part of YAML 1.2 in which a file means what it looks like: one document of mappings, lists and
/// scalars. Anchors, aliases, tags, merge keys, duplicate keys, tabs and control characters are refused.
struct StrictYAML {
    private let file: String
    private let lines: [Substring.UnicodeScalarView]
    private let faults: DiagnosticCollector

    /// The one document of a file; nil after reporting why there is none.
    static func parse(_ file: BundleFile, _ faults: DiagnosticCollector) -> YAMLNode? {
        guard file.bytes.count <= BundleFile.maximumSize else {
            faults.report(file: file.path, "larger than 1 MiB", remedy: "split it")
            return nil
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            faults.report(file: file.path, "not UTF-8 text")
            return nil
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(\.unicodeScalars)
        return StrictYAML(file: file.path, lines: lines, faults: faults).parse(text)
    }

    private func parse(_ text: String) -> YAMLNode? {
        guard charactersAreAcceptable() else { return nil }
        do {
            let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else {
                faults.report(file: file, "the file is empty")
                return nil
            }
            return convert(root, depth: 0)
        } catch let error as YamlError {
            report(error)
        } catch {
            faults.report(file: file, "not YAML")
        }
        return nil
    }

    private func charactersAreAcceptable() -> Bool {
        for (number, line) in lines.enumerated() {
            guard let (column, scalar) = line.enumerated().first(where: { !Self.isAcceptable($0.element) })
            else {
                continue
            }
            let position = SourcePosition(file: file, line: number + 1, column: column + 1)
            switch scalar {
            case "\t": faults.report(position, "a tab", remedy: "indent with spaces")
            case "\r":
                faults.report(position, "a carriage return", remedy: "end lines with a line feed alone")
            default: faults.report(position, "a control or invisible character", remedy: "remove it")
            }
            return false
        }
        return true
    }

    /// Refuses controls, and the marks that make text look like something it is not (bidirectional overrides,
    /// zero-width characters, the byte order mark).
    private static func isAcceptable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: return false
        default: return true
        }
    }

    private func report(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            faults.report(position(mark), "not YAML: \(problem)")
        case .composer(_, let problem, let mark, _):
            let several = problem.contains("another document")
            faults.report(
                position(mark), several ? "a second document" : problem,
                remedy: several ? "one document a file" : "write the value out")
        case .duplicatedKeysInMapping(let keys, let context):
            let name = keys.first ?? ""
            faults.report(
                position(context.mark), "the key `\(name)` is given twice", remedy: "keep one of them")
        default: faults.report(file: file, "not YAML")
        }
    }

    private func position(_ mark: Mark?) -> SourcePosition {
        SourcePosition(file: file, line: mark?.line ?? 0, column: mark?.column ?? 0)
    }

    private func convert(_ node: Node, depth: Int) -> YAMLNode? {
        let place = position(node.mark)
        guard depth <= 16 else {
            faults.report(place, "nested too deep")
            return nil
        }
        guard standsAlone(place) else { return nil }
        switch node {
        case .scalar(let scalar):
            return YAMLNode(
                position: place, content: .scalar(scalar.string, isPlain: scalar.style == .plain))
        case .sequence(let sequence):
            let values = sequence.map { convert($0, depth: depth + 1) }
            return YAMLNode(position: place, content: .sequence(values.compactMap(\.self)))
        case .mapping(let mapping):
            let entries = mapping.compactMap { convert(key: $0.key, value: $0.value, depth: depth) }
            return YAMLNode(position: place, content: .mapping(entries))
        case .alias:
            faults.report(place, "an alias", remedy: "write the value out")
            return nil
        }
    }

    private func convert(key: Node, value: Node, depth: Int) -> YAMLNode.Entry? {
        let place = position(key.mark)
        guard standsAlone(place) else { return nil }
        guard case .scalar(let scalar) = key else {
            faults.report(place, "a key that is not a word")
            return nil
        }
        guard scalar.string != "<<" else {
            faults.report(place, "a merge key", remedy: "write the values out")
            return nil
        }
        return convert(value, depth: depth + 1).map { .init(key: scalar.string, position: place, value: $0) }
    }

    /// A node that carries a tag or an anchor, or that an alias repeats, starts with that indicator: a plain
    /// scalar cannot, so the first character tells.
    private func standsAlone(_ place: SourcePosition) -> Bool {
        guard lines.indices.contains(place.line - 1) else { return true }
        switch lines[place.line - 1].dropFirst(place.column - 1).first {
        case "&": faults.report(place, "an anchor", remedy: "write the value out where it is needed")
        case "*": faults.report(place, "an alias", remedy: "write the value out")
        case "!": faults.report(place, "a tag", remedy: "quote the value if it is text")
        default: return true
        }
        return false
    }
}
