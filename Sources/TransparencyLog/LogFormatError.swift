/// Why octets are no note, checkpoint, proof, key or tile of a transparency log, or why one does not hold.
package struct LogFormatError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence without a period at its end; quotes nothing secret.
    package let description: String

    /// - Parameter description: one sentence without a period at its end.
    package init(_ description: String) { self.description = description }
}
