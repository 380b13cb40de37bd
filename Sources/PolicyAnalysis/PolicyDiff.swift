import EnrollmentCore
package import Policy

/// Compares two bundles: what stands in them, and what they make of requests.
///
/// Requests are split into kinds that neither bundle tells apart, profile by profile, and one of each is put
/// to both engines wherever something that bears on it changed. What goes beyond the bounds of analysis
/// counts as widening. Questions asked before there is a request (ACME orders and accounts) follow the same
/// rules and are not compared by themselves.
package struct PolicyDiff {
    private let from: PolicyBundle
    private let to: PolicyBundle

    /// - Parameters:
    ///   - from: the bundle as it was.
    ///   - to: as it would be.
    package init(from: PolicyBundle, to: PolicyBundle) {
        self.from = from
        self.to = to
    }

    /// How decisions differ: widening first, then by kind, service, profile and rules.
    package func changes() -> [PolicyChange] {
        var pairs: [(ServiceName, ProfileName)] = []
        for service in from.services + to.services {
            for profile in service.profiles where !pairs.contains(where: { $0 == (service.name, profile) }) {
                pairs.append((service.name, profile))
            }
        }
        let kinds = PolicyChange.Kind.allCases
        return pairs.flatMap { ProfileDifference(from: from, to: to, $0.0, $0.1).changes }
            .map { (kinds.firstIndex(of: $0.kind) ?? 0, $0) }
            .sorted { left, right in
                let keys = [left, right].map { order, change in
                    (
                        change.widens ? 0 : 1, order, change.service.rawValue, change.profile.rawValue,
                        change.rules.joined(separator: " ") + change.before
                    )
                }
                return keys[0] < keys[1]
            }
            .map(\.1)
    }

    /// What stands in the bundles: files, rules and catalog.
    package func edits() -> [BundleEdit] { BundleComparison(from: from, to: to).edits }
}
