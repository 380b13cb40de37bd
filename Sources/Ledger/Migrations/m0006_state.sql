-- What changes: protocol state, counts of repetition, and the device directory. None of it is evidence; the
-- facts a decision rested on are kept with the request. Changed through these functions only.

CREATE TABLE state.repetition (
  request_id uuid PRIMARY KEY REFERENCES ledger.request,
  times      bigint NOT NULL,
  last_at    timestamptz NOT NULL
);
CREATE TABLE state.record (
  service    text NOT NULL,
  kind       text NOT NULL,
  id         text NOT NULL CHECK (length(id) <= 200),
  version    bigint NOT NULL CHECK (version >= 1),
  document   text NOT NULL CHECK (octet_length(document) <= 65536),
  expires_at timestamptz,
  token      uuid NOT NULL,
  PRIMARY KEY (service, kind, id)
);
CREATE INDEX record_expiry ON state.record (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE state.consumed (
  service    text NOT NULL,
  kind       text NOT NULL,
  id         text NOT NULL CHECK (length(id) <= 200),
  expires_at timestamptz NOT NULL,
  token      uuid NOT NULL,
  PRIMARY KEY (service, kind, id)
);
CREATE INDEX consumed_expiry ON state.consumed (expires_at);

-- `token` names one call: the same call made again gets the same answer.
CREATE FUNCTION state.insert_record(for_service text, of_kind text, with_id text, content text, until timestamptz,
  at timestamptz, by_token uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO state.record AS r (service, kind, id, version, document, expires_at, token)
  VALUES (for_service, of_kind, with_id, 1, content, until, by_token)
  ON CONFLICT (service, kind, id) DO UPDATE
    SET version = 1, document = excluded.document, expires_at = excluded.expires_at, token = excluded.token
    WHERE r.expires_at <= at OR (r.token = by_token AND r.version = 1);
  RETURN FOUND;
END $$;

CREATE FUNCTION state.replace_record(for_service text, of_kind text, with_id text, content text, until timestamptz,
  expected bigint, at timestamptz, by_token uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE state.record SET version = expected + 1, document = content, expires_at = until, token = by_token
  WHERE service = for_service AND kind = of_kind AND id = with_id
    AND (expires_at IS NULL OR expires_at > at OR token = by_token)
    AND (version = expected OR (version = expected + 1 AND token = by_token));
  RETURN FOUND;
END $$;

CREATE FUNCTION state.consume_once(for_service text, of_kind text, with_id text, until timestamptz, at timestamptz,
  by_token uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO state.consumed AS c (service, kind, id, expires_at, token)
  VALUES (for_service, of_kind, with_id, until, by_token)
  ON CONFLICT (service, kind, id) DO UPDATE SET expires_at = excluded.expires_at, token = excluded.token
    WHERE c.expires_at <= at OR c.token = by_token;
  RETURN FOUND;
END $$;

-- Forgets expired state, at most `most` rows of each kind; returns how many.
CREATE FUNCTION state.forget(at timestamptz, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH old_records AS (
    DELETE FROM state.record WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM state.record WHERE expires_at <= at LIMIT most)) RETURNING 1),
  old_values AS (
    DELETE FROM state.consumed WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM state.consumed WHERE expires_at <= at LIMIT most)) RETURNING 1)
  SELECT (SELECT count(*) FROM old_records) + (SELECT count(*) FROM old_values)
$$;

CREATE TABLE directory.device (
  device_id  text PRIMARY KEY CHECK (device_id ~ '^[A-Za-z0-9._-]{1,64}$'),
  serial     text UNIQUE,
  udid       text UNIQUE,
  sid        text UNIQUE,
  owner      text,
  updated_at timestamptz NOT NULL,
  updated_by text NOT NULL
);
CREATE TABLE directory.identifier (
  device_id text NOT NULL REFERENCES directory.device ON DELETE CASCADE,
  kind      text NOT NULL CHECK (kind IN ('dns', 'email', 'upn')),
  value     text NOT NULL,
  PRIMARY KEY (device_id, kind, value)
);
CREATE INDEX identifier_value ON directory.identifier (kind, value);
CREATE TABLE directory.membership (
  device_id  text NOT NULL REFERENCES directory.device ON DELETE CASCADE,
  group_name text NOT NULL,
  PRIMARY KEY (device_id, group_name)
);
CREATE INDEX membership_group ON directory.membership (group_name);
CREATE TABLE directory.posture (
  device_id   text NOT NULL REFERENCES directory.device ON DELETE CASCADE,
  source      text NOT NULL,
  status      text NOT NULL CHECK (status IN ('compliant', 'noncompliant', 'unknown', 'unavailable')),
  jailbroken  boolean,
  observed_at timestamptz,
  PRIMARY KEY (device_id, source)
);

-- Makes the directory say of one device what the document says, and nothing else.
CREATE FUNCTION directory.put_device(document text, at timestamptz, who text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  d jsonb := document::jsonb;
  id text := d->>'id';
BEGIN
  INSERT INTO directory.device (device_id, serial, udid, sid, owner, updated_at, updated_by)
  VALUES (id, d->>'serial', d->>'udid', d->>'sid', d->>'owner', at, who)
  ON CONFLICT (device_id) DO UPDATE SET serial = excluded.serial, udid = excluded.udid, sid = excluded.sid,
    owner = excluded.owner, updated_at = excluded.updated_at, updated_by = excluded.updated_by;
  DELETE FROM directory.identifier WHERE device_id = id;
  INSERT INTO directory.identifier (device_id, kind, value)
  SELECT DISTINCT id, k, v FROM unnest(ARRAY['dns', 'email', 'upn']) AS k, jsonb_array_elements_text(d->k) AS v;
  DELETE FROM directory.membership WHERE device_id = id;
  INSERT INTO directory.membership (device_id, group_name)
  SELECT DISTINCT id, g FROM jsonb_array_elements_text(d->'groups') AS g;
  DELETE FROM directory.posture WHERE device_id = id;
  INSERT INTO directory.posture (device_id, source, status, jailbroken, observed_at)
  SELECT id, p->>'source', p->>'status', (p->>'jailbroken')::boolean, (p->>'observed_at')::timestamptz
  FROM jsonb_array_elements(d->'posture') AS p;
END $$;

-- Everything known of each device, as decisions see it.
CREATE VIEW directory.facts AS
SELECT d.device_id, d.serial, d.udid, d.sid, d.owner,
       ARRAY(SELECT group_name FROM directory.membership AS m WHERE m.device_id = d.device_id ORDER BY 1) AS groups,
       ARRAY(SELECT value FROM directory.identifier AS i WHERE i.device_id = d.device_id AND i.kind = 'dns' ORDER BY 1)
         AS dns,
       ARRAY(SELECT value FROM directory.identifier AS i WHERE i.device_id = d.device_id AND i.kind = 'email'
             ORDER BY 1) AS email,
       ARRAY(SELECT value FROM directory.identifier AS i WHERE i.device_id = d.device_id AND i.kind = 'upn' ORDER BY 1)
         AS upn,
       (SELECT coalesce(json_agg(json_build_object('source', p.source, 'status', p.status,
          'jailbroken', p.jailbroken,
          'observed_at', to_char(p.observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
          ORDER BY p.source), '[]')::text
        FROM directory.posture AS p WHERE p.device_id = d.device_id) AS posture
FROM directory.device AS d;
