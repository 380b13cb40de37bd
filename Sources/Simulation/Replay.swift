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
        let asked = try RecordMembers(request)
        return try verify(
            kind: asked.text("kind"), input: asked.place("input").map { Array(request[$0]) },
            decision: RecordMembers(decision), bundle: bundle)
    }

    /// Decides again on what a request document says, as `verify(request:decision:bundle:)`.
    ///
    /// - Parameters:
    ///   - kind: the document's member `kind`.
    ///   - input: its member `input`.
    package static func verify(
        kind: String?, input: [UInt8]?, decision: RecordMembers, bundle: PolicyBundle
    ) throws(RecordError) -> Finding {
        guard let kind = kind.flatMap(RecordedRequest.Kind.init) else {
            throw RecordError("a kind of request is needed", at: 0)
        }
        guard decision.text("decided_by") == DecisionAuthority.policy.rawValue, let input else {
            return .notByPolicy
        }
        var reader = RecordReader(input)
        var facts = RecordReader.blank
        try reader.read(&facts)
        try reader.finish()
        guard let again = PolicyEngine(bundle: bundle).answer(consume facts, kind) else {
            return .notByPolicy
        }
        let differences = Recomputation(again).differences(from: decision)
        return differences.isEmpty ? .identical : .different(differences)
    }
}

/// The members of a decision's document that policy answers for, written anew.
private struct Recomputation {
    private var text = CanonicalText(capacity: 2_048)
    /// Where each member's text starts; it ends where the next one starts.
    private var members: [(name: StaticString, start: Int)] = []

    init(_ decision: borrowing Decision) {
        members.reserveCapacity(10)
        var grant: Grant?
        if case .permit(let granted) = decision.outcome { grant = granted }
        begin("effect")
        text.string(decision.outcome.effectName)
        begin("maximum_not_after")
        text.value(JSONValue(grant?.maximumNotAfter.description))
        begin("obligations")
        decision.writeObligations(to: &text)
        begin("owner")
        text.string(decision.owner.team)
        begin("policy_sha256")
        text.string(decision.policy.description)
        begin("profile")
        text.value(JSONValue(grant?.profile.name.rawValue))
        begin("reason")
        text.string(decision.reason)
        begin("reason_code")
        text.string(decision.reasonCode)
        begin("rule_ids")
        text.array { text in for id in decision.ruleIDs { text.string(id) } }
        begin("trace")
        decision.writeTrace(to: &text)
    }

    private mutating func begin(_ name: StaticString) { members.append((name, text.begin())) }

    func differences(from record: RecordMembers) -> [Replay.Difference] {
        members.indices.compactMap { index in
            let (name, start) = members[index]
            let end = index + 1 < members.count ? members[index + 1].start : text.octets.count
            // The record is canonical text itself: it need not be read to be compared.
            let place = record.place(name)
            if let place, Self.isEqual(text.octets.span, start..<end, record.bytes.span, place) { return nil }
            let recorded = record.has(name) ? (record.value(name) ?? .null).canonicalText : nil
            let recomputed = String(decoding: text.octets[start..<end], as: UTF8.self)
            guard recorded != recomputed else { return nil }
            return Replay.Difference(member: name.description, recorded: recorded, recomputed: recomputed)
        }
    }

    private static func isEqual(
        _ text: Span<UInt8>, _ range: Range<Int>, _ other: Span<UInt8>, _ otherRange: Range<Int>
    ) -> Bool {
        guard range.count == otherRange.count else { return false }
        let (text, other) = (text.extracting(range), other.extracting(otherRange))
        var difference: UInt8 = 0
        for place in text.indices { difference |= text[place] ^ other[place] }
        return difference == 0
    }
}
