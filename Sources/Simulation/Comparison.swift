import EnrollmentCore
import Policy

/// Sets a recorded decision beside a new one on the same input.
struct Comparison {
    let recorded: RecordedDecision
    let decision: Decision
    /// Whether a permit grants a certificate, or may come to: an account's permit grants nothing.
    let isOfCertificate: Bool

    /// How many names of a kind a decision's obligations list at most.
    private static let listed = 64

    var change: Change {
        switch (recorded.effect, decision.outcome) {
        case (.deny, .permit): return .denyToPermit
        case (.defer, .permit): return .deferToPermit
        case (.deny, .defer): return .denyToDefer
        case (.permit, .deny): return .permitToDeny
        case (.defer, .deny): return .deferToDeny
        case (.permit, .defer): return .permitToDefer
        case (.permit, .permit(let grant)): return isOfCertificate ? change(to: grant) : explanation
        case (.deny, .deny), (.defer, .defer): return explanation
        }
    }

    private func change(to grant: Grant) -> Change {
        let earliest = recorded.maximumNotAfter ?? Timestamp(microseconds: .min)
        if grant.maximumNotAfter > earliest { return .longerValidity }
        let usages = grant.extendedKeyUsages.map(\.rawValue)
        let sameNames = Self.lists(grant.names) == Self.lists(recorded.obligations.names)
        let same =
            sameNames && usages == recorded.obligations.extendedKeyUsages
            && grant.profile.name.rawValue == recorded.profile
        if !same && !isNarrower(grant, usages) { return .widerCertificate }
        if grant.maximumNotAfter < earliest { return .shorterValidity }
        return same ? explanation : .narrowerCertificate
    }

    /// Whether everything granted was granted before.
    private func isNarrower(_ grant: Grant, _ usages: [String]) -> Bool {
        let pairs = zip(Self.lists(grant.names), Self.lists(recorded.obligations.names))
        return grant.profile.name.rawValue == recorded.profile
            && Set(recorded.obligations.extendedKeyUsages).isSuperset(of: usages)
            // A full list may go on unseen.
            && pairs.allSatisfy { $0 == $1 || $0.count < Self.listed && Set($1).isSuperset(of: $0) }
    }

    private static func lists(_ names: CertificateNames) -> [ArraySlice<String>] {
        [
            names.commonName.map { [$0] } ?? [], names.otherSubjectAttributes.prefix(listed),
            names.dns.prefix(listed), names.email.prefix(listed), names.uri.prefix(listed),
            names.ip.prefix(listed), names.upn.prefix(listed), names.unsupported.prefix(listed),
        ]
    }

    private var explanation: Change {
        recorded.reasonCode == decision.reasonCode && recorded.ruleIDs == decision.ruleIDs
            ? .unchanged : .otherReason
    }
}
