-- Personal values leave the hashed bodies; commitments to them stay. Where a value stood, a body says
-- `commitment:<hex>`, SHA-256 over a salt of its own and the value: erasing both leaves every proof as it was.

CREATE TABLE ledger.private_value (
  commitment ledger.sha256 PRIMARY KEY,
  entry_id   uuid NOT NULL,
  field      text NOT NULL CHECK (length(field) BETWEEN 1 AND 100),
  salt       bytea NOT NULL CHECK (octet_length(salt) = 16),
  value      text NOT NULL,
  CHECK (commitment = sha256(salt || convert_to(value, 'UTF8')))
);
CREATE INDEX private_value_entry ON ledger.private_value (entry_id);
CREATE INDEX private_value_value ON ledger.private_value USING hash (value);

-- An erasure. One act may take several entries, each with its share of the commitments.
CREATE TABLE ledger.redaction (
  entry_id    uuid PRIMARY KEY REFERENCES ledger.entry,
  at          timestamptz NOT NULL,
  actor       text NOT NULL,
  reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
  device_id   text,
  request_id  uuid,
  commitments integer NOT NULL CHECK (commitments BETWEEN 1 AND 8000),
  CHECK ((device_id IS NULL) <> (request_id IS NULL))
);
CREATE TABLE ledger.redacted_commitment (
  commitment ledger.sha256 PRIMARY KEY,
  entry_id   uuid NOT NULL REFERENCES ledger.redaction,
  request_id uuid NOT NULL
);
CREATE INDEX redacted_commitment_request ON ledger.redacted_commitment (request_id);
CREATE INDEX redacted_commitment_entry ON ledger.redacted_commitment (entry_id);
CALL ledger.protect('ledger.redaction', 'ledger.redacted_commitment');

-- A clear value goes only when a redaction names it, and never changes.
CREATE FUNCTION ledger.guard_private_value() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM FROM ledger.redacted_commitment WHERE commitment = OLD.commitment;
    IF FOUND THEN RETURN OLD; END IF;
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM FROM ledger.redacted_commitment WHERE commitment = NEW.commitment;
    IF NOT FOUND THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'a private value goes only by a redaction, and for good' USING ERRCODE = 'GH000';
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON ledger.private_value
  FOR EACH ROW EXECUTE FUNCTION ledger.guard_private_value();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.private_value
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.private_value ENABLE ALWAYS TRIGGER guard;
ALTER TABLE ledger.private_value ENABLE ALWAYS TRIGGER refuse_truncate;

-- Keeps the clear values of a request that was just recorded: those that its documents commit to and that were not
-- erased since. Of a request that was counted instead of recorded, or recorded before, nothing.
CREATE FUNCTION ledger.keep_private(of_request uuid, private_values text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  documents text := (
    SELECT q.body || coalesce(e.body, '') FROM ledger.entry AS q
    LEFT JOIN ledger.decision AS d ON d.request_id = q.entry_id LEFT JOIN ledger.entry AS e ON e.entry_id = d.entry_id
    WHERE q.entry_id = of_request);
BEGIN
  IF documents IS NULL THEN RETURN; END IF;
  INSERT INTO ledger.private_value (commitment, entry_id, field, salt, value)
  SELECT decode(v.commitment, 'hex'), of_request, v.field, decode(v.salt, 'hex'), v.value
  FROM jsonb_to_recordset(private_values::jsonb) AS v (commitment text, field text, salt text, value text)
  WHERE position('"commitment:' || v.commitment || '"' IN documents) > 0
    AND NOT EXISTS (SELECT FROM ledger.redacted_commitment AS r WHERE r.commitment = decode(v.commitment, 'hex'))
  ON CONFLICT DO NOTHING;
END $$;

-- A document of a request with the clear values that are still kept: RFC 8785 text, as it would have been hashed
-- without commitments. Views call it with the reader's rights, and an auditor has none on any table.
CREATE FUNCTION ledger.reveal(of_request uuid, document text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kept record;
BEGIN
  IF position('"commitment:' IN document) = 0 THEN RETURN document; END IF;
  FOR kept IN SELECT p.commitment, p.value FROM ledger.private_value AS p WHERE p.entry_id = of_request LOOP
    document := replace(document, '"commitment:' || encode(kept.commitment, 'hex') || '"', to_json(kept.value)::text);
  END LOOP;
  RETURN document;
END $$;

-- Erases the personal values of all requests of a device, or of one request, and records that. How many requests lost
-- how many values. For the owner only, who no gateway is.
CREATE FUNCTION ledger.redact(id uuid, of_device text, of_request uuid, happened timestamptz, who text, because text)
RETURNS TABLE (requests bigint, commitments bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_requests uuid[];
  found_values bytea[];
  entry uuid := id;
  first integer := 1;
  last integer;
BEGIN
  IF (of_device IS NULL) = (of_request IS NULL) THEN
    RAISE EXCEPTION 'name a device or a request' USING ERRCODE = 'GH001';
  END IF;
  PERFORM ledger.moment(happened);
  SELECT coalesce(array_agg(p.entry_id ORDER BY p.commitment), '{}'),
         coalesce(array_agg(p.commitment::bytea ORDER BY p.commitment), '{}')
    INTO found_requests, found_values
  FROM (SELECT v.entry_id, v.commitment FROM ledger.private_value AS v
        WHERE v.entry_id IN (SELECT q.request_id FROM ledger.request AS q WHERE q.device_id = of_device
                             UNION ALL SELECT of_request)
        FOR UPDATE) AS p;
  WHILE first <= cardinality(found_values) LOOP
    last := least(first + 7999, cardinality(found_values));
    PERFORM ledger.append(entry, 'redaction', of_request, ledger.object('at', ledger.time_text(happened),
      'actor', who, 'reason', because, 'device_id', of_device, 'request_id', of_request::text, 'commitments',
      (SELECT string_agg(encode(v, 'hex'), ' ' ORDER BY place)
       FROM unnest(found_values[first:last]) WITH ORDINALITY AS u (v, place))));
    INSERT INTO ledger.redaction (entry_id, at, actor, reason, device_id, request_id, commitments)
    VALUES (entry, happened, who, because, of_device, of_request, last - first + 1);
    INSERT INTO ledger.redacted_commitment (commitment, entry_id, request_id)
    SELECT u.v, entry, u.q FROM unnest(found_values[first:last], found_requests[first:last]) AS u (v, q);
    entry := ledger.new_id();
    first := last + 1;
  END LOOP;
  DELETE FROM ledger.private_value AS v WHERE v.commitment = ANY (found_values);
  RETURN QUERY SELECT (SELECT count(DISTINCT u.q) FROM unnest(found_requests) AS u (q)),
    cardinality(found_values)::bigint;
END $$;

-- A request, with the client's clear address while that is kept.
CREATE VIEW ledger.request_in_clear AS
SELECT q.request_id, q.kind, q.transaction_key, q.attempt, q.follows, q.received_at, q.gateway, q.service, q.protocol,
       q.operation, q.device_id, coalesce(p.value, q.client_address) AS client_address, q.credential_id, q.proof_kinds
FROM ledger.request AS q
LEFT JOIN ledger.private_value AS p
  ON p.commitment = CASE WHEN q.client_address ~ '^commitment:[0-9a-f]{64}$'
                         THEN decode(substring(q.client_address FROM 12), 'hex') END;

-- As before, of that.
CREATE OR REPLACE VIEW audit.issuance AS
SELECT q.request_id, q.received_at, e.recorded_at, q.protocol, q.operation, q.service, d.profile, q.device_id,
       q.client_address, q.proof_kinds, q.credential_id,
       encode(q.transaction_key, 'hex') AS transaction_key, q.attempt,
       q.follows, d.effect, d.reason_code, d.reason, d.rule_ids, d.owner,
       encode(d.policy_sha256, 'hex') AS policy_sha256, r.issuer, encode(r.serial, 'hex') AS serial,
       r.names->>'commonName' AS common_name, r.names AS names,
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
            ELSE 'issued' END AS state,
       (SELECT later.request_id FROM ledger.request AS later
        WHERE later.transaction_key = q.transaction_key AND later.attempt > q.attempt
        ORDER BY later.attempt LIMIT 1) AS superseded_by
FROM ledger.request_in_clear AS q
JOIN ledger.entry AS e ON e.entry_id = q.request_id
JOIN ledger.decision AS d ON d.request_id = q.request_id
LEFT JOIN ledger.reservation AS r ON r.request_id = q.request_id
LEFT JOIN ledger.outcome AS o ON o.request_id = q.request_id
LEFT JOIN ledger.certificate AS c ON c.request_id = q.request_id
LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
LEFT JOIN state.repetition AS n ON n.request_id = q.request_id;

CREATE OR REPLACE VIEW audit.requests AS
SELECT q.request_id, q.kind, q.received_at, q.protocol, q.operation, q.service, q.device_id,
       q.client_address, q.gateway, d.effect, d.reason_code, d.reason, d.owner,
       d.rule_ids, ledger.reveal(q.request_id, eq.body) AS request, ledger.reveal(q.request_id, ed.body) AS decision
FROM ledger.request_in_clear AS q
JOIN ledger.decision AS d ON d.request_id = q.request_id
JOIN ledger.entry AS eq ON eq.entry_id = q.request_id
JOIN ledger.entry AS ed ON ed.entry_id = d.entry_id;

CREATE OR REPLACE VIEW ledger.approval_case AS
SELECT q.request_id, q.transaction_key, q.received_at AS since, q.protocol, q.operation, q.service, q.device_id,
       q.client_address, d.rule_ids, d.owner, c.credential_id, c.minted_by,
       (SELECT max(h.hold_until) FROM ledger.credential_event AS h
        WHERE h.credential_id = q.credential_id AND h.kind = 'defer' AND h.transaction_key = q.transaction_key)
         AS held_until,
       CASE WHEN jsonb_typeof(o.approvals) = 'array' THEN o.approvals ELSE '[]' END AS required,
       ARRAY(SELECT w.approver FROM ledger.word AS w
             WHERE w.transaction_key = q.transaction_key AND w.verdict = 'approve' ORDER BY 1) AS approved_by,
       ARRAY(SELECT w.approver FROM ledger.word AS w
             WHERE w.transaction_key = q.transaction_key AND w.verdict = 'deny' ORDER BY 1) AS denied_by,
       (SELECT coalesce(json_agg(json_build_object('approver', w.approver, 'verdict', w.verdict,
          'at', ledger.time_text(w.at)) ORDER BY w.approver COLLATE "C"), '[]')::text
        FROM ledger.word AS w WHERE w.transaction_key = q.transaction_key) AS words,
       NOT EXISTS (SELECT FROM ledger.request AS later
                   WHERE later.transaction_key = q.transaction_key AND later.attempt > q.attempt) AS waits
FROM ledger.request_in_clear AS q
JOIN ledger.decision AS d ON d.request_id = q.request_id
JOIN ledger.entry AS e ON e.entry_id = d.entry_id
CROSS JOIN LATERAL (SELECT e.body::jsonb->'obligations'->'approvals' AS approvals) AS o
LEFT JOIN ledger.credential AS c ON c.credential_id = q.credential_id
WHERE q.kind = 'enroll' AND d.effect = 'defer' AND d.reason_code = 'approval.waiting'
  AND NOT EXISTS (SELECT FROM ledger.request AS later JOIN ledger.decision AS ld ON ld.request_id = later.request_id
                  WHERE later.transaction_key = q.transaction_key AND later.attempt > q.attempt
                    AND ld.effect = 'defer' AND ld.reason_code = 'approval.waiting');

CREATE VIEW audit.private_values AS
SELECT entry_id AS request_id, field, value, encode(commitment, 'hex') AS commitment, encode(salt, 'hex') AS salt
FROM ledger.private_value;

CREATE VIEW audit.redactions AS
SELECT r.entry_id, r.at, r.actor, r.reason, r.device_id, r.request_id, r.commitments,
       (SELECT count(DISTINCT c.request_id) FROM ledger.redacted_commitment AS c WHERE c.entry_id = r.entry_id)
         AS requests,
       e.recorded_at, e.writer
FROM ledger.redaction AS r JOIN ledger.entry AS e USING (entry_id);

CREATE VIEW audit.redacted_requests AS
SELECT q.request_id, q.received_at, q.device_id, count(*) AS commitments
FROM ledger.redacted_commitment AS c JOIN ledger.request AS q USING (request_id)
GROUP BY q.request_id;

COMMENT ON VIEW audit.redacted_requests IS
  'requests that lost personal values: what was decided on is not known any more, so nothing computes it again';
COMMENT ON VIEW audit.requests IS
  'each request and decision as documents: personal values in the clear while they are kept, and once they are '
  'erased, the commitments to them that were hashed';
COMMENT ON VIEW audit.private_values IS
  'personal values of requests, outside what is hashed; look up a value here, then its requests in issuance';
COMMENT ON COLUMN audit.private_values.field IS 'where in the request document the value stood first';
COMMENT ON COLUMN audit.private_values.commitment IS
  'SHA-256 of salt and value; the hashed body says commitment: and this';
COMMENT ON VIEW audit.redactions IS 'erasures of personal values';
COMMENT ON COLUMN audit.redactions.device_id IS 'the device whose requests lost their personal values';
COMMENT ON COLUMN audit.redactions.request_id IS 'the one request that lost its personal values';
COMMENT ON COLUMN audit.redactions.commitments IS 'how many values were erased';
COMMENT ON COLUMN audit.redactions.requests IS 'of how many requests';
COMMENT ON COLUMN audit.issuance.client_address IS
  'the client''s address; once erased, the commitment to it that was hashed';

GRANT SELECT ON audit.private_values, audit.redactions, audit.redacted_requests TO gatehouse_auditor, gatehouse_writer;
GRANT SELECT ON ledger.private_value, ledger.redaction, ledger.redacted_commitment
  TO gatehouse_writer, gatehouse_verifier;
GRANT EXECUTE ON FUNCTION ledger.reveal TO gatehouse_auditor;
GRANT EXECUTE ON FUNCTION ledger.keep_private, ledger.reveal TO gatehouse_writer;
