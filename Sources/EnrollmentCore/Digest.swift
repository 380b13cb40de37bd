import Crypto

/// A SHA-256 digest: 32 octets.
package struct Digest: Sendable, Hashable, StringCoded {
    package let bytes: [UInt8]

    /// Nil unless `bytes` are 32 octets.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Parses 64 hexadecimal digits; nil for anything else.
    package init?(_ text: String) {
        guard let bytes = Hex.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// The digest of `content`.
    package init(of content: [UInt8]) { bytes = Array(SHA256.hash(data: content)) }

    /// The digest of several fields, each preceded by its length in eight octets, so that no two lists of
    /// fields share an encoding.
    package init(ofFields fields: [[UInt8]]) {
        var hash = SHA256()
        for field in fields {
            withUnsafeBytes(of: UInt64(field.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: field)
        }
        bytes = Array(hash.finalize())
    }

    /// Lower-case hexadecimal.
    package var description: String { Hex.encode(bytes) }
}
