package import EnrollmentCore
package import TransparencyLog

/// What a ledger is verified against: keys and checkpoints from elsewhere than the ledger.
package struct VerificationOptions: Sendable {
    /// An older checkpoint of the log, kept where the ledger's operator does not reach.
    package struct Anchor: Sendable {
        /// Where it comes from, e.g. the file's name.
        package let name: String
        package let checkpoint: Checkpoint

        package init(name: String, checkpoint: Checkpoint) {
            self.name = name
            self.checkpoint = checkpoint
        }
    }

    /// The log's key; its name is the origin.
    package var log: NoteVerifierKey
    /// A key of the gateway that signs manifests of exports.
    package var exporter: NoteVerifierKey?
    package var witnesses: [NoteVerifierKey] = []
    /// How many witnesses must have cosigned.
    package var quorum = 0
    package var anchors: [Anchor] = []
    /// Whether decisions are computed again.
    package var replays = true
    /// The instant by which entries are overdue: now, or when a copy was made.
    package var now: Timestamp

    package init(log: NoteVerifierKey, now: Timestamp) {
        self.log = log
        self.now = now
    }
}

extension VerificationOptions {
    /// The log's own name, or its name after the n-th accepted rollback: the generation; nil for any other.
    func generation(of origin: String) -> Int? {
        if origin == log.name { return 0 }
        guard origin.hasPrefix(log.name + "/") else { return nil }
        let number = origin.dropFirst(log.name.count + 1)
        guard let generation = Int(number), generation > 0, String(generation) == number else { return nil }
        return generation
    }

    /// Whether the log signed this note, under its own name or the generation's.
    func isSigned(_ note: SignedNote, origin: String) -> Bool {
        if log.verify(note) { return true }
        guard origin != log.name, let renamed = log.renamed(origin) else { return false }
        return renamed.verify(note)
    }

    /// The log's key under the name that a checkpoint's origin has.
    func key(for origin: String) -> NoteVerifierKey? {
        origin == log.name ? log : log.renamed(origin)
    }

    /// Reads an anchor, which must be signed by the log.
    ///
    /// - Throws: `VerificationError.key`.
    package func anchor(name: String, note text: String) throws(VerificationError) -> Anchor {
        do {
            let note = try SignedNote(parsing: text)
            let checkpoint = try note.checkpoint()
            guard generation(of: checkpoint.origin) != nil, isSigned(note, origin: checkpoint.origin) else {
                throw LogFormatError("\(log.name) did not sign this checkpoint of \(checkpoint.origin)")
            }
            return Anchor(name: name, checkpoint: checkpoint)
        } catch { throw .key("\(name): \(error)") }
    }
}

extension NoteVerifierKey {
    /// The same key under another name.
    fileprivate func renamed(_ name: String) -> NoteVerifierKey? {
        let key = [algorithm.rawValue] + publicKey
        let id = Digest(of: Array(name.utf8) + [0x0a] + key).bytes.prefix(4)
        return try? NoteVerifierKey(parsing: "\(name)+\(Hex.encode(id))+\(Base64.encode(key))")
    }
}
