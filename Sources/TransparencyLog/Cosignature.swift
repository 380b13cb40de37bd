/// What a witness signs, and how its line carries the time (C2SP tlog-cosignature, "Ed25519 signed message").
enum Cosignature {
    /// The signed octets; nil when the text is no checkpoint or the time before 1970.
    static func message(_ text: String, at seconds: Int64) -> [UInt8]? {
        guard seconds >= 0, (try? Checkpoint(parsing: text)) != nil else { return nil }
        return Array("cosignature/v1\ntime \(seconds)\n\(text)".utf8)
    }

    /// A `timestamped_signature`: the time in eight octets, then the signature.
    static func encode(_ signature: [UInt8], at seconds: Int64) -> [UInt8] {
        withUnsafeBytes(of: seconds.bigEndian) { Array($0) } + signature
    }

    /// Nil unless there are 72 octets and the time is at most 2^63 - 1.
    static func parse(_ octets: [UInt8]) -> (seconds: Int64, signature: [UInt8])? {
        guard octets.count == 72 else { return nil }
        let time = octets.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let seconds = Int64(exactly: time) else { return nil }
        return (seconds, Array(octets.dropFirst(8)))
    }
}
