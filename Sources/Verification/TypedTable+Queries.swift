import Database

extension TypedTable {
    /// Declares and reads a cursor over the table in the order of requests, then of entries that belong to
    /// none. The first two columns are the keys; text comes as octets.
    var cursor: (declare: Statement, fetch: Statement) { (declare, fetch) }

    private var declare: Statement {
        switch self {
        case .request: return Self.rowsOfRequest
        case .decision: return Self.rowsOfDecision
        case .reservation: return Self.rowsOfReservation
        case .outcome: return Self.rowsOfOutcome
        case .certificate: return Self.rowsOfCertificate
        case .revocation: return Self.rowsOfRevocation
        case .credential: return Self.rowsOfCredential
        case .credentialEvent: return Self.rowsOfCredentialEvent
        case .account: return Self.rowsOfAccount
        case .policyActivation: return Self.rowsOfPolicyActivation
        case .policySuccession: return Self.rowsOfPolicySuccession
        case .policyRefusal: return Self.rowsOfPolicyRefusal
        case .adminEvent: return Self.rowsOfAdminEvent
        case .alert: return Self.rowsOfAlert
        case .overdueReview: return Self.rowsOfOverdueReview
        case .approval: return Self.rowsOfApproval
        case .redaction: return Self.rowsOfRedaction
        case .redactedCommitment: return Self.rowsOfRedactedCommitment
        case .rogueCertificate: return Self.rowsOfRogueCertificate
        case .rollback: return Self.rowsOfRollback
        case .retention: return Self.rowsOfRetention
        }
    }

    private var fetch: Statement {
        switch self {
        case .request: return Statement("FETCH FORWARD 500 FROM of_request")
        case .decision: return Statement("FETCH FORWARD 500 FROM of_decision")
        case .reservation: return Statement("FETCH FORWARD 500 FROM of_reservation")
        case .outcome: return Statement("FETCH FORWARD 500 FROM of_outcome")
        case .certificate: return Statement("FETCH FORWARD 500 FROM of_certificate")
        case .revocation: return Statement("FETCH FORWARD 500 FROM of_revocation")
        case .credential: return Statement("FETCH FORWARD 500 FROM of_credential")
        case .credentialEvent: return Statement("FETCH FORWARD 500 FROM of_credential_event")
        case .account: return Statement("FETCH FORWARD 500 FROM of_account")
        case .policyActivation: return Statement("FETCH FORWARD 500 FROM of_policy_activation")
        case .policySuccession: return Statement("FETCH FORWARD 500 FROM of_policy_succession")
        case .policyRefusal: return Statement("FETCH FORWARD 500 FROM of_policy_refusal")
        case .adminEvent: return Statement("FETCH FORWARD 500 FROM of_admin_event")
        case .alert: return Statement("FETCH FORWARD 500 FROM of_alert")
        case .overdueReview: return Statement("FETCH FORWARD 500 FROM of_overdue_review")
        case .approval: return Statement("FETCH FORWARD 500 FROM of_approval")
        case .redaction: return Statement("FETCH FORWARD 500 FROM of_redaction")
        case .redactedCommitment: return Statement("FETCH FORWARD 500 FROM of_redacted")
        case .rogueCertificate: return Statement("FETCH FORWARD 500 FROM of_rogue")
        case .rollback: return Statement("FETCH FORWARD 500 FROM of_rollback")
        case .retention: return Statement("FETCH FORWARD 500 FROM of_retention")
        }
    }

    private static let rowsOfRequest = Statement(
        """
        DECLARE of_request NO SCROLL CURSOR FOR
        SELECT t.request_id, t.request_id, t.request_id, textsend(t.kind), t.transaction_key, t.received_at,
               textsend(t.gateway), textsend(t.service), textsend(t.protocol), textsend(t.operation),
               textsend(t.reference), textsend(t.device_id), textsend(t.client_address),
               textsend(t.credential_id),
               t.proof_kinds, t.public_key, t.request_digest, t.follows
        FROM ledger.request AS t ORDER BY t.request_id
        """)

    private static let rowsOfDecision = Statement(
        """
        DECLARE of_decision NO SCROLL CURSOR FOR
        SELECT t.request_id, t.entry_id, t.request_id, textsend(t.kind), t.decided_at, textsend(t.effect),
               textsend(t.reason_code), textsend(t.reason), t.rule_ids, textsend(t.owner), t.policy_sha256,
               textsend(t.profile), t.max_not_after, textsend(t.decided_by)
        FROM ledger.decision AS t ORDER BY t.request_id
        """)

    private static let rowsOfReservation = Statement(
        """
        DECLARE of_reservation NO SCROLL CURSOR FOR
        SELECT t.request_id, t.entry_id, t.tbs, t.request_id, textsend(t.kind), textsend(t.effect),
               t.transaction_key, textsend(t.gateway), textsend(t.service), textsend(t.profile),
               textsend(t.device_id), textsend(t.issuer), t.serial, t.tbs_sha256, t.public_key, t.names,
               t.not_before, t.not_after, t.signing_deadline, textsend(t.key_algorithm)
        FROM ledger.reservation AS t ORDER BY t.request_id
        """)

    private static let rowsOfOutcome = Statement(
        """
        DECLARE of_outcome NO SCROLL CURSOR FOR
        SELECT t.request_id, t.entry_id, t.request_id, textsend(t.result), textsend(t.issuer), t.serial,
               textsend(t.reason), t.completed, t.closed_serial
        FROM ledger.outcome AS t ORDER BY t.request_id
        """)

    private static let rowsOfCertificate = Statement(
        """
        DECLARE of_certificate NO SCROLL CURSOR FOR
        SELECT t.request_id, coalesce(o.entry_id, '00000000-0000-0000-0000-000000000000'), t.der,
               t.request_id,
               textsend(t.result), t.tbs_sha256, t.certificate_sha256, t.signed_at
        FROM ledger.certificate AS t LEFT JOIN ledger.outcome AS o USING (request_id) ORDER BY t.request_id
        """)

    private static let rowsOfRevocation = Statement(
        """
        DECLARE of_revocation NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, textsend(t.issuer), t.serial, t.revoked_at, textsend(t.reason),
               textsend(t.actor), textsend(t.why)
        FROM ledger.revocation AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfCredential = Statement(
        """
        DECLARE of_credential NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, textsend(t.credential_id), t.master_key_version, textsend(t.service),
               textsend(t.device_id), textsend(t.restricted_to), t.minted_at, t.expires_at,
               textsend(t.minted_by)
        FROM ledger.credential AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfCredentialEvent = Statement(
        """
        DECLARE of_credential_event NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, textsend(t.credential_id), textsend(t.kind), t.at, textsend(t.actor),
               t.request_id, t.transaction_key, t.hold_until, textsend(t.reason), t.times
        FROM ledger.credential_event AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfAccount = Statement(
        """
        DECLARE of_account NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, textsend(t.service), textsend(t.account_id), t.request_id,
               textsend(t.credential_id), textsend(t.device_id), t.order_until
        FROM ledger.account AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfPolicyActivation = Statement(
        """
        DECLARE of_policy_activation NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.policy_sha256, t.activated_at, textsend(t.actor)
        FROM ledger.policy_activation AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfPolicySuccession = Statement(
        """
        DECLARE of_policy_succession NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.previous_sha256, t.meaning_sha256, t.by_name
        FROM ledger.policy_succession AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfPolicyRefusal = Statement(
        """
        DECLARE of_policy_refusal NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.candidate_sha256, t.in_force_sha256, t.refused_at,
               textsend(t.actor),
               textsend(t.faults)
        FROM ledger.policy_refusal AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfAdminEvent = Statement(
        """
        DECLARE of_admin_event NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.at, textsend(t.actor), textsend(t.action), textsend(t.target),
               textsend(t.reason)
        FROM ledger.admin_event AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfAlert = Statement(
        """
        DECLARE of_alert NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.at, textsend(t.detector), textsend(t.severity), textsend(t.owner),
               textsend(t.subject), textsend(array_to_string(t.request_ids, ' ')), textsend(t.detail)
        FROM ledger.alert AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfOverdueReview = Statement(
        """
        DECLARE of_overdue_review NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, textsend(t.subject), textsend(t.review_by::text)
        FROM ledger.overdue_review AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfApproval = Statement(
        """
        DECLARE of_approval NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.request_id, textsend(t.kind), textsend(t.effect),
               t.transaction_key,
               textsend(t.approver), textsend(t.verdict), t.at, textsend(t.reason)
        FROM ledger.approval AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfRedaction = Statement(
        """
        DECLARE of_redaction NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.at, textsend(t.actor), textsend(t.reason), textsend(t.device_id),
               t.request_id, t.commitments
        FROM ledger.redaction AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfRedactedCommitment = Statement(
        """
        DECLARE of_redacted NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.commitment, t.request_id
        FROM ledger.redacted_commitment AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfRogueCertificate = Statement(
        """
        DECLARE of_rogue NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.certificate_sha256
        FROM ledger.rogue_certificate AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfRollback = Statement(
        """
        DECLARE of_rollback NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, t.generation, t.lost_size, t.lost_root, t.present_size,
               t.present_root,
               t.at, textsend(t.actor), textsend(t.reason)
        FROM ledger.rollback AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)

    private static let rowsOfRetention = Statement(
        """
        DECLARE of_retention NO SCROLL CURSOR FOR
        SELECT e.request_id, t.entry_id, textsend(t.month::text), t.from_id, t.to_id, t.entries, t.tree_size,
               t.manifest_sha256, t.at, textsend(t.actor)
        FROM ledger.retention AS t LEFT JOIN ledger.entry AS e USING (entry_id)
        ORDER BY e.request_id NULLS LAST, t.entry_id
        """)
}
