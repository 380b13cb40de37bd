import EnrollmentCore

/// Reads the members of one mapping after holding them against its shape.
struct MappingReader {
    let position: SourcePosition
    let faults: DiagnosticCollector
    private let shape: MappingShape
    private let values: [String: YAMLNode]
    private let name: String

    /// Nil, after reporting it, when `node` is not a mapping. Reported here as well are keys that the shape
    /// does not have (a misspelt key that narrows must never widen), members that are missing or do not go
    /// together, and values that are not what they must be. Mappings within are left to readers of their own.
    ///
    /// - Parameter name: for messages, e.g. `owner`.
    init?(_ node: YAMLNode, named name: String, as shape: MappingShape, _ faults: DiagnosticCollector) {
        guard let entries = node.entries else {
            faults.report(node.position, "`\(name)` must be a mapping, not \(node.kind)")
            return nil
        }
        self.name = name
        self.position = node.position
        self.faults = faults
        self.shape = shape
        values = Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        for entry in entries {
            if let member = shape[entry.key] {
                member.value.check(entry.value, named: entry.key, faults)
            } else {
                faults.report(
                    entry.position, "unknown key `\(entry.key)` in `\(name)`",
                    remedy: spellingRemedy(entry.key, among: shape.keys))
            }
        }
        for member in shape.members where member.isRequired && values[member.key] == nil {
            reportMissing(member.key)
        }
        for term in shape.terms { check(term, entries) }
    }

    private func reportMissing(_ key: String, remedy: String? = nil) {
        faults.report(
            position, "`\(key)` is missing from `\(name)`",
            remedy: shape[key]?.remedy ?? remedy ?? shape[key]?.value.remedy(for: key))
    }

    private func check(_ term: MemberTerm, _ entries: [YAMLNode.Entry]) {
        switch term {
        case .exactlyOne(let keys):
            guard keys.count(where: { values[$0] != nil }) != 1 else { return }
            faults.report(position, "`\(name)` needs exactly one of " + keys.joined(separator: ", "))
        case .atMostOne(let keys):
            guard keys.count(where: { values[$0] != nil }) > 1 else { return }
            faults.report(position, "`\(name)` takes only one of " + keys.joined(separator: ", "))
        case .when(let key, let value, let needs, let oneOf, let refuses, let remedy):
            guard case .scalar(value, _) = values[key]?.content else { return }
            for needed in needs where values[needed] == nil { reportMissing(needed, remedy: remedy) }
            let strays = entries.filter { refuses.contains($0.key) }
            for stray in strays {
                faults.report(stray.position, "a \(value) rule has no `\(stray.key)`", remedy: remedy)
            }
            let given = oneOf.count(where: { values[$0] != nil })
            // Whoever wrote the wrong one was told.
            if !oneOf.isEmpty, given > 1 || given == 0 && strays.isEmpty {
                faults.report(
                    entries.last { oneOf.contains($0.key) }?.position ?? position,
                    "a \(value) rule needs exactly one of " + oneOf.joined(separator: " and "),
                    remedy: remedy)
            }
        }
    }

    /// Whether there is no member at all.
    var isEmpty: Bool { values.isEmpty }

    /// The member, if it is there.
    subscript(key: String) -> YAMLNode? { values[key] }

    // Each of these is nil when the member is not there, or not what its shape says: both were reported.

    func text(_ key: String) -> String? { values[key]?.text(key, faults) }
    func names(_ key: String) -> [String]? { values[key]?.names(key, faults) }
    func placedNames(_ key: String) -> [PlacedText]? { values[key]?.placedNames(key, faults) }
    func boolean(_ key: String) -> Bool? { values[key]?.boolean(key, faults) }
    func date(_ key: String) -> Timestamp? { values[key]?.date(key, faults) }

    func duration(_ key: String) -> Int64? {
        guard case .duration(let longest) = shape[key]?.value else { return nil }
        return values[key]?.duration(key, atMost: longest, faults)
    }

    func integer(_ key: String) -> Int64? {
        guard case .integer(let range) = shape[key]?.value else { return nil }
        return values[key]?.integer(key, in: range, faults)
    }

    /// The member as a case of an enumeration with text raw values.
    func choice<Choice: CaseIterable & RawRepresentable<String>>(_ key: String, of type: Choice.Type)
        -> Choice?
    {
        guard case .scalar(let text, _) = values[key]?.content else { return nil }
        return Choice(rawValue: text)
    }

    /// The member as a list of such cases, at least one.
    func choices<Choice: CaseIterable & RawRepresentable<String>>(
        _ key: String, of type: Choice.Type
    ) -> [Choice]? {
        guard let names = names(key) else { return nil }
        let found = names.compactMap(Choice.init(rawValue:))
        return found.count == names.count ? found : nil
    }

    /// A reader of the mapping within, which has the shape that this one's says.
    func mapping(_ key: String) -> MappingReader? {
        guard let node = values[key], case .mapping(let inner) = shape[key]?.value else { return nil }
        return MappingReader(node, named: key, as: inner, faults)
    }
}

extension ValueShape {
    /// What to write where a member of this shape is missing; nil where only its author can know.
    fileprivate func remedy(for key: String) -> String? {
        switch self {
        case .words(let words) where words.count == 1, .list(.words(let words)) where words.count == 1:
            return "write `\(key): \(words[0])`"
        case .words(let words): return "write one of " + words.joined(separator: ", ")
        case .list(.words(let words)): return "write some of " + words.joined(separator: ", ")
        case .integer(let range): return "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .duration: return "a duration, such as 30s, 10m, 4h or 90d"
        case .date: return "a date, such as 2027-03-31"
        case .instant: return "a time, such as 2027-03-31T12:00:00Z"
        case .boolean: return "write true or false"
        case .mapping(let shape):
            return "write `\(key):` with "
                + shape.members.filter(\.isRequired).map(\.key).joined(separator: ", ")
        case .text, .name, .only, .list, .openList, .sequence, .members, .either, .conditions, .anything:
            return nil
        }
    }

    /// Reports a value that is none of these. What is within mappings is left to their readers.
    func check(_ node: YAMLNode, named name: String, _ faults: DiagnosticCollector) {
        switch self {
        case .text, .name: _ = node.text(name, faults)
        case .duration(let longest): _ = node.duration(name, atMost: longest, faults)
        case .date: _ = node.date(name, faults)
        case .instant: _ = node.instant(name, faults)
        case .boolean: _ = node.boolean(name, faults)
        case .only(let value):
            guard let actual = node.boolean(name, faults), actual != value else { return }
            faults.report(
                node.position, "`\(name)` can only be \(value) here", remedy: "write `\(name): \(value)`")
        case .integer(let range): _ = node.integer(name, in: range, faults)
        case .words(let words): _ = node.word(name, among: words, faults)
        case .list(let item):
            for node in node.items(name, faults) ?? [] { item.check(node, named: name, faults) }
            _ = node.names(name, faults)
        case .openList(let item):
            if case .sequence(let items) = node.content, items.isEmpty { return }
            ValueShape.list(item).check(node, named: name, faults)
        case .sequence, .mapping, .members, .either, .conditions, .anything: return
        }
    }
}

/// A text of a file, and where it stands.
struct PlacedText {
    let text: String
    let position: SourcePosition
}

extension YAMLNode {
    /// Text of 1 to 500 characters that YAML 1.2 would not read as something else.
    func text(_ name: String, _ faults: DiagnosticCollector) -> String? {
        guard case .scalar(let text, let isPlain) = content, !text.isEmpty, text.unicodeScalars.count <= 500
        else {
            faults.report(position, "`\(name)` must be text of 1 to 500 characters, not \(kind)")
            return nil
        }
        guard !text.contains("\n") else {
            faults.report(
                position, "`\(name)` must be one line", remedy: "end it with `>-` instead of `>` or `|`")
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

    /// Seconds of `30s`, `10m`, `4h` or `90d`.
    func duration(_ name: String, atMost longest: Int64, _ faults: DiagnosticCollector) -> Int64? {
        guard case .scalar(let text, _) = content, let unit = text.last else {
            faults.report(position, "`\(name)` must be a duration", remedy: "write 30s, 10m, 4h or 90d")
            return nil
        }
        let lengths: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let digits = text.dropLast()
        guard let length = lengths[unit], digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            let isNumber = Int64(text) != nil
            faults.report(
                position, isNumber ? "`\(name)` has no unit" : "`\(name)` is not a duration",
                remedy: isNumber
                    ? "write \(text)s, \(text)m, \(text)h or \(text)d" : Self.durationRemedy(text))
            return nil
        }
        guard digits.count <= 9, let count = Int64(digits), count > 0, count * length <= longest else {
            let bound = longest < 3 * 86_400 ? "\(longest / 3_600)h" : "\(longest / 86_400)d"
            faults.report(position, "`\(name)` must be a whole positive duration of at most \(bound)")
            return nil
        }
        return count * length
    }

    /// How to write what somebody spelled out, such as `7 days`.
    private static func durationRemedy(_ text: String) -> String {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let word = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let units = [
            ("s", ["s", "sec", "secs", "second", "seconds"]),
            ("m", ["m", "min", "mins", "minute", "minutes"]),
            ("h", ["h", "hr", "hrs", "hour", "hours"]), ("d", ["d", "day", "days"]),
        ]
        guard (1...9).contains(digits.count), let unit = units.first(where: { $0.1.contains(word) })?.0 else {
            return "write 30s, 10m, 4h or 90d"
        }
        return "write \(digits)\(unit)"
    }

    /// Midnight UTC at the start of a date `2027-03-31`.
    func date(_ name: String, _ faults: DiagnosticCollector) -> Timestamp? {
        if case .scalar(let text, _) = content, let instant = Timestamp(rfc3339: text + "T00:00:00Z") {
            return instant
        }
        faults.report(position, "`\(name)` must be a date", remedy: "write 2027-03-31")
        return nil
    }

    /// A point in time `2027-03-31T12:00:00Z`.
    func instant(_ name: String, _ faults: DiagnosticCollector) -> Timestamp? {
        if case .scalar(let text, _) = content, let instant = Timestamp(rfc3339: text) { return instant }
        faults.report(position, "`\(name)` must be a time", remedy: "write 2026-11-22T12:00:00Z")
        return nil
    }

    /// One of a list of words.
    func word(_ name: String, among words: [String], _ faults: DiagnosticCollector) -> String? {
        // A word of the list is one, whatever else it could be read as: `mode: off`.
        if case .scalar(let text, _) = content, words.contains(text) { return text }
        guard let text = text(name, faults) else { return nil }
        faults.report(
            position, "`\(name)` cannot be `\(text)`",
            remedy: words.count == 1 ? "write `\(name): \(words[0])`" : spellingRemedy(text, among: words))
        return nil
    }

    /// The members of a list that is not empty and holds each once; a single value stands for a list of one.
    func items(_ name: String, _ faults: DiagnosticCollector) -> [YAMLNode]? {
        switch content {
        case .scalar: return [self]
        case .sequence(let items) where items.count > Self.longestList:
            faults.report(position, "`\(name)` has more than \(Self.longestList) values")
            return nil
        case .sequence(let items) where !items.isEmpty: return items
        case .sequence, .mapping:
            faults.report(position, "`\(name)` must be a list of at least one value")
            return nil
        }
    }

    /// How many values a list may have.
    static let longestList = 1_000

    /// A list of texts, none twice.
    func names(_ name: String, _ faults: DiagnosticCollector) -> [String]? {
        placedNames(name, faults)?.map(\.text)
    }

    /// A list of texts, none twice, and where each stands.
    func placedNames(_ name: String, _ faults: DiagnosticCollector) -> [PlacedText]? {
        guard let items = items(name, faults) else { return nil }
        var seen: Set<String> = []
        var names: [PlacedText] = []
        for item in items {
            guard let text = item.text(name, faults) else { return nil }
            if seen.insert(text).inserted {
                names.append(PlacedText(text: text, position: item.position))
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
