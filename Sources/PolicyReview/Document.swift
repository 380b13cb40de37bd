/// A short document, written as Markdown or as plain text.
package struct Document: Sendable, Hashable {
    /// A piece of it.
    enum Block: Sendable, Hashable {
        /// From 1, the title.
        case heading(Int, Prose)
        case paragraph(Prose)
        /// From depth 0.
        case item(Int, Prose)
        case table([Prose], [[Prose]])
    }

    var blocks: [Block] = []

    mutating func heading(_ level: Int, _ text: Prose) { blocks.append(.heading(level, text)) }
    mutating func paragraph(_ text: Prose) { blocks.append(.paragraph(text)) }
    mutating func item(_ text: Prose, depth: Int = 0) { blocks.append(.item(depth, text)) }
    mutating func table(_ head: [Prose], _ rows: [[Prose]]) { blocks.append(.table(head, rows)) }

    /// The whole, with a final line feed. Plain text is wrapped at 96 columns; its tables are lists.
    package func string(_ form: Prose.Form) -> String {
        var output = ""
        var previous: Block?
        for block in blocks {
            if let previous, !(previous.isItem && block.isItem) { output += "\n" }
            output += form == .markdown ? Self.markdown(block) : Self.text(block)
            previous = block
        }
        return output
    }

    private static func markdown(_ block: Block) -> String {
        switch block {
        case .heading(let level, let text):
            return String(repeating: "#", count: level) + " " + text.string(.markdown) + "\n"
        case .paragraph(let text): return text.string(.markdown) + "\n"
        case .item(let depth, let text):
            return String(repeating: "  ", count: depth) + "- " + text.string(.markdown) + "\n"
        case .table(let head, let rows):
            func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
            func cells(_ row: [Prose]) -> [String] { row.map { cell($0.string(.markdown)) } }
            return line(cells(head)) + line(head.map { _ in "---" }) + rows.map { line(cells($0)) }.joined()
        }
    }

    /// A bar ends a cell even in a code span, unless a backslash stands before it.
    private static func cell(_ text: String) -> String {
        text.replacing("\\|", with: "|").replacing("|", with: "\\|")
    }

    private static func text(_ block: Block) -> String {
        switch block {
        case .heading(let level, let text):
            let line = text.string(.text)
            guard level < 3 else { return line + "\n" }
            return line + "\n" + String(repeating: level == 1 ? "=" : "-", count: line.count) + "\n"
        case .paragraph(let text): return wrapped(text.string(.text), "", "")
        case .item(let depth, let text):
            let indent = String(repeating: "  ", count: depth)
            return wrapped(text.string(.text), indent + "- ", indent + "  ")
        case .table(let head, let rows):
            return rows.map { row in
                let cells = zip(head, row).filter { !$1.isEmpty }.map { name, cell in
                    "\(name.string(.text)): \(cell.string(.text))"
                }
                return wrapped(cells.joined(separator: "; ") + ".", "- ", "  ")
            }
            .joined()
        }
    }

    private static func wrapped(_ text: String, _ first: String, _ indent: String) -> String {
        var lines: [String] = []
        var line = first
        var isBlank = true
        for word in text.split(separator: " ") {
            if !isBlank, line.count + 1 + word.count > 96 {
                lines.append(line)
                (line, isBlank) = (indent, true)
            }
            line += (isBlank ? "" : " ") + word
            isBlank = false
        }
        return (lines + [line]).joined(separator: "\n") + "\n"
    }
}

extension Document.Block {
    fileprivate var isItem: Bool { if case .item = self { true } else { false } }
}
