package import EnrollmentCore

import enum Crypto.Curve25519

/// The private key of a log or of a witness, under its name.
package struct NoteSigner: Sendable {
    private static let keyTextPrefix = "PRIVATE+KEY+"

    /// The key that verifies what `sign` makes.
    package let verifierKey: NoteVerifierKey
    /// The key that verifies what `cosign` makes. It has another id.
    package let cosignerKey: NoteVerifierKey
    private let seed: Secret

    /// - Parameters:
    ///   - name: of the key; for a log its origin.
    ///   - privateKey: the seed of an Ed25519 key (RFC 8032 §5.1.5), 32 octets.
    /// - Throws: `LogFormatError` for a name with a space, a plus or nothing in it, or another length.
    package init(name: String, privateKey: Secret) throws(LogFormatError) {
        guard NoteText.isKeyName(name) else {
            throw LogFormatError("a key's name is not empty and has no spaces and plus signs")
        }
        guard let key = Self.key(privateKey) else {
            throw LogFormatError("the private key of \(name) is not 32 octets")
        }
        let publicKey = Array(key.publicKey.rawRepresentation)
        verifierKey = NoteVerifierKey(name: name, algorithm: .ed25519, publicKey: publicKey)
        cosignerKey = NoteVerifierKey(name: name, algorithm: .cosignature, publicKey: publicKey)
        seed = privateKey
    }

    /// Reads a private key as golang.org/x/mod/sumdb/note writes it: `PRIVATE+KEY+`, the name, the key id of
    /// `verifierKey` and base64 of 01 and the seed, with plus signs between. White space around it is an
    /// error.
    ///
    /// - Throws: `LogFormatError` for anything else. It never quotes the key.
    package init(parsing keyText: Secret) throws(LogFormatError) {
        let octets = keyText.revealed
        let parts = octets.split(separator: UInt8(ascii: "+"), maxSplits: 4, omittingEmptySubsequences: false)
        guard octets.starts(with: Self.keyTextPrefix.utf8), parts.count == 5,
            let name = String(validating: parts[2], as: UTF8.self),
            let key = Base64.decode(parts[4]), key.count == 33, key.first == NoteAlgorithm.ed25519.rawValue
        else {
            throw LogFormatError("a private key is PRIVATE+KEY+name+id+key, with an Ed25519 key in base64")
        }
        try self.init(name: name, privateKey: Secret(Array(key.dropFirst())))
        guard parts[3].elementsEqual(Hex.encode(verifierKey.keyID).utf8) else {
            throw LogFormatError("the private key of \(name) does not have the id it is written with")
        }
    }

    /// The private key as golang.org/x/mod/sumdb/note reads it.
    package var keyText: Secret {
        let key = Base64.encode([NoteAlgorithm.ed25519.rawValue] + seed.revealed)
        return Secret(Self.keyTextPrefix + verifierKey.name + "+" + Hex.encode(verifierKey.keyID) + "+" + key)
    }

    /// The signature of a note's text.
    ///
    /// - Throws: `LogFormatError` when no note can have this text.
    package func sign(_ text: String) throws(LogFormatError) -> NoteSignature {
        guard text.utf8.last == NoteText.newline, NoteText.isPlain(text.utf8),
            text.utf8.count < SignedNote.maximumOctets
        else { throw LogFormatError("a note's text has no control characters and ends in a newline") }
        let signature = try signature(of: Array(text.utf8))
        return NoteSignature(name: verifierKey.name, keyID: verifierKey.keyID, signature: signature)
    }

    /// A witness's cosignature of a checkpoint's text (C2SP tlog-cosignature, `cosignature/v1`).
    ///
    /// - Parameter seconds: when the checkpoint was seen to be consistent, since 1970.
    /// - Throws: `LogFormatError` when the text is no checkpoint or the time before 1970.
    package func cosign(_ text: String, at seconds: Int64) throws(LogFormatError) -> NoteSignature {
        guard NoteText.isPlain(text.utf8), let message = Cosignature.message(text, at: seconds) else {
            throw LogFormatError("a witness signs checkpoints, not before 1970")
        }
        let signature = Cosignature.encode(try signature(of: message), at: seconds)
        return NoteSignature(name: cosignerKey.name, keyID: cosignerKey.keyID, signature: signature)
    }

    private func signature(of message: [UInt8]) throws(LogFormatError) -> [UInt8] {
        guard let signature = try? Self.key(seed)?.signature(for: message) else {
            throw LogFormatError("the private key of \(verifierKey.name) does not sign")
        }
        return Array(signature)
    }

    private static func key(_ seed: Secret) -> Curve25519.Signing.PrivateKey? {
        try? Curve25519.Signing.PrivateKey(rawRepresentation: seed.revealed)
    }
}
