import EnrollmentCore

/// The user name and password of an Authorization field (RFC 7617 §2).
struct BasicCredential: Sendable {
    /// At most 64 octets of UTF-8; may be empty.
    let user: String
    let password: Secret

    /// - Parameter field: the value of one Authorization field.
    ///
    /// Nil for another scheme, base64 that does not decode, no colon, control characters or text that is
    /// not UTF-8, and for a user name longer than any device's.
    init?(authorization field: String) {
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let scheme = parts.first, scheme.lowercased() == "basic",
            let token = parts.last,
            let decoded = Base64.decode(token.drop(while: { $0 == " " }).utf8),
            let colon = decoded.firstIndex(of: UInt8(ascii: ":")),
            !decoded.contains(where: { $0 < 0x20 || $0 == 0x7f }),
            let user = String(validating: decoded[..<colon], as: UTF8.self), user.utf8.count <= 64
        else { return nil }
        self.user = user
        password = Secret(Array(decoded[decoded.index(after: colon)...]))
    }
}
