/// How a candidate's answer to one recorded request differs from the recorded one. Each request has exactly
/// one, the first that applies; those that open something come first.
package enum Change: String, Sendable, Hashable, CaseIterable, Comparable {
    case denyToPermit = "deny_to_permit"
    case deferToPermit = "defer_to_permit"
    /// What was refused may now be granted by a person or a fresh fact.
    case denyToDefer = "deny_to_defer"
    case longerValidity = "longer_validity"
    /// A name, a usage or another profile that was not granted before.
    case widerCertificate = "wider_certificate"
    case permitToDeny = "permit_to_deny"
    case deferToDeny = "defer_to_deny"
    case permitToDefer = "permit_to_defer"
    case shorterValidity = "shorter_validity"
    /// Fewer names or usages.
    case narrowerCertificate = "narrower_certificate"
    /// The same answer by another reason or other rules.
    case otherReason = "other_reason"
    case unchanged

    /// Whether somebody gets something that they did not get before.
    package var isWidening: Bool {
        switch self {
        case .denyToPermit, .deferToPermit, .denyToDefer, .longerValidity, .widerCertificate: return true
        case .permitToDeny, .deferToDeny, .permitToDefer, .shorterValidity, .narrowerCertificate,
            .otherReason, .unchanged:
            return false
        }
    }

    /// Whether the certificates that devices get, or whether they get one, differ.
    package var isBehavioural: Bool {
        switch self {
        case .otherReason, .unchanged: return false
        case .denyToPermit, .deferToPermit, .denyToDefer, .longerValidity, .widerCertificate, .permitToDeny,
            .deferToDeny, .permitToDefer, .shorterValidity, .narrowerCertificate:
            return true
        }
    }

    package static func < (left: Change, right: Change) -> Bool {
        (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
}
