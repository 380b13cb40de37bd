-- What people say of waiting requests, and what more a decision may know of the past.

ALTER TABLE ledger.entry DROP CONSTRAINT entry_kind_check, ADD CONSTRAINT entry_kind_check
  CHECK (kind IN ('request', 'decision', 'reservation', 'certificate', 'failure', 'revocation', 'credential', 'account',
                  'policy', 'admin', 'alert', 'approval'));

-- One person's word. It is said of a deferred request and belongs to its transaction: later attempts of the same
-- transaction are judged by it too, until one of them has its certificate. What is asked after that is a new question.
-- Words are never taken back; the latest of each person counts.
CREATE TABLE ledger.approval (
  entry_id        uuid PRIMARY KEY REFERENCES ledger.entry,
  request_id      uuid NOT NULL,
  kind            text NOT NULL DEFAULT 'enroll' CHECK (kind = 'enroll'),
  effect          text NOT NULL DEFAULT 'defer' CHECK (effect = 'defer'),
  transaction_key ledger.sha256 NOT NULL REFERENCES ledger.transaction,
  number          integer NOT NULL CHECK (number >= 1),
  approver        text NOT NULL CHECK (length(approver) BETWEEN 1 AND 200),
  verdict         text NOT NULL CHECK (verdict IN ('approve', 'deny')),
  at              timestamptz NOT NULL,
  reason          text CHECK (length(reason) BETWEEN 1 AND 1000),
  -- How many reservations the transaction had when it was said; the trigger counts them.
  reservations    integer NOT NULL,
  FOREIGN KEY (request_id, kind, effect) REFERENCES ledger.decision (request_id, kind, effect),
  UNIQUE (transaction_key, number),
  CHECK (verdict = 'approve' OR reason IS NOT NULL)
);
CREATE INDEX approval_at ON ledger.approval (at DESC);
CREATE INDEX decision_awaits ON ledger.decision (decided_at DESC) WHERE reason_code = 'approval.waiting';
CREATE INDEX reservation_latest ON ledger.reservation (device_id, service, request_id DESC);
CREATE INDEX credential_guesses ON ledger.credential_event (credential_id) INCLUDE (times) WHERE kind = 'reject';
CALL ledger.protect('ledger.approval');

-- Checked for whoever inserts: a word is of the request's own transaction, and comes before its certificate.
CREATE FUNCTION ledger.check_approval() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ledger.moment(NEW.at);
  PERFORM FROM ledger.request WHERE request_id = NEW.request_id AND transaction_key = NEW.transaction_key;
  IF NOT FOUND THEN RAISE EXCEPTION 'not the request''s transaction' USING ERRCODE = 'GH005'; END IF;
  PERFORM FROM ledger.standing(NEW.transaction_key, NEW.at) AS s WHERE s.status IN ('in_flight', 'issued');
  IF FOUND THEN RAISE EXCEPTION 'the transaction has its certificate' USING ERRCODE = 'GH007'; END IF;
  SELECT count(*) INTO NEW.reservations FROM ledger.reservation AS r WHERE r.transaction_key = NEW.transaction_key;
  RETURN NEW;
END $$;
CREATE TRIGGER check_approval BEFORE INSERT ON ledger.approval
  FOR EACH ROW EXECUTE FUNCTION ledger.check_approval();
ALTER TABLE ledger.approval ENABLE ALWAYS TRIGGER check_approval;

-- The latest word of each person on a transaction since its last certificate: one approval is of one certificate.
-- A reservation that was closed without one leaves the words as they are.
CREATE VIEW ledger.word AS
SELECT DISTINCT ON (a.transaction_key, a.approver) a.transaction_key, a.approver, a.verdict, a.at
FROM ledger.approval AS a
WHERE NOT EXISTS (SELECT FROM ledger.reservation AS r JOIN ledger.certificate AS c ON c.request_id = r.request_id
                  WHERE r.transaction_key = a.transaction_key AND r.number > a.reservations)
ORDER BY a.transaction_key, a.approver, a.number DESC;

-- What is known of each credential; whether its use has ended, `ledger.standing` tells.
CREATE VIEW ledger.known_credential AS
SELECT c.credential_id, c.master_key_version, c.service, c.device_id, c.restricted_to, c.minted_at, c.expires_at,
       c.minted_by, v.at AS revoked_at, u.transaction_key AS used_for, h.transaction_key AS held_for,
       h.hold_until AS held_until
FROM ledger.credential AS c
LEFT JOIN ledger.credential_event AS v ON v.credential_id = c.credential_id AND v.kind = 'revoke'
LEFT JOIN ledger.credential_event AS u ON u.credential_id = c.credential_id AND u.kind IN ('consume', 'bind')
LEFT JOIN LATERAL (SELECT transaction_key, hold_until FROM ledger.credential_event
                   WHERE credential_id = c.credential_id AND kind = 'defer'
                   ORDER BY hold_until DESC LIMIT 1) AS h ON true;

-- Records a word. `recorded`, or why not: `unknown`, `not_deferred`, `in_flight`, `issued`.
CREATE FUNCTION ledger.approve(id uuid, asked uuid, said text, happened timestamptz, who text, because text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  for_key bytea;
  standing text;
BEGIN
  SELECT transaction_key INTO for_key FROM ledger.request WHERE request_id = asked AND kind = 'enroll';
  IF NOT FOUND THEN RETURN 'unknown'; END IF;
  PERFORM ledger.lock_transaction(for_key);
  PERFORM FROM ledger.approval WHERE entry_id = id;
  IF FOUND THEN
    PERFORM FROM ledger.approval
    WHERE entry_id = id AND request_id = asked AND verdict = said AND approver = who;
    IF NOT FOUND THEN RAISE EXCEPTION 'another word has that id' USING ERRCODE = 'GH011'; END IF;
    RETURN 'recorded';  -- called again
  END IF;
  PERFORM FROM ledger.decision WHERE request_id = asked AND effect = 'defer';
  IF NOT FOUND THEN RETURN 'not_deferred'; END IF;
  SELECT s.status INTO standing FROM ledger.standing(for_key, happened) AS s;
  IF standing IN ('in_flight', 'issued') THEN RETURN standing; END IF;
  PERFORM ledger.append(id, 'approval', asked, ledger.object('request_id', asked::text,
    'transaction_key', encode(for_key, 'hex'), 'approver', who, 'verdict', said, 'at', ledger.time_text(happened),
    'reason', because));
  INSERT INTO ledger.approval (entry_id, request_id, transaction_key, number, approver, verdict, at, reason)
  VALUES (id, asked, for_key,
    (SELECT coalesce(max(number), 0) + 1 FROM ledger.approval WHERE transaction_key = for_key),
    who, said, happened, because);
  RETURN 'recorded';
END $$;

-- As before, but planned once for each connection: `standing`, which every request asks for, and `history`.
CREATE OR REPLACE FUNCTION ledger.standing(wanted bytea, at timestamptz)
RETURNS TABLE (status text, request_id uuid, since timestamptz, number integer, der bytea, issuer text, serial bytea,
               device_id text, not_after timestamptz, past_deadline boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT CASE WHEN o.result IS NULL THEN 'in_flight' WHEN o.result = 'closed' THEN 'closed'
              WHEN v.serial IS NOT NULL OR r.not_after <= ledger.moment(at) THEN 'ended' ELSE 'issued' END,
         r.request_id, e.recorded_at, r.number, c.der, r.issuer, r.serial, r.device_id, r.not_after,
         r.signing_deadline <= ledger.moment(at)
  FROM ledger.reservation AS r JOIN ledger.entry AS e ON e.entry_id = r.entry_id
  LEFT JOIN ledger.outcome AS o ON o.request_id = r.request_id
  LEFT JOIN ledger.certificate AS c ON c.request_id = r.request_id
  LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
  WHERE r.transaction_key = wanted ORDER BY r.number DESC LIMIT 1;
END $$;

CREATE OR REPLACE FUNCTION ledger.history(of_device text, in_service text, of_key bytea, at timestamptz)
RETURNS TABLE (active bigint, elsewhere boolean, blocked boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT
    (SELECT count(*) FROM ledger.reservation AS r  -- a closed one is revoked
     LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
     WHERE r.device_id = of_device AND r.service = in_service AND r.not_after > ledger.moment(at)
       AND v.serial IS NULL),
    EXISTS (SELECT FROM ledger.reservation AS r LEFT JOIN ledger.outcome AS o USING (request_id)
            WHERE r.public_key = of_key AND r.device_id <> of_device AND o.result IS DISTINCT FROM 'closed'),
    EXISTS (SELECT FROM ledger.reservation AS r
            JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
            WHERE r.public_key = of_key AND v.reason = 'keyCompromise');
END $$;

-- All that bears on one decision, in one answer: the history of device and key, what is known of the credential that is
-- offered, by which proofs the device got its latest certificate here, and what people said of the transaction.
CREATE FUNCTION ledger.circumstances(of_device text, in_service text, of_key bytea, at timestamptz, offered text,
  for_key bytea)
RETURNS TABLE (active bigint, elsewhere boolean, blocked boolean, failed bigint, minted_by text, last_proofs text[],
               words text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT h.active, h.elsewhere, h.blocked,
    (SELECT coalesce(sum(e.times), 0)::bigint FROM ledger.credential_event AS e
     WHERE e.credential_id = offered AND e.kind = 'reject'),
    (SELECT c.minted_by FROM ledger.credential AS c WHERE c.credential_id = offered),
    (SELECT q.proof_kinds FROM ledger.request AS q WHERE q.request_id = (
       SELECT r.request_id FROM ledger.reservation AS r  -- request ids are in the order of time
       WHERE r.device_id = of_device AND r.service = in_service
         AND EXISTS (SELECT FROM ledger.certificate AS c WHERE c.request_id = r.request_id)
       ORDER BY r.request_id DESC LIMIT 1)),
    (SELECT coalesce(json_agg(json_build_object('approver', w.approver, 'verdict', w.verdict,
       'at', ledger.time_text(w.at)) ORDER BY w.approver COLLATE "C"), '[]')::text
     FROM ledger.word AS w WHERE w.transaction_key = for_key)
  FROM ledger.history(of_device, in_service, of_key, at) AS h;
END $$;

-- Whether a recorded input says of its transaction what people said, neither more nor less.
CREATE FUNCTION ledger.repeats_words(input jsonb, for_key bytea) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN NOT EXISTS (
    SELECT FROM (SELECT w.approver, w.verdict, w.at FROM ledger.word AS w WHERE w.transaction_key = for_key) AS said
    FULL JOIN jsonb_to_recordset(coalesce(input->'approvals', '[]'))
      AS judged (approver text, verdict text, at timestamptz)
      ON judged.approver = said.approver AND judged.verdict = said.verdict AND judged.at = said.at
    WHERE said.approver IS NULL OR judged.approver IS NULL);
END $$;

-- As before, but a request without a credential of its own, such as a renewal, can be deferred too.
CREATE OR REPLACE FUNCTION ledger.record_attempt(request_body text, decision_body text, hold_until timestamptz)
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  q jsonb := request_body::jsonb;
  d jsonb := decision_body::jsonb;
  id uuid := (q->>'request_id')::uuid;
  for_key bytea := decode(q->>'transaction_key', 'hex');
  moment timestamptz := (d->>'decided_at')::timestamptz;
  previous ledger.decision;
BEGIN
  IF d->>'effect' = 'permit' AND q->>'kind' <> 'assess' THEN
    RAISE EXCEPTION 'a permit is recorded with its reservation' USING ERRCODE = 'GH001';
  END IF;
  IF for_key IS NOT NULL THEN PERFORM ledger.lock_transaction(for_key); END IF;
  PERFORM FROM ledger.request WHERE request_id = id;
  IF FOUND THEN RETURN id; END IF;  -- called again
  SELECT pd.* INTO previous FROM ledger.request AS pq JOIN ledger.decision AS pd USING (request_id)
  WHERE pq.transaction_key = for_key ORDER BY pq.attempt DESC LIMIT 1;
  IF previous.kind = q->>'kind' AND previous.effect = d->>'effect' AND previous.reason_code = d->>'reason_code'
     AND previous.policy_sha256 = decode(d->>'policy_sha256', 'hex')
     AND previous.rule_ids = ARRAY(SELECT jsonb_array_elements_text(d->'rule_ids')) THEN
    INSERT INTO state.repetition (request_id, times, last_at) VALUES (previous.request_id, 1, moment)
    ON CONFLICT (request_id) DO UPDATE SET times = state.repetition.times + 1, last_at = excluded.last_at;
    RETURN previous.request_id;
  END IF;
  PERFORM ledger.append_attempt(request_body, decision_body);
  IF d->>'effect' <> 'defer' OR for_key IS NULL OR (q->'credential'->>'consumes')::boolean IS NOT TRUE THEN
    RETURN id;
  END IF;
  IF ledger.credential_state(q->'credential'->>'id', for_key, q->>'service', moment) = 'usable' THEN
    PERFORM FROM ledger.credential_event AS held WHERE held.credential_id = q->'credential'->>'id'
      AND (held.kind = 'consume' OR held.kind = 'defer' AND held.hold_until > moment);
    IF NOT FOUND THEN
      PERFORM ledger.append_credential_event(ledger.new_id(), q->'credential'->>'id', 'defer', moment, NULL, id,
        for_key, hold_until, NULL);
    END IF;
  END IF;
  RETURN id;
END $$;

-- As before, and `history` too when somebody has spoken since the decision: a refusal that comes in time is heard.
CREATE OR REPLACE FUNCTION ledger.reserve(request_body text, decision_body text, reservation_body text, tbs bytea)
RETURNS TABLE (status text, detail text, request_id uuid, since timestamptz, der bytea, issuer text, serial bytea,
               device_id text, not_after timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  q jsonb := request_body::jsonb;
  d jsonb := decision_body::jsonb;
  r jsonb := reservation_body::jsonb;
  id uuid := (q->>'request_id')::uuid;
  for_key bytea := decode(q->>'transaction_key', 'hex');
  at timestamptz := (d->>'decided_at')::timestamptz;
  spends boolean := coalesce((q->'credential'->>'consumes')::boolean, false);
  used text := q->'credential'->>'id';
  for_public_key bytea := decode(r->>'public_key', 'hex');
  judged jsonb := q->'input'->'history';
  worth text;
  last record;
  facts record;
BEGIN
  IF for_key IS NULL THEN RAISE EXCEPTION 'a reservation needs a transaction' USING ERRCODE = 'GH005'; END IF;
  PERFORM ledger.lock_transaction(for_key);
  SELECT * INTO last FROM ledger.standing(for_key, at);
  IF last.request_id = id AND last.status = 'in_flight' THEN  -- called again: the first call's answer was lost
    PERFORM FROM ledger.reservation AS mine WHERE mine.request_id = id AND mine.tbs = reserve.tbs;
    IF NOT FOUND THEN RAISE EXCEPTION 'request is already reserved' USING ERRCODE = 'GH011'; END IF;
    RETURN QUERY SELECT 'reserved', NULL::text, id, last.since, NULL::bytea, last.issuer, last.serial,
      last.device_id, last.not_after;
    RETURN;
  END IF;
  IF last.status = 'in_flight' AND last.past_deadline THEN
    PERFORM ledger.close(last.request_id, 'signing deadline passed', at, q->>'gateway');
  ELSIF last.status IN ('in_flight', 'issued') THEN
    RETURN QUERY SELECT last.status, NULL::text, last.request_id, last.since, last.der, last.issuer, last.serial,
      last.device_id, last.not_after;
    RETURN;
  END IF;
  IF used IS NOT NULL THEN
    worth := CASE WHEN spends THEN ledger.credential_state(used, for_key, q->>'service', at)
                  ELSE ledger.account_state(used, q->>'service', at) END;
    IF worth <> 'usable' THEN
      RETURN QUERY SELECT 'credential', worth, NULL::uuid, NULL::timestamptz, NULL::bytea, NULL::text, NULL::bytea,
        NULL::text, NULL::timestamptz;
      RETURN;
    END IF;
  END IF;
  PERFORM ledger.lock_history(q->>'device_id', q->>'service', for_public_key);
  SELECT * INTO facts FROM ledger.history(q->>'device_id', q->>'service', for_public_key, at);
  IF facts.active IS DISTINCT FROM (judged->>'active_certificates')::bigint
     OR facts.elsewhere IS DISTINCT FROM (judged->>'key_seen_on_other_device')::boolean
     OR facts.blocked IS DISTINCT FROM (judged->>'key_blocked')::boolean
     OR NOT ledger.repeats_words(q->'input', for_key) THEN
    RETURN QUERY SELECT 'history', NULL::text, NULL::uuid, NULL::timestamptz, NULL::bytea, NULL::text, NULL::bytea,
      NULL::text, NULL::timestamptz;
    RETURN;
  END IF;
  PERFORM ledger.append_attempt(request_body, decision_body);
  PERFORM FROM ledger.credential_event AS e WHERE e.credential_id = used AND e.kind = 'consume';
  IF spends AND NOT FOUND THEN
    PERFORM ledger.append_credential_event(ledger.new_id(), used, 'consume', at, NULL, id, for_key, NULL, NULL);
  END IF;
  INSERT INTO ledger.reservation (request_id, entry_id, transaction_key, number, predecessor, gateway, service, profile,
    device_id, issuer, serial, tbs, tbs_sha256, public_key, names, not_before, not_after, signing_deadline)
  VALUES (id, ledger.append(ledger.new_id(), 'reservation', id, reservation_body), for_key,
    coalesce(last.number, 0) + 1, last.request_id, q->>'gateway', q->>'service', d->>'profile', q->>'device_id',
    r->>'issuer', decode(r->>'serial', 'hex'), reserve.tbs, decode(r->>'tbs_sha256', 'hex'),
    for_public_key, r->'names', (r->>'not_before')::timestamptz, (r->>'not_after')::timestamptz,
    (r->>'signing_deadline')::timestamptz);
  RETURN QUERY SELECT 'reserved', NULL::text, id, clock_timestamp(), NULL::bytea, r->>'issuer',
    decode(r->>'serial', 'hex'), q->>'device_id', (r->>'not_after')::timestamptz;
END $$;

-- Transactions that wait, or waited, for approval: the last attempt of each that was told so.
CREATE VIEW ledger.approval_case AS
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
FROM ledger.request AS q
JOIN ledger.decision AS d ON d.request_id = q.request_id
JOIN ledger.entry AS e ON e.entry_id = d.entry_id
CROSS JOIN LATERAL (SELECT e.body::jsonb->'obligations'->'approvals' AS approvals) AS o
LEFT JOIN ledger.credential AS c ON c.credential_id = q.credential_id
WHERE q.kind = 'enroll' AND d.effect = 'defer' AND d.reason_code = 'approval.waiting'
  AND NOT EXISTS (SELECT FROM ledger.request AS later JOIN ledger.decision AS ld ON ld.request_id = later.request_id
                  WHERE later.transaction_key = q.transaction_key AND later.attempt > q.attempt
                    AND ld.effect = 'defer' AND ld.reason_code = 'approval.waiting');

-- One row for each team that is asked; a decision that does not say whom it asks has one row all the same.
CREATE VIEW audit.waiting_approvals AS
SELECT w.request_id, encode(w.transaction_key, 'hex') AS transaction_key, w.since, w.protocol, w.operation, w.service,
       w.device_id, w.client_address, w.rule_ids, w.owner, r->>'rule' AS rule, r->>'from' AS team,
       CASE WHEN jsonb_typeof(r->'count') = 'number' THEN (r->>'count')::numeric END AS count,
       CASE WHEN jsonb_typeof(r->'within_seconds') = 'number' THEN (r->>'within_seconds')::numeric END
         AS within_seconds,
       CASE WHEN jsonb_typeof(r->'four_eyes') = 'boolean' THEN (r->>'four_eyes')::boolean END AS four_eyes,
       ARRAY(SELECT jsonb_array_elements_text(CASE WHEN jsonb_typeof(r->'members') = 'array' THEN r->'members' END))
         AS members,
       w.minted_by, w.approved_by, w.denied_by, w.held_until
FROM ledger.approval_case AS w LEFT JOIN LATERAL jsonb_array_elements(w.required) AS r ON true WHERE w.waits;

CREATE VIEW audit.approvals AS
SELECT a.at, a.approver, a.verdict, a.reason, a.request_id, encode(a.transaction_key, 'hex') AS transaction_key,
       a.number, q.service, q.device_id, e.recorded_at, e.writer
FROM ledger.approval AS a JOIN ledger.entry AS e USING (entry_id)
JOIN ledger.request AS q ON q.request_id = a.request_id;

COMMENT ON VIEW audit.waiting_approvals IS 'requests that wait for somebody''s approval, once for each team asked';
COMMENT ON VIEW audit.approvals IS 'each word said of a waiting request';
COMMENT ON COLUMN audit.waiting_approvals.within_seconds IS 'how long an approval counts';
COMMENT ON COLUMN audit.waiting_approvals.four_eyes IS 'whether who minted the credential may not approve';
COMMENT ON COLUMN audit.waiting_approvals.held_until IS
  'until when the credential waits with its request; null when none was offered';
COMMENT ON COLUMN audit.waiting_approvals.approved_by IS
  'whose latest word since the last certificate approves, in whichever team and however old';
COMMENT ON COLUMN audit.approvals.number IS
  'counts the words on one transaction; the latest of each person counts, until there is a certificate';

-- As before, and by which request the same was decided again.
CREATE OR REPLACE VIEW audit.issuance AS
SELECT q.request_id, q.received_at, e.recorded_at, q.protocol, q.operation, q.service, d.profile, q.device_id,
       q.client_address, q.proof_kinds, q.credential_id, encode(q.transaction_key, 'hex') AS transaction_key, q.attempt,
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
FROM ledger.request AS q
JOIN ledger.entry AS e ON e.entry_id = q.request_id
JOIN ledger.decision AS d ON d.request_id = q.request_id
LEFT JOIN ledger.reservation AS r ON r.request_id = q.request_id
LEFT JOIN ledger.outcome AS o ON o.request_id = q.request_id
LEFT JOIN ledger.certificate AS c ON c.request_id = q.request_id
LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
LEFT JOIN state.repetition AS n ON n.request_id = q.request_id;

COMMENT ON COLUMN audit.issuance.superseded_by IS
  'the next request of the same transaction, whose answer replaced this one; null if there is none';

-- Lets one change of a device at a time look at what it changes; false when there is no such device.
CREATE FUNCTION directory.lock_device(id text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM directory.device WHERE device_id = id FOR UPDATE;
  RETURN FOUND;
END $$;

GRANT SELECT ON audit.waiting_approvals, audit.approvals TO gatehouse_auditor;
GRANT SELECT ON ledger.approval, ledger.word, ledger.known_credential, ledger.approval_case,
  audit.waiting_approvals, audit.approvals TO gatehouse_writer;
GRANT EXECUTE ON FUNCTION ledger.time_text, ledger.approve, ledger.circumstances, directory.lock_device
  TO gatehouse_writer;
