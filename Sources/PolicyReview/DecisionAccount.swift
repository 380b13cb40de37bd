package import EnrollmentCore
package import Policy

/// A plain-English account of one decision, made from its documents alone, so that old ones can be told too.
/// It is Markdown that reads as plain text; no value in it can act as markup.
package struct DecisionAccount {
    /// What came of computing the decision again.
    package enum Recomputation: Sendable, Hashable {
        case identical
        /// Members of the document that came out otherwise, by name.
        case different([String])
        /// This account is of a decision that another bundle takes; the documents on record are these.
        case byAnotherBundle(recorded: DecisionDocuments)
        /// Why it was not computed again, as a clause.
        case notPossible(String)
    }

    let documents: DecisionDocuments
    /// The bundle that decided; nil when it is not at hand.
    let bundle: PolicyBundle?
    private let recomputation: Recomputation?
    private let id: String?

    /// - Parameters:
    ///   - documents: of the request and its decision.
    ///   - bundle: the bundle that decided, which adds owners and the structure of conditions; nil when it is
    ///     not at hand.
    ///   - recomputation: nil says nothing of it.
    package init(
        _ documents: DecisionDocuments, bundle: PolicyBundle?, recomputation: Recomputation? = nil
    ) {
        self.documents = documents
        self.bundle = bundle
        self.recomputation = recomputation
        id = documents.request.text("request_id")
    }

    /// Whether the decision is a permit.
    package var isPermit: Bool { decision.text("effect") == "permit" }

    var request: JSONValue { documents.request }
    var decision: JSONValue { documents.decision }
    var input: JSONValue { request["input"] ?? .null }
    var trace: JSONValue { decision["trace"] ?? .null }

    /// The account.
    package var document: Document {
        var output = Document()
        output.paragraph(summary)
        for text in [authority, grant, names].compactMap(\.self) { output.paragraph(text) }
        for text in approvals { output.paragraph(text) }
        for rule in trace["rules"]?.items ?? [] { describe(rule, in: &output) }
        if let change { output.paragraph(change) }
        if let shadow = trace["shadow"] { describe(shadow: shadow, in: &output) }
        if let recomputed { output.paragraph(recomputed) }
        return output
    }

    /// The account as one document: its sentences and what they were made from.
    package var json: JSONValue {
        var members: [String: JSONValue] = [
            "account": .string(document.string(.markdown)), "summary": .string(summary.string(.markdown)),
            "decision": decision, "request": request,
        ]
        switch recomputation {
        case nil: break
        case .identical: members["recomputed"] = "identical"
        case .different(let names):
            members["recomputed"] = "different"
            members["differences"] = .array(names.map(JSONValue.string))
        case .byAnotherBundle(let recorded):
            members["recomputed"] = "by another bundle"
            members["recorded"] = recorded.decision
        case .notPossible(let reason): members["recomputed"] = .string("not possible: \(reason)")
        }
        return .object(members)
    }

    /// Who asked what, over what, when, and what was decided, by which rule of whom under which policy.
    var summary: Prose {
        let device = input["device"]?.text("id") ?? request.text("device_id")
        let who: Prose = device.map { "device \(seen: $0)" } ?? "a client that proved no device"
        let from: Prose = request.text("client_address").map { " at \(seen: $0)" } ?? ""
        let over: Prose =
            request.text("protocol").map { " over \(Prose.policy($0.uppercased()))" } ?? ""
        let service: Prose = request.text("service").map { " service \(seen: $0)" } ?? ""
        let when: Prose = decision.text("decided_at").map { "At \(Self.time($0)), " } ?? ""
        let label: Prose = id.map { "Request \(Prose.policy($0)). " } ?? ""
        return label + when + who + from + " asked" + service + over + " for \(wish)\(proofs). " + verdict
    }

    private var wish: Prose {
        let names = input["request"]?["names"]
        let lists = ["dns", "email", "upn", "uri", "ip", "otherSubjectAttributes", "unsupported"]
        let all = [names?.text("commonName")].compactMap(\.self) + lists.flatMap { names?.texts($0) ?? [] }
        var distinct: [String] = []
        for name in all where !distinct.contains(name) { distinct.append(name) }
        let shown = distinct.prefix(8).map { "\(seen: $0)" as Prose }
        let rest: [Prose] = distinct.count > 8 ? ["\(distinct.count - 8) more"] : []
        let named: Prose = distinct.isEmpty ? "" : " naming " + (shown + rest).list()
        let profile: Prose =
            input.text("requested_profile").map { " of profile \(seen: $0)" } ?? ""
        switch (request.text("kind"), request.text("operation")) {
        case ("bind", _): return "an account to order with"
        case ("assess", _): return "whether it could have a certificate\(profile)\(named)"
        case (_, "renew"): return "the renewal of its certificate\(profile)\(named)"
        case (_, "rekey"): return "the renewal of its certificate with a new key\(profile)\(named)"
        default: return "a certificate\(profile)\(named)"
        }
    }

    private var proofs: Prose {
        let kinds = request["proof_kinds"]?.items.compactMap(\.text) ?? proofKinds
        let nouns = kinds.map { kind -> Prose in
            switch kind {
            case "one_time_credential", "oneTimeCredential": return "a one-time credential"
            case "client_certificate", "clientCertificate": return "a certificate of ours"
            case "account": return "the account that a credential bound"
            case "domain_control", "domainControl": return "control of DNS names"
            default: return "\(seen: kind)"
            }
        }
        return nouns.isEmpty ? noProof : ", by " + nouns.list()
    }

    /// Whoever was refused before policy may have sent a proof all the same.
    private var noProof: Prose {
        let code = decision.text("reason_code") ?? ""
        guard decision.text("decided_by") == "registration", code != "proof.none" else {
            return ", without a proof"
        }
        return code.hasPrefix("proof.") || code.hasPrefix("credential.")
            ? ", without a proof that counts" : "; a proof was not looked at"
    }

    private var proofKinds: [String] { input["proofs"]?.items.compactMap(\.members.keys.first) ?? [] }

    private var verdict: Prose {
        let code = decision.text("reason_code") ?? "unknown"
        let effect: Prose
        switch decision.text("effect") {
        case "permit": effect = "It was permitted"
        case "defer": effect = "It was deferred (\(code))"
        default: effect = "It was denied (\(code))"
        }
        let rules = decision.texts("rule_ids")
        let by: Prose = rules.isEmpty ? "" : " by rule " + rules.map(owned).list()
        let policy: Prose = decision.text("policy_sha256").map { " under policy version \($0)" } ?? ""
        // Said with the rule already, when the bundle tells whose it is.
        let named = bundle?.rules.first { $0.id == rules.first }?.owner.team
        let owner: Prose =
            decision.text("owner").map { $0 == named ? "" : "; \($0) answers for that" } ?? ""
        return effect + by + policy + owner + ". " + (blocking(code, rules) ?? Self.sentence(reason))
    }

    private var reason: String { decision.text("reason") ?? "" }

    /// What blocks, where the rule that blocked says that rather than what is safe.
    private func blocking(_ code: String, _ rules: [String]) -> Prose? {
        guard code == "rule.blocked", let rule = bundle?.rules.first(where: { $0.id == rules.first }),
            rule.blockers != nil
        else { return nil }
        return "“\(rule.title)”: it blocks \(RuleSentence(rule: rule).block)."
    }

    /// Words that may be a clause as a sentence.
    private static func sentence(_ text: String) -> Prose {
        guard let first = text.first, let last = text.last else { return "" }
        return .policy(first.uppercased() + text.dropFirst() + (".!?".contains(last) ? "" : "."))
    }

    /// A rule with its owner, where the bundle tells.
    func owned(_ id: String) -> Prose {
        guard let owner = bundle?.rules.first(where: { $0.id == id })?.owner else { return "\(id)" }
        return "\(id) of \(English.owner(owner))"
    }

    private var authority: Prose? {
        switch decision.text("decided_by") {
        case "registration":
            return
                """
                Policy was not asked: the request was refused before, by the checks that every request \
                passes.
                """
        case "issuance":
            return
                """
                Policy permitted the request, but no certificate could be made of it, so it was \
                refused when it was to be issued.
                """
        default:
            let isCheck =
                decision.text("effect") == "deny" && decision.texts("rule_ids").isEmpty
                && decision.text("reason_code") != "no-rule"
            return isCheck
                ? """
                No rule was asked: this is one of the checks that come before all rules and that none \
                lifts.
                """
                : nil
        }
    }

    /// To the second: nobody reads more.
    static func time(_ text: String) -> Prose { .policy(Timestamp(text)?.rfc3339 ?? text) }

    private var grant: Prose? {
        guard decision.text("effect") == "permit", let obligations = decision["obligations"],
            let profile = obligations.text("profile")
        else { return nil }
        let names = Self.list(names: obligations["names"] ?? .null)
        let usages = obligations.texts("extended_key_usage")
            .map { .policy(ExtendedKeyUsage(rawValue: $0).map(English.name) ?? $0) }.list()
        let end: Prose =
            obligations.text("not_after").map { ", valid until \(Self.time($0)) at the latest" } ?? ""
        return "Granted: a \(profile) certificate for \(names), for \(usages)\(end)."
    }

    /// What was wished for and what would have been granted, where that was the trouble.
    private var names: Prose? {
        guard let wished = trace["names_wished"] else { return nil }
        let granted = (trace["names_granted"]?.members ?? [:]).sorted { $0.key < $1.key }
            .map { rule, names in "rule \(rule) grants \(Self.list(names: names))" as Prose }
        let contrast: Prose = granted.isEmpty ? "" : "; " + granted.list()
        return "Names asked for: \(Self.list(names: wished))\(contrast)."
    }

    private static func list(names: JSONValue) -> Prose {
        let kinds = [
            ("common_name", "common name"), ("subject", "subject"), ("dns", "DNS name"),
            ("email", "mail address"),
            ("upn", "user principal name"), ("uri", "URI"), ("ip", "IP address"),
            ("unsupported", "unsupported name"),
        ]
        let found = kinds.flatMap { key, noun -> [Prose] in
            let values = names.text(key).map { [$0] } ?? names.texts(key)
            return values.map { "\(Prose.policy(noun)) \(seen: $0)" }
        }
        return found.isEmpty ? "no name" : found.list()
    }

    private var recomputed: Prose? {
        switch recomputation {
        case nil: return nil
        case .identical: return "Computed again from the record, the decision is identical."
        case .different(let names):
            return
                """
                Computed again from the record, the decision is different in: \
                \(names.map(Prose.policy).list()).
                """
        case .byAnotherBundle(let recorded):
            return
                "The decision on record is another bundle's. "
                + DecisionAccount(recorded, bundle: nil).verdict
        case .notPossible(let reason): return "The decision was not computed again: \(reason)."
        }
    }
}
