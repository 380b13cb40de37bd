/// Why recorded text cannot be read.
package struct RecordError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, for people.
    package let reason: String
    /// Octets before the place, within its line or document.
    package let offset: Int

    init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason), at octet \(offset)" }
}
