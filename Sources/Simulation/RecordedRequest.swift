import EnrollmentCore

/// A request document as the ledger has it, as far as a replay needs it.
struct RecordedRequest {
    /// With which of policy's questions it is replayed.
    enum Kind: String, CaseIterable { case assess, bind, enroll, refusal }

    let id: String
    let kind: Kind
    /// Nil for a refusal, which never got to policy.
    let input: PolicyInput?

    private enum Member: String, CaseIterable {
        case input, kind
        case id = "request_id"
        static let all = MemberNames<Member>()
    }
    private static let kinds = MemberNames<Kind>()

    init(_ reader: inout RecordReader) throws(RecordError) {
        var id: String?
        var kind: Kind?
        var input: PolicyInput?
        try reader.object(Member.all) { reader, member throws(RecordError) in
            switch member {
            case .id: id = try reader.string()
            case .kind: kind = try reader.word(Self.kinds, "a kind of request")
            case .input: input = try reader.policyInput()
            }
        }
        self.id = try reader.required(id, "request_id")
        self.kind = try reader.required(kind, "kind")
        self.input = input
    }
}

/// A decision document as the ledger has it, without reason and trace.
struct RecordedDecision {
    let effect: DecisionEffect
    let reasonCode: String
    let ruleIDs: [String]
    let profile: String?
    let maximumNotAfter: Timestamp?
    let obligations: Obligations
    let decidedBy: DecisionAuthority

    /// What a permit granted, as its obligations tell it.
    struct Obligations {
        var names = CertificateNames()
        var extendedKeyUsages: [String] = []
    }

    private enum Member: String, CaseIterable {
        case decidedBy = "decided_by"
        case effect
        case maximumNotAfter = "maximum_not_after"
        case obligations, profile
        case reasonCode = "reason_code"
        case ruleIDs = "rule_ids"
        static let all = MemberNames<Member>()
    }
    private static let effects = MemberNames<DecisionEffect>([.permit, .defer, .deny])
    private static let authorities = MemberNames<DecisionAuthority>([.policy, .issuance, .registration])

    init(_ reader: inout RecordReader) throws(RecordError) {
        var effect: DecisionEffect?
        var reasonCode: String?
        var ruleIDs: [String]?
        var profile: String?
        var maximumNotAfter: Timestamp?
        var obligations = Obligations()
        var decidedBy: DecisionAuthority?
        try reader.object(Member.all) { reader, member throws(RecordError) in
            switch member {
            case .decidedBy: decidedBy = try reader.word(Self.authorities, "who decided")
            case .effect: effect = try reader.word(Self.effects, "an outcome")
            case .maximumNotAfter: maximumNotAfter = try reader.optional(RecordReader.instant)
            case .obligations: obligations = try Obligations(&reader)
            case .profile: profile = try reader.optional(RecordReader.text)
            case .reasonCode: reasonCode = try reader.string()
            case .ruleIDs: ruleIDs = try reader.array(RecordReader.text)
            }
        }
        self.effect = try reader.required(effect, "effect")
        self.reasonCode = try reader.required(reasonCode, "reason_code")
        self.ruleIDs = try reader.required(ruleIDs, "rule_ids")
        self.profile = profile
        self.maximumNotAfter = maximumNotAfter
        self.obligations = obligations
        self.decidedBy = try reader.required(decidedBy, "decided_by")
    }
}

extension RecordedDecision.Obligations {
    private enum Member: String, CaseIterable {
        case extendedKeyUsages = "extended_key_usage"
        case names
        static let all = MemberNames<Member>()
    }

    private enum Name: String, CaseIterable {
        case commonName = "common_name"
        case dns, email, ip
        case otherSubjectAttributes = "subject"
        case unsupported, upn, uri
        static let all = MemberNames<Name>()
    }

    fileprivate init(_ reader: inout RecordReader) throws(RecordError) {
        var names = CertificateNames()
        var usages: [String] = []
        try reader.object(Member.all) { reader, member throws(RecordError) in
            switch member {
            case .extendedKeyUsages: usages = try reader.array(RecordReader.text)
            case .names: names = try Self.names(&reader)
            }
        }
        self.names = names
        extendedKeyUsages = usages
    }

    private static func names(_ reader: inout RecordReader) throws(RecordError) -> CertificateNames {
        var names = CertificateNames()
        try reader.object(Name.all) { reader, name throws(RecordError) in
            switch name {
            case .commonName: names.commonName = try reader.string()
            case .dns: names.dns = try reader.array(RecordReader.text)
            case .email: names.email = try reader.array(RecordReader.text)
            case .ip: names.ip = try reader.array(RecordReader.text)
            case .otherSubjectAttributes:
                names.otherSubjectAttributes = try reader.array(RecordReader.text)
            case .unsupported: names.unsupported = try reader.array(RecordReader.text)
            case .upn: names.upn = try reader.array(RecordReader.text)
            case .uri: names.uri = try reader.array(RecordReader.text)
            }
        }
        return names
    }
}
