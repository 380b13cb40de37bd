import EnrollmentCore
import Policy

extension DecisionAccount {
    /// One rule of the trace: what became of it and of each of its conditions.
    func describe(_ traced: JSONValue, in output: inout Document) {
        let id = traced.text("rule") ?? "?"
        let isDeny = traced.text("effect") == "deny"
        let because: Prose = traced.text("because").map { " Because \($0)." } ?? ""
        let rule = bundle?.rules.first { $0.id == id }
        let blockers = isDeny ? rule?.blockers : nil
        let outcome =
            blockers.map { Self.outcome(traced.text("verdict"), blockers: $0) }
            ?? Self.outcome(traced.text("verdict"), isDeny: isDeny)
        output.paragraph(
            "Rule \(owned(id)), “\(traced.text("title") ?? "")”, \(outcome).\(because)")
        var findings = traced["conditions"]?.items[...] ?? []
        // The trace is flat; the bundle tells how its tests belong together, when it is the one that decided.
        if let rule, zip(rule.conditions.flatMap(\.tests), findings).allSatisfy({ Self.match($0, $1) }) {
            if let blockers {
                let whole = Condition(.any(blockers), at: blockers.first?.position ?? rule.position)
                describe(whole, &findings, in: &output, depth: 0, isBlocker: true)
            } else {
                for condition in rule.conditions { describe(condition, &findings, in: &output, depth: 0) }
            }
        }
        for finding in findings {
            let isApproval = rule?.approval.map { $0.text == finding.text("condition") } ?? false
            output.item(Self.line(finding, nil, approval: isApproval ? rule?.approval : nil))
        }
        if let lacks = traced.text("lacks") { output.item("Not met: the device lacks \(lacks).") }
    }

    private static func outcome(_ verdict: String?, isDeny: Bool) -> Prose {
        switch (verdict, isDeny) {
        case ("true", false): return "holds"
        case ("true", true): return "does not block: its safe state holds"
        case ("pending", false): return "does not permit yet"
        case ("pending", true): return "blocks for now: its safe state cannot be seen yet"
        case ("unknown", false): return "does not permit: something it asks for cannot be seen"
        case ("unknown", true): return "blocks: its safe state cannot be seen"
        case (_, false): return "does not permit"
        case (_, true): return "blocks: its safe state does not hold"
        }
    }

    /// Of a rule that says what blocks: told by that, and not by its contrary.
    private static func outcome(_ verdict: String?, blockers: [Condition]) -> Prose {
        let states = blockers.map { English.statement($0) }.list(", or ")
        return verdict == "true" ? "does not block: it is not so that " + states : "blocks: " + states
    }

    /// What is asked before there is a request ends with a remark of its own.
    private static func match(_ test: Test, _ finding: JSONValue) -> Bool {
        finding.text("condition")?.hasPrefix(test.text) ?? false
    }

    private func describe(
        _ condition: Condition, _ findings: inout ArraySlice<JSONValue>, in output: inout Document,
        depth: Int, isBlocker: Bool = false
    ) {
        let (parts, head): ([Condition], Prose)
        switch condition.content {
        case .test(let test):
            if let finding = findings.popFirst() {
                output.item(Self.line(finding, test, isBlocker: isBlocker), depth: depth)
            }
            return
        case .all(let inner), .any(let inner):
            if inner.count == 1, let only = inner.first {
                return describe(only, &findings, in: &output, depth: depth, isBlocker: isBlocker)
            }
            let isAll = if case .all = condition.content { true } else { false }
            (parts, head) = (inner, isAll ? "all of:" : "at least one of:")
        case .none(let inner): (parts, head) = (inner, "none of:")
        }
        output.item(head, depth: depth)
        for part in parts {
            describe(part, &findings, in: &output, depth: depth + 1, isBlocker: isBlocker)
        }
    }

    /// One finding: whether it is so, what was seen, from whom, and how old that was.
    private static func line(
        _ finding: JSONValue, _ test: Test?, approval: ApprovalTerms? = nil, isBlocker: Bool = false
    ) -> Prose {
        let code = finding.text("code")
        let verdict: Prose
        switch finding.text("verdict") {
        case "true": verdict = isBlocker ? "So" : "Met"
        case "false": verdict = isBlocker ? "Not so" : "Not met"
        case "pending": verdict = code == "approval.waiting" ? "Not yet" : "Cannot be seen yet"
        default: verdict = "Cannot be seen"
        }
        let claim =
            test.map { English.statement($0) } ?? approval.map(English.approval)
            ?? "\(finding.text("condition") ?? "?")"
        let later: Prose =
            finding.text("condition")?.hasSuffix("(to be shown later)") ?? false ? " (to be shown later)" : ""
        let remark: Prose = code.map { " (\($0))" } ?? ""
        return "\(verdict): \(claim)\(later)\(remark). " + seen(finding, test)
    }

    private static func seen(_ finding: JSONValue, _ test: Test?) -> Prose {
        var parts: [Prose] = []
        switch finding["value"] {
        case nil, .array([]):
            parts.append(test?.maximumAge == nil ? "Nothing was seen" : "Nothing current was seen")
        case .some(let value): parts.append("Seen: \(seen: value.shown)")
        }
        if let source = finding.text("source") { parts.append("from \(seen: source)") }
        if let age = finding["age_seconds"]?.number {
            let old: Prose =
                age < 0
                ? "dated \(English.duration(age)) in the future" : "\(English.duration(age)) old"
            parts.append(old)
            if let allowed = test?.maximumAge { parts.append("at most \(English.duration(allowed)) allowed") }
        }
        return parts.joined(", ") + "."
    }

    /// What would have to be otherwise for the request to be permitted.
    var change: Prose? {
        if let miss = trace["nearest_miss"], let id = miss.text("rule") {
            let unmet = wanted(by: id, of: miss.texts("unmet"))
            guard !unmet.isEmpty else {
                return
                    """
                    The rule nearest to permitting is \(owned(id)); it lacks an attribute that a name \
                    is made of.
                    """
            }
            return "The rule nearest to permitting is \(owned(id)). It would take: \(unmet.joined("; "))."
        }
        guard decision.text("effect") == "defer" else { return nil }
        let pending = (trace["rules"]?.items ?? []).flatMap { rule in
            let texts = (rule["conditions"]?.items ?? []).filter { $0.text("verdict") == "pending" }
                .compactMap { $0.text("condition") }
            return wanted(by: rule.text("rule") ?? "", of: texts)
        }
        var distinct: [Prose] = []
        for text in pending where !distinct.contains(text) { distinct.append(text) }
        return distinct.isEmpty
            ? nil : "Asked again, it will be decided anew. It waits for: \(distinct.joined("; "))."
    }

    /// What a rule wants whose tests with these texts fail: its conditions, whole, where the bundle tells.
    private func wanted(by id: String, of texts: [String]) -> [Prose] {
        guard let rule = bundle?.rules.first(where: { $0.id == id }) else { return texts.map(Prose.policy) }
        let conditions = rule.conditions.filter { $0.tests.contains { texts.contains($0.text) } }
        let approval = rule.approval.flatMap { texts.contains($0.text) ? English.approval($0) : nil }
        let known = Set(conditions.flatMap(\.tests).map(\.text) + [rule.approval?.text ?? ""])
        return conditions.map { English.statement($0) } + (approval.map { [$0] } ?? [])
            + texts.filter { !known.contains($0) }.map(Prose.policy)
    }

    /// What rules in shadow would have made of it.
    func describe(shadow: JSONValue, in output: inout Document) {
        let (effect, code) = (shadow.text("effect") ?? "?", shadow.text("reason") ?? "?")
        let isSame = effect == decision.text("effect") && code == decision.text("reason_code")
        let rules = shadow.texts("carried_by").map(owned)
        let carried: Prose = rules.isEmpty ? "" : ", carried by " + rules.list()
        output.paragraph(
            isSame
                ? "Rules in shadow would not have changed the outcome."
                : """
                Rules in shadow changed nothing. Enforced, they would \
                \(effect == decision.text("effect") ? "also " : "")\(effect) it (\(code))\(carried).
                """
        )
        for rule in shadow["rules"]?.items ?? [] { describe(rule, in: &output) }
    }

    /// Approvals received and missing, one sentence for each rule that waits and one for what people said.
    var approvals: [Prose] {
        let said = (input["approvals"]?.items ?? []).map { word in
            """
            \(seen: word.text("approver") ?? "?") \
            \(word.text("verdict") == "deny" ? "denied" : "approved") it at \
            \(Self.time(word.text("at") ?? "?"))
            """
                as Prose
        }
        let waiting = (decision["obligations"]?["approvals"]?.items ?? []).map { terms -> Prose in
            let received = terms.texts("received")
            let count = terms["count"]?.number ?? 1
            let minter = terms["four_eyes"]?.flag == true ? input["history"]?.text("minted_by") : nil
            let others = terms.texts("members").filter {
                !received.contains($0) && $0 != minter.map(Approval.person)
            }
            let span = English.duration(terms["within_seconds"]?.number ?? 0)
            let eyes: Prose =
                terms["four_eyes"]?.flag == true ? "; whoever minted the credential does not count" : ""
            let got: Prose = received.isEmpty ? "none" : received.map { "\(seen: $0)" }.list()
            return
                """
                Rule \(terms.text("rule") ?? "?") wants \(Int(count)) of \(terms.text("from") ?? "?") \
                to approve within \(span)\(eyes). Received: \(got). May still approve: \
                \(others.isEmpty ? "nobody" : others.map { "\(seen: $0)" }.list()).
                """
        }
        return (said.isEmpty ? [] : ["People said: " + said.list() + "."]) + waiting
    }
}

extension Test {
    /// Seconds that what it asks for may be old; nil where age does not matter.
    fileprivate var maximumAge: Int64? {
        switch subject {
        case .posture(_, let age), .notJailbroken(_, let age), .domainControl(let age): return age
        case .attribute, .oneTimeCredential, .certificateOfOurs: return nil
        }
    }
}
