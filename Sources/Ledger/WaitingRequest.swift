import Database
package import EnrollmentCore

/// A transaction that waits for somebody's approval, or last did, as `approval list` shows it.
package struct WaitingRequest: Sendable, Hashable {
    /// The last attempt that was told to wait.
    package let request: RequestID
    package let since: Timestamp
    /// As recorded, e.g. `scep`.
    package let enrollmentProtocol: String
    /// As recorded, e.g. `enroll`.
    package let operation: String
    package let service: ServiceName
    package let device: DeviceID?
    package let clientAddress: String
    package let ruleIDs: [String]
    /// The team answerable for the outcome.
    package let owner: String
    /// Who minted the credential that was offered, as recorded; nil when none was.
    package let mintedBy: String?
    /// Until when the credential waits with its request; nil when none was offered.
    package let heldUntil: Timestamp?
    /// What the recorded decision asks for, one member a rule; empty when it does not say.
    package let required: [RequiredApproval]
    /// Whose latest word since the transaction's last certificate approves, in whichever team and however
    /// old.
    package let approvedBy: [String]
    /// Whose latest word since then denies.
    package let deniedBy: [String]
    /// The latest word of each person since then.
    package let words: [Approval]
    /// Whether nothing else was answered since.
    package let waits: Bool

    init(_ row: Row) throws(DatabaseError) {
        request = try row.requestID(0)
        since = try row.instant(1)
        enrollmentProtocol = try row.text(2)
        operation = try row.text(3)
        service = ServiceName(try row.text(4))
        device = try row.optionalText(5).flatMap { DeviceID($0) }
        clientAddress = try row.text(6)
        ruleIDs = try row.texts(7)
        owner = try row.text(8)
        mintedBy = try row.optionalText(9)
        heldUntil = try row.optionalInstant(10)
        let document = try AttemptDocuments.decode(JSONValue.self, from: try row.optionalJSON(11) ?? "[]")
        guard case .array(let members) = document else { throw .unexpectedRow("not a list of approvals") }
        required = members.compactMap(RequiredApproval.init)
        approvedBy = try row.texts(12)
        deniedBy = try row.texts(13)
        waits = try row.bool(14)
        words = try AttemptDocuments.decode([Approval].self, from: try row.text(15))
    }
}

/// The approval that one rule asks for, as recorded with its decision.
package struct RequiredApproval: Sendable, Hashable {
    package let rule: String
    package let team: String
    /// How many members of the team must approve.
    package let count: Int
    /// Seconds for which an approval counts.
    package let within: Int64
    /// Whether who minted the credential may not approve.
    package let fourEyes: Bool
    /// The team's members when it was decided, e.g. `os:jane`.
    package let members: [String]

    /// Nil when the document is not of that shape.
    init?(_ document: JSONValue) {
        guard case .object(let fields) = document, case .string(let rule)? = fields["rule"],
            case .string(let team)? = fields["from"], case .integer(let count)? = fields["count"],
            case .integer(let within)? = fields["within_seconds"],
            case .array(let listed)? = fields["members"]
        else { return nil }
        self.rule = rule
        self.team = team
        self.count = Int(clamping: count)
        self.within = within
        fourEyes = fields["four_eyes"] != .bool(false)
        members = listed.compactMap { if case .string(let member) = $0 { member } else { nil } }
    }
}
