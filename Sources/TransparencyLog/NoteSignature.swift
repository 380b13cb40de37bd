import EnrollmentCore

/// A signature line of a note (C2SP signed-note, "Signatures").
package struct NoteSignature: Sendable, Hashable {
    private static let prefix = "— "

    /// The name of the key.
    package let name: String
    /// Four octets that, with the name, tell which key and algorithm this is.
    package let keyID: [UInt8]
    /// At least one octet; what they mean depends on the key.
    package let signature: [UInt8]

    init(name: String, keyID: [UInt8], signature: [UInt8]) {
        self.name = name
        self.keyID = keyID
        self.signature = signature
    }

    /// The line without its newline.
    package var line: String { Self.prefix + name + " " + Base64.encode(keyID + signature) }

    /// Reads a line without its newline; what is read is written back as the same line.
    ///
    /// - Throws: `LogFormatError` unless it is an em dash, a key name and at least five octets in canonical
    ///   base64, with a space between them.
    package init(parsing line: String) throws(LogFormatError) {
        guard line.utf8.starts(with: Self.prefix.utf8) else {
            throw LogFormatError("a signature line begins with an em dash and a space")
        }
        let rest = line.utf8.dropFirst(Self.prefix.utf8.count)
        let parts = rest.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let name = parts.first.map({ String(Substring($0)) }),
            NoteText.isKeyName(name)
        else {
            throw LogFormatError("a signature line names a key, without spaces and plus signs")
        }
        guard let octets = Base64.decode(parts[1]), octets.count >= 5 else {
            throw LogFormatError("a signature is a key id and more in base64")
        }
        self.init(name: name, keyID: Array(octets.prefix(4)), signature: Array(octets.dropFirst(4)))
    }
}
