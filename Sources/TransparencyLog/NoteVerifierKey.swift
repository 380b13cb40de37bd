import EnrollmentCore

import enum Crypto.Curve25519

/// What a key signs (C2SP signed-note, "Signature types").
package enum NoteAlgorithm: UInt8, Sendable, Hashable {
    /// Ed25519 over the note's text.
    case ed25519 = 0x01
    /// Ed25519 over a checkpoint and the time at which a witness saw it (C2SP tlog-cosignature).
    case cosignature = 0x04
}

/// The public key of a log or of a witness, under its name (C2SP signed-note, "Verifier keys").
package struct NoteVerifierKey: Sendable, Hashable {
    /// The name that signature lines carry.
    package let name: String
    /// The first four octets of a hash over name, algorithm and key.
    package let keyID: [UInt8]
    /// What this key signs.
    package let algorithm: NoteAlgorithm
    /// 32 octets (RFC 8032 §5.1.2).
    package let publicKey: [UInt8]

    init(name: String, algorithm: NoteAlgorithm, publicKey: [UInt8]) {
        self.name = name
        self.algorithm = algorithm
        self.publicKey = publicKey
        let identified = Array(name.utf8) + [NoteText.newline, algorithm.rawValue] + publicKey
        keyID = Array(Digest(of: identified).bytes.prefix(4))
    }

    /// Reads a vkey: name, key id in lower-case hexadecimal, algorithm and key in base64, with plus signs
    /// between. White space around it, a newline at the end of a file too, is an error.
    ///
    /// - Throws: `LogFormatError` for anything else, another algorithm, or a key id that is not this key's.
    package init(parsing vkey: String) throws(LogFormatError) {
        let parts = vkey.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, NoteText.isKeyName(String(parts[0])) else {
            throw LogFormatError("a verifier key is name+id+key, and its name has no spaces")
        }
        guard let octets = Base64.decode(parts[2].utf8), octets.count == 33,
            let algorithm = octets.first.flatMap(NoteAlgorithm.init(rawValue:))
        else {
            throw LogFormatError("a verifier key ends with base64 of 01 or 04 and an Ed25519 public key")
        }
        self.init(name: String(parts[0]), algorithm: algorithm, publicKey: Array(octets.dropFirst()))
        guard NoteText.same(Hex.encode(keyID), String(parts[1])) else {
            throw LogFormatError("the verifier key of \(name) has id \(Hex.encode(keyID)), not \(parts[1])")
        }
    }

    /// The key as a vkey.
    package var text: String {
        name + "+" + Hex.encode(keyID) + "+" + Base64.encode([algorithm.rawValue] + publicKey)
    }

    /// Whether the note has a signature line of this key. All such lines have to be right, as C2SP
    /// signed-note recommends: one that is not taints the note.
    package func verify(_ note: SignedNote) -> Bool {
        let lines = lines(in: note)
        return !lines.isEmpty && lines.allSatisfy { isRight($0, text: note.text) }
    }

    /// The time in this witness's cosignature, the latest if it has several: seconds since 1970.
    ///
    /// - Returns: nil when the note has none, one of them is wrong, it is no checkpoint, or this is no
    ///   witness's key.
    package func cosignatureTime(in note: SignedNote) -> Int64? {
        guard algorithm == .cosignature, verify(note) else { return nil }
        return lines(in: note).compactMap { Cosignature.parse($0.signature)?.seconds }.max()
    }

    /// The signature lines with this key's name and id.
    func lines(in note: SignedNote) -> [NoteSignature] {
        note.signatures.filter { $0.keyID == keyID && NoteText.same($0.name, name) }
    }

    private func isRight(_ line: NoteSignature, text: String) -> Bool {
        switch algorithm {
        case .ed25519: return isRight(line.signature, over: Array(text.utf8))
        case .cosignature:
            guard let (seconds, signature) = Cosignature.parse(line.signature),
                let message = Cosignature.message(text, at: seconds)
            else { return false }
            return isRight(signature, over: message)
        }
    }

    private func isRight(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        return key.isValidSignature(signature, for: message)
    }
}
