/// A pattern with exactly one `*`, which stands for any run of characters: a prefix and a suffix, so matching
/// takes linear time whatever the input.
package struct Glob: Sendable, Hashable {
    /// As it is written.
    package let text: String
    /// What stands before the `*`.
    package let prefix: [UInt8]
    /// What stands after it.
    package let suffix: [UInt8]

    /// Nil unless `text` holds exactly one `*` and something else.
    package init?(_ text: String) {
        let parts = text.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count == 2, text != "*" else { return nil }
        self.text = text
        prefix = Array(parts[0].utf8)
        suffix = Array(parts[1].utf8)
    }

    /// Whether `value` matches as a whole, octet by octet.
    package func matches(_ value: String) -> Bool {
        let octets = Array(value.utf8)
        return octets.count >= prefix.count + suffix.count && octets.starts(with: prefix)
            && octets.suffix(suffix.count).elementsEqual(suffix)
    }
}
