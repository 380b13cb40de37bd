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
