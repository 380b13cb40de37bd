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
    private static let interrupted = Array("\n~ interrupted\n\n".utf8)

    /// - Parameters:
    ///   - name: what people call it.
    ///   - path: made when it is not there; of one origin, for good.
    ///   - key: the log's.
    package init(name: String, path: String, key: NoteVerifierKey) {
        self.name = name
        self.path = path
        self.key = key
    }

    package func publish(_ note: SignedNote, tiles: any TileReader) async throws(PublicationError) {
        let checkpoint = try note.checkpoint(signedBy: key, in: "what came for \(path)")
        let known = try largest()
        if let kept = try known?.checkpoint(signedBy: key, in: path) {
            if checkpoint.size < kept.size { return }
            try await checkpoint.mustContinue(kept, in: path, tiles: tiles)
            if checkpoint.size == kept.size { return }
            guard try largest() == known else { throw .failed("\(path) has grown meanwhile") }
        }
        let end = try DurableFile.tail(path, most: 2)?.octets ?? []
        let isWhole = end.isEmpty || end == [10, 10]
        try DurableFile.append(path, (isWhole ? [] : Self.interrupted) + Array(note.encoded.utf8) + [10])
    }

    package func largestCheckpoint() async throws(PublicationError) -> SignedNote? {
        guard let note = try largest() else { return nil }
        _ = try note.checkpoint(signedBy: key, in: path)
        return note
    }

    /// Checkpoints are appended as the log grows, so that the largest is near the end.
    private func largest() throws(PublicationError) -> SignedNote? {
        guard let (octets, isAll) = try DurableFile.tail(path, most: 262_144) else { return nil }
        // What a cut leaves of its first paragraph is not to be read.
        if let found = Self.notes(in: octets, skipping: isAll ? 0 : 1).last { return found }
        return isAll ? nil : Self.notes(in: try DurableFile.read(path) ?? [], skipping: 0).last
    }

    /// The notes in a file, smallest checkpoint first.
    static func notes(in octets: [UInt8], skipping first: Int) -> [SignedNote] {
        var notes: [(size: Int64, note: SignedNote)] = []
        var text: String?
        for paragraph in paragraphs(of: octets).dropFirst(first) {
            let isSignatures = paragraph.utf8.starts(with: "— ".utf8)
            if isSignatures, let text, let note = try? SignedNote(parsing: text + "\n\n" + paragraph + "\n"),
                let checkpoint = try? note.checkpoint()
            {
                notes.append((checkpoint.size, note))
            }
            text = isSignatures ? nil : paragraph
        }
        return notes.sorted { $0.size < $1.size }.map(\.note)
    }

    /// What stands in front of an empty line each; what follows the last empty line is not complete.
    private static func paragraphs(of octets: [UInt8]) -> [String] {
        var paragraphs: [String] = []
        var start = 0
        for index in octets.indices.dropFirst() where octets[index] == 10 && octets[index - 1] == 10 {
            guard start < index - 1 else {
                start = index + 1
                continue
            }
            paragraphs.append(String(decoding: octets[start..<(index - 1)], as: UTF8.self))
            start = index + 1
        }
        return paragraphs
    }
}
