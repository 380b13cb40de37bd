-- What an auditor may ask. The views belong to the owner, so an auditor needs no right on any table.

CREATE VIEW audit.issuance AS
SELECT q.request_id, q.received_at, e.recorded_at, q.protocol, q.operation, q.service, d.profile, q.device_id,
       q.client_address, q.proof_kinds, q.credential_id, encode(q.transaction_key, 'hex') AS transaction_key, q.attempt,
       q.follows, d.effect, d.reason_code, d.reason, d.rule_ids, d.owner, encode(d.policy_sha256, 'hex') AS policy_sha256,
       r.issuer, encode(r.serial, 'hex') AS serial, r.names->>'commonName' AS common_name, r.names AS names,
       encode(r.public_key, 'hex') AS public_key_sha256, r.not_before, r.not_after,
       encode(c.certificate_sha256, 'hex') AS certificate_sha256, c.signed_at, v.revoked_at,
       v.reason AS revocation_reason, coalesce(n.times, 0) AS repeated, d.decided_by,
       CASE WHEN d.effect = 'deny' THEN 'denied'
            WHEN d.effect = 'defer' THEN 'deferred'
            WHEN q.kind = 'assess' THEN 'assessed'
            WHEN q.kind = 'bind' THEN 'bound'
            WHEN o.result = 'closed' THEN 'closed'
            WHEN o.result IS NULL THEN 'reserved'
            WHEN v.serial IS NOT NULL THEN 'revoked'
            WHEN r.not_after <= now() THEN 'expired'
            ELSE 'issued' END AS state
FROM ledger.request AS q
JOIN ledger.entry AS e ON e.entry_id = q.request_id
JOIN ledger.decision AS d ON d.request_id = q.request_id
LEFT JOIN ledger.reservation AS r ON r.request_id = q.request_id
LEFT JOIN ledger.outcome AS o ON o.request_id = q.request_id
LEFT JOIN ledger.certificate AS c ON c.request_id = q.request_id
LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
LEFT JOIN state.repetition AS n ON n.request_id = q.request_id;

-- Unexpired reservations only: everything older is history.
CREATE VIEW audit.open_issuance AS
SELECT r.request_id, e.recorded_at, r.gateway, r.service, r.device_id, r.issuer, encode(r.serial, 'hex') AS serial,
       r.signing_deadline
FROM ledger.reservation AS r JOIN ledger.entry AS e USING (entry_id)
LEFT JOIN ledger.outcome AS o ON o.request_id = r.request_id
WHERE o.request_id IS NULL AND r.not_after > now();

CREATE VIEW audit.requests AS
SELECT q.request_id, q.kind, q.received_at, q.protocol, q.operation, q.service, q.device_id, q.client_address,
       q.gateway, d.effect, d.reason_code, d.reason, d.owner, d.rule_ids, eq.body AS request, ed.body AS decision
FROM ledger.request AS q
JOIN ledger.decision AS d ON d.request_id = q.request_id
JOIN ledger.entry AS eq ON eq.entry_id = q.request_id
JOIN ledger.entry AS ed ON ed.entry_id = d.entry_id;

CREATE VIEW audit.credentials AS
SELECT c.credential_id, c.service, c.device_id, c.restricted_to, c.minted_at, c.minted_by, c.expires_at,
       u.at AS used_at, u.request_id AS used_by, v.at AS revoked_at, v.actor AS revoked_by, v.reason AS revoked_why,
       (SELECT coalesce(sum(x.times), 0)::bigint FROM ledger.credential_event AS x
        WHERE x.credential_id = c.credential_id AND x.kind = 'reject') AS wrong_guesses,
       (SELECT count(*) FROM ledger.credential_event AS x
        WHERE x.credential_id = c.credential_id AND x.kind = 'alert') AS reuse_attempts,
       CASE WHEN v.at IS NOT NULL THEN 'revoked' WHEN u.at IS NOT NULL THEN 'spent'
            WHEN (SELECT max(h.hold_until) FROM ledger.credential_event AS h
                  WHERE h.credential_id = c.credential_id AND h.kind = 'defer') > now() THEN 'held'
            WHEN c.expires_at <= now() THEN 'expired' ELSE 'usable' END AS state
FROM ledger.credential AS c
LEFT JOIN ledger.credential_event AS u ON u.credential_id = c.credential_id AND u.kind IN ('consume', 'bind')
LEFT JOIN ledger.credential_event AS v ON v.credential_id = c.credential_id AND v.kind = 'revoke';

CREATE VIEW audit.credential_events AS
SELECT x.credential_id, x.kind, x.at, x.actor, x.request_id, x.reason, x.times, e.recorded_at, e.writer
FROM ledger.credential_event AS x JOIN ledger.entry AS e USING (entry_id);

CREATE VIEW audit.accounts AS
SELECT service, account_id, credential_id, device_id, order_until, request_id FROM ledger.account;

CREATE VIEW audit.alerts AS
SELECT a.entry_id AS alert_id, a.at, a.detector, a.severity, a.owner, a.subject, a.request_ids, a.detail, e.recorded_at
FROM ledger.alert AS a JOIN ledger.entry AS e USING (entry_id);

CREATE VIEW audit.revocations AS
SELECT v.issuer, encode(v.serial, 'hex') AS serial, v.revoked_at, v.reason, v.actor, v.why, r.request_id, r.device_id
FROM ledger.revocation AS v LEFT JOIN ledger.reservation AS r ON r.issuer = v.issuer AND r.serial = v.serial;

CREATE VIEW audit.policies AS
SELECT encode(a.policy_sha256, 'hex') AS policy_sha256, a.activated_at, a.actor, octet_length(p.bundle) AS octets
FROM ledger.policy_activation AS a JOIN ledger.policy_version AS p USING (policy_sha256);

CREATE VIEW audit.admin_events AS
SELECT a.at, a.actor, a.action, a.target, a.reason, e.recorded_at, e.writer
FROM ledger.admin_event AS a JOIN ledger.entry AS e USING (entry_id);

CREATE VIEW audit.traffic AS
SELECT minute, service, source, kind, sum(requests)::bigint AS requests
FROM ledger.traffic GROUP BY minute, service, source, kind;

CREATE VIEW audit.devices AS
SELECT f.device_id, f.serial, f.udid, f.sid, f.owner, f.groups, f.dns, f.email, f.upn, f.posture, d.updated_at,
       d.updated_by
FROM directory.facts AS f JOIN directory.device AS d USING (device_id);

CREATE VIEW audit.entries AS
SELECT entry_id, kind, request_id, body, encode(leaf_hash, 'hex') AS leaf_hash, recorded_at, writer FROM ledger.entry;

CREATE VIEW audit.dictionary AS
SELECT c.relname::text AS view, a.attname::text AS column_name, format_type(a.atttypid, a.atttypmod) AS data_type,
       coalesce(col_description(c.oid, a.attnum), obj_description(c.oid, 'pg_class')) AS meaning
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'audit'::regnamespace AND c.relkind = 'v';

COMMENT ON VIEW audit.issuance IS 'one row for each judged or refused request, with everything that came of it';
COMMENT ON VIEW audit.open_issuance IS 'reservations neither completed nor closed';
COMMENT ON VIEW audit.requests IS 'each request and decision as the documents that were hashed';
COMMENT ON VIEW audit.credentials IS 'enrollment credentials and what became of each';
COMMENT ON VIEW audit.credential_events IS 'every act on an enrollment credential';
COMMENT ON VIEW audit.accounts IS 'ACME accounts and the credential that bound each';
COMMENT ON VIEW audit.alerts IS 'security alerts with their owner';
COMMENT ON VIEW audit.revocations IS 'revoked serial numbers';
COMMENT ON VIEW audit.policies IS 'activations of policy bundles';
COMMENT ON VIEW audit.admin_events IS 'acts of administrators';
COMMENT ON VIEW audit.traffic IS 'requests that were counted instead of recorded, by source and minute';
COMMENT ON VIEW audit.devices IS 'the device directory as it is now';
COMMENT ON VIEW audit.entries IS 'every fact as hashed, with its leaf hash';
COMMENT ON VIEW audit.dictionary IS 'this description';
COMMENT ON COLUMN audit.issuance.request_id IS 'correlation id, as the client and the logs see it';
COMMENT ON COLUMN audit.issuance.received_at IS 'when the gateway received the request, by its clock';
COMMENT ON COLUMN audit.issuance.recorded_at IS 'when the database recorded it, by its clock';
COMMENT ON COLUMN audit.issuance.transaction_key IS 'SHA-256 naming the transaction: one credential use, one certificate';
COMMENT ON COLUMN audit.issuance.attempt IS 'counts the requests of one transaction';
COMMENT ON COLUMN audit.issuance.follows IS 'the earlier request that this one decides again';
COMMENT ON COLUMN audit.issuance.effect IS 'permit | defer | deny';
COMMENT ON COLUMN audit.issuance.owner IS 'team answerable for the outcome';
COMMENT ON COLUMN audit.issuance.policy_sha256 IS 'SHA-256 of the policy bundle that decided';
COMMENT ON COLUMN audit.issuance.serial IS 'certificate serial number in lower-case hexadecimal';
COMMENT ON COLUMN audit.issuance.repeated IS 'how often the same answer was given again without a row of its own';
COMMENT ON COLUMN audit.issuance.decided_by IS
  'policy | issuance | registration: deciding again on the recorded input agrees with policy only';
COMMENT ON COLUMN audit.credential_events.times IS 'how many wrong guesses one row stands for';
COMMENT ON COLUMN audit.issuance.state IS
  'denied | deferred | assessed | bound | reserved | closed | issued | expired | revoked';
COMMENT ON COLUMN audit.credentials.state IS 'usable | held | spent | expired | revoked';

GRANT USAGE ON SCHEMA audit TO gatehouse_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA audit TO gatehouse_auditor;

GRANT USAGE ON SCHEMA ledger, state, directory, audit TO gatehouse_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger, state, directory, audit TO gatehouse_writer;
GRANT USAGE ON TYPE ledger.sha256 TO gatehouse_writer;
GRANT EXECUTE ON FUNCTION ledger.moment, ledger.standing, ledger.history, ledger.conflict,
  ledger.record_attempt, ledger.record_refusal, ledger.close, ledger.revoke,
  ledger.reserve, ledger.commit, ledger.reconcile, ledger.bind, ledger.mint, ledger.revoke_credential,
  ledger.append_alert, ledger.alert_credential, ledger.activate_policy, ledger.append_admin_event,
  ledger.count_traffic, ledger.count_guesses, state.insert_record, state.replace_record, state.consume_once, state.forget,
  directory.put_device TO gatehouse_writer;
