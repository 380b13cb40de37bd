import Policy

/// Texts that stand for all texts, as far as a set of constants and globs can tell them apart.
///
/// A text's matches depend on the longest of the globs' prefixes that it starts with, the longest of their
/// suffixes that it ends with, and, when these overlap in it, on the overlap. All combinations are made.
struct TextWitnesses {
    /// Texts that no constant and no glob tells apart: several, or the only one of its kind.
    struct Kind {
        let texts: [String]
    }

    private let constants: [String]
    private let globs: [Glob]
    /// How many different texts each kind should have where it has several at all.
    private let variants: Int

    init(constants: Set<String>, globs: Set<Glob>, variants: Int) {
        self.constants = constants.sorted()
        self.globs = globs.sorted { $0.text < $1.text }
        self.variants = variants
    }

    /// Every kind at least once, those with several texts first, "none of the constants, no glob" before all.
    func kinds() throws(AnalysisLimit) -> [Kind] {
        let prefixes = Self.parts(globs.map(\.prefix))
        let suffixes = Self.parts(globs.map(\.suffix))
        guard prefixes.count * suffixes.count <= AnalysisLimit.maximumCells else {
            throw .cells(AnalysisLimit.maximumCells)
        }
        let heads = try prefixes.map { prefix throws(AnalysisLimit) in
            try Self.filler(preferring: "other-") { filler in
                let start = prefix + filler
                return (prefixes + constants).allSatisfy { other in
                    other == prefix || !other.hasPrefix(prefix)
                        || !(other.hasPrefix(start) || start.hasPrefix(other))
                }
            }
        }
        let tails = try suffixes.map { suffix throws(AnalysisLimit) in
            try Self.filler(preferring: "x") { filler in
                let end = filler + suffix
                return suffixes.allSatisfy { other in
                    other == suffix || !other.hasSuffix(suffix)
                        || !(other.hasSuffix(end) || end.hasSuffix(other))
                }
            }
        }
        var several: [Kind] = []
        var single: [String] = []
        for (prefix, head) in zip(prefixes, heads) {
            for (suffix, tail) in zip(suffixes, tails) {
                several.append(
                    Kind(texts: (1...max(variants, 1)).map { "\(prefix)\(head)\($0)\(tail)\(suffix)" }))
                single += Self.joints(prefix, suffix)
            }
        }
        return several + (constants + single).map { Kind(texts: [$0]) }
    }

    /// The empty text and the others, sorted.
    private static func parts(_ parts: [[UInt8]]) -> [String] {
        Set(parts.map { String(decoding: $0, as: UTF8.self) } + [""]).sorted()
    }

    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789").reversed().map(String.init)

    /// A text, short, of which `isFresh` says that no constant or glob mistakes it for a part of its own.
    private static func filler(
        preferring first: String, _ isFresh: (String) -> Bool
    ) throws(AnalysisLimit) -> String {
        if isFresh(first) { return first }
        if let found = alphabet.first(where: isFresh) { return found }
        for first in alphabet {
            for second in alphabet where isFresh(first + second) { return first + second }
        }
        throw .cells(AnalysisLimit.maximumCells)
    }

    /// Prefix and suffix without anything between them, and with as much in common as they can have.
    private static func joints(_ prefix: String, _ suffix: String) -> [String] {
        let (head, tail) = (Array(prefix.utf8), Array(suffix.utf8))
        return (0...min(head.count, tail.count)).compactMap { common in
            let text = head + tail.dropFirst(common)
            guard !text.isEmpty, head.suffix(common).elementsEqual(tail.prefix(common)) else { return nil }
            return String(decoding: text, as: UTF8.self)
        }
    }
}
