/// The name of one front door, as the catalog declares it, e.g. `laptops`.
package struct ServiceName: Sendable, Hashable, Codable, RawRepresentable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package init(_ rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }
}

/// The name of a certificate profile, as the catalog declares it, e.g. `client-auth`.
package struct ProfileName: Sendable, Hashable, Codable, RawRepresentable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package init(_ rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }
}

/// The directory's name of a device: 1 to 64 ASCII letters, digits, `.`, `_` or `-`.
///
/// The bound keeps it usable as a common name (RFC 5280 ub-common-name) and as a Basic user name
/// (RFC 7617 forbids colons).
package struct DeviceID: Sendable, Hashable, StringCoded {
    package let rawValue: String

    /// Nil when `rawValue` breaks the grammar above.
    package init?(_ rawValue: String) {
        let allowed = rawValue.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                return true
            default: return false
            }
        }
        guard allowed, (1...64).contains(rawValue.utf8.count) else { return nil }
        self.rawValue = rawValue
    }

    package var description: String { rawValue }
}

/// The random public part of an enrollment credential, carried by each of its shapes: 16 characters of
/// RFC 4648 base32 (80 bits).
package struct CredentialID: Sendable, Hashable, StringCoded {
    package let rawValue: String

    /// Nil unless `rawValue` is 16 upper-case base32 characters.
    package init?(_ rawValue: String) {
        let allowed = rawValue.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x32...0x37).contains($0) }
        guard rawValue.utf8.count == 16, allowed else { return nil }
        self.rawValue = rawValue
    }

    package var description: String { rawValue }
}

/// The protocol a request came in by. For audit and rule conditions only (invariant I4).
package enum EnrollmentProtocol: String, Sendable, Hashable, Codable, CaseIterable {
    case scep, est, acme, cmp
}

/// What is asked for: a first certificate, one for the same key, or one for a new key
/// (RFC 3647 §4.4.6–7, RFC 7030 §4.2.2).
package enum EnrollmentOperation: String, Sendable, Hashable, Codable, CaseIterable {
    case enroll, renew, rekey
}
