-- What the writer may do: every door into the ledger. Each takes documents and bytes, projects the typed rows
-- from them, and is safe to call again with the same ids.

-- What became of a transaction key. `at` is a gateway's clock, here and below.
CREATE FUNCTION ledger.standing(wanted bytea, at timestamptz)
RETURNS TABLE (status text, request_id uuid, since timestamptz, number integer, der bytea, issuer text, serial bytea,
               device_id text, not_after timestamptz, past_deadline boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN o.result IS NULL THEN 'in_flight' WHEN o.result = 'closed' THEN 'closed'
              WHEN v.serial IS NOT NULL OR r.not_after <= ledger.moment(at) THEN 'ended' ELSE 'issued' END,
         r.request_id, e.recorded_at, r.number, c.der, r.issuer, r.serial, r.device_id, r.not_after,
         r.signing_deadline <= ledger.moment(at)
  FROM ledger.reservation AS r JOIN ledger.entry AS e USING (entry_id)
  LEFT JOIN ledger.outcome AS o ON o.request_id = r.request_id
  LEFT JOIN ledger.certificate AS c ON c.request_id = r.request_id
  LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
  WHERE r.transaction_key = wanted ORDER BY r.number DESC LIMIT 1
$$;

-- What bears on a decision about a device and a key: how many certificates it has or may yet get, whether another
-- device has or may yet get one for the key, and whether the key was revoked for compromise.
CREATE FUNCTION ledger.history(of_device text, in_service text, of_key bytea, at timestamptz)
RETURNS TABLE (active bigint, elsewhere boolean, blocked boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT
    (SELECT count(*) FROM ledger.reservation AS r  -- a closed one is revoked
     LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
     WHERE r.device_id = of_device AND r.service = in_service AND r.not_after > ledger.moment(at)
       AND v.serial IS NULL),
    EXISTS (SELECT FROM ledger.reservation AS r LEFT JOIN ledger.outcome AS o USING (request_id)
            WHERE r.public_key = of_key AND r.device_id <> of_device AND o.result IS DISTINCT FROM 'closed'),
    EXISTS (SELECT FROM ledger.reservation AS r
            JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
            WHERE r.public_key = of_key AND v.reason = 'keyCompromise')
$$;

-- Lets one reservation at a time look at the history of a device in a service, and of a key.
CREATE FUNCTION ledger.lock_history(of_device text, in_service text, of_key bytea) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  device bigint := hashtextextended(in_service || ' ' || of_device, 1);
  key bigint := hashtextextended(encode(of_key, 'hex'), 2);
BEGIN
  PERFORM pg_advisory_xact_lock(least(device, key));
  PERFORM pg_advisory_xact_lock(greatest(device, key));
END $$;

-- Another request under a protocol's own reference that waits or is in flight.
CREATE FUNCTION ledger.conflict(in_service text, with_reference text, to_do text, digest bytea, at timestamptz)
RETURNS uuid LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT q.request_id FROM ledger.request AS q JOIN ledger.decision AS d USING (request_id)
  LEFT JOIN LATERAL ledger.standing(q.transaction_key, at) AS s ON true
  WHERE q.service = in_service AND q.reference = with_reference AND q.kind = 'enroll' AND q.operation = to_do
    AND q.request_digest <> digest
    AND (s.status = 'in_flight'
      OR s.status IS NULL AND d.effect = 'defer' AND d.decided_at > ledger.moment(at) - interval '72 hours'
        AND NOT EXISTS (SELECT FROM ledger.request AS later
          WHERE later.transaction_key = q.transaction_key AND later.attempt > q.attempt))
  ORDER BY q.received_at LIMIT 1
$$;

-- What a credential is worth to a transaction; locks it until the transaction ends. Its use belongs to one
-- transaction, and ends with the certificate that it was spent for.
CREATE FUNCTION ledger.credential_state(wanted text, for_key bytea, for_service text, at timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  minted ledger.credential;
  event ledger.credential_event;
  moment timestamptz := ledger.moment(at);
BEGIN
  SELECT * INTO minted FROM ledger.credential WHERE credential_id = wanted FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such credential' USING ERRCODE = 'GH010'; END IF;
  IF minted.service IS DISTINCT FROM for_service THEN RETURN 'foreign_service'; END IF;
  PERFORM FROM ledger.credential_event WHERE credential_id = wanted AND kind = 'revoke';
  IF FOUND THEN RETURN 'revoked'; END IF;
  SELECT * INTO event FROM ledger.credential_event WHERE credential_id = wanted AND kind IN ('consume', 'bind');
  IF FOUND THEN
    IF event.transaction_key <> for_key THEN RETURN 'spent'; END IF;
    PERFORM FROM ledger.standing(for_key, at) AS s WHERE s.status = 'ended';
    RETURN CASE WHEN FOUND THEN 'spent' ELSE 'usable' END;
  END IF;
  SELECT * INTO event FROM ledger.credential_event
  WHERE credential_id = wanted AND kind = 'defer' ORDER BY hold_until DESC LIMIT 1;
  IF FOUND AND moment < event.hold_until THEN
    RETURN CASE WHEN event.transaction_key = for_key THEN 'usable' ELSE 'spent' END;
  END IF;
  RETURN CASE WHEN moment < minted.expires_at THEN 'usable' ELSE 'expired' END;
END $$;

-- What an account's credential is worth: never spent again, but revocable, and only until the account ends.
CREATE FUNCTION ledger.account_state(wanted text, for_service text, at timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bound ledger.account;
BEGIN
  PERFORM FROM ledger.credential WHERE credential_id = wanted FOR UPDATE;
  SELECT * INTO bound FROM ledger.account WHERE credential_id = wanted;
  IF NOT FOUND THEN RAISE EXCEPTION 'no account is bound by that credential' USING ERRCODE = 'GH010'; END IF;
  IF bound.service IS DISTINCT FROM for_service THEN RETURN 'foreign_service'; END IF;
  PERFORM FROM ledger.credential_event WHERE credential_id = wanted AND kind = 'revoke';
  IF FOUND THEN RETURN 'revoked'; END IF;
  RETURN CASE WHEN ledger.moment(at) < bound.order_until THEN 'usable' ELSE 'expired' END;
END $$;

CREATE FUNCTION ledger.append_credential_event(id uuid, of_credential text, event text, happened timestamptz, who text,
  request uuid, for_key bytea, until timestamptz, because text, how_often bigint DEFAULT 1) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ledger.append(id, 'credential', request, ledger.object('kind', event, 'credential_id', of_credential,
    'at', ledger.time_text(happened), 'actor', who, 'request_id', request::text,
    'transaction_key', encode(for_key, 'hex'), 'hold_until', ledger.time_text(until), 'reason', because,
    'times', nullif(how_often, 1)::text));
  INSERT INTO ledger.credential_event
    (entry_id, credential_id, kind, at, actor, request_id, transaction_key, hold_until, reason, times)
  VALUES (id, of_credential, event, happened, who, request, for_key, until, because, how_often);
END $$;

-- Appends a request and its decision. The documents are what is hashed; the columns are read out of them.
CREATE FUNCTION ledger.append_attempt(request_body text, decision_body text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  q jsonb := request_body::jsonb;
  d jsonb := decision_body::jsonb;
  id uuid := (q->>'request_id')::uuid;
  for_key bytea := decode(q->>'transaction_key', 'hex');
BEGIN
  PERFORM ledger.moment((d->>'decided_at')::timestamptz);
  PERFORM ledger.append(id, 'request', id, request_body);
  INSERT INTO ledger.request (request_id, kind, transaction_key, attempt, follows, received_at, gateway, service,
    protocol, operation, reference, device_id, client_address, credential_id, proof_kinds, public_key,
    request_digest)
  VALUES (id, q->>'kind', for_key,
    CASE WHEN for_key IS NOT NULL THEN
      (SELECT coalesce(max(attempt), 0) + 1 FROM ledger.request WHERE transaction_key = for_key) END,
    (SELECT request_id FROM ledger.request WHERE request_id = (q->>'follows')::uuid),
    (q->>'received_at')::timestamptz, q->>'gateway', q->>'service', q->>'protocol', q->>'operation',
    q->>'reference', q->>'device_id', q->>'client_address', q->'credential'->>'id',
    ARRAY(SELECT jsonb_array_elements_text(q->'proof_kinds')), decode(q->>'public_key', 'hex'),
    decode(q->>'request_digest', 'hex'));
  INSERT INTO ledger.decision (request_id, kind, entry_id, decided_at, effect, reason_code, reason, rule_ids, owner,
    policy_sha256, profile, max_not_after, decided_by)
  VALUES (id, q->>'kind', ledger.append(ledger.new_id(), 'decision', id, decision_body),
    (d->>'decided_at')::timestamptz, d->>'effect', d->>'reason_code', d->>'reason',
    ARRAY(SELECT jsonb_array_elements_text(d->'rule_ids')), d->>'owner', decode(d->>'policy_sha256', 'hex'),
    d->>'profile', (d->>'maximum_not_after')::timestamptz, d->>'decided_by');
END $$;

CREATE FUNCTION ledger.lock_transaction(for_key bytea) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO ledger.transaction (transaction_key) VALUES (for_key) ON CONFLICT DO NOTHING;
  PERFORM FROM ledger.transaction WHERE transaction_key = for_key FOR UPDATE;
END $$;

-- A decision that issues nothing. Returns the request whose row tells it: this one, or the one before whose answer was
-- the same and which is counted once more.
CREATE FUNCTION ledger.record_attempt(request_body text, decision_body text, hold_until timestamptz) RETURNS uuid
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
  IF d->>'effect' = 'defer' AND for_key IS NOT NULL AND (q->'credential'->>'consumes')::boolean
     AND ledger.credential_state(q->'credential'->>'id', for_key, q->>'service', moment) = 'usable' THEN
    PERFORM FROM ledger.credential_event AS held WHERE held.credential_id = q->'credential'->>'id'
      AND (held.kind = 'consume' OR held.kind = 'defer' AND held.hold_until > moment);
    IF NOT FOUND THEN
      PERFORM ledger.append_credential_event(ledger.new_id(), q->'credential'->>'id', 'defer', moment, NULL, id, for_key,
        hold_until, NULL);
    END IF;
  END IF;
  RETURN id;
END $$;

-- A request refused before policy could judge it; `guessed` is the id that was guessed at, if it was minted.
CREATE FUNCTION ledger.record_refusal(request_body text, decision_body text, guessed text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  d jsonb := decision_body::jsonb;
  id uuid := (request_body::jsonb->>'request_id')::uuid;
BEGIN
  IF request_body::jsonb->>'kind' <> 'refusal' THEN
    RAISE EXCEPTION 'not a refusal' USING ERRCODE = 'GH001';
  END IF;
  PERFORM FROM ledger.request WHERE request_id = id;
  IF FOUND THEN RETURN 'known'; END IF;
  PERFORM ledger.append_attempt(request_body, decision_body);
  PERFORM FROM ledger.credential WHERE credential_id = guessed;
  IF FOUND THEN
    PERFORM ledger.append_credential_event(ledger.new_id(), guessed, 'reject', (d->>'decided_at')::timestamptz,
      NULL, id, NULL, NULL, d->>'reason_code');
  END IF;
  RETURN 'appended';
END $$;

-- Ends a reservation that has no certificate and revokes its serial. False when it has ended already.
CREATE FUNCTION ledger.close(request uuid, because text, at timestamptz, who text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reserved ledger.reservation;
  id uuid := ledger.new_id();
BEGIN
  SELECT * INTO reserved FROM ledger.reservation WHERE request_id = request;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM ledger.lock_transaction(reserved.transaction_key);
  PERFORM FROM ledger.outcome WHERE request_id = request;
  IF FOUND THEN RETURN false; END IF;
  PERFORM ledger.append(id, 'failure', request, ledger.object('request_id', request::text, 'at', ledger.time_text(at),
    'issuer', reserved.issuer, 'serial', encode(reserved.serial, 'hex'), 'reason', because));
  INSERT INTO ledger.outcome (request_id, result, entry_id, issuer, serial, reason)
  VALUES (request, 'closed', id, reserved.issuer, reserved.serial, because);
  PERFORM ledger.revoke_serial(reserved.issuer, reserved.serial, at, 'cessationOfOperation', who, because, request);
  RETURN true;
END $$;

CREATE FUNCTION ledger.revoke_serial(by_issuer text, with_serial bytea, at timestamptz, cause text, who text, because text,
  request uuid) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  id uuid := ledger.new_id();
BEGIN
  PERFORM FROM ledger.revocation WHERE issuer = by_issuer AND serial = with_serial;
  IF FOUND THEN RETURN false; END IF;
  PERFORM ledger.append(id, 'revocation', request, ledger.object('issuer', by_issuer,
    'serial', encode(with_serial, 'hex'), 'at', ledger.time_text(at), 'reason', cause, 'actor', who, 'why', because,
    'request_id', request::text));
  INSERT INTO ledger.revocation (issuer, serial, entry_id, revoked_at, reason, actor, why)
  VALUES (by_issuer, with_serial, id, at, cause, who, because);
  RETURN true;
END $$;

-- Revokes an issued certificate; false when it is revoked already.
CREATE FUNCTION ledger.revoke(by_issuer text, with_serial bytea, at timestamptz, cause text, who text, because text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  request uuid;
BEGIN
  SELECT r.request_id INTO request FROM ledger.reservation AS r JOIN ledger.certificate AS c USING (request_id)
  WHERE r.issuer = by_issuer AND r.serial = with_serial;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such certificate' USING ERRCODE = 'GH010'; END IF;
  RETURN ledger.revoke_serial(by_issuer, with_serial, at, cause, who, because, request);
END $$;
