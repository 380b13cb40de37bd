package import EnrollmentCore

/// A fact that rules test by value.
package enum Attribute: String, Sendable, Hashable, CaseIterable {
    case deviceID = "device.id"
    case deviceSerial = "device.serial"
    case deviceUDID = "device.udid"
    case deviceSID = "device.sid"
    case deviceOwner = "device.owner"
    case deviceGroup = "device.group"
    case deviceDNS = "device.dns"
    case deviceEmail = "device.email"
    case deviceUPN = "device.upn"
    case deviceActiveCertificates = "device.active_certificates"
    case deviceLastProof = "device.last_proof"
    case credentialFailedAttempts = "credential.failed_attempts"
    case requestProtocol = "request.protocol"
    case requestOperation = "request.operation"
    case requestInstant = "request.instant"
    case requestCommonName = "request.common_name"
    case requestDNS = "request.dns"
    case requestEmail = "request.email"
    case requestUPN = "request.upn"
    case requestKeyAlgorithm = "request.key_algorithm"
    case requestValidity = "request.validity"
    case clientAddress = "client.address"

    /// What its values are, which settles the matchers it takes and when two of them are equal.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// One text, compared octet by octet.
        case text
        /// Several DNS names, compared without regard to ASCII case (RFC 4343).
        case dnsNames
        /// Several mail addresses or user principal names: the domain without regard to ASCII case, the part
        /// before it exactly.
        case mailNames
        /// Several words of a list that the catalog or the program knows.
        case words
        /// A whole number that is not negative.
        case number
        /// Seconds.
        case duration
        /// A point in time.
        case instant
        case address
    }

    /// Where a fact comes from, and so how far it is to be believed.
    package enum Trust: String, Sendable, Hashable {
        /// The client says so.
        case claimed
        /// The device directory says so of the device that was proven.
        case lookedUp = "looked up"
        /// The gateway or its ledger established it.
        case measured
    }

    /// What its values are.
    package var kind: Kind {
        switch self {
        case .deviceID, .deviceSerial, .deviceUDID, .deviceSID, .deviceOwner, .requestCommonName:
            return .text
        case .deviceDNS, .requestDNS: return .dnsNames
        case .deviceEmail, .deviceUPN, .requestEmail, .requestUPN: return .mailNames
        case .deviceGroup, .deviceLastProof, .requestProtocol, .requestOperation, .requestKeyAlgorithm:
            return .words
        case .deviceActiveCertificates, .credentialFailedAttempts: return .number
        case .requestValidity: return .duration
        case .requestInstant: return .instant
        case .clientAddress: return .address
        }
    }

    /// Where it comes from.
    package var trust: Trust {
        switch self {
        case .deviceID, .deviceSerial, .deviceUDID, .deviceSID, .deviceOwner, .deviceGroup, .deviceDNS,
            .deviceEmail, .deviceUPN:
            return .lookedUp
        case .deviceActiveCertificates, .deviceLastProof, .credentialFailedAttempts, .requestProtocol,
            .requestOperation, .requestInstant, .clientAddress:
            return .measured
        case .requestCommonName, .requestDNS, .requestEmail, .requestUPN, .requestKeyAlgorithm,
            .requestValidity:
            return .claimed
        }
    }

    /// Whether every request has it, so that a rule may block on it being so (`block_if`).
    package var isAlwaysKnown: Bool {
        switch self {
        case .deviceID, .requestProtocol, .requestOperation, .requestInstant, .clientAddress: return true
        case .deviceSerial, .deviceUDID, .deviceSID, .deviceOwner, .deviceGroup, .deviceDNS, .deviceEmail,
            .deviceUPN, .deviceActiveCertificates, .deviceLastProof, .credentialFailedAttempts,
            .requestCommonName, .requestDNS, .requestEmail, .requestUPN, .requestKeyAlgorithm,
            .requestValidity:
            return false
        }
    }

    /// Whether a certificate request brings it, rather than the device, its history or the connection.
    package var isOfRequest: Bool { trust == .claimed }

    /// What the input holds; empty when it is absent. An empty list counts as absent: nothing that is missing
    /// may ever satisfy a condition.
    package func values(in input: PolicyInput) -> [String] {
        switch self {
        case .deviceID: return input.device.map { [$0.id.rawValue] } ?? []
        case .deviceSerial: return input.device?.serial.map { [$0] } ?? []
        case .deviceUDID: return input.device?.udid.map { [$0] } ?? []
        case .deviceSID: return input.device?.sid.map { [$0] } ?? []
        case .deviceOwner: return input.device?.owner.map { [$0] } ?? []
        case .deviceGroup: return input.device?.groups ?? []
        case .deviceDNS: return input.device?.dns.map(asciiLowercased) ?? []
        case .deviceEmail: return input.device?.email.map(domainLowercased) ?? []
        case .deviceUPN: return input.device?.upn.map(domainLowercased) ?? []
        case .deviceActiveCertificates: return [String(input.history.activeCertificates)]
        case .deviceLastProof: return input.history.lastProofs
        case .credentialFailedAttempts: return [String(input.history.failedAttempts)]
        case .requestProtocol: return [input.enrollmentProtocol.rawValue]
        case .requestOperation: return [input.operation.rawValue]
        case .requestInstant: return [input.instant.rfc3339]
        case .requestCommonName: return input.request.names.commonName.map { [$0] } ?? []
        case .requestDNS: return input.request.names.dns.map(asciiLowercased)
        case .requestEmail: return input.request.names.email.map(domainLowercased)
        case .requestUPN: return input.request.names.upn.map(domainLowercased)
        case .requestKeyAlgorithm: return input.request.publicKey.map { [$0.algorithm.rawValue] } ?? []
        case .requestValidity:
            return input.request.requestedNotAfter.map { [String($0.seconds(since: input.instant))] } ?? []
        case .clientAddress: return [input.clientAddress]
        }
    }

    /// The number that a `between` compares, in the matcher's unit; nil when there is none.
    func number(in input: PolicyInput) -> Int64? {
        switch kind {
        case .instant: return input.instant.microseconds
        case .number, .duration:
            return values(in: input).first.flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil }
        case .text, .dnsNames, .mailNames, .words, .address: return nil
        }
    }

    /// A value written in a rule, in the form in which values are compared.
    package func normalised(_ text: String) -> String {
        switch kind {
        case .dnsNames: return asciiLowercased(text)
        case .mailNames: return domainLowercased(text)
        case .text, .words, .number, .duration, .instant, .address: return text
        }
    }
}

/// ASCII letters in lower case and everything else as it is: the way DNS names compare (RFC 4343).
package func asciiLowercased(_ text: String) -> String {
    guard text.utf8.contains(where: { (0x41...0x5a).contains($0) }) else { return text }
    return String(decoding: text.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
}

/// What follows the last `@` in lower case (RFC 5321 §2.4: the part before it is its host's affair).
func domainLowercased(_ text: String) -> String {
    guard let at = text.lastIndex(of: "@") else { return text }
    return text[...at] + asciiLowercased(String(text[text.index(after: at)...]))
}
