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

    /// The log's key; its name is the origin, the log's own or that of one of its generations.
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
        guard let generation = Generation(origin), generation.base == log.name else { return nil }
        return generation.number
    }

    /// The log's key under its first name, where its name is that of a generation and the origin is of the
    /// same log: the first name itself, or another generation of it.
    func base(with origin: String) -> (key: NoteVerifierKey, generation: Int)? {
        guard let given = Generation(log.name), given.base == Generation(origin)?.base ?? origin,
            let key = log.renamed(given.base)
        else { return nil }
        return (key, given.number)
    }

    /// Whether an origin is the log's, of whichever generation.
    private func isOfLog(_ origin: String) -> Bool {
        generation(of: origin) != nil || base(with: origin) != nil
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
            guard isOfLog(checkpoint.origin), isSigned(note, origin: checkpoint.origin) else {
                throw LogFormatError("\(log.name) did not sign this checkpoint of \(checkpoint.origin)")
            }
            return Anchor(name: name, checkpoint: checkpoint)
        } catch { throw .key("\(name): \(error)") }
    }

    /// The key of a log as `pki/log.vkey` has it: a line for each generation, all of one key. What is no
    /// Ed25519 verifier key is passed over.
    ///
    /// - Returns: the one under the shortest name, from which those of the generations follow.
    /// - Throws: `VerificationError.key` when there is none, or when they are of several logs.
    package static func logKey(in text: String) throws(VerificationError) -> NoteVerifierKey {
        var keys: [NoteVerifierKey] = []
        var fault = "it is empty"
        for line in text.split(whereSeparator: \.isNewline) {
            do throws(LogFormatError) {
                let key = try NoteVerifierKey(parsing: line.trimmed)
                guard key.algorithm == .ed25519 else { throw LogFormatError("a witness's key is no log's") }
                keys.append(key)
            } catch { fault = error.description }
        }
        guard let log = keys.min(by: { $0.name.utf8.count < $1.name.utf8.count }) else { throw .key(fault) }
        let options = VerificationOptions(log: log, now: Timestamp(microseconds: 0))
        for key in keys where key.publicKey != log.publicKey || !options.isOfLog(key.name) {
            throw .key("\(key.name) and \(log.name) are not generations of one log")
        }
        return log
    }
}

/// An origin after an accepted rollback: the log's first name, a slash, and how many there were.
private struct Generation {
    let base: String
    let number: Int

    /// Nil for a name that does not end so.
    init?(_ origin: String) {
        guard let slash = origin.lastIndex(of: "/"), slash > origin.startIndex else { return nil }
        let digits = origin[origin.index(after: slash)...]
        guard let number = Int(digits), number > 0, String(number) == digits else { return nil }
        (base, self.number) = (String(origin[..<slash]), number)
    }
}

extension Substring {
    /// Without blanks around it.
    fileprivate var trimmed: String {
        let blanks: Set<Character> = [" ", "\t"]
        return String(drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed())
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
