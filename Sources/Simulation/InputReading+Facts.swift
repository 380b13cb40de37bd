import EnrollmentCore

// Devices, history, approvals and proofs, as `PolicyInput` holds them.

extension RecordReader {
    private enum DeviceMember: String, CaseIterable {
        case dns, email, groups, id, owner, posture, serial, sid, udid, upn
        static let all = MemberNames<DeviceMember>()
    }

    static func deviceFacts(_ reader: inout RecordReader) throws(RecordError) -> DeviceFacts {
        var id: DeviceID?
        var serial: String?
        var udid: String?
        var sid: String?
        var owner: String?
        var groups: [String]?
        var dns: [String]?
        var email: [String]?
        var upn: [String]?
        var posture: [PostureFact]?
        try reader.object(DeviceMember.all) { reader, member throws(RecordError) in
            switch member {
            case .id: id = try deviceID(&reader)
            case .serial: serial = try reader.optional(text)
            case .udid: udid = try reader.optional(text)
            case .sid: sid = try reader.optional(text)
            case .owner: owner = try reader.optional(text)
            case .groups: groups = try reader.array(text)
            case .dns: dns = try reader.array(text)
            case .email: email = try reader.array(text)
            case .upn: upn = try reader.array(text)
            case .posture: posture = try reader.array(postureFact)
            }
        }
        var facts = DeviceFacts(
            id: try reader.required(id, "id"), serial: serial, udid: udid, sid: sid, owner: owner)
        // As they were recorded: the initialiser would sort them.
        facts.groups = try reader.required(groups, "groups")
        facts.dns = try reader.required(dns, "dns")
        facts.email = try reader.required(email, "email")
        facts.upn = try reader.required(upn, "upn")
        facts.posture = try reader.required(posture, "posture")
        return facts
    }

    private enum PostureMember: String, CaseIterable {
        case jailbroken
        case observedAt = "observed_at"
        case source, status
        static let all = MemberNames<PostureMember>()
    }

    private static func postureFact(_ reader: inout RecordReader) throws(RecordError) -> PostureFact {
        var source: String?
        var status: PostureStatus?
        var jailbroken: Bool?
        var observedAt: Timestamp?
        try reader.object(PostureMember.all) { reader, member throws(RecordError) in
            switch member {
            case .source: source = try reader.string()
            case .status: status = try reader.word(PostureStatus.all, "a posture status")
            case .jailbroken:
                jailbroken = try reader.optional { reader throws(RecordError) in try reader.bool() }
            case .observedAt: observedAt = try reader.optional(instant)
            }
        }
        return PostureFact(
            source: try reader.required(source, "source"), status: try reader.required(status, "status"),
            jailbroken: jailbroken, observedAt: observedAt)
    }

    private enum HistoryMember: String, CaseIterable {
        case activeCertificates = "active_certificates"
        case failedAttempts = "failed_attempts"
        case keyBlocked = "key_blocked"
        case keySeenOnOtherDevice = "key_seen_on_other_device"
        case lastProofs = "last_proofs"
        case mintedBy = "minted_by"
        static let all = MemberNames<HistoryMember>()
    }

    mutating func historyFacts() throws(RecordError) -> HistoryFacts {
        var active: Int64?
        var failed: Int64?
        var blocked: Bool?
        var seenElsewhere: Bool?
        var lastProofs: [String]?
        var mintedBy: String?
        try object(HistoryMember.all) { reader, member throws(RecordError) in
            switch member {
            case .activeCertificates: active = try reader.integer()
            case .failedAttempts: failed = try reader.optional(Self.number)
            case .keyBlocked: blocked = try reader.bool()
            case .keySeenOnOtherDevice: seenElsewhere = try reader.bool()
            case .lastProofs:
                lastProofs = try reader.optional { reader throws(RecordError) in
                    try reader.array(Self.text)
                }
            case .mintedBy: mintedBy = try reader.optional(Self.text)
            }
        }
        return HistoryFacts(
            activeCertificates: Int(clamping: try required(active, "active_certificates")),
            keySeenOnOtherDevice: try required(seenElsewhere, "key_seen_on_other_device"),
            keyBlocked: try required(blocked, "key_blocked"), failedAttempts: Int(clamping: failed ?? 0),
            lastProofs: lastProofs ?? [], mintedBy: mintedBy)
    }

    private static func number(_ reader: inout RecordReader) throws(RecordError) -> Int64 {
        try reader.integer()
    }

    private enum ApprovalMember: String, CaseIterable {
        case approver, at, verdict
        static let all = MemberNames<ApprovalMember>()
    }

    static func approval(_ reader: inout RecordReader) throws(RecordError) -> Approval {
        var approver: String?
        var at: Timestamp?
        var verdict: Approval.Verdict?
        try reader.object(ApprovalMember.all) { reader, member throws(RecordError) in
            switch member {
            case .approver: approver = try reader.string()
            case .at: at = try reader.instant()
            case .verdict: verdict = try reader.word(Approval.Verdict.all, "a verdict")
            }
        }
        return Approval(
            approver: try reader.required(approver, "approver"),
            verdict: try reader.required(verdict, "verdict"), at: try reader.required(at, "at"))
    }
}

extension PostureStatus {
    fileprivate static let all = MemberNames<PostureStatus>()
}

extension Approval.Verdict {
    fileprivate static let all = MemberNames<Approval.Verdict>()
}
