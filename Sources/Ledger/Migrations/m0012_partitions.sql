-- Entries by month, and their retention (docs/decisions/0010-entries-by-month.md).

-- The smallest UUIDv7 of an instant (RFC 9562 §5.7): ids of facts are in the order of time.
CREATE FUNCTION ledger.first_id(instant timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
  SELECT (encode(substring(int8send(floor(extract(epoch FROM instant) * 1000)::bigint) FROM 3), 'hex')
          || repeat('0', 20))::uuid
$$;

-- `entry` becomes the parent of what it was. Whatever refers to it by name or by number is taken along: foreign keys
-- and views are made again as they were.
CREATE TEMP TABLE carried (place integer GENERATED ALWAYS AS IDENTITY, command text NOT NULL) ON COMMIT DROP;
INSERT INTO carried (command)
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype = 'f' AND confrelid = 'ledger.entry'::regclass
ORDER BY conrelid::regclass::text, conname;
INSERT INTO carried (command)
SELECT format('CREATE OR REPLACE VIEW %s AS %s', v.view, pg_get_viewdef(v.view))
FROM (SELECT DISTINCT r.ev_class::regclass AS view FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid
      WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = 'ledger.entry'::regclass) AS v;
DO $$
DECLARE
  reference record;
BEGIN
  FOR reference IN SELECT conrelid::regclass AS child, conname FROM pg_constraint
                   WHERE contype = 'f' AND confrelid = 'ledger.entry'::regclass LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', reference.child, reference.conname);
  END LOOP;
END $$;
DROP TRIGGER stamp ON ledger.entry;
DROP TRIGGER queue_leaf ON ledger.entry;
DROP TRIGGER refuse_change ON ledger.entry;
REVOKE ALL ON ledger.entry FROM PUBLIC, gatehouse_writer, gatehouse_verifier, gatehouse_sequencer, gatehouse_auditor;
ALTER TABLE ledger.entry RENAME TO entry_earlier;
ALTER INDEX ledger.entry_pkey RENAME TO entry_earlier_pkey;
ALTER INDEX ledger.entry_request RENAME TO entry_earlier_request;
ALTER INDEX ledger.entry_recorded RENAME TO entry_earlier_recorded;

CREATE TABLE ledger.entry (LIKE ledger.entry_earlier INCLUDING CONSTRAINTS, PRIMARY KEY (entry_id))
  PARTITION BY RANGE (entry_id);
CREATE INDEX entry_request ON ledger.entry (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX entry_recorded ON ledger.entry USING brin (recorded_at);
DO $$
BEGIN
  EXECUTE format('ALTER TABLE ledger.entry ATTACH PARTITION ledger.entry_earlier FOR VALUES FROM (MINVALUE) TO (%L)',
    greatest(ledger.first_id(date_trunc('month', now(), 'UTC') + interval '1 month'),
      (SELECT ledger.first_id(date_trunc('month', to_timestamp((('x' || replace(left(max(entry_id::text), 13), '-', ''))
         ::bit(48)::bigint) / 1000.0), 'UTC') + interval '1 month') FROM ledger.entry_earlier)));
END $$;
-- Whatever lies in no month that was prepared: issuance does not stop for it.
CREATE TABLE ledger.entry_other PARTITION OF ledger.entry DEFAULT;
CREATE TRIGGER stamp BEFORE INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.stamp();
CREATE TRIGGER queue_leaf AFTER INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.queue_leaf();
CALL ledger.protect('ledger.entry');
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.entry_other
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.entry_other ENABLE ALWAYS TRIGGER refuse_truncate;
DO $$
DECLARE
  part regclass;
  saved record;
BEGIN
  ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER stamp;
  ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER queue_leaf;
  FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'ledger.entry'::regclass LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER stamp, ENABLE ALWAYS TRIGGER queue_leaf, '
                   'ENABLE ALWAYS TRIGGER refuse_change', part);
  END LOOP;
  FOR saved IN SELECT command FROM carried ORDER BY place LOOP EXECUTE saved.command; END LOOP;
END $$;
GRANT SELECT ON ledger.entry TO gatehouse_writer, gatehouse_verifier;

-- Makes the partitions of this month and the next ones that are missing; returns how many it made. A month of which an
-- entry lies among the others already stays there: rows do not move.
CREATE FUNCTION ledger.make_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET lock_timeout = '1s' AS $$
DECLARE
  month timestamptz := date_trunc('month', clock_timestamp(), 'UTC');
  part text;
  made integer := 0;
BEGIN
  FOR ahead IN 0 .. least(greatest(months_ahead, 0), 24) LOOP
    part := 'entry_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
    IF to_regclass('ledger.' || part) IS NULL AND ledger.lacks_partition(month) THEN
      IF made = 0 THEN
        -- Every writer takes this lock before those of the tables that refer to entries, as attaching does. Attaching
        -- waits for long reads too, and issuance behind it: not for long, there is time to try again.
        LOCK TABLE ledger.entry IN SHARE ROW EXCLUSIVE MODE;
        IF NOT ledger.lacks_partition(month) THEN RETURN 0; END IF;  -- somebody else was here
      END IF;
      EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.entry INCLUDING CONSTRAINTS)', part);
      EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.%I FOR EACH STATEMENT '
                     'EXECUTE FUNCTION ledger.refuse_change()', part);
      EXECUTE format('ALTER TABLE ledger.entry ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)', part,
        ledger.first_id(month), ledger.first_id(month + interval '1 month'));
      EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER refuse_truncate, ENABLE ALWAYS TRIGGER stamp, '
                     'ENABLE ALWAYS TRIGGER queue_leaf, ENABLE ALWAYS TRIGGER refuse_change', part);
      made := made + 1;
    END IF;
    month := month + interval '1 month';
  END LOOP;
  RETURN made;
END $$;

-- Whether a month has no partition, and none of its ids stands in the way of one.
CREATE FUNCTION ledger.lacks_partition(month timestamptz) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
  SELECT to_regclass('ledger.entry_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM')) IS NULL
    AND ledger.first_id(month) >= (
      SELECT substring(pg_get_expr(relpartbound, oid) FROM $re$TO \('([0-9a-f-]{36})'\)$re$)::uuid
      FROM pg_class WHERE oid = 'ledger.entry_earlier'::regclass)
    AND NOT EXISTS (SELECT FROM ledger.entry_other
      WHERE entry_id >= ledger.first_id(month) AND entry_id < ledger.first_id(month + interval '1 month'))
$$;
SELECT ledger.make_partitions(3);
GRANT EXECUTE ON FUNCTION ledger.make_partitions TO gatehouse_writer;

-- What looking for the references to a row needs, when rows go.
CREATE INDEX request_follows ON ledger.request (follows) WHERE follows IS NOT NULL;
CREATE INDEX credential_event_request ON ledger.credential_event (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX approval_request ON ledger.approval (request_id);
CREATE INDEX outcome_revoked ON ledger.outcome (issuer, closed_serial) WHERE closed_serial IS NOT NULL;

-- A month whose entries were taken out of the database, the exported evidence by its manifest. `to_id` is the first id
-- after it. Leaves, tiles and checkpoints stay, and so does what later rows refer to.
CREATE TABLE ledger.retention (
  entry_id        uuid PRIMARY KEY REFERENCES ledger.entry,
  month           date NOT NULL UNIQUE,
  from_id         uuid NOT NULL,
  to_id           uuid NOT NULL,
  entries         bigint NOT NULL CHECK (entries >= 0),
  tree_size       bigint NOT NULL,
  manifest_sha256 ledger.sha256 NOT NULL,
  at              timestamptz NOT NULL,
  actor           text NOT NULL,
  -- Rows go in this transaction and in no other.
  retired_in      xid8 NOT NULL
);

-- Checked for whoever inserts: long enough ago, not empty, in the log, in the export, and no certificate of it of late.
CREATE FUNCTION ledger.check_retention() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  cutoff timestamptz := clock_timestamp() - interval '2 years';
  month_start timestamptz := NEW.month::timestamp AT TIME ZONE 'UTC';
BEGIN
  NEW.retired_in := pg_current_xact_id();
  IF NEW.month <> date_trunc('month', NEW.month) OR NEW.from_id <> ledger.first_id(month_start)
     OR NEW.to_id <> ledger.first_id(month_start + interval '1 month') THEN
    RAISE EXCEPTION 'these are not the ids of a month' USING ERRCODE = 'GH020';
  END IF;
  IF month_start + interval '1 month' > cutoff THEN
    RAISE EXCEPTION 'the month ended less than two years ago' USING ERRCODE = 'GH020';
  END IF;
  -- Once only, and never for nothing: the name of a month would be used up.
  PERFORM FROM ledger.retention WHERE month = NEW.month;
  IF FOUND THEN
    RAISE EXCEPTION '% was retired already', to_char(NEW.month, 'YYYY-MM') USING ERRCODE = 'GH020';
  END IF;
  IF NOT EXISTS (SELECT FROM ledger.entry WHERE entry_id >= NEW.from_id AND entry_id < NEW.to_id)
     AND NOT EXISTS (SELECT FROM ledger.traffic WHERE traffic_id >= NEW.from_id AND traffic_id < NEW.to_id) THEN
    RAISE EXCEPTION 'nothing of % is in the ledger', to_char(NEW.month, 'YYYY-MM') USING ERRCODE = 'GH021';
  END IF;
  PERFORM FROM ledger.reservation
  WHERE (request_id >= NEW.from_id AND request_id < NEW.to_id OR entry_id >= NEW.from_id AND entry_id < NEW.to_id)
    AND not_after > cutoff;
  IF FOUND THEN
    RAISE EXCEPTION 'a certificate of that month ended less than two years ago' USING ERRCODE = 'GH020';
  END IF;
  PERFORM FROM ledger.checkpoint WHERE tree_size = NEW.tree_size;
  IF NOT FOUND THEN RAISE EXCEPTION 'no checkpoint has % leaves', NEW.tree_size USING ERRCODE = 'GH020'; END IF;
  PERFORM FROM ledger.entry AS e LEFT JOIN ledger.leaf AS l ON l.entry_id = e.entry_id
  WHERE e.entry_id >= NEW.from_id AND e.entry_id < NEW.to_id
    AND (l.leaf_index IS NULL OR l.leaf_index >= NEW.tree_size OR l.leaf_hash <> e.leaf_hash);
  IF FOUND THEN
    RAISE EXCEPTION 'an entry of that month is not in the exported tree' USING ERRCODE = 'GH020';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER check_retention BEFORE INSERT ON ledger.retention
  FOR EACH ROW EXECUTE FUNCTION ledger.check_retention();
ALTER TABLE ledger.retention ENABLE ALWAYS TRIGGER check_retention;
CALL ledger.protect('ledger.retention');

-- Whether this very transaction retires a month, and the fact is of one that is or was retired.
CREATE FUNCTION ledger.is_retiring(id uuid) RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM ledger.retention WHERE retired_in = pg_current_xact_id_if_assigned())
    AND EXISTS (SELECT FROM ledger.retention WHERE id >= from_id AND id < to_id);
END $$;

CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  id uuid;
BEGIN
  IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' AND TG_TABLE_SCHEMA = 'ledger' THEN
    IF TG_TABLE_NAME IN ('request', 'decision', 'reservation', 'outcome', 'certificate') THEN
      id := OLD.request_id;
    ELSIF TG_TABLE_NAME IN ('revocation', 'approval', 'credential', 'credential_event', 'admin_event', 'alert')
          OR TG_TABLE_NAME = 'entry' OR TG_TABLE_NAME LIKE 'entry\_%' THEN
      id := OLD.entry_id;
    ELSIF TG_TABLE_NAME = 'traffic' THEN
      id := OLD.traffic_id;
    END IF;
    IF id IS NOT NULL AND ledger.is_retiring(id) THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'GH000';
END $$;

CREATE OR REPLACE FUNCTION ledger.guard_private_value() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT FROM ledger.redacted_commitment WHERE commitment = OLD.commitment)
       OR ledger.is_retiring(OLD.entry_id) THEN
      RETURN OLD;
    END IF;
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM FROM ledger.redacted_commitment WHERE commitment = NEW.commitment;
    IF NOT FOUND THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'a private value goes only by a redaction, and for good' USING ERRCODE = 'GH000';
END $$;

-- Finds what of the retired months, up to and with this one, nothing that stays refers to: in `pg_temp.gone_request`,
-- `gone_credential` and `gone_entry`. A transaction goes whole, with all its requests and everything that came of them;
-- so does a credential with all that happened to it, or its use would be forgotten.
CREATE FUNCTION ledger.find_retirable(first_id uuid, end_id uuid) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET client_min_messages = 'warning' AS $$
DECLARE
  cutoff timestamptz := clock_timestamp() - interval '2 years';
  fewer bigint;
  removed bigint;
  reference record;
BEGIN
  DROP TABLE IF EXISTS pg_temp.gone_month, pg_temp.gone_request, pg_temp.gone_credential, pg_temp.gone_entry;
  CREATE TEMP TABLE gone_month ON COMMIT DROP AS
    SELECT from_id, to_id FROM ledger.retention UNION SELECT first_id, end_id;
  CREATE TEMP TABLE gone_request ON COMMIT DROP AS
    SELECT q.request_id, q.transaction_key FROM ledger.request AS q JOIN pg_temp.gone_month AS m
      ON q.request_id >= m.from_id AND q.request_id < m.to_id
    WHERE NOT EXISTS (SELECT FROM ledger.entry AS e WHERE e.request_id = q.request_id AND e.kind <> 'redaction'
            AND NOT EXISTS (SELECT FROM pg_temp.gone_month AS o WHERE e.entry_id >= o.from_id AND e.entry_id < o.to_id))
      AND NOT EXISTS (SELECT FROM ledger.account AS a WHERE a.request_id = q.request_id)
      AND NOT EXISTS (SELECT FROM ledger.reservation AS r LEFT JOIN ledger.outcome AS o ON o.request_id = r.request_id
            LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
            WHERE r.request_id = q.request_id
              AND (o.request_id IS NULL OR r.not_after > cutoff OR v.reason = 'keyCompromise'));
  CREATE UNIQUE INDEX ON pg_temp.gone_request (request_id);
  CREATE TEMP TABLE gone_credential ON COMMIT DROP AS
    SELECT c.credential_id, c.entry_id FROM ledger.credential AS c JOIN pg_temp.gone_month AS m
      ON c.entry_id >= m.from_id AND c.entry_id < m.to_id
    WHERE c.expires_at < cutoff
      AND NOT EXISTS (SELECT FROM ledger.account AS a WHERE a.credential_id = c.credential_id);
  CREATE UNIQUE INDEX ON pg_temp.gone_credential (credential_id);
  LOOP
    DELETE FROM pg_temp.gone_request AS g
    WHERE EXISTS (SELECT FROM ledger.request AS q WHERE q.transaction_key = g.transaction_key
            AND NOT EXISTS (SELECT FROM pg_temp.gone_request AS o WHERE o.request_id = q.request_id))
      OR EXISTS (SELECT FROM ledger.request AS q WHERE q.follows = g.request_id
            AND NOT EXISTS (SELECT FROM pg_temp.gone_request AS o WHERE o.request_id = q.request_id))
      OR EXISTS (SELECT FROM ledger.credential_event AS x WHERE x.request_id = g.request_id
            AND NOT EXISTS (SELECT FROM pg_temp.gone_credential AS o WHERE o.credential_id = x.credential_id));
    GET DIAGNOSTICS removed = ROW_COUNT;
    DELETE FROM pg_temp.gone_credential AS g
    WHERE EXISTS (SELECT FROM ledger.credential_event AS x WHERE x.credential_id = g.credential_id
      AND (NOT EXISTS (SELECT FROM pg_temp.gone_month AS m WHERE x.entry_id >= m.from_id AND x.entry_id < m.to_id)
        OR x.request_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM pg_temp.gone_request AS o WHERE o.request_id = x.request_id)));
    GET DIAGNOSTICS fewer = ROW_COUNT;
    EXIT WHEN removed + fewer = 0;
  END LOOP;
  CREATE TEMP TABLE gone_entry ON COMMIT DROP AS
    SELECT e.entry_id FROM ledger.entry AS e JOIN pg_temp.gone_request AS g ON g.request_id = e.request_id
    WHERE e.kind NOT IN ('policy', 'account', 'redaction', 'retention', 'rollback')
    UNION SELECT g.entry_id FROM pg_temp.gone_credential AS g
    UNION SELECT x.entry_id FROM ledger.credential_event AS x JOIN pg_temp.gone_credential AS g USING (credential_id)
    UNION SELECT a.entry_id FROM ledger.admin_event AS a JOIN pg_temp.gone_month AS m
      ON a.entry_id >= m.from_id AND a.entry_id < m.to_id
    UNION SELECT a.entry_id FROM ledger.alert AS a JOIN pg_temp.gone_month AS m
      ON a.entry_id >= m.from_id AND a.entry_id < m.to_id;
  CREATE UNIQUE INDEX ON pg_temp.gone_entry (entry_id);
  -- Tables of which nothing is taken out, whichever they are, keep what they refer to.
  FOR reference IN
    SELECT k.conrelid::regclass AS child, a.attname FROM pg_constraint AS k
    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
    WHERE k.contype = 'f' AND k.confrelid IN ('ledger.entry'::regclass, 'ledger.alert'::regclass)
      AND k.conrelid <> ALL (ARRAY['ledger.request', 'ledger.decision', 'ledger.reservation', 'ledger.outcome',
        'ledger.revocation', 'ledger.approval', 'ledger.credential', 'ledger.credential_event', 'ledger.admin_event',
        'ledger.alert']::regclass[])
  LOOP
    EXECUTE format('DELETE FROM pg_temp.gone_entry AS g USING %s AS t WHERE t.%I = g.entry_id', reference.child,
      reference.attname);
  END LOOP;
  ANALYZE pg_temp.gone_request, pg_temp.gone_credential, pg_temp.gone_entry;
END $$;

-- Retires a month: for the owner only, who no gateway is. Returns how many entries it took, and how many it left since
-- something that stays refers to them. Rows go one by one: issuance does not wait for it.
CREATE FUNCTION ledger.retire(id uuid, of_month date, manifest bytea, size bigint, root bytea, happened timestamptz,
  who text) RETURNS TABLE (taken bigint, kept bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  first uuid := ledger.first_id(of_month::timestamp AT TIME ZONE 'UTC');
  after uuid := ledger.first_id((of_month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
BEGIN
  PERFORM ledger.moment(happened);
  PERFORM FROM ledger.tree_head WHERE tree_size = size AND root_hash = root;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the manifest is not of this log: no tree of % leaves has its root', size USING ERRCODE = 'GH020';
  END IF;
  LOCK TABLE ledger.entry IN ROW EXCLUSIVE MODE;
  LOCK TABLE ledger.retention IN SHARE ROW EXCLUSIVE MODE;
  PERFORM ledger.find_retirable(first, after);
  SELECT count(*) INTO taken FROM pg_temp.gone_entry;
  PERFORM ledger.append(id, 'retention', NULL, ledger.object('month', to_char(of_month, 'YYYY-MM'),
    'from_id', first::text, 'to_id', after::text, 'entries', taken::text, 'manifest_sha256', encode(manifest, 'hex'),
    'tree_size', size::text, 'at', ledger.time_text(happened), 'actor', who));
  INSERT INTO ledger.retention (entry_id, month, from_id, to_id, entries, tree_size, manifest_sha256, at, actor)
  VALUES (id, of_month, first, after, taken, size, manifest, happened, who);
  PERFORM ledger.take_out();
  DELETE FROM ledger.entry AS e USING pg_temp.gone_entry AS g WHERE e.entry_id = g.entry_id;
  SELECT count(*) INTO kept FROM ledger.entry AS e WHERE e.entry_id >= first AND e.entry_id < after;
  RETURN NEXT;
END $$;

-- Drops the partitions of retired months in which nothing is left, once vacuum has given back their files; returns how
-- many. Detaching waits for everybody who reads entries, and issuance waits behind it: so it waits for a second only.
CREATE FUNCTION ledger.drop_retired() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
  part regclass;
  dropped integer := 0;
BEGIN
  FOR part IN SELECT to_regclass('ledger.entry_' || to_char(r.month, 'YYYY_MM')) FROM ledger.retention AS r LOOP
    CONTINUE WHEN part IS NULL OR pg_relation_size(part) > 0;
    LOCK TABLE ledger.entry IN ACCESS EXCLUSIVE MODE;
    CONTINUE WHEN pg_relation_size(part) > 0;  -- somebody was here meanwhile
    EXECUTE format('ALTER TABLE ledger.entry DETACH PARTITION %s', part);
    EXECUTE format('DROP TABLE %s', part);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;

-- The typed rows of what goes, in the order of their keys.
CREATE FUNCTION ledger.take_out() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM state.repetition AS t USING pg_temp.gone_request AS g WHERE t.request_id = g.request_id;
  DELETE FROM ledger.private_value AS t USING pg_temp.gone_request AS g WHERE t.entry_id = g.request_id;
  WITH certificates AS (
    DELETE FROM ledger.certificate AS t USING pg_temp.gone_request AS g WHERE t.request_id = g.request_id),
  outcomes AS (
    DELETE FROM ledger.outcome AS t USING pg_temp.gone_request AS g WHERE t.request_id = g.request_id)
  DELETE FROM ledger.reservation AS t USING pg_temp.gone_request AS g WHERE t.request_id = g.request_id;
  DELETE FROM ledger.revocation AS t USING pg_temp.gone_entry AS g WHERE t.entry_id = g.entry_id;
  DELETE FROM ledger.approval AS t USING pg_temp.gone_entry AS g WHERE t.entry_id = g.entry_id;
  DELETE FROM ledger.credential_event AS t USING pg_temp.gone_entry AS g WHERE t.entry_id = g.entry_id;
  DELETE FROM ledger.credential AS t USING pg_temp.gone_entry AS g WHERE t.entry_id = g.entry_id;
  DELETE FROM ledger.decision AS t USING pg_temp.gone_request AS g WHERE t.request_id = g.request_id;
  DELETE FROM ledger.request AS t USING pg_temp.gone_request AS g WHERE t.request_id = g.request_id;
  DELETE FROM ledger.admin_event AS t USING pg_temp.gone_entry AS g WHERE t.entry_id = g.entry_id;
  DELETE FROM ledger.alert AS t USING pg_temp.gone_entry AS g WHERE t.entry_id = g.entry_id;
  DELETE FROM ledger.traffic AS t USING pg_temp.gone_month AS m
  WHERE t.traffic_id >= m.from_id AND t.traffic_id < m.to_id;
END $$;

CREATE VIEW audit.retentions AS
SELECT r.month, r.from_id, r.to_id, r.entries, r.tree_size, encode(r.manifest_sha256, 'hex') AS manifest_sha256, r.at,
       r.actor, r.entry_id, e.recorded_at, e.writer
FROM ledger.retention AS r JOIN ledger.entry AS e USING (entry_id);
COMMENT ON VIEW audit.retentions IS 'months whose entries were exported and taken out of the database';
COMMENT ON COLUMN audit.retentions.to_id IS 'the first id after the month';
COMMENT ON COLUMN audit.retentions.entries IS 'how many entries went, those included that an earlier month had left';
COMMENT ON COLUMN audit.retentions.tree_size IS 'leaves of the exported tree, by its checkpoint';
COMMENT ON COLUMN audit.retentions.manifest_sha256 IS 'SHA-256 of the manifest of the export';
GRANT SELECT ON audit.retentions TO gatehouse_auditor, gatehouse_writer;
GRANT SELECT ON ledger.retention TO gatehouse_writer, gatehouse_verifier;
