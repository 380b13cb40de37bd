import EnrollmentCore
import Policy

/// Compares what stands in two bundles.
struct BundleComparison {
    let from: PolicyBundle
    let to: PolicyBundle

    /// One member that may differ, as it reads.
    private struct Member {
        let key: String
        let old: String
        let new: String
        let effect: BundleEdit.Effect

        init(_ key: String, _ old: String, _ new: String, _ effect: BundleEdit.Effect) {
            (self.key, self.old, self.new, self.effect) = (key, old, new, effect)
        }

        init<Value: RawRepresentable<String> & Hashable>(
            _ key: String, allowed old: Set<Value>, _ new: Set<Value>
        ) {
            self.init(
                key, BundleComparison.list(old), BundleComparison.list(new),
                BundleEdit.Effect(allowed: old, new))
        }

        init(_ key: String, duration old: Int64, _ new: Int64) {
            self.init(
                key, RequestSketch.duration(old), RequestSketch.duration(new),
                BundleEdit.Effect(bound: old, new))
        }
    }

    var edits: [BundleEdit] { files + rules + services + profiles + catalog }

    /// - Parameters:
    ///   - prefix: stands before the key in the edit's name.
    ///   - ends: what one that is added, and one that is removed, comes to.
    private func compare<Value>(
        _ part: BundleEdit.Part, _ old: [String: Value], _ new: [String: Value], prefix: String = "",
        ends: (BundleEdit.Effect, BundleEdit.Effect) = (.none, .none),
        _ difference: (Value, Value) -> [Member]
    ) -> [BundleEdit] {
        Set(old.keys).union(new.keys).sorted().flatMap { key -> [BundleEdit] in
            func whole(_ change: BundleEdit.Change, _ effect: BundleEdit.Effect) -> [BundleEdit] {
                [BundleEdit(part: part, change: change, name: prefix + key, detail: "", effect: effect)]
            }
            switch (old[key], new[key]) {
            case (nil, nil): return []
            case (nil, _): return whole(.added, ends.0)
            case (_, nil): return whole(.removed, ends.1)
            case (let before?, let after?):
                return Self.edits(part, prefix + key, difference(before, after))
            }
        }
    }

    private static func edits(_ part: BundleEdit.Part, _ name: String, _ members: [Member]) -> [BundleEdit] {
        members.filter { $0.old != $0.new }.map { member in
            BundleEdit(
                part: part, change: .changed, name: name,
                detail: "\(member.key): \(member.old) → \(member.new)", effect: member.effect)
        }
    }

    private func keyed<Value>(_ values: [Value], _ key: (Value) -> String) -> [String: Value] {
        Dictionary(values.map { (key($0), $0) }, uniquingKeysWith: { first, _ in first })
    }

    private var files: [BundleEdit] {
        let (old, new) = (
            keyed(BundleFile.files(fromCanonical: from.canonicalBytes) ?? [], \.path),
            keyed(BundleFile.files(fromCanonical: to.canonicalBytes) ?? [], \.path)
        )
        let changed = old.keys.filter { path in new[path].map { $0.bytes != old[path]?.bytes } ?? false }
        return compare(.file, old, new) { _, _ in [] }
            + changed.sorted().map {
                BundleEdit(part: .file, change: .changed, name: $0, detail: "", effect: .none)
            }
    }

    private var rules: [BundleEdit] {
        let (old, new) = (keyed(from.rules, \.id), keyed(to.rules, \.id))
        let changes = old.keys.sorted().flatMap { id -> [BundleEdit] in
            guard let before = old[id], let after = new[id] else { return [] }
            return RuleComparison(from: before, to: after).details.map { change, detail in
                BundleEdit(part: .rule, change: change, name: id, detail: detail, effect: .none)
            } + Self.edits(.rule, id, [review(before.reviewBy, after.reviewBy, after.effect != .deny)])
        }
        return compare(.rule, old, new) { _, _ in [] } + changes
    }

    /// A review date, which counts where the overdue grants nothing; a deny rule goes on blocking.
    private func review(_ old: Timestamp, _ new: Timestamp, _ grants: Bool = true) -> Member {
        Member(
            "review_by", String(old.rfc3339.prefix(10)), String(new.rfc3339.prefix(10)),
            grants && to.reviewTerms.refusesOverdue ? BundleEdit.Effect(bound: old, new) : .none)
    }

    private var services: [BundleEdit] {
        compare(
            .service, keyed(from.services, \.name.rawValue), keyed(to.services, \.name.rawValue),
            ends: (.widens, .narrows)
        ) { before, after in
            [
                Member("protocols", allowed: before.protocols, after.protocols),
                Member("default", String(before.isDefault), String(after.isDefault), .widens),
                // Who trusts the other issuer is not known here.
                Member("issuer", before.issuer, after.issuer, .widens),
                offered(before.profiles, after.profiles),
                Member("owner", before.owner.team, after.owner.team, .none),
                review(before.reviewBy, after.reviewBy),
            ] + limits(before.limits, after.limits)
        }
    }

    /// A request that names no profile is for the first. Another one may let in whom the old one kept out.
    private func offered(_ old: [ProfileName], _ new: [ProfileName]) -> Member {
        let effect = BundleEdit.Effect(allowed: Set(old), Set(new))
        let isOtherDefault = old.first != new.first
        return Member(
            "profiles", old.map(\.rawValue).joined(separator: ", "),
            new.map(\.rawValue).joined(separator: ", "), isOtherDefault ? .widens : effect)
    }

    private func limits(_ old: ServiceLimits, _ new: ServiceLimits) -> [Member] {
        [
            Member(
                "live_certificates_per_device", String(old.liveCertificatesPerDevice),
                String(new.liveCertificatesPerDevice),
                BundleEdit.Effect(bound: old.liveCertificatesPerDevice, new.liveCertificatesPerDevice)),
            Member(
                "unverified_rows_per_second", String(old.unverifiedRowsPerSecond),
                String(new.unverifiedRowsPerSecond), .changes),
            Member(
                "deferred_credential_hold", duration: old.deferredCredentialHold, new.deferredCredentialHold),
            Member("account_order_span", duration: old.accountOrderSpan, new.accountOrderSpan),
        ]
    }

    private var profiles: [BundleEdit] {
        compare(
            .profile, keyed(from.profiles, \.name.rawValue), keyed(to.profiles, \.name.rawValue)
        ) { before, after in
            [
                Member("key_algorithms", allowed: before.keyAlgorithms, after.keyAlgorithms),
                Member("key_usage", allowed: before.keyUsages, after.keyUsages),
                Member(
                    "extended_key_usage", allowed: Set(before.extendedKeyUsages), Set(after.extendedKeyUsages)
                ),
                Member("validity", duration: before.maximumValidity, after.maximumValidity),
                Member("backdating", duration: before.backdating, after.backdating),
                Member("owner", before.owner.team, after.owner.team, .none),
                review(before.reviewBy, after.reviewBy),
            ]
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
            [Member("provides", Self.list(before.provides), Self.list(after.provides), .none)]
        }
        let proofs = compare(
            .catalog, keyed(from.proofKinds, \.rawValue), keyed(to.proofKinds, \.rawValue),
            prefix: "proof "
        ) { _, _ in [] }
        let contacts = compare(.catalog, from.teams, to.teams, prefix: "team ") { before, after in
            [Member("contact", before, after, .none)]
        }
        let (old, new) = (from.reviewTerms, to.reviewTerms)
        let refusals = [old, new].map { $0.refusesOverdue ? "refuse" : "warn" }
        let reviews = Self.edits(
            .catalog, "reviews",
            [
                Member("overdue", refusals[0], refusals[1], new.refusesOverdue ? .narrows : .widens),
                Member(
                    "grace", RequestSketch.duration(old.grace), RequestSketch.duration(new.grace),
                    new.refusesOverdue && old.refusesOverdue
                        ? BundleEdit.Effect(bound: old.grace, new.grace) : .none),
            ])
        return groups + sources + proofs + contacts + members + reviews
    }

    /// Who may give approvals: of teams that an enforced rule asks, one more widens.
    private var members: [BundleEdit] {
        let asked = Set((from.rules + to.rules).filter { $0.mode == .enforce }.compactMap(\.approval?.team))
        let (old, new) = (from.teamMembers, to.teamMembers)
        return Set(old.keys).union(new.keys).sorted().flatMap { team -> [BundleEdit] in
            let (before, after) = (Set(old[team] ?? []), Set(new[team] ?? []))
            let texts = [before, after].map { $0.isEmpty ? "nobody" : $0.sorted().joined(separator: ", ") }
            let effect = asked.contains(team) ? BundleEdit.Effect(allowed: before, after) : .none
            return Self.edits(.catalog, "team \(team)", [Member("members", texts[0], texts[1], effect)])
        }
    }

    private static func list<Value: RawRepresentable<String> & Hashable>(_ values: Set<Value>) -> String {
        values.map(\.rawValue).sorted().joined(separator: ", ")
    }
}
