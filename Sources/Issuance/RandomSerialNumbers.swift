package import EnrollmentCore

/// Serial numbers of one instance octet and 16 random octets: always 17 octets, positive, and never alike
/// between instances (RFC 5280 §4.1.2.2).
package struct RandomSerialNumbers: SerialNumberSource {
    private let instance: UInt8
    private let random: any RandomSource

    /// Nil unless `instance` is 0x01 to 0x7f, so that the number is positive and of full length.
    package init?(instance: UInt8, random: any RandomSource) {
        guard (0x01...0x7f).contains(instance) else { return nil }
        self.instance = instance
        self.random = random
    }

    package func next() -> [UInt8] { [instance] + random.octets(16) }
}
