/// A sentence of ours with words of others in it: what a bundle's authors wrote, and what devices and clients
/// said. Each kind is written so that it stays text, in Markdown and on a terminal.
package struct Prose: Sendable, Hashable, ExpressibleByStringInterpolation {
    fileprivate enum Run: Sendable, Hashable {
        /// Ours, as it is.
        case own(String)
        /// From a bundle: people reviewed it, and it may hold any visible character.
        case policy(String)
        /// From outside: it may hold anything.
        case seen(String)
    }

    /// How a document is written.
    package enum Form: String, Sendable, Hashable, CaseIterable { case markdown, text }

    /// The longest value from outside that is shown, in characters.
    static let longestSeen = 200

    private var runs: [Run]

    package init(stringLiteral value: String) { runs = [.own(value)] }
    package init(stringInterpolation: Interpolation) { runs = stringInterpolation.runs }
    private init(_ run: Run) { runs = [run] }

    /// Words of a bundle.
    static func policy(_ text: String) -> Prose { Prose(.policy(text)) }
    /// A value from outside.
    static func seen(_ text: String) -> Prose { Prose(.seen(text)) }

    /// Collects the pieces of an interpolation: plain strings are a bundle's words.
    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var runs: [Run] = []
        package init(literalCapacity: Int, interpolationCount: Int) {}
        /// Words of ours.
        package mutating func appendLiteral(_ literal: String) { runs.append(.own(literal)) }
        /// Words of a bundle.
        package mutating func appendInterpolation(_ text: String) { runs.append(.policy(text)) }
        /// A sentence, as it is.
        package mutating func appendInterpolation(_ prose: Prose) { runs += prose.runs }
        /// A number.
        package mutating func appendInterpolation(_ number: Int) { runs.append(.own(String(number))) }
        /// A value from outside.
        package mutating func appendInterpolation(seen text: String) { runs.append(.seen(text)) }
    }

    static func + (left: Prose, right: Prose) -> Prose {
        var sum = left
        sum.runs += right.runs
        return sum
    }

    /// Whether nothing is in it.
    var isEmpty: Bool { string(.text).isEmpty }

    /// The sentence beginning with a capital letter, where it begins with words of ours.
    var capitalised: Prose {
        guard case .own(let text) = runs.first, let first = text.first else { return self }
        var copy = self
        copy.runs[0] = .own(first.uppercased() + text.dropFirst())
        return copy
    }

    /// As it is written. It holds no line feed and no other control character.
    package func string(_ form: Form) -> String {
        runs.map { run in
            switch (run, form) {
            case (.own(let text), _): return text
            case (.policy(let text), .text): return Self.visible(text)
            case (.policy(let text), .markdown): return Self.escaped(Self.visible(text))
            case (.seen(let text), _): return Self.code(text)
            }
        }
        .joined()
    }

    /// Nothing but a backtick ends a code span, and within it no other mark means anything.
    private static func code(_ text: String) -> String {
        let visible = visible(text).replacing("`", with: "·")
        let short = visible.count > longestSeen ? visible.prefix(longestSeen) + "…" : visible[...]
        let trimmed = short.allSatisfy { $0 == " " } ? "·" : String(short)
        return "`" + trimmed + "`"
    }

    /// A middle dot stands for each character that cannot be seen or that reorders the others.
    private static func visible(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                output += "·"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    /// With a backslash before what Markdown would take as a mark; an underscore within a word is none.
    private static func escaped(_ text: String) -> String {
        let characters = Array(text)
        var output = ""
        for (index, character) in characters.enumerated() {
            let isMark: Bool
            switch character {
            case "\\", "`", "*", "[", "]", "<", ">", "~", "&", "|", "#": isMark = true
            case "_":
                let neighbours = [index - 1, index + 1].map {
                    characters.indices.contains($0) && characters[$0].isWordPart
                }
                isMark = neighbours.contains(false)
            default: isMark = false
            }
            output += (isMark ? "\\" : "") + String(character)
        }
        return output
    }
}

extension Character {
    fileprivate var isWordPart: Bool { isLetter || isNumber }
}

extension [Prose] {
    /// `a`, `a and b`, `a, b and c`, with the last two joined by `last`.
    func list(_ last: Prose = " and ") -> Prose {
        guard let final = self.last else { return "" }
        guard count > 1 else { return final }
        return dropLast().joined(", ") + last + final
    }
}

extension Collection<Prose> {
    /// One after the other with `separator` between.
    func joined(_ separator: Prose) -> Prose {
        guard let first else { return "" }
        return dropFirst().reduce(first) { $0 + separator + $1 }
    }
}
