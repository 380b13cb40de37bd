-- Which bundle is in force, and which were refused.

-- The order of activations. The clock does not give it: another server that takes over may be behind.
CREATE TABLE ledger.policy_succession (
  number          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  entry_id        uuid NOT NULL UNIQUE REFERENCES ledger.policy_activation,
  previous_sha256 ledger.sha256 REFERENCES ledger.policy_version,
  -- The same for bundles that say the same; null for activations from before there was this table.
  meaning_sha256  ledger.sha256,
  -- Somebody asked for this very bundle; otherwise a gateway's directory had changed.
  by_name         boolean NOT NULL DEFAULT false
);
CREATE INDEX policy_succession_meaning ON ledger.policy_succession (meaning_sha256);
INSERT INTO ledger.policy_succession (entry_id, previous_sha256)
SELECT a.entry_id, lag(a.policy_sha256) OVER (ORDER BY e.recorded_at, a.entry_id)
FROM ledger.policy_activation AS a JOIN ledger.entry AS e USING (entry_id) ORDER BY e.recorded_at, a.entry_id;

-- A candidate that must not be in force. Its files are not kept: nobody vouches for what they hold.
CREATE TABLE ledger.policy_refusal (
  entry_id         uuid PRIMARY KEY REFERENCES ledger.entry,
  candidate_sha256 ledger.sha256 NOT NULL,
  in_force_sha256  ledger.sha256 REFERENCES ledger.policy_version,
  refused_at       timestamptz NOT NULL,
  actor            text NOT NULL,
  faults           text NOT NULL
);
CREATE INDEX policy_refusal_candidate ON ledger.policy_refusal (candidate_sha256);

CREATE TABLE ledger.overdue_review (
  subject   text NOT NULL,
  review_by date NOT NULL,
  entry_id  uuid NOT NULL UNIQUE REFERENCES ledger.alert DEFERRABLE INITIALLY DEFERRED,
  PRIMARY KEY (subject, review_by)
);
CALL ledger.protect('ledger.policy_succession', 'ledger.policy_refusal', 'ledger.overdue_review');

-- The bundle without files, by which a gateway denies everything while it has no other.
INSERT INTO ledger.policy_version (policy_sha256, bundle)
SELECT sha256(bundle), bundle FROM (VALUES (convert_to('{"files":{}}', 'UTF8'))) AS nothing (bundle)
ON CONFLICT DO NOTHING;

CREATE FUNCTION ledger.policy_in_force() RETURNS bytea LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.policy_sha256 FROM ledger.policy_succession AS s JOIN ledger.policy_activation AS a USING (entry_id)
  ORDER BY s.number DESC LIMIT 1
$$;

-- Whether a bundle is of the past: it once was in force, or one that says the same, and neither is now. A bundle that
-- says what the one in force does changes nothing, unless it is itself a former one.
CREATE FUNCTION ledger.is_superseded(digest bytea, meaning bytea) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT digest IS DISTINCT FROM ledger.policy_in_force()
    AND (EXISTS (SELECT FROM ledger.policy_activation WHERE policy_sha256 = digest)
      OR meaning IS DISTINCT FROM
           (SELECT s.meaning_sha256 FROM ledger.policy_succession AS s ORDER BY s.number DESC LIMIT 1)
         AND EXISTS (SELECT FROM ledger.policy_succession WHERE meaning_sha256 = meaning))
$$;

-- `activated`; `unchanged` when the bundle is in force already; `superseded` when it is of the past and not asked for
-- by name. An alert tells when what somebody asked for by name is replaced by what nobody did.
DROP FUNCTION ledger.activate_policy(uuid, bytea, bytea, timestamptz, text);
CREATE FUNCTION ledger.activate_policy(id uuid, digest bytea, content bytea, meaning bytea, happened timestamptz,
  who text, of_owner text, named boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before record;
BEGIN
  -- Activations and refusals wait for each other, reading does not.
  LOCK TABLE ledger.policy_succession IN SHARE ROW EXCLUSIVE MODE;
  PERFORM FROM ledger.policy_activation WHERE entry_id = id;
  IF FOUND THEN RETURN 'activated'; END IF;
  SELECT a.policy_sha256, a.actor, s.by_name INTO before
  FROM ledger.policy_succession AS s JOIN ledger.policy_activation AS a USING (entry_id)
  ORDER BY s.number DESC LIMIT 1;
  IF before.policy_sha256 = digest THEN RETURN 'unchanged'; END IF;
  IF NOT named AND ledger.is_superseded(digest, meaning) THEN RETURN 'superseded'; END IF;
  INSERT INTO ledger.policy_version (policy_sha256, bundle) VALUES (digest, content) ON CONFLICT DO NOTHING;
  PERFORM ledger.append(id, 'policy', NULL, ledger.object('verdict', 'activated', 'policy_sha256',
    encode(digest, 'hex'), 'previous_sha256', encode(before.policy_sha256, 'hex'), 'meaning_sha256',
    encode(meaning, 'hex'), 'at', ledger.time_text(happened), 'actor', who, 'by_name', named::text));
  INSERT INTO ledger.policy_activation (entry_id, policy_sha256, activated_at, actor)
  VALUES (id, digest, happened, who);
  INSERT INTO ledger.policy_succession (entry_id, previous_sha256, meaning_sha256, by_name)
  VALUES (id, before.policy_sha256, meaning, named);
  IF before.by_name AND NOT named THEN
    PERFORM ledger.append_alert(ledger.new_id(), happened, 'policy-replaced', 'warn', of_owner, encode(digest, 'hex'),
      '{}', format('%s put the changed directory %s in force in place of %s, which %s had activated by name', who,
        encode(digest, 'hex'), encode(before.policy_sha256, 'hex'), before.actor), NULL);
  END IF;
  RETURN 'activated';
END $$;

-- Records a refused candidate with its alert; false when it was refused before, the same bundle being in force.
CREATE FUNCTION ledger.refuse_policy(id uuid, alert_id uuid, candidate bytea, happened timestamptz, who text,
  what text, of_owner text, summary text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  in_force bytea;
BEGIN
  LOCK TABLE ledger.policy_succession IN SHARE ROW EXCLUSIVE MODE;
  PERFORM FROM ledger.policy_refusal WHERE entry_id = id;
  IF FOUND THEN RETURN true; END IF;
  in_force := ledger.policy_in_force();
  IF EXISTS (SELECT FROM ledger.policy_refusal
             WHERE candidate_sha256 = candidate AND in_force_sha256 IS NOT DISTINCT FROM in_force) THEN
    RETURN false;
  END IF;
  PERFORM ledger.append(id, 'policy', NULL, ledger.object('verdict', 'refused', 'policy_sha256',
    encode(candidate, 'hex'), 'in_force_sha256', encode(in_force, 'hex'), 'at', ledger.time_text(happened),
    'actor', who, 'faults', what));
  INSERT INTO ledger.policy_refusal (entry_id, candidate_sha256, in_force_sha256, refused_at, actor, faults)
  VALUES (id, candidate, in_force, happened, who, what);
  PERFORM ledger.append_alert(alert_id, happened, 'policy-refused', 'high', of_owner, encode(candidate, 'hex'),
    '{}', summary, NULL);
  RETURN true;
END $$;

-- Raises the alert of an overdue review; false when that review was reported before.
CREATE FUNCTION ledger.alert_overdue_review(id uuid, about text, due date, of_owner text, what text,
  happened timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO ledger.overdue_review (subject, review_by, entry_id) VALUES (about, due, id) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM ledger.append_alert(id, happened, 'review-overdue', 'warn', of_owner, about, '{}', what, NULL);
  RETURN true;
END $$;

DROP VIEW audit.policies;
CREATE VIEW audit.policies AS
SELECT encode(a.policy_sha256, 'hex') AS policy_sha256, 'activated' AS verdict, a.activated_at AS at, a.actor,
       s.number, s.number = (SELECT max(number) FROM ledger.policy_succession) AS in_force,
       encode(s.previous_sha256, 'hex') AS previous_sha256, octet_length(p.bundle) AS octets,
       NULL::text AS faults, e.recorded_at, s.by_name, encode(s.meaning_sha256, 'hex') AS meaning_sha256
FROM ledger.policy_activation AS a JOIN ledger.policy_version AS p USING (policy_sha256)
JOIN ledger.policy_succession AS s USING (entry_id) JOIN ledger.entry AS e USING (entry_id)
UNION ALL
SELECT encode(r.candidate_sha256, 'hex'), 'refused', r.refused_at, r.actor, NULL, false,
       encode(r.in_force_sha256, 'hex'), NULL, r.faults, e.recorded_at, false, NULL
FROM ledger.policy_refusal AS r JOIN ledger.entry AS e USING (entry_id);

COMMENT ON VIEW audit.policies IS 'policy bundles that were activated and candidates that were refused';
COMMENT ON COLUMN audit.policies.policy_sha256 IS 'SHA-256 of the bundle or the candidate';
COMMENT ON COLUMN audit.policies.verdict IS 'activated | refused';
COMMENT ON COLUMN audit.policies.number IS 'place in the order of activations, with gaps';
COMMENT ON COLUMN audit.policies.in_force IS 'whether this activation is the latest, which every replica serves by';
COMMENT ON COLUMN audit.policies.previous_sha256 IS
  'SHA-256 of the bundle in force before; of a refused candidate, of the bundle that stays in force';
COMMENT ON COLUMN audit.policies.by_name IS
  'whether somebody asked for this very bundle; false when a gateway''s directory had changed';
COMMENT ON COLUMN audit.policies.meaning_sha256 IS 'the same for bundles that say the same, however they are written';
COMMENT ON COLUMN audit.policies.octets IS 'size of the bundle that is kept';
COMMENT ON COLUMN audit.policies.faults IS 'why a candidate was refused, one fault a line';

GRANT SELECT ON audit.policies TO gatehouse_auditor, gatehouse_writer;
GRANT SELECT ON ledger.policy_succession, ledger.policy_refusal, ledger.overdue_review TO gatehouse_writer;
GRANT EXECUTE ON FUNCTION ledger.policy_in_force, ledger.is_superseded, ledger.activate_policy, ledger.refuse_policy,
  ledger.alert_overdue_review TO gatehouse_writer;
