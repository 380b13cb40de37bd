import EnrollmentCore

/// Reads the members of one mapping, and reports those nobody asked for.
struct MappingReader {
    let position: SourcePosition
    let faults: DiagnosticCollector
    private let values: [String: YAMLNode]
    private let name: String

    /// Nil, after reporting it, when `node` is not a mapping. Keys outside `known` are reported here: a
    /// misspelt key that narrows must never widen.
    init?(_ node: YAMLNode, named name: String, known: [String], _ faults: DiagnosticCollector) {
        guard let entries = node.entries else {
            faults.report(node.position, "`\(name)` must be a mapping, not \(node.kind)")
            return nil
        }
        self.name = name
        self.position = node.position
        self.faults = faults
        values = Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        for entry in entries where !known.contains(entry.key) {
            faults.report(
                entry.position, "unknown key `\(entry.key)` in `\(name)`",
                remedy: spellingRemedy(entry.key, among: known))
        }
    }

    /// The member, if it is there.
    subscript(key: String) -> YAMLNode? { values[key] }

    /// The member; nil after reporting that it is missing.
    func required(_ key: String, remedy: String? = nil) -> YAMLNode? {
        if let value = values[key] { return value }
        faults.report(position, "`\(key)` is missing from `\(name)`", remedy: remedy)
        return nil
    }

    func text(_ key: String) -> String? { required(key).flatMap { $0.text(key, faults) } }
    func duration(_ key: String) -> Int64? { required(key).flatMap { $0.duration(key, faults) } }
    func names(_ key: String) -> [String]? { required(key).flatMap { $0.names(key, faults) } }

    /// The member as a case of an enumeration with text raw values.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(_ key: String, of type: Choice.Type)
        -> Choice?
    {
        required(key).flatMap { $0.choice(key, of: type, faults) }
    }

    /// The member as a list of such cases, at least one.
    func choices<Choice: CaseIterable & RawRepresentable<String>>(
        _ key: String, of type: Choice.Type
    ) -> [Choice]? {
        guard let items = required(key).flatMap({ $0.items(key, faults) }) else { return nil }
        let found = items.compactMap { $0.choice(key, of: type, faults) }
        return found.count == items.count ? found : nil
    }
}

/// "did you mean `x`", or the list of what is known.
func spellingRemedy(_ word: String, among known: some Collection<String>) -> String {
    if let near = nearestSpelling(of: word, among: known) { return "did you mean `\(near)`?" }
    return known.isEmpty ? "none is declared" : "known: " + known.sorted().joined(separator: ", ")
}

extension YAMLNode {
    /// Text of 1 to 500 characters that YAML 1.2 would not read as something else.
    func text(_ name: String, _ faults: DiagnosticCollector) -> String? {
        guard case .scalar(let text, let isPlain) = content, !text.isEmpty, text.count <= 500 else {
            faults.report(position, "`\(name)` must be text of 1 to 500 characters, not \(kind)")
            return nil
        }
        if isPlain, Self.isNotText(text) {
            faults.report(
                position, "`\(name)` must be text, and `\(text)` is not", remedy: "write \"\(text)\"")
            return nil
        }
        return text
    }

    /// `true` or `false`, without quotes.
    func boolean(_ name: String, _ faults: DiagnosticCollector) -> Bool? {
        switch content {
        case .scalar("true", isPlain: true): return true
        case .scalar("false", isPlain: true): return false
        default:
            faults.report(position, "`\(name)` must be `true` or `false`")
            return nil
        }
    }

    /// A whole number of `range`, without quotes.
    func integer(_ name: String, in range: ClosedRange<Int64>, _ faults: DiagnosticCollector) -> Int64? {
        guard case .scalar(let text, isPlain: true) = content, let value = Int64(text), range.contains(value),
            !text.hasPrefix("+")
        else {
            faults.report(
                position, "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// Seconds of `30s`, `10m`, `4h` or `90d`; at most ten years.
    func duration(_ name: String, _ faults: DiagnosticCollector) -> Int64? {
        guard case .scalar(let text, _) = content, let unit = text.last else {
            faults.report(position, "`\(name)` must be a duration", remedy: "write 30s, 10m, 4h or 90d")
            return nil
        }
        let lengths: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let length = lengths[unit] else {
            let isNumber = Int64(text) != nil
            faults.report(
                position, isNumber ? "`\(name)` has no unit" : "`\(name)` is not a duration",
                remedy: isNumber
                    ? "write \(text)s, \(text)m, \(text)h or \(text)d" : "write 30s, 10m, 4h or 90d")
            return nil
        }
        let digits = text.dropLast()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.count <= 9,
            let count = Int64(digits), count > 0, count * length <= 3_650 * 86_400
        else {
            faults.report(position, "`\(name)` must be a whole positive duration of at most 3650d")
            return nil
        }
        return count * length
    }

    /// Midnight UTC at the start of a date `2027-03-31`.
    func date(_ name: String, _ faults: DiagnosticCollector) -> Timestamp? {
        if case .scalar(let text, _) = content, let instant = Timestamp(rfc3339: text + "T00:00:00Z") {
            return instant
        }
        faults.report(position, "`\(name)` must be a date", remedy: "write 2027-03-31")
        return nil
    }

    /// One of an enumeration's raw values.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ name: String, of type: Choice.Type, _ faults: DiagnosticCollector
    ) -> Choice? {
        guard let text = text(name, faults) else { return nil }
        if let value = Choice(rawValue: text) { return value }
        faults.report(
            position, "`\(name)` cannot be `\(text)`",
            remedy: spellingRemedy(text, among: Choice.allCases.map(\.rawValue)))
        return nil
    }

    /// The members of a list that is not empty and holds each once; a single value stands for a list of one.
    func items(_ name: String, _ faults: DiagnosticCollector) -> [YAMLNode]? {
        switch content {
        case .scalar: return [self]
        case .sequence(let items) where !items.isEmpty: return items
        case .sequence, .mapping:
            faults.report(position, "`\(name)` must be a list of at least one value")
            return nil
        }
    }

    /// A list of texts, none twice.
    func names(_ name: String, _ faults: DiagnosticCollector) -> [String]? {
        guard let items = items(name, faults) else { return nil }
        var seen: Set<String> = []
        var names: [String] = []
        for item in items {
            guard let text = item.text(name, faults) else { return nil }
            if seen.insert(text).inserted {
                names.append(text)
            } else {
                faults.report(item.position, "`\(text)` is listed twice", remedy: "keep one of them")
            }
        }
        return names
    }

    /// What YAML 1.2's core schema, or YAML 1.1's habits, would read as a number, a boolean or null.
    private static func isNotText(_ text: String) -> Bool {
        switch text.lowercased() {
        case "true", "false", "yes", "no", "on", "off", "null", "~", ".nan", ".inf", "-.inf": return true
        default: return Double(text) != nil
        }
    }
}
