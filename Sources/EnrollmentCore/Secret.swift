/// A value that must never be printed, logged, encoded or stored: a challenge password, a Basic password,
/// an HMAC key. Its text is reachable by name only, so that every use can be found by a search.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let octets: [UInt8]

    /// - Parameter revealed: the secret's octets.
    package init(_ revealed: [UInt8]) { octets = revealed }

    /// - Parameter revealed: the secret as text, kept as UTF-8.
    package init(_ revealed: String) { octets = Array(revealed.utf8) }

    /// The octets themselves. Call this where they are compared or handed to their owner, nowhere else.
    package var revealed: [UInt8] { octets }

    package var description: String { "«secret»" }
    package var debugDescription: String { "«secret»" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Whether `text` holds this secret, in either case of its letters; an empty secret is nowhere.
    package func occurs(in text: String) -> Bool {
        let wanted = String(decoding: octets, as: UTF8.self).lowercased()
        return !wanted.isEmpty && text.lowercased().contains(wanted)
    }

    /// Compares octets in time that depends on the lengths only.
    package func equalsInConstantTime(_ other: [UInt8]) -> Bool {
        guard octets.count == other.count else { return false }
        var difference: UInt8 = 0
        for index in octets.indices { difference |= octets[index] ^ other[index] }
        return difference == 0
    }
}
