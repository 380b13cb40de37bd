import EnrollmentCore
package import Policy

/// Recomputes recorded decisions: policy is a pure function, so the same input and bundle must give the same
/// document for ever (invariants I5 and L12).
package enum Replay {
    /// What recomputing one decision showed.
    package enum Finding: Sendable, Hashable {
        case identical
        /// Policy did not take this decision: a refusal before it was asked, or a fault of issuance.
        case notByPolicy
        /// Some members of the document came out otherwise, by name.
        case different([Difference])
    }

    /// One member of a decision document that came out otherwise.
    package struct Difference: Sendable, Hashable {
        /// E.g. `reason_code`.
        package let member: String
        /// RFC 8785 text as recorded; nil when the document has no such member.
        package let recorded: String?
        /// RFC 8785 text as recomputed.
        package let recomputed: String
    }

    /// Decides again and compares the result with the record, member by member and octet by octet.
    ///
    /// - Parameters:
    ///   - request: the request document as the ledger has it.
    ///   - decision: the decision document.
    ///   - bundle: the bundle that the decision names.
    /// - Throws: when a document cannot be read.
    package static func verify(request: [UInt8], decision: [UInt8], bundle: PolicyBundle)
        throws(RecordError) -> Finding
    {
        var reader = RecordReader(request)
        let recorded = try RecordedRequest(&reader)
        try reader.finish()
        let members = try RecordMembers(decision)
        guard members.text("decided_by") == DecisionAuthority.policy.rawValue, let input = recorded.input,
            let again = PolicyEngine(bundle: bundle).answer(input, recorded.kind)
        else { return .notByPolicy }
        let differences = document(of: again).compactMap { member, value -> Difference? in
            let text = value.canonicalText
            // The record is canonical text itself: it need not be read to be compared.
            if let place = members.place(member), members.bytes[place].elementsEqual(text.utf8) { return nil }
            let other = members.has(member) ? (members.value(member) ?? .null).canonicalText : nil
            guard text != other else { return nil }
            return Difference(member: member.description, recorded: other, recomputed: text)
        }
        return differences.isEmpty ? .identical : .different(differences)
    }

    /// The members of the decision's document that policy answers for, by name.
    private static func document(of decision: Decision) -> [(StaticString, JSONValue)] {
        let effect: DecisionEffect
        var grant: Grant?
        switch decision.outcome {
        case .permit(let granted): (effect, grant) = (.permit, granted)
        case .defer: effect = .defer
        case .deny: effect = .deny
        }
        return [
            ("effect", .string(effect.rawValue)),
            ("maximum_not_after", JSONValue(grant?.maximumNotAfter.description)),
            ("obligations", decision.obligations),
            ("owner", .string(decision.owner.team)),
            ("policy_sha256", .string(decision.policy.description)),
            ("profile", JSONValue(grant?.profile.name.rawValue)),
            ("reason", .string(decision.reason)),
            ("reason_code", .string(decision.reasonCode)),
            ("rule_ids", .array(decision.ruleIDs.map(JSONValue.string))),
            ("trace", decision.trace),
        ]
    }
}
