import EnrollmentCore
package import TransparencyLog

/// One file that only grows, as a repository that refuses force-pushes or an append-only mount keeps it.
///
/// Each checkpoint is its signed note, exactly as it is encoded, and an empty line. Paragraphs (what stands
/// between empty lines) therefore alternate: a checkpoint's text, then the lines of its signatures, which are
/// the only ones that begin with an em dash. A note that an interrupted write left incomplete is closed by
/// the line `~ interrupted` before the next one; a reader skips what is not text followed by signatures.
package actor AppendFilePublication: CheckpointPublication {
    package nonisolated let name: String
    private let path: String
    private let key: NoteVerifierKey
    private var notes: GrowingNotes
    private static let interrupted = Array("\n~ interrupted\n\n".utf8)

    /// - Parameters:
    ///   - name: what people call it.
    ///   - path: made when it is not there; of one origin, for good.
    ///   - key: the log's.
    package init(name: String, path: String, key: NoteVerifierKey) {
        self.name = name
        self.path = path
        self.key = key
        notes = GrowingNotes(path: path, key: key)
    }

    package func publish(_ note: SignedNote, tiles: any TileReader) async throws(PublicationError) {
        let checkpoint = try note.checkpoint(signedBy: key, in: "what came for \(path)")
        let known = try notes.read().largest
        guard !notes.hasCarriageReturns else {
            throw .conflict(
                "\(path) has lines that end with CR LF, as git's autocrlf writes them; give it back its own, "
                    + "which end with LF, and keep it from being converted")
        }
        if let kept = try known?.publishable() {
            if checkpoint.size < kept.size { return }
            try await checkpoint.mustContinue(kept, in: path, tiles: tiles)
            if checkpoint.size == kept.size { return }
            guard try notes.read().largest == known else { throw .failed("\(path) has grown meanwhile") }
        }
        let end = try DurableFile.tail(path, most: 2)?.octets ?? []
        let isWhole = end.isEmpty || end == [10, 10]
        try DurableFile.append(path, (isWhole ? [] : Self.interrupted) + Array(note.encoded.utf8) + [10])
    }

    package func content() async throws(PublicationError) -> PublicationContent { try notes.read() }
}
