import EnrollmentCore

/// What one rule, or several merged, would grant.
///
/// Merging keeps what all of them grant: the shortest validity, the names and usages in common. It does not
/// depend on their order.
struct GrantTerms: Sendable, Hashable {
    let names: CertificateNames
    /// In the profile's order.
    let extendedKeyUsages: [ExtendedKeyUsage]
    /// Seconds.
    let maximumValidity: Int64
    /// Whether what a request asks for beyond them is left out instead of denied.
    let replacesDifferences: Bool

    private init(
        names: CertificateNames, extendedKeyUsages: [ExtendedKeyUsage], maximumValidity: Int64,
        replacesDifferences: Bool
    ) {
        self.names = names
        self.extendedKeyUsages = extendedKeyUsages
        self.maximumValidity = maximumValidity
        self.replacesDifferences = replacesDifferences
    }

    /// Nil when the rule names an attribute that this device lacks.
    init?(_ terms: CertificateTerms, profile: CertificateProfile, _ conditions: ConditionEvaluation) {
        guard let commonName = Self.names(terms.commonName.map { [$0] } ?? [], conditions),
            let dns = Self.names(terms.dns, conditions), let email = Self.names(terms.email, conditions),
            let upn = Self.names(terms.upn, conditions)
        else { return nil }
        self.names = CertificateNames(
            commonName: commonName.first, dns: dns.map(asciiLowercased), email: email, upn: upn)
        extendedKeyUsages = profile.extendedKeyUsages.filter { terms.extendedKeyUsages?.contains($0) ?? true }
        maximumValidity = min(terms.maximumValidity, profile.maximumValidity)
        replacesDifferences = terms.replacesDifferences
    }

    /// The names that templates stand for; nil when one of them lacks an attribute.
    private static func names(_ templates: [NameTemplate], _ conditions: ConditionEvaluation) -> [String]? {
        var all: [String] = []
        for template in templates {
            guard let names = template.names(in: conditions.input) else { return nil }
            all += names
        }
        return all
    }

    /// What both grant; nil when they contradict each other.
    func merged(with other: GrantTerms) -> GrantTerms? {
        guard
            names.commonName == other.names.commonName || names.commonName == nil
                || other.names.commonName == nil
        else { return nil }
        func common(_ list: KeyPath<CertificateNames, [String]>) -> [String] {
            names[keyPath: list].filter { other.names[keyPath: list].contains($0) }
        }
        return GrantTerms(
            names: CertificateNames(
                commonName: names.commonName == other.names.commonName ? names.commonName : nil,
                dns: common(\.dns), email: common(\.email), upn: common(\.upn)),
            extendedKeyUsages: extendedKeyUsages.filter(other.extendedKeyUsages.contains),
            maximumValidity: min(maximumValidity, other.maximumValidity),
            replacesDifferences: replacesDifferences && other.replacesDifferences)
    }

    /// What all of them grant; nil when there is none or they contradict each other.
    static func merging(_ all: [GrantTerms]) -> GrantTerms? {
        guard let first = all.first, all.count > 1 else { return all.first }
        // Two common names contradict each other even where a third rule grants none.
        guard Set(all.compactMap(\.names.commonName)).count <= 1 else { return nil }
        return all.dropFirst().reduce(first) { $0?.merged(with: $1) }
    }

    var isEmpty: Bool {
        extendedKeyUsages.isEmpty || !hasNames
    }

    var hasNames: Bool { names.isPresent }

    /// Whether every name wished for is granted. A common name that is one of the granted DNS names wishes
    /// for nothing more: clients put their first DNS name there (RFC 8555 §7.4).
    func covers(_ wish: CertificateNames) -> Bool {
        let commonName = wish.commonName.map {
            $0 == names.commonName || names.dns.contains(asciiLowercased($0))
        }
        return commonName ?? true && wish.otherSubjectAttributes.isEmpty && wish.uri.isEmpty
            && wish.ip.isEmpty
            && wish.unsupported.isEmpty && names.dns.holdsAll(wish.dns.map(asciiLowercased))
            && names.email.holdsAll(wish.email) && names.upn.holdsAll(wish.upn)
    }

    /// Whether every extended key usage wished for, dotted, is granted.
    func covers(usages wish: [String]) -> Bool {
        wish.allSatisfy { usage in extendedKeyUsages.contains { $0.objectIdentifier == usage } }
    }

    /// What a request that the terms cover may not have, whatever else is known: nil when nothing is.
    func objection(to request: RequestFacts) -> ReasonCode? {
        guard request.namesAreComplete ? names(for: request).isPresent : hasNames else {
            return .namesMissing
        }
        // A request whose names are complete gets those or nothing: an order is for its names (RFC 8555
        // §7.4).
        if replacesDifferences, !request.namesAreComplete { return nil }
        if !covers(request.names) { return .namesDiffer }
        return covers(usages: request.extendedKeyUsages) ? nil : .usageDiffers
    }

    /// The names of the certificate: all that the decision grants, or, for a request whose names are
    /// complete, those it asks for among them.
    private func names(for request: RequestFacts) -> CertificateNames {
        guard request.namesAreComplete else { return names }
        let wish = request.names
        return CertificateNames(
            commonName: wish.commonName == names.commonName ? names.commonName : nil,
            dns: names.dns.filter(wish.dns.map(asciiLowercased).contains),
            email: names.email.filter(wish.email.contains), upn: names.upn.filter(wish.upn.contains))
    }

    func grant(profile: CertificateProfile, _ conditions: ConditionEvaluation) -> Grant {
        let ceiling = conditions.input.instant.adding(seconds: maximumValidity)
        return Grant(
            profile: profile, names: names(for: conditions.input.request),
            extendedKeyUsages: profile.extendedKeyUsages.filter { extendedKeyUsages.contains($0) },
            maximumNotAfter: min(ceiling, conditions.input.request.requestedNotAfter ?? ceiling))
    }
}

extension CertificateNames {
    /// Whether there is any name that a profile can grant.
    fileprivate var isPresent: Bool {
        commonName != nil || !(dns.isEmpty && email.isEmpty && upn.isEmpty)
    }
}
