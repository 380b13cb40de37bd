package import Crypto

/// A SHA-256 digest: 32 octets.
package struct Digest: Sendable, Hashable, StringCoded {
    /// The octets as they lie in memory: a log has millions, which would each be an allocation as an array.
    /// Not a vector of four: tasks' frames are aligned to 16 octets only.
    private let words: Words

    /// The octets.
    package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Nil unless `bytes` are 32 octets.
    package init?(bytes: [UInt8]) {
        guard let digest = bytes.withUnsafeBytes({ Digest(octets: $0) }) else { return nil }
        self = digest
    }

    /// Nil unless there are 32 octets.
    package init?(octets: UnsafeRawBufferPointer) {
        guard octets.count == 32 else { return nil }
        words = octets.loadUnaligned(as: Words.self)
    }

    /// Parses 64 hexadecimal digits; nil for anything else.
    package init?(_ text: String) {
        guard let bytes = Hex.decode(text) else { return nil }
        self.init(bytes: bytes)
    }

    /// The digest of `content`.
    package init(of content: [UInt8]) { self.init(SHA256.hash(data: content)) }

    /// The digest of several fields, each preceded by its length in eight octets, so that no two lists of
    /// fields share an encoding.
    package init(ofFields fields: [[UInt8]]) {
        var hash = SHA256()
        for field in fields {
            Swift.withUnsafeBytes(of: UInt64(field.count).bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: field)
        }
        self.init(hash.finalize())
    }

    /// What the hash came to.
    package init(_ digest: SHA256Digest) {
        words = digest.withUnsafeBytes { $0.loadUnaligned(as: Words.self) }
    }

    /// The octets while `body` runs.
    package func withUnsafeBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        Swift.withUnsafeBytes(of: words, body)
    }

    /// Lower-case hexadecimal.
    package var description: String { Hex.encode(bytes) }

    /// 32 octets.
    private struct Words: Hashable, BitwiseCopyable {
        let first, second, third, fourth: UInt64
    }
}
