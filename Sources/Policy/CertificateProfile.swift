package import EnrollmentCore

/// What a certificate of one kind may look like (RFC 5280 §4), as the catalog declares it. A class,
/// since every decision refers to one and none has its own.
package final class CertificateProfile: Sendable {
    package let name: ProfileName
    package let description: String
    package let owner: Owner
    /// The start of the day by which it is to be reviewed.
    package let reviewBy: Timestamp
    /// Key kinds it may certify.
    package let keyAlgorithms: Set<KeyAlgorithm>
    /// RFC 5280 §4.2.1.3; what does not fit the key's kind is left out when the certificate is prepared.
    package let keyUsages: Set<KeyUsage>
    package let extendedKeyUsages: [ExtendedKeyUsage]
    /// The longest validity in seconds; rules may shorten it.
    package let maximumValidity: Int64
    /// Seconds by which notBefore precedes the signing instant, at most 86 400: device clocks lag.
    package let backdating: Int64

    init(
        name: ProfileName, description: String, owner: Owner, reviewBy: Timestamp,
        keyAlgorithms: Set<KeyAlgorithm>, keyUsages: Set<KeyUsage>, extendedKeyUsages: [ExtendedKeyUsage],
        maximumValidity: Int64,
        backdating: Int64
    ) {
        self.name = name
        self.description = description
        self.owner = owner
        self.reviewBy = reviewBy
        self.keyAlgorithms = keyAlgorithms
        self.keyUsages = keyUsages
        self.extendedKeyUsages = extendedKeyUsages
        self.maximumValidity = maximumValidity
        self.backdating = backdating
    }
}

extension CertificateProfile: Hashable {
    /// Whether they say the same.
    package static func == (left: CertificateProfile, right: CertificateProfile) -> Bool {
        left === right
            || left.name == right.name && left.description == right.description && left.owner == right.owner
                && left.reviewBy == right.reviewBy && left.keyAlgorithms == right.keyAlgorithms
                && left.keyUsages == right.keyUsages && left.extendedKeyUsages == right.extendedKeyUsages
                && left.maximumValidity == right.maximumValidity && left.backdating == right.backdating
    }

    /// By name and usages.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(extendedKeyUsages)
    }
}

/// The team answerable for a part of the bundle, and how to reach it (NIST SP 1800-16).
package struct Owner: Sendable, Hashable {
    package let team: String
    package let contact: String

    package init(team: String, contact: String) {
        self.team = team
        self.contact = contact
    }
}

/// Key usages an end entity may be granted (RFC 5280 §4.2.1.3).
package enum KeyUsage: String, Sendable, Hashable, CaseIterable {
    case digitalSignature = "digital_signature"
    case keyEncipherment = "key_encipherment"
    case keyAgreement = "key_agreement"
}

/// Extended key usages an end entity may be granted (RFC 5280 §4.2.1.12).
package enum ExtendedKeyUsage: String, Sendable, Hashable, CaseIterable {
    case clientAuth = "client_auth"
    case serverAuth = "server_auth"

    /// Dotted object identifier.
    package var objectIdentifier: String {
        switch self {
        case .serverAuth: return "1.3.6.1.5.5.7.3.1"
        case .clientAuth: return "1.3.6.1.5.5.7.3.2"
        }
    }
}
