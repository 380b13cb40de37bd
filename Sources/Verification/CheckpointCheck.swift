import EnrollmentCore
import TransparencyLog

/// Checks stored checkpoints: of this log, over this tree, signed, and cosigned by those who watch it.
struct CheckpointCheck {
    /// Of more checkpoints only so many, the newest, have their signatures verified; of all, their roots are.
    static let signaturesVerified = 2_000

    private var options: VerificationOptions
    private let unverified: Int
    private var seen = 0
    private var signed = 0
    /// The largest size that a quorum of witnesses has seen.
    private var witnessed: Int64?
    private var newest: Int64 = 0
    private var generation = 0
    /// All generations but the first that checkpoints are of.
    private(set) var generations: Set<Int> = []

    init(_ options: VerificationOptions, count: Int) {
        self.options = options
        unverified = max(0, count - Self.signaturesVerified)
    }

    /// Checks one; `root` is the tree's at that size, nil when there is no such size any more.
    mutating func take(_ stored: StoredCheckpoint, _ root: Digest?, _ findings: inout Findings) {
        seen += 1
        newest = stored.size
        findings.count(.l11)
        if let fault = fault(stored, root) {
            findings.violate(.l11, "checkpoint \(stored.size)", fault) { stored.size.lastLeaf }
        }
    }

    private mutating func fault(_ stored: StoredCheckpoint, _ root: Digest?) -> String? {
        guard let note = try? SignedNote(parsing: stored.note), let checkpoint = try? note.checkpoint() else {
            return "its note is no checkpoint"
        }
        if options.generation(of: checkpoint.origin) == nil { takeFirstName(of: checkpoint.origin) }
        guard let generation = options.generation(of: checkpoint.origin) else {
            return "it is of \(checkpoint.origin), not of \(options.log.name)"
        }
        guard generation >= self.generation else { return "its origin is that of before a rollback" }
        self.generation = generation
        if generation > 0 { generations.insert(generation) }
        guard checkpoint.size == stored.size, stored.origin.map({ $0 == checkpoint.origin }) ?? true else {
            return "its note is of another size or origin than its row"
        }
        guard checkpoint.root == root else {
            return "its root is not that of the first \(stored.size) leaves"
        }
        guard seen > unverified else { return nil }
        signed += 1
        guard options.isSigned(note, origin: checkpoint.origin) else {
            return "it has no valid signature of \(options.log.name) (key \(Hex.encode(options.log.keyID)))"
        }
        return cosignatureFault(note, stored)
    }

    /// The key that was given may have a generation's name: then the log's own is what this origin tells.
    private mutating func takeFirstName(of origin: String) {
        guard generations.isEmpty, let base = options.base(with: origin) else { return }
        options.log = base.key
        // What was seen so far was of the generation that was given.
        guard seen > 1 else { return }
        generation = base.generation
        generations = [base.generation]
    }

    private mutating func cosignatureFault(_ note: SignedNote, _ stored: StoredCheckpoint) -> String? {
        guard !options.witnesses.isEmpty else { return nil }
        let lines = stored.cosignatures.compactMap { try? NoteSignature(parsing: $0.withoutNewline) }
        guard lines.count == stored.cosignatures.count else { return "a cosignature that is none" }
        let whole = SignedNote(text: note.text, signatures: note.signatures + lines)
        var witnesses: Set<[UInt8]> = []
        for witness in options.witnesses {
            let claims = whole.signatures.contains { $0.name == witness.name && $0.keyID == witness.keyID }
            guard claims else { continue }
            guard witness.cosignatureTime(in: whole) != nil else {
                return "the cosignature of \(witness.name) is wrong"
            }
            witnesses.insert(witness.publicKey)
        }
        if witnesses.count >= max(1, options.quorum) { witnessed = stored.size }
        return nil
    }

    /// Says what the signatures cover.
    ///
    /// - Parameter isDue: whether a checkpoint of the whole tree must be there by now.
    mutating func finish(treeSize: Int64, isDue: Bool, _ findings: inout Findings) {
        if seen > signed, signed > 0 { findings.note(.l11, "signatures of the newest \(signed)") }
        if seen == 0 {
            guard treeSize > 0 else { return findings.skip(.l11, because: "there is no leaf yet") }
            findings.violate(.l11, "the log", "there is no checkpoint")
        } else if newest < treeSize, isDue {
            findings.violate(.l11, "the log", "no checkpoint of all \(treeSize) leaves, only of \(newest)") {
                max(0, newest)
            }
        } else if newest < treeSize {
            findings.note(.l11, "the newest of \(newest) leaves")
        }
        guard !options.witnesses.isEmpty else { return findings.note(.l11, "witnesses not asked for") }
        let quorum = max(1, options.quorum)
        if let witnessed {
            findings.note(
                .l11, "\(quorum) of \(options.witnesses.count) witnesses up to leaf \(witnessed - 1)")
        } else if options.quorum > 0 {
            findings.violate(.l11, "the log", "no checkpoint has \(quorum) cosignatures")
        } else {
            findings.note(.l11, "not witnessed")
        }
    }
}

extension Int64 {
    /// The last leaf of a tree of this size; nil when no tree has it.
    var lastLeaf: Int64? { self > 0 ? self - 1 : nil }
}

extension String {
    fileprivate var withoutNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
