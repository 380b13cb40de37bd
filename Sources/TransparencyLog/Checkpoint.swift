package import EnrollmentCore

/// What a log says of its tree: the text of a checkpoint's note (C2SP tlog-checkpoint).
package struct Checkpoint: Sendable, Hashable {
    /// The unique name of the log: a line that is not empty.
    package let origin: String
    /// Leaves of the tree.
    package let size: Int64
    /// The root of the tree.
    package let root: Digest
    /// Lines that are not empty and mean nothing to us.
    package let extensionLines: [String]

    /// The arguments are within their limits.
    package init(origin: String, size: Int64, root: Digest, extensionLines: [String] = []) {
        self.origin = origin
        self.size = size
        self.root = root
        self.extensionLines = extensionLines
    }

    /// Each line with a newline behind it.
    package var text: String {
        ([origin, String(size), Base64.encode(root.bytes)] + extensionLines).map { $0 + "\n" }.joined()
    }

    /// Reads a note's text; what is read is written back as the same text.
    ///
    /// - Throws: `LogFormatError` for an empty line, a size beyond 2^63 - 1 or not in plain decimal, or a
    ///   root that is not 32 octets in canonical base64.
    package init(parsing text: String) throws(LogFormatError) {
        guard var lines = NoteText.lines(text.utf8), lines.count >= 3 else {
            throw LogFormatError("a checkpoint has three lines, each with a newline behind it")
        }
        guard lines.allSatisfy({ !$0.isEmpty }) else {
            throw LogFormatError("a checkpoint has no empty line")
        }
        guard let size = Decimal64.parse(lines[1]) else {
            throw LogFormatError("a checkpoint's second line is the tree size in decimal")
        }
        guard let root = Base64.decode(lines[2].utf8).flatMap(Digest.init(bytes:)) else {
            throw LogFormatError("a checkpoint's third line is the root hash in base64")
        }
        let origin = lines[0]
        lines.removeFirst(3)
        self.init(origin: origin, size: size, root: root, extensionLines: lines)
    }
}
