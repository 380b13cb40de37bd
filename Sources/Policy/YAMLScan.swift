/// Finds anchors, aliases, tags and too much nesting before a document is composed, so that no alias is ever
/// followed and no depth reached: one pass over the characters.
///
/// It tells tokens apart as the parser does. Where a file is no YAML at all the two may part ways, but only
/// after the place at which the parser gives up.
struct YAMLScan {
    /// Mappings and lists within each other.
    static let maximumDepth = 16
    /// Findings after which there is no use in looking on.
    private static let enough = 4

    private let file: String
    private let text: [Unicode.Scalar]
    private let faults: DiagnosticCollector
    private var index = 0
    private var line = 1
    private var lineStart = 0
    private var flowDepth = 0
    /// Columns, from 0, of the block mappings and lists that are open.
    private var blocks: [Int] = []
    /// Whether what comes next begins a value or a key, rather than going on with one.
    private var expectsNode = true
    /// Whether that is text without quotes, which goes on over the end of a line.
    private var isInPlain = false
    /// Where the last value began, which becomes a mapping's column if a colon follows.
    private var nodeColumn = 0
    private var findings = 0

    /// Whether the text may be composed; what speaks against it is reported.
    static func isClean(_ text: String, file: String, _ faults: DiagnosticCollector) -> Bool {
        var scan = YAMLScan(file: file, text: Array(text.unicodeScalars), faults)
        return scan.run()
    }

    private init(file: String, text: [Unicode.Scalar], _ faults: DiagnosticCollector) {
        self.file = file
        self.text = text
        self.faults = faults
    }

    private var column: Int { index - lineStart }
    private var innermost: Int { blocks.last ?? -1 }

    private func scalar(_ offset: Int = 0) -> Unicode.Scalar? {
        text.indices.contains(index + offset) ? text[index + offset] : nil
    }

    private func isBlank(_ offset: Int) -> Bool {
        switch scalar(offset) {
        case nil, " ", "\n": return true
        default: return false
        }
    }

    private mutating func report(_ message: String, remedy: String) {
        findings += 1
        faults.report(
            SourcePosition(file: file, line: line, column: column + 1), message, remedy: remedy)
    }

    private mutating func run() -> Bool {
        while let next = scalar(), findings < Self.enough {
            if next == "\n" {
                endLine()
            } else if next == " " {
                index += 1
            } else if next == "#" {
                skipLine()
                isInPlain = false
            } else if column == 0, isDocumentMark {
                index += 3
                (flowDepth, blocks, expectsNode) = (0, [], true)
            } else {
                token(next)
            }
            guard blocks.count + flowDepth <= Self.maximumDepth else {
                report("nested too deep", remedy: "at most \(Self.maximumDepth) levels")
                return false
            }
        }
        return findings == 0
    }

    private var isDocumentMark: Bool {
        guard let mark = scalar(), mark == "-" || mark == "." else { return false }
        return scalar(1) == mark && scalar(2) == mark && isBlank(3)
    }

    private mutating func endLine() {
        index += 1
        line += 1
        lineStart = index
        // In a flow collection a value goes on over lines; elsewhere what stands further in than its block
        // goes on as well.
        guard flowDepth == 0, !expectsNode else { return }
        var ahead = 0
        while scalar(ahead) == " " { ahead += 1 }
        if ahead <= innermost, scalar(ahead) != "\n" { expectsNode = true }
    }

    private mutating func skipLine() {
        while let next = scalar(), next != "\n" { index += 1 }
    }

    private mutating func token(_ next: Unicode.Scalar) {
        if flowDepth == 0 {
            while innermost > column { blocks.removeLast() }
        }
        let goesOn = isInPlain && !expectsNode
        isInPlain = false
        if goesOn, next == ":", !isBlank(1) { return plain() }
        if isIndicator(next) { return indicator(next) }
        guard expectsNode else { return plain() }
        if flowDepth == 0 { nodeColumn = column }
        switch next {
        case "&":
            report("an anchor", remedy: "write the value out where it is needed")
            skipWord()
        case "*":
            report("an alias", remedy: "write the value out")
            skipWord()
            expectsNode = false
        case "!":
            report("a tag", remedy: "quote the value if it is text")
            skipWord()
        case "%" where column == 0:
            report("a directive", remedy: "remove the line")
            skipLine()
        case "\"", "'": quoted(by: next)
        case "|" where flowDepth == 0, ">" where flowDepth == 0: block()
        default: plain()
        }
    }

    private func isIndicator(_ next: Unicode.Scalar) -> Bool {
        switch next {
        case "[", "{": return expectsNode || flowDepth > 0
        case "]", "}", ",": return flowDepth > 0
        case "-": return expectsNode && isBlank(1)
        case "?": return expectsNode && (flowDepth > 0 || isBlank(1))
        case ":": return flowDepth > 0 || isBlank(1)
        default: return false
        }
    }

    private mutating func indicator(_ next: Unicode.Scalar) {
        switch next {
        case "[", "{":
            if flowDepth == 0 { nodeColumn = column }
            flowDepth += 1
            expectsNode = true
        case "]", "}":
            flowDepth -= 1
            expectsNode = false
        case ",": expectsNode = true
        default:
            // `-`, `?` and `:` open a block, unless one is open at that column.
            if flowDepth == 0 { open(at: next == ":" && !expectsNode ? nodeColumn : column) }
            expectsNode = true
        }
        index += 1
    }

    private mutating func open(at column: Int) {
        while innermost >= column { blocks.removeLast() }
        blocks.append(column)
    }

    /// To the end of the word; what follows still belongs to it.
    private mutating func skipWord() {
        while !isBlank(0), let next = scalar(), flowDepth == 0 || !",[]{}".unicodeScalars.contains(next) {
            index += 1
        }
    }

    /// To the end of what stands on this line.
    private mutating func plain() {
        expectsNode = false
        while let next = scalar(), next != "\n" {
            if next == ":", isBlank(1) { return }
            if next == " ", scalar(1) == "#" { return }
            if flowDepth > 0, ",[]{}".unicodeScalars.contains(next) { return }
            index += 1
        }
        isInPlain = true
    }

    private mutating func quoted(by quote: Unicode.Scalar) {
        index += 1
        expectsNode = false
        while let next = scalar() {
            index += 1
            if next == "\n" {
                line += 1
                lineStart = index
            } else if next == "\\", quote == "\"" {
                if scalar() != "\n" { index += 1 }
            } else if next == quote {
                guard quote == "'", scalar() == "'" else { return }
                index += 1
            }
        }
    }

    /// A text after `|` or `>`: the lines that stand as far in as its first one.
    private mutating func block() {
        expectsNode = false
        index += 1
        var indent: Int?
        while let next = scalar(), next != "\n", next != "#" {
            if ("1"..."9").contains(next) { indent = max(innermost, 0) + Int(next.value) - 0x30 }
            index += 1
        }
        skipLine()
        while scalar() != nil {
            var ahead = 1
            while scalar(ahead) == " " { ahead += 1 }
            let width = ahead - 1
            if scalar(ahead) != "\n", scalar(ahead) != nil {
                let wanted = indent ?? max(width, innermost + 1, 1)
                indent = wanted
                guard width >= wanted else { break }
            }
            index += 1
            line += 1
            lineStart = index
            skipLine()
        }
        expectsNode = true
    }
}
