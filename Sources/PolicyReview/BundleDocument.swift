import EnrollmentCore
package import Policy

/// A bundle as an English document, to be read aloud and reviewed: what each service is, who gets what
/// through it by which proof and for how long, and each rule as a sentence.
package struct BundleDocument {
    private let bundle: PolicyBundle

    /// - Parameter bundle: one that loaded.
    package init(bundle: PolicyBundle) { self.bundle = bundle }

    /// The document; the same bundle gives the same one.
    package var document: Document {
        var output = Document()
        output.heading(1, "Certificate policy")
        output.paragraph(
            """
            Policy version \(bundle.digest.description). \(bundle.owner.team) answers for it as a \
            whole: \(bundle.owner.contact).
            """
        )
        let counts: [Prose] = [
            .policy(English.number(bundle.counts.services, "service")),
            .policy(English.number(bundle.counts.profiles, "profile")),
            .policy(English.number(bundle.counts.rules, "rule")),
        ]
        output.paragraph(
            """
            It declares \(counts.list()). What no rule permits is denied. A rule that denies wins over \
            every rule that permits. Where several rules permit, only what all of them grant is \
            granted.
            """
        )
        for service in bundle.services { describe(service, in: &output) }
        output.heading(2, "The rules")
        for rule in bundle.rules { describe(rule, in: &output) }
        return output
    }

    private func describe(_ service: Service, in output: inout Document) {
        output.heading(2, "Service \(service.name.rawValue)")
        let protocols = EnrollmentProtocol.allCases.filter(service.protocols.contains)
            .map { Prose.policy(English.name($0)) }.list()
        let standing: Prose = service.isDefault ? " Paths that name no service mean this one." : ""
        output.paragraph(
            """
            \(service.description). It speaks \(protocols). Certificates are signed by the CA named \
            \(service.issuer).\(standing)
            """
        )
        let limits = service.limits
        output.paragraph(
            """
            A device may hold \(English.number(limits.liveCertificatesPerDevice, "live certificate")) \
            through it. A request that waits keeps its credential for \
            \(English.duration(limits.deferredCredentialHold)) past its end; an ACME account may order \
            for \(English.duration(limits.accountOrderSpan)).
            """
        )
        output.paragraph(Self.governance(service.owner, service.reviewBy))
        for name in service.profiles {
            if let profile = bundle.profile(named: name) { describe(profile, of: service, in: &output) }
        }
    }

    private static func governance(_ owner: Owner, _ reviewBy: Timestamp) -> Prose {
        "Owner: \(English.owner(owner)). To be reviewed by \(English.date(reviewBy))."
    }

    private func describe(_ profile: CertificateProfile, of service: Service, in output: inout Document) {
        output.heading(3, "Who gets a \(profile.name.rawValue) certificate from \(service.name.rawValue)")
        let keys = KeyAlgorithm.allCases.filter(profile.keyAlgorithms.contains)
            .map { Prose.policy($0.rawValue) }.list(" or ")
        output.paragraph(
            """
            \(profile.description). Keys: \(keys). At most \
            \(English.duration(profile.maximumValidity)), whatever a rule says. \
            \(Self.governance(profile.owner, profile.reviewBy))
            """
        )
        let rules = bundle.rules.filter {
            $0.mode == .enforce && $0.scope.covers(service.name, profile.name)
        }
        let rows = rules.compactMap { row($0, profile) }
        if rows.isEmpty {
            output.paragraph("Nobody: no rule permits it.")
            return
        }
        output.table(["Who", "Proof", "Names", "For how long", "Approval", "Rule"], rows)
        let blocks = rules.filter { $0.effect == .deny }
        if !blocks.isEmpty { output.paragraph("And only if none of these rules blocks it:") }
        for rule in blocks {
            let block = RuleSentence(rule: rule).block
            output.item("\(rule.title) (\(rule.id), \(rule.owner.team)): it blocks \(block).")
        }
    }

    private func row(_ rule: Rule, _ profile: CertificateProfile) -> [Prose]? {
        guard case .permit(let terms) = rule.effect else { return nil }
        let proofs = rule.conditions.compactMap { RuleSentence.proof($0) }
        let others = rule.conditions.filter { RuleSentence.proof($0) == nil }.map { English.statement($0) }
        let narrowing = RuleSentence.narrowing(rule.scope)
        let validity = min(terms.maximumValidity, profile.maximumValidity)
        return [
            (others + (narrowing.isEmpty ? [] : [narrowing])).joined("; "),
            proofs.isEmpty ? "none of its own" : proofs.list(" together with "),
            RuleSentence.names(terms), "at most \(English.duration(validity))",
            rule.approval.map(Self.approval) ?? "none", "\(rule.id) (\(rule.owner.team))",
        ]
    }

    private static func approval(_ terms: ApprovalTerms) -> Prose {
        let eyes: Prose = terms.needsFourEyes ? ", not by who minted the credential" : ""
        return "\(terms.count) of \(terms.team)\(eyes)"
    }

    private func describe(_ rule: Rule, in output: inout Document) {
        output.heading(3, "\(rule.id): \(rule.title)")
        switch rule.mode {
        case .enforce: break
        case .shadow:
            output.paragraph("In shadow: it is evaluated and written down, and changes no outcome.")
        case .off: output.paragraph("Switched off: it is checked when loaded, and otherwise not there.")
        }
        output.paragraph(RuleSentence(rule: rule).text)
        output.paragraph(Self.governance(rule.owner, rule.reviewBy))
    }
}
