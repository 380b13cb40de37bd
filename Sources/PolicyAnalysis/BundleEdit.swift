import EnrollmentCore
import Policy

/// One difference between the texts of two bundles.
package struct BundleEdit: Sendable, Hashable {
    /// What differs.
    package enum Part: String, Sendable, Hashable, CaseIterable { case file, rule, service, profile, catalog }
    /// How. The raw values are stable.
    package enum Change: String, Sendable, Hashable, CaseIterable {
        case added, removed, changed
        /// Another text that decides alike: a title, a reason, an owner, a review date.
        case reworded
    }

    package let part: Part
    package let change: Change
    /// The path, id or name.
    package let name: String
    /// What changed, e.g. `protocols: scep → est, scep`; empty where that is all there is to say.
    package let detail: String
}

/// Compares what stands in two bundles.
struct BundleComparison {
    let from: PolicyBundle
    let to: PolicyBundle

    var edits: [BundleEdit] { files + rules + services + profiles + catalog }

    /// - Parameter prefix: stands before the key in the edit's name.
    private func compare<Value>(
        _ part: BundleEdit.Part, _ old: [String: Value], _ new: [String: Value], prefix: String,
        _ difference: (Value, Value) -> [(BundleEdit.Change, String)]
    ) -> [BundleEdit] {
        Set(old.keys).union(new.keys).sorted().flatMap { key -> [BundleEdit] in
            switch (old[key], new[key]) {
            case (nil, nil): return []
            case (nil, _): return [BundleEdit(part: part, change: .added, name: prefix + key, detail: "")]
            case (_, nil): return [BundleEdit(part: part, change: .removed, name: prefix + key, detail: "")]
            case (let before?, let after?):
                return difference(before, after).map {
                    BundleEdit(part: part, change: $0.0, name: prefix + key, detail: $0.1)
                }
            }
        }
    }

    private func keyed<Value>(_ values: [Value], _ key: (Value) -> String) -> [String: Value] {
        Dictionary(values.map { (key($0), $0) }, uniquingKeysWith: { first, _ in first })
    }

    private var files: [BundleEdit] {
        let (old, new) = (
            BundleFile.files(fromCanonical: from.canonicalBytes) ?? [],
            BundleFile.files(fromCanonical: to.canonicalBytes) ?? []
        )
        return compare(.file, keyed(old, \.path), keyed(new, \.path), prefix: "") { before, after in
            before.bytes == after.bytes ? [] : [(.changed, "")]
        }
    }

    private var rules: [BundleEdit] {
        compare(.rule, keyed(from.rules, \.id), keyed(to.rules, \.id), prefix: "") { before, after in
            var changes: [(BundleEdit.Change, String)] = []
            if before.mode != after.mode {
                changes.append((.changed, "mode: \(before.mode.rawValue) → \(after.mode.rawValue)"))
            } else if RuleEssence(before) != RuleEssence(after) {
                changes.append((.changed, ""))
            }
            if before.owner != after.owner {
                changes.append((.reworded, "owner: \(before.owner.team) → \(after.owner.team)"))
            }
            let dates = [before.reviewBy, after.reviewBy].map { String($0.rfc3339.prefix(10)) }
            if dates[0] != dates[1] { changes.append((.reworded, "review_by: \(dates[0]) → \(dates[1])")) }
            if before.title != after.title || before.because != after.because {
                changes.append((.reworded, "title or reason"))
            }
            return changes
        }
    }

    private var services: [BundleEdit] {
        compare(
            .service, keyed(from.services, \.name.rawValue), keyed(to.services, \.name.rawValue), prefix: ""
        ) { before, after in
            Self.details(
                [
                    ("protocols", Self.list(before.protocols), Self.list(after.protocols)),
                    ("default", String(before.isDefault), String(after.isDefault)),
                    ("issuer", before.issuer, after.issuer),
                    (
                        "profiles", before.profiles.map(\.rawValue).joined(separator: ", "),
                        after.profiles.map(\.rawValue).joined(separator: ", ")
                    ),
                    ("owner", before.owner.team, after.owner.team),
                    (
                        "review_by", String(before.reviewBy.rfc3339.prefix(10)),
                        String(after.reviewBy.rfc3339.prefix(10))
                    ),
                ] + Self.limits(before.limits, after.limits))
        }
    }

    private static func limits(_ old: ServiceLimits, _ new: ServiceLimits) -> [(String, String, String)] {
        [
            (
                "live_certificates_per_device", String(old.liveCertificatesPerDevice),
                String(new.liveCertificatesPerDevice)
            ),
            (
                "unverified_rows_per_second", String(old.unverifiedRowsPerSecond),
                String(new.unverifiedRowsPerSecond)
            ),
            (
                "deferred_credential_hold", RequestSketch.duration(old.deferredCredentialHold),
                RequestSketch.duration(new.deferredCredentialHold)
            ),
            (
                "account_order_span", RequestSketch.duration(old.accountOrderSpan),
                RequestSketch.duration(new.accountOrderSpan)
            ),
        ]
    }

    private var profiles: [BundleEdit] {
        compare(
            .profile, keyed(from.profiles, \.name.rawValue), keyed(to.profiles, \.name.rawValue), prefix: ""
        ) { before, after in
            Self.details([
                ("key_algorithms", Self.list(before.keyAlgorithms), Self.list(after.keyAlgorithms)),
                ("key_usage", Self.list(before.keyUsages), Self.list(after.keyUsages)),
                (
                    "extended_key_usage", Self.list(Set(before.extendedKeyUsages)),
                    Self.list(Set(after.extendedKeyUsages))
                ),
                (
                    "validity", RequestSketch.duration(before.maximumValidity),
                    RequestSketch.duration(after.maximumValidity)
                ),
                (
                    "backdating", RequestSketch.duration(before.backdating),
                    RequestSketch.duration(after.backdating)
                ),
                ("owner", before.owner.team, after.owner.team),
                (
                    "review_by", String(before.reviewBy.rfc3339.prefix(10)),
                    String(after.reviewBy.rfc3339.prefix(10))
                ),
            ])
        }
    }

    /// Groups, sources, kinds of proof, teams, and what becomes of the overdue.
    private var catalog: [BundleEdit] {
        let groups = compare(
            .catalog, keyed(from.groups, \.self), keyed(to.groups, \.self), prefix: "group "
        ) { _, _ in [] }
        let sources = compare(
            .catalog, keyed(from.sources, \.name), keyed(to.sources, \.name), prefix: "source "
        ) { before, after in
            Self.details([("provides", Self.list(before.provides), Self.list(after.provides))])
        }
        let proofs = compare(
            .catalog, keyed(from.proofKinds, \.rawValue), keyed(to.proofKinds, \.rawValue),
            prefix: "proof "
        ) { _, _ in [] }
        let teams = compare(.catalog, from.teams, to.teams, prefix: "team ") { before, after in
            Self.details([("contact", before, after)])
        }
        let (old, new) = (from.reviewTerms, to.reviewTerms)
        let reviews = Self.details([
            ("overdue", old.refusesOverdue ? "refuse" : "warn", new.refusesOverdue ? "refuse" : "warn"),
            ("grace", RequestSketch.duration(old.grace), RequestSketch.duration(new.grace)),
        ]).map { BundleEdit(part: .catalog, change: $0.0, name: "reviews", detail: $0.1) }
        return groups + sources + proofs + teams + reviews
    }

    private static func details(_ members: [(String, String, String)]) -> [(BundleEdit.Change, String)] {
        members.filter { $0.1 != $0.2 }.map { (.changed, "\($0.0): \($0.1) → \($0.2)") }
    }

    private static func list<Value: RawRepresentable<String> & Hashable>(_ values: Set<Value>) -> String {
        values.map(\.rawValue).sorted().joined(separator: ", ")
    }
}
