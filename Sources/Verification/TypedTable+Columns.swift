import Database

extension TypedTable {
    /// What follows the two keys (the request's id and the entry's) in each row, in the order of the query.
    var columns: [Column] {
        switch self {
        case .request: return Self.requestColumns
        case .decision: return Self.decisionColumns
        case .reservation: return Self.reservationColumns
        case .outcome: return Self.outcomeColumns
        case .certificate: return Self.certificateColumns
        case .revocation: return Self.revocationColumns
        case .credential: return Self.credentialColumns
        case .credentialEvent: return Self.credentialEventColumns
        case .account: return Self.accountColumns
        case .policyActivation: return Self.policyActivationColumns
        case .policySuccession: return Self.policySuccessionColumns
        case .policyRefusal: return Self.policyRefusalColumns
        case .adminEvent: return Self.adminEventColumns
        case .alert: return Self.alertColumns
        case .overdueReview: return Self.overdueReviewColumns
        case .approval: return Self.approvalColumns
        case .redaction: return Self.redactionColumns
        case .redactedCommitment:
            return [Column("commitment", .commitment), Column("request_id", .elsewhere)]
        case .rogueCertificate: return [Column("certificate_sha256", .hex("subject"))]
        case .rollback: return Self.rollbackColumns
        case .retention: return Self.retentionColumns
        }
    }

    private static let requestColumns = [
        Column("request_id", .id("request_id")), Column("kind", .text("kind")),
        Column("transaction_key", .hex("transaction_key")), Column("received_at", .time("received_at")),
        Column("gateway", .text("gateway")), Column("service", .text("service")),
        Column("protocol", .text("protocol")), Column("operation", .text("operation")),
        Column("reference", .text("reference")), Column("device_id", .text("device_id")),
        Column("client_address", .text("client_address")), Column("credential_id", .credential),
        Column("proof_kinds", .texts("proof_kinds")), Column("public_key", .hex("public_key")),
        Column("request_digest", .hex("request_digest")), Column("follows", .elsewhere),
    ]

    private static let decisionColumns = [
        Column("request_id", .id("request_id")), Column("kind", .text("kind"), .request),
        Column("decided_at", .time("decided_at")), Column("effect", .text("effect")),
        Column("reason_code", .text("reason_code")), Column("reason", .text("reason")),
        Column("rule_ids", .texts("rule_ids")), Column("owner", .text("owner")),
        Column("policy_sha256", .hex("policy_sha256")), Column("profile", .text("profile")),
        Column("max_not_after", .time("maximum_not_after")), Column("decided_by", .text("decided_by")),
    ]

    private static let reservationColumns = [
        Column("tbs", .elsewhere), Column("request_id", .id("request_id")),
        Column("kind", .constant("enroll")),
        Column("effect", .constant("permit")), Column("transaction_key", .hex("transaction_key"), .request),
        Column("gateway", .text("gateway"), .request), Column("service", .text("service"), .request),
        Column("profile", .text("profile"), .decision), Column("device_id", .text("device_id"), .request),
        Column("issuer", .text("issuer")), Column("serial", .hex("serial")),
        Column("tbs_sha256", .hex("tbs_sha256")), Column("public_key", .hex("public_key")),
        Column("names", .json("names")), Column("not_before", .time("not_before")),
        Column("not_after", .time("not_after")), Column("signing_deadline", .time("signing_deadline")),
        Column("key_algorithm", .keyAlgorithm),
    ]

    private static let outcomeColumns = [
        Column("request_id", .id("request_id")), Column("result", .ending),
        Column("issuer", .text("issuer")), Column("serial", .hex("serial")),
        Column("reason", .text("reason")),
        Column("completed", .idIfCompleted("request_id")), Column("closed_serial", .serialIfClosed("serial")),
    ]

    private static let certificateColumns = [
        Column("der", .elsewhere), Column("request_id", .id("request_id")),
        Column("result", .constant("completed")), Column("tbs_sha256", .hex("tbs_sha256")),
        Column("certificate_sha256", .hex("certificate_sha256")), Column("signed_at", .time("signed_at")),
    ]

    private static let revocationColumns = [
        Column("issuer", .text("issuer")), Column("serial", .hex("serial")),
        Column("revoked_at", .time("at")),
        Column("reason", .text("reason")), Column("actor", .text("actor")), Column("why", .text("why")),
    ]

    private static let credentialColumns = [
        Column("credential_id", .text("credential_id")),
        Column("master_key_version", .number("master_key_version", orElse: nil)),
        Column("service", .text("service")), Column("device_id", .text("device_id")),
        Column("restricted_to", .text("restricted_to")), Column("minted_at", .time("at")),
        Column("expires_at", .time("expires_at")), Column("minted_by", .text("actor")),
    ]

    private static let credentialEventColumns = [
        Column("credential_id", .text("credential_id")), Column("kind", .text("kind")),
        Column("at", .time("at")), Column("actor", .text("actor")), Column("request_id", .id("request_id")),
        Column("transaction_key", .hex("transaction_key")), Column("hold_until", .time("hold_until")),
        Column("reason", .text("reason")), Column("times", .number("times", orElse: 1)),
    ]

    private static let accountColumns = [
        Column("service", .text("service")), Column("account_id", .text("account_id")),
        Column("request_id", .id("request_id")), Column("credential_id", .text("credential_id")),
        Column("device_id", .text("device_id")), Column("order_until", .time("order_until")),
    ]

    private static let policyActivationColumns = [
        Column("policy_sha256", .hex("policy_sha256")), Column("activated_at", .time("at")),
        Column("actor", .text("actor")),
    ]

    private static let policySuccessionColumns = [
        Column("previous_sha256", .elsewhere), Column("meaning_sha256", .hex("meaning_sha256")),
        Column("by_name", .flag("by_name")),
    ]

    private static let policyRefusalColumns = [
        Column("candidate_sha256", .hex("policy_sha256")), Column("in_force_sha256", .hex("in_force_sha256")),
        Column("refused_at", .time("at")), Column("actor", .text("actor")), Column("faults", .text("faults")),
    ]

    private static let adminEventColumns = [
        Column("at", .time("at")), Column("actor", .text("actor")), Column("action", .text("action")),
        Column("target", .text("target")), Column("reason", .text("reason")),
    ]

    private static let alertColumns = [
        Column("at", .time("at")), Column("detector", .text("detector")),
        Column("severity", .text("severity")), Column("owner", .text("owner")),
        Column("subject", .text("subject")), Column("request_ids", .text("request_ids")),
        Column("detail", .text("detail")),
    ]

    private static let overdueReviewColumns = [
        Column("subject", .text("subject")), Column("review_by", .mentioned("detail")),
    ]

    private static let approvalColumns = [
        Column("request_id", .id("request_id")), Column("kind", .constant("enroll")),
        Column("effect", .constant("defer")), Column("transaction_key", .hex("transaction_key")),
        Column("approver", .text("approver")), Column("verdict", .text("verdict")), Column("at", .time("at")),
        Column("reason", .text("reason")),
    ]

    private static let redactionColumns = [
        Column("at", .time("at")), Column("actor", .text("actor")), Column("reason", .text("reason")),
        Column("device_id", .text("device_id")), Column("request_id", .id("request_id")),
        Column("commitments", .commitments),
    ]

    private static let rollbackColumns = [
        Column("generation", .number("generation", orElse: nil)),
        Column("lost_size", .number("lost_size", orElse: nil)), Column("lost_root", .hex("lost_root")),
        Column("present_size", .number("present_size", orElse: nil)),
        Column("present_root", .hex("present_root")), Column("at", .time("at")),
        Column("actor", .text("actor")),
        Column("reason", .text("reason")),
    ]

    private static let retentionColumns = [
        Column("month", .firstDay("month")), Column("from_id", .id("from_id")), Column("to_id", .id("to_id")),
        Column("entries", .number("entries", orElse: nil)),
        Column("tree_size", .number("tree_size", orElse: nil)),
        Column("manifest_sha256", .hex("manifest_sha256")), Column("at", .time("at")),
        Column("actor", .text("actor")),
    ]
}
