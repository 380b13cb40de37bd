import EnrollmentCore

/// One rule of a bundle, checked against its catalog.
struct Rule: Sendable, Hashable {
    enum Effect: Sendable, Hashable {
        /// Grants these terms when the condition holds.
        case permit(CertificateTerms)
        /// Blocks unless the condition, a known-safe state, holds.
        case deny
    }

    let id: String
    let title: String
    let owner: Owner
    let reviewBy: Timestamp
    let effect: Effect
    let scope: RuleScope
    /// All of them; at least one.
    let conditions: [Condition]
    /// The rule author's reason, shown in traces.
    let because: String?
    let position: SourcePosition
}

/// What a rule applies to: facts that every request has. Nil means any.
struct RuleScope: Sendable, Hashable {
    let services: Set<ServiceName>?
    let profiles: Set<ProfileName>?
    let protocols: Set<EnrollmentProtocol>?
    let operations: Set<EnrollmentOperation>?

    func covers(_ input: PolicyInput) -> Bool {
        protocols?.contains(input.enrollmentProtocol) ?? true && operations?.contains(input.operation) ?? true
    }
}

/// What a permit rule grants.
struct CertificateTerms: Sendable, Hashable {
    let commonName: NameTemplate?
    let dns: [NameTemplate]
    let email: [NameTemplate]
    let upn: [NameTemplate]
    /// Nil grants the profile's.
    let extendedKeyUsages: [ExtendedKeyUsage]?
    /// Seconds.
    let maximumValidity: Int64
}

/// A condition of a rule: a test, or a combination of conditions.
indirect enum Condition: Sendable, Hashable {
    case all([Condition])
    case any([Condition])
    case none([Condition])
    case test(Test)
}

/// One test of one fact.
struct Test: Sendable, Hashable {
    enum Subject: Sendable, Hashable {
        case attribute(Attribute, AttributeMatcher)
        case posture(source: String, maximumAge: Int64)
        /// Nil takes any source.
        case notJailbroken(source: String?, maximumAge: Int64)
        case oneTimeCredential
        case certificateOfOurs(renewalOnly: Bool)
        case domainControl(maximumAge: Int64)
    }

    let subject: Subject
    /// As it reads in traces, e.g. `device.group is corp-laptops`.
    let text: String
}

/// A fact that rules test by value.
enum Attribute: String, Sendable, Hashable, CaseIterable {
    case deviceID = "device.id"
    case deviceSerial = "device.serial"
    case deviceUDID = "device.udid"
    case deviceGroup = "device.group"
    case deviceDNS = "device.dns"
    case deviceActiveCertificates = "device.active_certificates"
    case requestCommonName = "request.common_name"
    case requestDNS = "request.dns"
    case requestKeyAlgorithm = "request.key_algorithm"
    case clientAddress = "client.address"

    enum Kind { case text, names, number, address }

    var kind: Kind {
        switch self {
        case .deviceID, .deviceSerial, .deviceUDID, .requestCommonName, .requestKeyAlgorithm: return .text
        case .deviceGroup, .deviceDNS, .requestDNS: return .names
        case .deviceActiveCertificates: return .number
        case .clientAddress: return .address
        }
    }

    /// Whether a certificate request brings it, rather than the device, its history or the connection.
    var isOfRequest: Bool {
        switch self {
        case .requestCommonName, .requestDNS, .requestKeyAlgorithm: return true
        case .deviceID, .deviceSerial, .deviceUDID, .deviceGroup, .deviceDNS, .deviceActiveCertificates,
            .clientAddress:
            return false
        }
    }

    /// What the input holds; empty when it is absent. An empty list counts as absent: nothing that is missing
    /// may ever satisfy a condition.
    func values(in input: PolicyInput) -> [String] {
        switch self {
        case .deviceID: return input.device.map { [$0.id.rawValue] } ?? []
        case .deviceSerial: return input.device?.serial.map { [$0] } ?? []
        case .deviceUDID: return input.device?.udid.map { [$0] } ?? []
        case .deviceGroup: return input.device?.groups ?? []
        case .deviceDNS: return input.device?.dns.map(asciiLowercased) ?? []
        case .deviceActiveCertificates: return [String(input.history.activeCertificates)]
        case .requestCommonName: return input.request.names.commonName.map { [$0] } ?? []
        case .requestDNS: return input.request.names.dns.map(asciiLowercased)
        case .requestKeyAlgorithm: return input.request.publicKey.map { [$0.algorithm.rawValue] } ?? []
        case .clientAddress: return [input.clientAddress]
        }
    }
}

/// How a value must be. Of an attribute with several values, one must match, but for `subsetOf`.
enum AttributeMatcher: Sendable, Hashable {
    case oneOf([String])
    case glob(Glob)
    case within([AddressRange])
    case between(ClosedRange<Int64>)
    /// The single value equals that attribute's.
    case equals(Attribute)
    /// Every value is among that attribute's, and there is one at least.
    case subsetOf(Attribute)

    /// The attribute that it compares with.
    var other: Attribute? {
        switch self {
        case .equals(let other), .subsetOf(let other): return other
        case .oneOf, .glob, .within, .between: return nil
        }
    }
}

/// ASCII letters in lower case and everything else as it is: the way DNS names compare (RFC 4343).
func asciiLowercased(_ text: String) -> String {
    String(decoding: text.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
}
