import Crypto
package import EnrollmentCore

/// Makes and recognises replay nonces (RFC 8555 §6.5): a time and randomness under a MAC, so that every
/// replica knows its own without a row; only burned ones are stored.
package struct NonceMint: Sendable {
    /// Seconds for which a nonce is good.
    package static let lifetime: Int64 = 3_600
    /// Seconds by which the clocks of replicas may differ.
    static let clockTolerance: Int64 = 60

    private static let messageLength = 24
    private static let tagLength = 16
    private let key: Secret
    private let random: any RandomSource

    /// - Parameters:
    ///   - key: 32 octets, the same on every replica.
    ///   - random: makes nonces unguessable and distinct.
    package init(key: Secret, random: any RandomSource) {
        self.key = key
        self.random = random
    }

    /// A fresh nonce for one service: base64url, 54 characters.
    package func issue(for service: ServiceName, at now: Timestamp) -> String {
        let time = UInt64(bitPattern: now.microseconds)
        let message =
            (0..<8).map { UInt8(truncatingIfNeeded: time >> UInt64(56 - 8 * $0)) } + random.octets(16)
        return Base64.encodeURLSafe(message + tag(message, service))
    }

    /// Until when a nonce of ours is good; nil when it is not ours, another service's, or too old.
    package func expiry(of nonce: String, for service: ServiceName, at now: Timestamp) -> Timestamp? {
        guard let octets = Base64.decodeURLSafe(nonce.utf8),
            octets.count == Self.messageLength + Self.tagLength
        else { return nil }
        let message = Array(octets.prefix(Self.messageLength))
        guard Secret(tag(message, service)).equalsInConstantTime(Array(octets.suffix(Self.tagLength))) else {
            return nil
        }
        let time = message.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let issued = Timestamp(microseconds: Int64(bitPattern: time))
        let expiry = issued.adding(seconds: Self.lifetime)
        guard issued <= now.adding(seconds: Self.clockTolerance), now < expiry else { return nil }
        return expiry
    }

    private func tag(_ message: [UInt8], _ service: ServiceName) -> [UInt8] {
        let scope = Digest(ofFields: [Array("acme.nonce".utf8), Array(service.rawValue.utf8), message]).bytes
        let code = HMAC<SHA256>.authenticationCode(for: scope, using: SymmetricKey(data: key.revealed))
        return Array(Array(code).prefix(Self.tagLength))
    }
}
