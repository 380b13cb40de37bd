import Database

extension TypedTable {
    /// The rows in the order of the id that `ChainReader` hands them out by. The first two columns are the
    /// request, null where there is none, and the entry. A table that says itself whose request its rows are
    /// is taken at its word, and so is one whose entries belong to none: a row that is elsewhere for a lie is
    /// missed where it should be. A large table is read twice where one index has the rows of requests and
    /// another the rest.
    var rows: [Statement] {
        switch self {
        case .request: return [Self.rowsOfRequest]
        case .decision: return [Self.rowsOfDecision]
        case .reservation: return [Self.rowsOfReservation]
        case .outcome: return [Self.rowsOfOutcome]
        case .certificate: return [Self.rowsOfCertificate]
        case .revocation: return [Self.rowsOfRevocation]
        case .credential: return [Self.rowsOfCredential]
        case .credentialEvent: return [Self.eventsOfRequests, Self.eventsOfNone]
        case .account: return [Self.rowsOfAccount]
        case .policyActivation: return [Self.rowsOfPolicyActivation]
        case .policySuccession: return [Self.rowsOfPolicySuccession]
        case .policyRefusal: return [Self.rowsOfPolicyRefusal]
        case .adminEvent: return [Self.rowsOfAdminEvent]
        case .alert: return [Self.rowsOfAlert]
        case .overdueReview: return [Self.rowsOfOverdueReview]
        case .approval: return [Self.rowsOfApproval]
        case .redaction: return [Self.rowsOfRedaction]
        case .redactedCommitment: return [Self.rowsOfRedactedCommitment]
        case .rogueCertificate: return [Self.rowsOfRogueCertificate]
        case .rollback: return [Self.rowsOfRollback]
        case .retention: return [Self.rowsOfRetention]
        }
    }

    private static let rowsOfRequest = Statement(
        """
        SELECT t.request_id, t.request_id, t.request_id, t.kind, t.transaction_key, t.received_at,
               t.gateway, t.service, t.protocol, t.operation,
               t.reference, t.device_id, t.client_address,
               t.credential_id,
               t.proof_kinds, t.public_key, t.request_digest, t.follows
        FROM ledger.request AS t ORDER BY t.request_id
        """)

    private static let rowsOfDecision = Statement(
        """
        SELECT t.request_id, t.entry_id, t.request_id, t.kind, t.decided_at, t.effect,
               t.reason_code, t.reason, t.rule_ids, t.owner, t.policy_sha256,
               t.profile, t.max_not_after, t.decided_by
        FROM ledger.decision AS t ORDER BY t.request_id
        """)

    private static let rowsOfReservation = Statement(
        """
        SELECT t.request_id, t.entry_id, t.tbs, t.request_id, t.kind, t.effect,
               t.transaction_key, t.gateway, t.service, t.profile,
               t.device_id, t.issuer, t.serial, t.tbs_sha256, t.public_key, t.names,
               t.not_before, t.not_after, t.signing_deadline, t.key_algorithm
        FROM ledger.reservation AS t ORDER BY t.request_id
        """)

    private static let rowsOfOutcome = Statement(
        """
        SELECT t.request_id, t.entry_id, t.request_id, t.result, t.issuer, t.serial,
               t.reason, t.completed, t.closed_serial
        FROM ledger.outcome AS t ORDER BY t.request_id
        """)

    private static let rowsOfCertificate = Statement(
        """
        SELECT t.request_id, coalesce(o.entry_id, '00000000-0000-0000-0000-000000000000'), t.der,
               t.request_id,
               t.result, t.tbs_sha256, t.certificate_sha256, t.signed_at
        FROM ledger.certificate AS t LEFT JOIN ledger.outcome AS o USING (request_id) ORDER BY t.request_id
        """)

    private static let rowsOfRevocation = Statement(
        """
        SELECT e.request_id, t.entry_id, t.issuer, t.serial, t.revoked_at, t.reason,
               t.actor, t.why
        FROM ledger.revocation AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY coalesce(e.request_id, t.entry_id), t.entry_id
        """)

    private static let rowsOfCredential = Statement(
        """
        SELECT NULL::uuid, t.entry_id, t.credential_id, t.master_key_version, t.service,
               t.device_id, t.restricted_to, t.minted_at, t.expires_at,
               t.minted_by
        FROM ledger.credential AS t ORDER BY t.entry_id
        """)

    private static let eventsOfRequests = Statement(
        """
        SELECT t.request_id, t.entry_id, t.credential_id, t.kind, t.at, t.actor,
               t.request_id, t.transaction_key, t.hold_until, t.reason, t.times
        FROM ledger.credential_event AS t WHERE t.request_id IS NOT NULL ORDER BY t.request_id, t.entry_id
        """)
    private static let eventsOfNone = Statement(
        """
        SELECT t.request_id, t.entry_id, t.credential_id, t.kind, t.at, t.actor,
               t.request_id, t.transaction_key, t.hold_until, t.reason, t.times
        FROM ledger.credential_event AS t WHERE t.request_id IS NULL ORDER BY t.entry_id
        """)

    private static let rowsOfAccount = Statement(
        """
        SELECT t.request_id, t.entry_id, t.service, t.account_id, t.request_id,
               t.credential_id, t.device_id, t.order_until
        FROM ledger.account AS t ORDER BY t.request_id, t.entry_id
        """)

    private static let rowsOfPolicyActivation = Statement(
        """
        SELECT NULL::uuid, t.entry_id, t.policy_sha256, t.activated_at, t.actor
        FROM ledger.policy_activation AS t ORDER BY t.entry_id
        """)

    private static let rowsOfPolicySuccession = Statement(
        """
        SELECT NULL::uuid, t.entry_id, t.previous_sha256, t.meaning_sha256, t.by_name
        FROM ledger.policy_succession AS t ORDER BY t.entry_id
        """)

    private static let rowsOfPolicyRefusal = Statement(
        """
        SELECT NULL::uuid, t.entry_id, t.candidate_sha256, t.in_force_sha256, t.refused_at,
               t.actor,
               t.faults
        FROM ledger.policy_refusal AS t ORDER BY t.entry_id
        """)

    private static let rowsOfAdminEvent = Statement(
        """
        SELECT NULL::uuid, t.entry_id, t.at, t.actor, t.action, t.target,
               t.reason
        FROM ledger.admin_event AS t ORDER BY t.entry_id
        """)

    private static let rowsOfAlert = Statement(
        """
        SELECT e.request_id, t.entry_id, t.at, t.detector, t.severity, t.owner,
               t.subject, array_to_string(t.request_ids, ' '), t.detail
        FROM ledger.alert AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY coalesce(e.request_id, t.entry_id), t.entry_id
        """)

    private static let rowsOfOverdueReview = Statement(
        """
        SELECT e.request_id, t.entry_id, t.subject, t.review_by::text
        FROM ledger.overdue_review AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY coalesce(e.request_id, t.entry_id), t.entry_id
        """)

    private static let rowsOfApproval = Statement(
        """
        SELECT t.request_id, t.entry_id, t.request_id, t.kind, t.effect,
               t.transaction_key,
               t.approver, t.verdict, t.at, t.reason
        FROM ledger.approval AS t ORDER BY t.request_id, t.entry_id
        """)

    private static let rowsOfRedaction = Statement(
        """
        SELECT e.request_id, t.entry_id, t.at, t.actor, t.reason, t.device_id,
               t.request_id, t.commitments
        FROM ledger.redaction AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY coalesce(e.request_id, t.entry_id), t.entry_id
        """)

    private static let rowsOfRedactedCommitment = Statement(
        """
        SELECT e.request_id, t.entry_id, t.commitment, t.request_id
        FROM ledger.redacted_commitment AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY coalesce(e.request_id, t.entry_id), t.entry_id
        """)

    private static let rowsOfRogueCertificate = Statement(
        """
        SELECT e.request_id, t.entry_id, t.certificate_sha256
        FROM ledger.rogue_certificate AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY coalesce(e.request_id, t.entry_id), t.entry_id
        """)

    private static let rowsOfRollback = Statement(
        """
        SELECT NULL::uuid, t.entry_id, t.generation, t.lost_size, t.lost_root, t.present_size,
               t.present_root,
               t.at, t.actor, t.reason
        FROM ledger.rollback AS t ORDER BY t.entry_id
        """)

    private static let rowsOfRetention = Statement(
        """
        SELECT NULL::uuid, t.entry_id, t.month::text, t.from_id, t.to_id, t.entries, t.tree_size,
               t.manifest_sha256, t.at, t.actor
        FROM ledger.retention AS t ORDER BY t.entry_id
        """)
}
