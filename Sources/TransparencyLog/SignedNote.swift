/// A text and its signatures, none of which is verified yet (C2SP signed-note).
package struct SignedNote: Sendable, Hashable {
    /// Larger notes are refused.
    package static let maximumOctets = 1_000_000
    /// Notes with more signature lines are refused.
    package static let maximumSignatures = 100

    /// What is signed; its last octet is a newline.
    package let text: String
    /// At least one, in their order, those of unknown keys included.
    package let signatures: [NoteSignature]

    /// The arguments are within their limits.
    package init(text: String, signatures: [NoteSignature]) {
        self.text = text
        self.signatures = signatures
    }

    /// The text, an empty line, and the signature lines.
    package var encoded: String { text + "\n" + signatures.map { $0.line + "\n" }.joined() }

    /// Reads a note; what is read is written back as the same octets.
    ///
    /// - Throws: `LogFormatError` for one that is too large, has a control character, no text, no signature,
    ///   more than `maximumSignatures` or a line among them that is none.
    package init(parsing encoded: String) throws(LogFormatError) {
        guard encoded.utf8.count <= Self.maximumOctets else {
            throw LogFormatError("a note has at most \(Self.maximumOctets) octets")
        }
        let octets = Array(encoded.utf8)
        guard NoteText.isPlain(octets) else {
            throw LogFormatError("a note has no control characters but newlines")
        }
        // The last empty line is the one in front of the signatures.
        guard
            let empty = octets.indices.dropFirst().last(where: { octets[$0] == 10 && octets[$0 - 1] == 10 })
        else { throw LogFormatError("a note has an empty line in front of its signatures") }
        guard let lines = NoteText.lines(octets[(empty + 1)...]) else {
            throw LogFormatError("a note ends with a signature line and its newline")
        }
        guard lines.count <= Self.maximumSignatures else {
            throw LogFormatError("a note has at most \(Self.maximumSignatures) signatures")
        }
        var signatures: [NoteSignature] = []
        for line in lines { signatures.append(try NoteSignature(parsing: line)) }
        self.init(text: String(decoding: octets[..<empty], as: UTF8.self), signatures: signatures)
    }

    /// The text read as a checkpoint.
    ///
    /// - Throws: `LogFormatError` when it is none.
    package func checkpoint() throws(LogFormatError) -> Checkpoint { try Checkpoint(parsing: text) }
}
