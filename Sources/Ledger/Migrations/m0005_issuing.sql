-- Reserve before signing, commit before release (invariants I1, I2).

-- Request, decision, reservation and the use of the credential, all or nothing.
-- `reserved`, `in_flight`, `issued`, `credential` with the state that stands in the way, or `history` when what was
-- decided upon has changed: then decide again.
CREATE FUNCTION ledger.reserve(request_body text, decision_body text, reservation_body text, tbs bytea)
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
     OR facts.blocked IS DISTINCT FROM (judged->>'key_blocked')::boolean THEN
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

-- Makes a certificate durable; false when its reservation was closed meanwhile.
CREATE FUNCTION ledger.commit(request uuid, signed bytea, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reserved ledger.reservation;
  ended ledger.outcome;
  id uuid := ledger.new_id();
BEGIN
  SELECT * INTO reserved FROM ledger.reservation WHERE request_id = request;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such reservation' USING ERRCODE = 'GH010'; END IF;
  PERFORM ledger.lock_transaction(reserved.transaction_key);
  SELECT * INTO ended FROM ledger.outcome WHERE request_id = request;
  IF FOUND AND ended.result = 'closed' THEN RETURN false; END IF;
  IF FOUND THEN
    PERFORM FROM ledger.certificate WHERE request_id = request AND der = signed;
    IF NOT FOUND THEN RAISE EXCEPTION 'another certificate is committed' USING ERRCODE = 'GH011'; END IF;
    RETURN true;
  END IF;
  PERFORM ledger.append(id, 'certificate', request, ledger.object('request_id', request::text,
    'issuer', reserved.issuer, 'serial', encode(reserved.serial, 'hex'),
    'tbs_sha256', encode(reserved.tbs_sha256, 'hex'), 'certificate_sha256', encode(sha256(signed), 'hex'),
    'signed_at', ledger.time_text(at)));
  INSERT INTO ledger.outcome (request_id, result, entry_id, issuer, serial)
  VALUES (request, 'completed', id, reserved.issuer, reserved.serial);
  INSERT INTO ledger.certificate (request_id, tbs_sha256, certificate_sha256, der, signed_at)
  VALUES (request, reserved.tbs_sha256, sha256(signed), signed, at);
  RETURN true;
END $$;

-- Closes what was reserved and never signed: this gateway's own (at start-up) or past its deadline.
CREATE FUNCTION ledger.reconcile(of_gateway text, at timestamptz, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FILTER (WHERE ledger.close(dangling.request_id,
    CASE WHEN dangling.signing_deadline <= ledger.moment(at) THEN 'signing deadline passed' ELSE 'gateway restarted' END, at,
    coalesce(of_gateway, dangling.gateway)))
  FROM (SELECT r.request_id, r.signing_deadline, r.gateway FROM ledger.reservation AS r
        LEFT JOIN ledger.outcome AS o USING (request_id)
        WHERE o.request_id IS NULL AND (r.signing_deadline <= ledger.moment(at) OR r.gateway = of_gateway)
        ORDER BY r.request_id LIMIT most) AS dangling
$$;

-- An account and the use of the credential that binds it. Answers what the credential is worth.
CREATE FUNCTION ledger.bind(request_body text, decision_body text, account text, until timestamptz, record_kind text,
  record_id text, record_document text, record_expires timestamptz, token uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  q jsonb := request_body::jsonb;
  id uuid := (q->>'request_id')::uuid;
  for_key bytea := decode(q->>'transaction_key', 'hex');
  at timestamptz := (decision_body::jsonb->>'decided_at')::timestamptz;
  used text := q->'credential'->>'id';
  worth text;
  entry uuid := ledger.new_id();
BEGIN
  IF q->>'kind' <> 'bind' OR decision_body::jsonb->>'effect' <> 'permit' THEN
    RAISE EXCEPTION 'not a permitted binding' USING ERRCODE = 'GH001';
  END IF;
  PERFORM ledger.lock_transaction(for_key);
  worth := ledger.credential_state(used, for_key, q->>'service', at);
  IF worth <> 'usable' THEN RETURN worth; END IF;
  PERFORM FROM ledger.account AS a
  WHERE a.service = q->>'service' AND a.account_id = account AND a.credential_id = used;
  IF FOUND THEN RETURN worth; END IF;  -- called again
  PERFORM ledger.append_attempt(request_body, decision_body);
  PERFORM ledger.append_credential_event(ledger.new_id(), used, 'bind', at, NULL, id, for_key, NULL, account);
  PERFORM ledger.append(entry, 'account', id, ledger.object('request_id', id::text, 'service', q->>'service',
    'account_id', account, 'credential_id', used, 'device_id', q->>'device_id',
    'order_until', ledger.time_text(until)));
  INSERT INTO ledger.account (service, account_id, entry_id, request_id, credential_id, device_id, order_until)
  VALUES (q->>'service', account, entry, id, used, q->>'device_id', until);
  IF NOT state.insert_record(q->>'service', record_kind, record_id, record_document, record_expires, at, token) THEN
    RAISE EXCEPTION 'the account exists' USING ERRCODE = 'GH011';
  END IF;
  RETURN worth;
END $$;

CREATE FUNCTION ledger.mint(id uuid, of_credential text, key_version bigint, for_service text, device text,
  only_protocol text, at timestamptz, until timestamptz, who text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM ledger.credential WHERE credential_id = of_credential AND entry_id = id;
  IF FOUND THEN RETURN; END IF;
  PERFORM ledger.append(id, 'credential', NULL, ledger.object('kind', 'mint', 'credential_id', of_credential,
    'master_key_version', key_version::text, 'service', for_service, 'device_id', device,
    'restricted_to', only_protocol, 'at', ledger.time_text(at), 'expires_at', ledger.time_text(until),
    'actor', who));
  INSERT INTO ledger.credential (credential_id, entry_id, master_key_version, service, device_id, restricted_to,
    minted_at, expires_at, minted_by)
  VALUES (of_credential, id, key_version, for_service, device, only_protocol, at, until, who);
  INSERT INTO ledger.credential_event (entry_id, credential_id, kind, at, actor, times)
  VALUES (id, of_credential, 'mint', at, who, 1);
END $$;

CREATE FUNCTION ledger.revoke_credential(id uuid, of_credential text, happened timestamptz, who text, because text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before uuid;
BEGIN
  PERFORM FROM ledger.credential WHERE credential_id = of_credential FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such credential' USING ERRCODE = 'GH010'; END IF;
  SELECT entry_id INTO before FROM ledger.credential_event WHERE credential_id = of_credential AND kind = 'revoke';
  IF FOUND THEN RETURN before = id; END IF;
  PERFORM ledger.append_credential_event(id, of_credential, 'revoke', happened, who, NULL, NULL, NULL, because);
  RETURN true;
END $$;

CREATE FUNCTION ledger.append_alert(id uuid, happened timestamptz, by_detector text, how_severe text, of_owner text,
  about text, requests uuid[], what text, request uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM ledger.alert WHERE entry_id = id;
  IF FOUND THEN RETURN; END IF;
  PERFORM ledger.append(id, 'alert', request, ledger.object('at', ledger.time_text(happened), 'detector', by_detector,
    'severity', how_severe, 'owner', of_owner, 'subject', about, 'detail', what,
    'request_ids', array_to_string(requests, ' ')));
  INSERT INTO ledger.alert (entry_id, at, detector, severity, owner, subject, request_ids, detail)
  VALUES (id, happened, by_detector, how_severe, of_owner, about, requests, what);
END $$;

-- An authentic but unusable credential was presented.
CREATE FUNCTION ledger.alert_credential(id uuid, of_credential text, worth text, presented_by uuid, of_owner text,
  happened timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  recorded uuid := (SELECT request_id FROM ledger.request WHERE request_id = presented_by);
BEGIN
  PERFORM FROM ledger.alert WHERE entry_id = id;
  IF FOUND THEN RETURN; END IF;
  PERFORM ledger.append_alert(id, happened, 'credential-reuse', 'high', of_owner, of_credential, ARRAY[presented_by],
    'an authentic credential was presented: ' || worth, presented_by);
  PERFORM ledger.append_credential_event(ledger.new_id(), of_credential, 'alert', happened, NULL, recorded, NULL, NULL,
    worth);
END $$;

CREATE FUNCTION ledger.activate_policy(id uuid, digest bytea, content bytea, at timestamptz, who text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM ledger.policy_activation WHERE entry_id = id;
  IF FOUND THEN RETURN; END IF;
  INSERT INTO ledger.policy_version (policy_sha256, bundle) VALUES (digest, content) ON CONFLICT DO NOTHING;
  PERFORM ledger.append(id, 'policy', NULL, ledger.object('policy_sha256', encode(digest, 'hex'),
    'at', ledger.time_text(at), 'actor', who));
  INSERT INTO ledger.policy_activation (entry_id, policy_sha256, activated_at, actor) VALUES (id, digest, at, who);
END $$;

CREATE FUNCTION ledger.append_admin_event(id uuid, happened timestamptz, who text, what text, on_target text,
  because text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM ledger.admin_event WHERE entry_id = id;
  IF FOUND THEN RETURN; END IF;
  PERFORM ledger.append(id, 'admin', NULL, ledger.object('at', ledger.time_text(happened), 'actor', who,
    'action', what, 'target', on_target, 'reason', because));
  INSERT INTO ledger.admin_event (entry_id, at, actor, action, target, reason)
  VALUES (id, happened, who, what, on_target, because);
END $$;

CREATE FUNCTION ledger.count_traffic(id uuid, of_minute timestamptz, at_gateway text, for_service text,
  from_source text, of_kind text, how_many bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO ledger.traffic (traffic_id, minute, gateway, service, source, kind, requests)
  VALUES (id, date_trunc('minute', of_minute, 'UTC'), at_gateway, for_service, from_source, of_kind, how_many)
  ON CONFLICT DO NOTHING
$$;

-- Wrong guesses at one credential in one minute that have no row of their own.
CREATE FUNCTION ledger.count_guesses(id uuid, of_credential text, of_minute timestamptz, how_many bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM ledger.credential_event WHERE entry_id = id;
  IF FOUND THEN RETURN; END IF;
  PERFORM ledger.append_credential_event(id, of_credential, 'reject', of_minute, NULL, NULL, NULL, NULL,
    'credential.wrong', how_many);
END $$;
