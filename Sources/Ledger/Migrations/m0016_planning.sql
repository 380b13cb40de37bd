-- As before, but planned once for each connection: PostgreSQL plans a function in LANGUAGE sql that it cannot inline
-- anew with every call, and these are called several times for each issuance.

CREATE OR REPLACE FUNCTION ledger.leaf_hash(body text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN sha256('\x00'::bytea || convert_to(body, 'UTF8'));
END $$;

CREATE OR REPLACE FUNCTION ledger.time_text(instant timestamptz) RETURNS text LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
END $$;

CREATE OR REPLACE FUNCTION ledger.object(VARIADIC members text[]) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    SELECT '{' || coalesce(string_agg(to_json(members[i])::text || ':' || to_json(members[i + 1])::text, ','
                                      ORDER BY members[i] COLLATE "C"), '') || '}'
    FROM generate_subscripts(members, 1) AS i WHERE i % 2 = 1 AND members[i + 1] IS NOT NULL);
END $$;

CREATE OR REPLACE FUNCTION ledger.append(id uuid, entry_kind text, request uuid, entry_body text) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO ledger.entry (entry_id, kind, request_id, body, leaf_hash)
  VALUES (id, entry_kind, request, entry_body, ledger.leaf_hash(entry_body));
  RETURN id;
END $$;

CREATE OR REPLACE FUNCTION ledger.credential_serves(asked ledger.request, device text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (
      SELECT FROM ledger.credential AS c JOIN ledger.credential_event AS used USING (credential_id)
      LEFT JOIN ledger.account AS a USING (credential_id)
      WHERE c.credential_id = asked.credential_id AND c.device_id = device AND c.service = asked.service
        AND ((used.kind = 'consume' AND used.transaction_key = asked.transaction_key)
          OR (used.kind = 'bind' AND a.device_id = device AND a.service = asked.service)))
    AND NOT EXISTS (SELECT FROM ledger.credential_event
      WHERE credential_id = asked.credential_id AND kind = 'revoke');
END $$;

-- A reservation is open, or closed and its serial revoked, or it has its certificate: keys say so. To know that it is
-- neither of the first two, nobody has to look for the certificate.
CREATE VIEW audit.live_certificates AS
SELECT r.request_id, r.issuer, encode(r.serial, 'hex') AS serial, r.service, r.profile, d.owner, r.device_id,
       r.names->>'commonName' AS common_name, r.key_algorithm, encode(r.public_key, 'hex') AS public_key_sha256,
       r.not_before, r.not_after, r.not_after - r.not_before AS validity, r.gateway
FROM ledger.reservation AS r
LEFT JOIN ledger.decision AS d ON d.request_id = r.request_id AND d.kind = 'enroll' AND d.effect = 'permit'
WHERE r.not_after > now()
  AND NOT EXISTS (SELECT FROM ledger.revocation AS v WHERE v.issuer = r.issuer AND v.serial = r.serial)
  AND NOT EXISTS (SELECT FROM ledger.open_reservation AS w WHERE w.request_id = r.request_id);
COMMENT ON VIEW audit.live_certificates IS 'certificates that are neither expired nor revoked: quick to count';

CREATE VIEW audit.unused_credentials AS
SELECT c.credential_id, c.service, c.device_id, c.restricted_to, c.minted_at, c.minted_by, c.expires_at
FROM ledger.credential AS c
WHERE NOT EXISTS (SELECT FROM ledger.credential_event AS u
                  WHERE u.credential_id = c.credential_id AND u.kind IN ('consume', 'bind'))
  AND NOT EXISTS (SELECT FROM ledger.credential_event AS v
                  WHERE v.credential_id = c.credential_id AND v.kind = 'revoke');
COMMENT ON VIEW audit.unused_credentials IS
  'enrollment credentials that were neither used nor revoked: quick to count';

-- As before, but whether a request waits is asked first: of what has been answered, nothing more is looked at.
CREATE OR REPLACE VIEW audit.waiting_approvals AS
SELECT w.request_id, encode(w.transaction_key, 'hex') AS transaction_key, w.since, w.protocol, w.operation, w.service,
       w.device_id, w.client_address, w.rule_ids, w.owner, r->>'rule' AS rule, r->>'from' AS team,
       CASE WHEN jsonb_typeof(r->'count') = 'number' THEN (r->>'count')::numeric END AS count,
       CASE WHEN jsonb_typeof(r->'within_seconds') = 'number' THEN (r->>'within_seconds')::numeric END
         AS within_seconds,
       CASE WHEN jsonb_typeof(r->'four_eyes') = 'boolean' THEN (r->>'four_eyes')::boolean END AS four_eyes,
       ARRAY(SELECT jsonb_array_elements_text(CASE WHEN jsonb_typeof(r->'members') = 'array' THEN r->'members' END))
         AS members,
       w.minted_by,
       ARRAY(SELECT said.approver FROM ledger.word AS said
             WHERE said.transaction_key = w.transaction_key AND said.verdict = 'approve' ORDER BY 1) AS approved_by,
       ARRAY(SELECT said.approver FROM ledger.word AS said
             WHERE said.transaction_key = w.transaction_key AND said.verdict = 'deny' ORDER BY 1) AS denied_by,
       (SELECT max(h.hold_until) FROM ledger.credential_event AS h
        WHERE h.credential_id = w.credential_id AND h.kind = 'defer' AND h.transaction_key = w.transaction_key)
         AS held_until
FROM (SELECT q.*, q.received_at AS since, d.rule_ids, d.owner, c.minted_by,
             (SELECT e.body::jsonb->'obligations'->'approvals' FROM ledger.entry AS e WHERE e.entry_id = d.entry_id)
               AS required
      FROM ledger.decision AS d JOIN ledger.request_in_clear AS q ON q.request_id = d.request_id
      LEFT JOIN ledger.credential AS c ON c.credential_id = q.credential_id
      WHERE q.kind = 'enroll' AND d.effect = 'defer' AND d.reason_code = 'approval.waiting'
        AND NOT EXISTS (SELECT FROM ledger.request AS later
                        WHERE later.transaction_key = q.transaction_key AND later.attempt > q.attempt)) AS w
LEFT JOIN LATERAL jsonb_array_elements(
  CASE WHEN jsonb_typeof(w.required) = 'array' THEN w.required ELSE '[]' END) AS r ON true;

GRANT SELECT ON audit.live_certificates, audit.unused_credentials TO gatehouse_auditor, gatehouse_writer;
