import EnrollmentCore
import TransparencyLog

/// Signed notes, and the checkpoints in them: what is read is written back as the same octets, and what a
/// good key signs again verifies.
enum NoteBody {
    static func run(_ octets: [UInt8]) {
        let text = String(decoding: octets, as: UTF8.self)
        guard let note = try? SignedNote(parsing: text) else { return }
        precondition(note.encoded.utf8.elementsEqual(text.utf8))
        guard let signer = signer(), let signature = try? signer.sign(note.text) else {
            preconditionFailure("no signature over the text of a note")
        }
        precondition(!signer.verifierKey.verify(note))
        let again = SignedNote(text: note.text, signatures: note.signatures + [signature])
        precondition(signer.verifierKey.verify(again))
        guard let checkpoint = try? note.checkpoint() else { return }
        precondition(checkpoint.text.utf8.elementsEqual(note.text.utf8))
        guard let cosignature = try? signer.cosign(note.text, at: 7) else {
            preconditionFailure("no cosignature of a checkpoint")
        }
        let cosigned = SignedNote(text: note.text, signatures: note.signatures + [cosignature])
        precondition(signer.cosignerKey.cosignatureTime(in: cosigned) == 7)
    }

    /// A key of no log there is.
    static func signer(_ name: String = "fuzz.example/log") -> NoteSigner? {
        try? NoteSigner(name: name, privateKey: Secret(Array(UInt8(1)...32)))
    }
}

/// The small texts of the log: keys, signature lines, checkpoints and paths of tiles.
enum LogTextBody {
    static func run(_ octets: [UInt8]) {
        let text = String(decoding: octets, as: UTF8.self)
        if let key = try? NoteVerifierKey(parsing: text) {
            precondition(key.text.utf8.elementsEqual(text.utf8))
        }
        if let signer = try? NoteSigner(parsing: Secret(octets)) {
            precondition(signer.keyText.equalsInConstantTime(octets))
        }
        if let signature = try? NoteSignature(parsing: text) {
            precondition(signature.line.utf8.elementsEqual(text.utf8))
        }
        if let checkpoint = try? Checkpoint(parsing: text) {
            precondition(checkpoint.text.utf8.elementsEqual(text.utf8))
        }
        if let address = Tile.address(of: text) { precondition(address.path.utf8.elementsEqual(text.utf8)) }
        if let hashes = Tile.hashes(in: octets) { precondition(hashes.flatMap(\.bytes) == octets) }
    }
}

/// Receipts: what is read is written back as the same octets; with its checkpoint signed by a good key it is
/// verified to its end.
enum LogProofBody {
    static func run(_ octets: [UInt8]) {
        let text = String(decoding: octets, as: UTF8.self)
        guard let proof = try? LogProof(parsing: text), let head = try? proof.checkpoint.checkpoint() else {
            return
        }
        precondition(proof.encoded.utf8.elementsEqual(text.utf8))
        let leaf = MerkleHash.leaf(proof.extra ?? [])
        let isIncluded = MerkleProof.verifyInclusion(
            proof.hashes, leaf: leaf, index: proof.index, size: head.size, root: head.root)
        _ = MerkleProof.verifyConsistency(
            proof.hashes, from: proof.index, leaf, to: head.size, head.root)
        guard let signer = NoteBody.signer(head.origin), let signature = try? signer.sign(head.text) else {
            return
        }
        let note = SignedNote(text: head.text, signatures: [signature])
        let again = LogProof(extra: proof.extra, index: proof.index, hashes: proof.hashes, checkpoint: note)
        let verified: Void? = try? again.verify(leaf: leaf, log: signer.verifierKey)
        precondition((verified != nil) == isIncluded)
    }
}
