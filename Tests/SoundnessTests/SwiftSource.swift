/// A Swift file with a second reading in which comments and the contents of strings are blanks, so that a
/// search for code finds code. Code inside string interpolations stays.
struct SwiftSource {
    let path: String
    /// As written.
    let lines: [String]
    /// The same lines, code only.
    let code: [String]

    init(_ file: TextFile) { self.init(path: file.path, text: file.lines.joined(separator: "\n")) }

    init(path: String, text: String) {
        self.path = path
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var blanker = CommentAndStringBlanker(Array(text.utf8))
        let code = blanker.blanked()
        self.code = code.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The target whose folder holds the file: `Sources/<target>/…` or `Tests/<target>/…`.
    var target: String? {
        let parts = path.split(separator: "/")
        guard parts.count > 2, parts[0] == "Sources" || parts[0] == "Tests" else { return nil }
        return String(parts[1])
    }

    /// A finding for every line of code in which `isFault` sees a message.
    func findings(where message: (String) -> String?) -> [Finding] {
        zip(1..., code).compactMap { number, line in
            message(line).map { Finding(file: path, line: number, message: $0) }
        }
    }

    /// Whether a comment inside the function around line `number`, up to that line, or right above the
    /// function, has `tag`.
    func isExplained(functionAround number: Int, by tag: String) -> Bool {
        let head = code[..<number].lastIndex { line in
            line.containsWord("func") || line.containsWord("init(") || line.containsWord("init?(")
        }
        guard let head else { return isExplained(line: number, by: tag) }
        return lines[head..<number].contains { $0.contains(tag) } || isExplained(line: head + 1, by: tag)
    }

    /// Whether the comment right above line `number` (counted from 1), or on it, starts with `tag`.
    func isExplained(line number: Int, by tag: String) -> Bool {
        if lines[number - 1].contains(tag) { return true }
        var index = number - 2
        while lines.indices.contains(index) {
            let line = lines[index].trimmed
            guard line.hasPrefix("//") else { return false }
            if line.contains(tag) { return true }
            index -= 1
        }
        return false
    }
}

/// Replaces comments and string contents by blanks, keeping every line break.
private struct CommentAndStringBlanker {
    private var bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func blanked() -> String {
        code(insideInterpolation: false)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func byte(_ offset: Int = 0) -> UInt8 {
        bytes.indices.contains(index + offset) ? bytes[index + offset] : 0
    }

    private func sees(_ text: String) -> Bool {
        zip(0..., text.utf8).allSatisfy { byte($0) == $1 }
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where index < bytes.count {
            if bytes[index] != UInt8(ascii: "\n") { bytes[index] = UInt8(ascii: " ") }
            index += 1
        }
    }

    private mutating func code(insideInterpolation: Bool) {
        var depth = 0
        while index < bytes.count {
            if sees("//") {
                while index < bytes.count, byte() != UInt8(ascii: "\n") { blank() }
            } else if sees("/*") {
                blockComment()
            } else if let hashes = stringOpening() {
                string(hashes: hashes)
            } else {
                if byte() == UInt8(ascii: "(") { depth += 1 }
                if byte() == UInt8(ascii: ")") {
                    if insideInterpolation, depth == 0 { return }
                    depth -= 1
                }
                index += 1
            }
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if sees("/*") {
                depth += 1
                blank(2)
            } else if sees("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && index < bytes.count
    }

    /// The number of `#` before a quotation mark that opens a string here; nil when none does.
    private func stringOpening() -> Int? {
        var hashes = 0
        while byte(hashes) == UInt8(ascii: "#") { hashes += 1 }
        return byte(hashes) == UInt8(ascii: "\"") ? hashes : nil
    }

    private mutating func string(hashes: Int) {
        index += hashes
        let isMultiline = sees("\"\"\"")
        let pounds = String(repeating: "#", count: hashes)
        let closing = (isMultiline ? "\"\"\"" : "\"") + pounds
        index += isMultiline ? 3 : 1
        while index < bytes.count {
            if sees(closing) {
                index += closing.utf8.count
                return
            }
            if !isMultiline, byte() == UInt8(ascii: "\n") { return }
            if sees("\\" + pounds + "(") {
                index += 2 + hashes
                code(insideInterpolation: true)
                index += 1
            } else if sees("\\" + pounds) {
                blank(2 + hashes)
            } else {
                blank()
            }
        }
    }
}

extension StringProtocol {
    var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// Words: maximal runs of letters, digits and underscores.
    var words: [String] { String(self).split(whereSeparator: { !$0.isWordCharacter }).map(String.init) }

    /// Whether `text` occurs with no word character right before it, and none right after it when it ends
    /// in one itself.
    func containsWord(_ text: String) -> Bool { !offsets(ofWord: text).isEmpty }

    /// Character offsets at which `containsWord` holds.
    func offsets(ofWord text: String) -> [Int] {
        let line = Array(self)
        let wanted = Array(text)
        guard let last = wanted.last, line.count >= wanted.count else { return [] }
        return (0...(line.count - wanted.count)).filter { start in
            let end = start + wanted.count
            return line[start..<end].elementsEqual(wanted)
                && !(start > 0 && line[start - 1].isWordCharacter)
                && !(last.isWordCharacter && end < line.count && line[end].isWordCharacter)
        }
    }
}

extension Character {
    var isWordCharacter: Bool { isLetter || isNumber || self == "_" }
}
