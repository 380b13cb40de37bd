-- Schemas, the entry every fact is hashed in, and the rule that evidence never changes.

CREATE SCHEMA ledger;
CREATE SCHEMA audit;
CREATE SCHEMA directory;
CREATE SCHEMA state;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;

CREATE DOMAIN ledger.sha256 AS bytea CHECK (octet_length(VALUE) = 32);

CREATE FUNCTION ledger.leaf_hash(body text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$ SELECT sha256('\x00'::bytea || convert_to(body, 'UTF8')) $$;

-- One fact, exactly as it is hashed: RFC 8785 text, and its RFC 9162 leaf hash.
CREATE TABLE ledger.entry (
  entry_id    uuid PRIMARY KEY,
  kind        text NOT NULL CHECK (kind IN ('request', 'decision', 'reservation', 'certificate', 'failure',
                                            'revocation', 'credential', 'account', 'policy', 'admin', 'alert')),
  request_id  uuid,
  body        text NOT NULL CHECK (octet_length(body) <= 1048576),
  leaf_hash   ledger.sha256 NOT NULL CHECK (leaf_hash = sha256('\x00'::bytea || convert_to(body, 'UTF8'))),
  recorded_at timestamptz NOT NULL,
  writer      text NOT NULL
);
CREATE INDEX entry_request ON ledger.entry (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX entry_recorded ON ledger.entry USING brin (recorded_at);

-- Who writes and when is not the client's to choose.
CREATE FUNCTION ledger.stamp() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.recorded_at := clock_timestamp();
  NEW.writer := session_user;
  RETURN NEW;
END $$;

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'GH000';
END $$;

-- Makes tables append-only, for the owner too.
CREATE PROCEDURE ledger.protect(VARIADIC tables regclass[]) LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  protected regclass;
BEGIN
  FOREACH protected IN ARRAY tables LOOP
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %s FOR EACH ROW '
                   'EXECUTE FUNCTION ledger.refuse_change()', protected);
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT '
                   'EXECUTE FUNCTION ledger.refuse_change()', protected);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_change', protected);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER refuse_truncate', protected);
  END LOOP;
END $$;

CREATE TRIGGER stamp BEFORE INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.stamp();
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER stamp;

-- UUID version 7 (RFC 9562 §5.7) for facts that have no id of their own.
CREATE FUNCTION ledger.new_id() RETURNS uuid LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  milliseconds bytea := int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  id bytea := uuid_send(gen_random_uuid());
BEGIN
  id := substring(milliseconds FROM 3) || substring(id FROM 7);
  id := set_byte(id, 6, 112 | (get_byte(id, 6) & 15));
  RETURN encode(id, 'hex')::uuid;
END $$;

CREATE FUNCTION ledger.time_text(instant timestamptz) RETURNS text LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$ SELECT to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- RFC 8785 text of a flat object of strings; members whose value is null are left out.
CREATE FUNCTION ledger.object(VARIADIC members text[]) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT '{' || coalesce(string_agg(to_json(members[i])::text || ':' || to_json(members[i + 1])::text, ','
                                    ORDER BY members[i] COLLATE "C"), '') || '}'
  FROM generate_subscripts(members, 1) AS i WHERE i % 2 = 1 AND members[i + 1] IS NOT NULL
$$;

-- What only the owner sets. One row.
CREATE TABLE ledger.setting (
  one_row         boolean PRIMARY KEY DEFAULT true CHECK (one_row),
  -- How far a gateway's clock may be from the database's; NULL believes the gateway, which only tests may.
  clock_tolerance interval CHECK (clock_tolerance BETWEEN interval '1 second' AND interval '1 hour')
);
INSERT INTO ledger.setting (clock_tolerance) VALUES (interval '60 seconds');

-- The instant that expiry and deadlines are judged by: the later of a gateway's clock and the database's.
CREATE FUNCTION ledger.moment(at timestamptz) RETURNS timestamptz LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tolerance interval := (SELECT clock_tolerance FROM ledger.setting);
  here timestamptz := clock_timestamp();
BEGIN
  IF tolerance IS NULL THEN RETURN at; END IF;
  IF at IS NULL OR at NOT BETWEEN here - tolerance AND here + tolerance THEN
    RAISE EXCEPTION 'the clocks of gateway and database differ: % here, % there', here, at USING ERRCODE = 'GH012';
  END IF;
  RETURN greatest(at, here);
END $$;

CREATE FUNCTION ledger.append(id uuid, entry_kind text, request uuid, entry_body text) RETURNS uuid LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO ledger.entry (entry_id, kind, request_id, body, leaf_hash)
  VALUES (id, entry_kind, request, entry_body, ledger.leaf_hash(entry_body)) RETURNING entry_id
$$;
