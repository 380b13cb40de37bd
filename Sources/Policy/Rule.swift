package import EnrollmentCore

/// One rule of a bundle, checked against its catalog.
package struct Rule: Sendable, Hashable {
    /// What a rule does when it applies.
    package enum Effect: Sendable, Hashable {
        /// Grants these terms when the condition holds.
        case permit(CertificateTerms)
        /// Blocks unless the condition, a known-safe state, holds.
        case deny
    }

    /// Whether a rule takes part in decisions.
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        case enforce
        /// Evaluated after the outcome is fixed, and written down beside it; changes nothing.
        case shadow
        /// Checked when loaded, and otherwise as if it were not there.
        case off
    }

    package let id: String
    package let title: String
    package let owner: Owner
    package let reviewBy: Timestamp
    package var mode: Mode
    package var effect: Effect
    package var scope: RuleScope
    /// All of them; at least one.
    package var conditions: [Condition]
    /// The word of people that a permit rule asks for besides; nil asks for none.
    package var approval: ApprovalTerms?
    /// The rule author's reason, shown in traces.
    package let because: String?
    package let position: SourcePosition
}

/// What a rule applies to: facts that every request has. Nil means any.
package struct RuleScope: Sendable, Hashable {
    package var services: Set<ServiceName>?
    package var profiles: Set<ProfileName>?
    package var protocols: Set<EnrollmentProtocol>?
    package var operations: Set<EnrollmentOperation>?

    func covers(_ input: PolicyInput) -> Bool {
        protocols?.contains(input.enrollmentProtocol) ?? true && operations?.contains(input.operation) ?? true
    }

    /// Whether it takes in requests for a profile of a service.
    package func covers(_ service: ServiceName, _ profile: ProfileName) -> Bool {
        services?.contains(service) ?? true && profiles?.contains(profile) ?? true
    }
}

/// What a permit rule grants.
package struct CertificateTerms: Sendable, Hashable {
    package let commonName: NameTemplate?
    package let dns: [NameTemplate]
    package let email: [NameTemplate]
    package let upn: [NameTemplate]
    /// Nil grants the profile's.
    package var extendedKeyUsages: [ExtendedKeyUsage]?
    /// Seconds.
    package var maximumValidity: Int64
    /// Whether names and usages beyond the grant are left out instead of denied (`if_csr_differs: replace`).
    package var replacesDifferences: Bool
    package let position: SourcePosition
}

/// How many people of a team must have approved a request, and how lately.
package struct ApprovalTerms: Sendable, Hashable {
    /// The team's name in `owners.yaml`.
    package let team: String
    /// Its members, as approvals name them.
    package let members: [String]
    /// Different members who must approve, 1 to 9.
    package let count: Int
    /// Seconds for which an approval counts, from when it was given.
    package let within: Int64
    /// Whether whoever minted the credential must not be among them.
    package let needsFourEyes: Bool
    package let position: SourcePosition

    /// How it reads in traces.
    package var text: String {
        "approved by \(count) of \(team)" + (needsFourEyes ? ", not by who minted the credential" : "")
    }
}
