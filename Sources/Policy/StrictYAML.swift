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
        case .scalar("", _): return "nothing"
        case .scalar(let text, _): return text.unicodeScalars.count > 500 ? "more" : "a single value"
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        }
    }
}

/// Reads the part of YAML 1.2 in which a file means what it looks like: one document of mappings, lists and
/// scalars. Anchors, aliases, tags, merge keys, duplicate keys, tabs and control characters are refused.
struct StrictYAML {
    private let file: String
    private let faults: DiagnosticCollector

    /// The one document of a file; nil after reporting why there is none.
    static func parse(_ file: BundleFile, _ faults: DiagnosticCollector) -> YAMLNode? {
        guard file.bytes.count <= BundleFile.maximumSize else {
            faults.report(file: file.path, "larger than 1 MiB", remedy: "split it")
            return nil
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            faults.report(endOfText(file), "not UTF-8 text")
            return nil
        }
        return StrictYAML(file: file.path, faults: faults).parse(text)
    }

    /// Where the first octet stands that belongs to no character.
    private static func endOfText(_ file: BundleFile) -> SourcePosition {
        var (line, column) = (1, 1)
        var decoder = UTF8()
        var octets = file.bytes.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&octets) {
            (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
        }
        return SourcePosition(file: file.path, line: line, column: column)
    }

    private func parse(_ text: String) -> YAMLNode? {
        guard charactersAreAcceptable(text), YAMLScan.isClean(text, file: file, faults) else { return nil }
        do {
            let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else {
                faults.report(file: file, "the file is empty")
                return nil
            }
            return convert(root)
        } catch let error as YamlError {
            report(error)
        } catch {
            faults.report(file: file, "not YAML")
        }
        return nil
    }

    private func charactersAreAcceptable(_ text: String) -> Bool {
        var (line, column) = (1, 1)
        for scalar in text.unicodeScalars {
            if scalar == "\n" {
                (line, column) = (line + 1, 1)
                continue
            }
            guard Self.isAcceptable(scalar) else {
                report(scalar, at: SourcePosition(file: file, line: line, column: column))
                return false
            }
            column += 1
        }
        return true
    }

    private func report(_ scalar: Unicode.Scalar, at position: SourcePosition) {
        switch scalar {
        case "\t": faults.report(position, "a tab", remedy: "indent with spaces")
        case "\r": faults.report(position, "a carriage return", remedy: "end lines with a line feed alone")
        default:
            let code = String(scalar.value, radix: 16, uppercase: true)
            let name = "U+" + String(repeating: "0", count: max(0, 4 - code.count)) + code
            faults.report(position, "a control or invisible character, \(name)", remedy: "remove it")
        }
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
            let isColon = problem.hasPrefix("mapping values")
            faults.report(
                position(mark), "not YAML: \(problem)",
                remedy: isColon ? "quote text that holds a colon" : nil)
        case .composer(_, let problem, let mark, _):
            let isAlias = problem.contains("alias")
            faults.report(
                position(mark), isAlias ? "an overlooked alias" : "a second document",
                remedy: isAlias ? "write the value out" : "one document a file")
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

    /// The value; nil after reporting something in it, since what is left of a file would be misread.
    private func convert(_ node: Node) -> YAMLNode? {
        let place = position(node.mark)
        // The scan is to have seen it. Should it ever not, nothing is taken from it.
        guard node.anchor == nil else {
            faults.report(place, "an overlooked anchor", remedy: "write the value out where it is needed")
            return nil
        }
        switch node {
        case .scalar(let scalar):
            guard isAcceptable(scalar, place) else { return nil }
            return YAMLNode(
                position: place, content: .scalar(scalar.string, isPlain: scalar.style == .plain))
        case .sequence(let sequence):
            let items = sequence.map(convert).compactMap(\.self)
            guard items.count == sequence.count else { return nil }
            return YAMLNode(position: place, content: .sequence(items))
        case .mapping(let mapping):
            let entries = mapping.map(convert).compactMap(\.self)
            guard entries.count == mapping.count else { return nil }
            return YAMLNode(position: place, content: .mapping(entries))
        case .alias:
            faults.report(place, "an overlooked alias", remedy: "write the value out")
            return nil
        }
    }

    /// Whether no escape stands for what may not be written.
    private func isAcceptable(_ scalar: Node.Scalar, _ place: SourcePosition) -> Bool {
        guard
            let stranger = scalar.string.unicodeScalars.first(where: { $0 != "\n" && !Self.isAcceptable($0) })
        else { return true }
        report(stranger, at: place)
        return false
    }

    private func convert(key: Node, value: Node) -> YAMLNode.Entry? {
        let place = position(key.mark)
        guard case .scalar(let scalar) = key else {
            faults.report(place, "a key that is not a word")
            return nil
        }
        guard isAcceptable(scalar, place) else { return nil }
        guard scalar.string != "<<" else {
            faults.report(place, "a merge key", remedy: "write the values out")
            return nil
        }
        return convert(value).map { .init(key: scalar.string, position: place, value: $0) }
    }
}
