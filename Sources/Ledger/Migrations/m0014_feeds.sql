-- What carries the ledger elsewhere: events in the log's order and the cursor of each feed. And what reconciliation
-- goes by: reservations that are open, and the two alerts that it raises.

-- Every fact in the order of its leaf: an entry appears once it is a leaf, so nothing ever appears before what was read
-- last. A leaf whose entry was retired has no columns but its index and hash.
CREATE VIEW audit.events AS
SELECT l.leaf_index, l.entry_id, e.kind, e.recorded_at, e.request_id, q.service, q.protocol, q.operation, q.device_id,
       q.gateway, q.client_address, e.body,
       encode(l.leaf_hash, 'hex') AS leaf_hash, e.writer
FROM ledger.leaf AS l LEFT JOIN ledger.entry AS e USING (entry_id)
LEFT JOIN ledger.request_in_clear AS q ON q.request_id = e.request_id;
COMMENT ON VIEW audit.events IS 'every fact in the order of the log, with what its request was about';
COMMENT ON COLUMN audit.events.leaf_index IS 'place in the log, from 0, without gaps';
COMMENT ON COLUMN audit.events.client_address IS 'of the request; its commitment once it was erased';
COMMENT ON COLUMN audit.events.body IS 'the fact as hashed; null once its month was retired';

-- How far a feed has come, and which gateway delivers it. `epoch` rises with every change of hands and fences the one
-- that lost it without noticing. Not evidence.
CREATE TABLE state.feed (
  name         text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  position     bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
  delivered_at timestamptz,
  epoch        bigint NOT NULL DEFAULT 1 CHECK (epoch >= 1),
  holder       text NOT NULL,
  expires_at   timestamptz NOT NULL
);

-- Makes `who` the one that delivers for `seconds` more, by the database's clock; no row while another does. Who held
-- it last renews by naming its epoch.
CREATE FUNCTION state.take_feed(of_feed text, who text, of_epoch bigint, seconds double precision)
RETURNS TABLE (epoch bigint, place bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  until timestamptz := clock_timestamp() + make_interval(secs => least(greatest(seconds, 0.1), 60));
  held state.feed;
BEGIN
  INSERT INTO state.feed (name, holder, expires_at) VALUES (of_feed, who, until) ON CONFLICT DO NOTHING;
  IF FOUND THEN RETURN QUERY SELECT 1::bigint, 0::bigint; RETURN; END IF;
  SELECT * INTO STRICT held FROM state.feed AS f WHERE f.name = of_feed FOR UPDATE;
  IF held.epoch IS DISTINCT FROM of_epoch OR held.holder <> who THEN
    -- One that lies further ahead than any is given for is of a clock that was set back since.
    IF held.expires_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '60 seconds' THEN RETURN; END IF;
    held.epoch := held.epoch + 1;
  END IF;
  UPDATE state.feed AS f SET epoch = held.epoch, holder = who, expires_at = until WHERE f.name = of_feed;
  RETURN QUERY SELECT held.epoch, held.position;
END $$;

-- Moves the cursor and renews; false when the feed has passed to another. A cursor never moves back.
CREATE FUNCTION state.advance_feed(of_feed text, of_epoch bigint, place bigint, seconds double precision)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE state.feed SET position = place,
    delivered_at = CASE WHEN place > position THEN clock_timestamp() ELSE delivered_at END,
    expires_at = clock_timestamp() + make_interval(secs => least(greatest(seconds, 0.1), 60))
  WHERE name = of_feed AND epoch = of_epoch AND place >= position
    AND place <= (SELECT coalesce(max(h.tree_size), 0) FROM ledger.tree_head AS h);
  RETURN FOUND;
END $$;

-- Gives a feed up, so that the next to deliver need not wait.
CREATE FUNCTION state.release_feed(of_feed text, of_epoch bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE state.feed SET expires_at = clock_timestamp() WHERE name = of_feed AND epoch = of_epoch
$$;

CREATE VIEW audit.feeds AS
SELECT f.name, f.position, s.tree_size - f.position AS behind, f.delivered_at, f.holder AS gateway,
       f.expires_at > now() AS delivering
FROM state.feed AS f
CROSS JOIN (SELECT coalesce(max(tree_size), 0) AS tree_size FROM ledger.tree_head) AS s;
COMMENT ON VIEW audit.feeds IS 'feeds to other systems: how far each has come';
COMMENT ON COLUMN audit.feeds.position IS 'events before this leaf_index are delivered';
COMMENT ON COLUMN audit.feeds.behind IS 'how many events of the log are not yet delivered';
COMMENT ON COLUMN audit.feeds.delivering IS 'whether a gateway is at work on it now';

-- Certificates of our issuers that the ledger does not know, each reported once.
CREATE TABLE ledger.rogue_certificate (
  certificate_sha256 ledger.sha256 PRIMARY KEY,
  entry_id           uuid NOT NULL UNIQUE REFERENCES ledger.alert DEFERRABLE INITIALLY DEFERRED
);
CALL ledger.protect('ledger.rogue_certificate');

CREATE VIEW audit.rogue_certificates AS
SELECT encode(r.certificate_sha256, 'hex') AS certificate_sha256, a.at, a.owner, a.detail, r.entry_id AS alert_id,
       e.recorded_at, e.writer
FROM ledger.rogue_certificate AS r JOIN ledger.alert AS a USING (entry_id) JOIN ledger.entry AS e USING (entry_id);
COMMENT ON VIEW audit.rogue_certificates IS 'certificates of our issuers that the ledger does not know';
COMMENT ON COLUMN audit.rogue_certificates.at IS 'when reconciliation reported it';

-- Raises the alert of a rogue certificate; false when that certificate was reported before.
CREATE FUNCTION ledger.alert_rogue_certificate(id uuid, fingerprint bytea, of_owner text, what text,
  happened timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM ledger.certificate WHERE certificate_sha256 = fingerprint) THEN
    RAISE EXCEPTION 'the ledger knows that certificate' USING ERRCODE = 'GH001';
  END IF;
  INSERT INTO ledger.rogue_certificate (certificate_sha256, entry_id) VALUES (fingerprint, id) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM ledger.append_alert(id, happened, 'rogue-certificate', 'critical', of_owner, encode(fingerprint, 'hex'), '{}',
    what, NULL);
  RETURN true;
END $$;

-- A work queue, not evidence: reservations without an outcome, so that nobody has to look for them among all.
CREATE TABLE ledger.open_reservation (
  request_id uuid PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
INSERT INTO ledger.open_reservation (request_id)
SELECT r.request_id FROM ledger.reservation AS r LEFT JOIN ledger.outcome AS o USING (request_id)
WHERE o.request_id IS NULL;

CREATE FUNCTION ledger.queue_reservation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO ledger.open_reservation (request_id) VALUES (NEW.request_id);
  RETURN NULL;
END $$;

-- Of a reservation that nobody came back to, there is an alert: its gateway died or lost the database between reserving
-- and releasing.
CREATE FUNCTION ledger.end_reservation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM ledger.open_reservation WHERE request_id = NEW.request_id;
  IF NEW.reason IN ('signing deadline passed', 'gateway restarted') THEN
    PERFORM ledger.append_alert(ledger.new_id(), (e.body::jsonb->>'at')::timestamptz, 'orphan-reservation', 'warn',
      left(d.owner, 400), encode(NEW.serial, 'hex'), ARRAY[NEW.request_id],
      'closed without a certificate and its serial revoked: ' || NEW.reason, NEW.request_id)
    FROM ledger.decision AS d JOIN ledger.entry AS e ON e.entry_id = NEW.entry_id WHERE d.request_id = NEW.request_id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER queue_reservation AFTER INSERT ON ledger.reservation FOR EACH ROW
  EXECUTE FUNCTION ledger.queue_reservation();
CREATE TRIGGER end_reservation AFTER INSERT ON ledger.outcome FOR EACH ROW EXECUTE FUNCTION ledger.end_reservation();
ALTER TABLE ledger.reservation ENABLE ALWAYS TRIGGER queue_reservation;
ALTER TABLE ledger.outcome ENABLE ALWAYS TRIGGER end_reservation;

-- As before, from the queue, the expired ones too.
CREATE OR REPLACE VIEW audit.open_issuance AS
SELECT r.request_id, e.recorded_at, r.gateway, r.service, r.device_id, r.issuer, encode(r.serial, 'hex') AS serial,
       r.signing_deadline
FROM ledger.open_reservation AS w JOIN ledger.reservation AS r ON r.request_id = w.request_id
JOIN ledger.entry AS e ON e.entry_id = r.entry_id;

-- As before, but a signing deadline lies within 40 seconds: gateways look for open reservations every 20, and none
-- stays open for longer than a minute.
CREATE OR REPLACE FUNCTION ledger.check_reservation() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  asked ledger.request;
  decided ledger.decision;
  before ledger.reservation;
  moment timestamptz;
BEGIN
  SELECT * INTO STRICT asked FROM ledger.request WHERE request_id = NEW.request_id;
  SELECT * INTO STRICT decided FROM ledger.decision WHERE request_id = NEW.request_id;
  IF decided.kind <> 'enroll' OR decided.effect <> 'permit' THEN
    RAISE EXCEPTION 'only a permitted enrollment can be reserved' USING ERRCODE = 'GH001';
  END IF;
  moment := ledger.moment(decided.decided_at);
  IF NEW.signing_deadline > moment + interval '40 seconds' THEN
    RAISE EXCEPTION 'the signing deadline is too far' USING ERRCODE = 'GH013';
  END IF;
  IF NEW.not_after > decided.max_not_after THEN
    RAISE EXCEPTION 'validity exceeds the decision' USING ERRCODE = 'GH002';
  END IF;
  IF NEW.public_key IS DISTINCT FROM asked.public_key THEN
    RAISE EXCEPTION 'key differs from the request' USING ERRCODE = 'GH003';
  END IF;
  IF NEW.tbs_sha256 <> sha256(NEW.tbs) THEN
    RAISE EXCEPTION 'digest differs from the TBSCertificate' USING ERRCODE = 'GH004';
  END IF;
  IF NEW.transaction_key IS DISTINCT FROM asked.transaction_key OR NEW.service IS DISTINCT FROM asked.service
     OR NEW.device_id IS DISTINCT FROM asked.device_id OR NEW.profile IS DISTINCT FROM decided.profile THEN
    RAISE EXCEPTION 'transaction, service, device or profile differs' USING ERRCODE = 'GH005';
  END IF;
  IF position(NEW.serial IN NEW.tbs) = 0 THEN
    RAISE EXCEPTION 'serial is not in the TBSCertificate' USING ERRCODE = 'GH004';
  END IF;
  IF NEW.predecessor IS NOT NULL THEN
    SELECT * INTO STRICT before FROM ledger.reservation WHERE request_id = NEW.predecessor;
    IF before.transaction_key <> NEW.transaction_key OR before.number <> NEW.number - 1 THEN
      RAISE EXCEPTION 'predecessor is not the attempt before' USING ERRCODE = 'GH006';
    END IF;
    IF EXISTS (SELECT FROM ledger.outcome WHERE request_id = NEW.predecessor AND result = 'completed')
       AND before.not_after > moment
       AND NOT EXISTS (SELECT FROM ledger.revocation WHERE issuer = before.issuer AND serial = before.serial) THEN
      RAISE EXCEPTION 'the transaction has a live certificate' USING ERRCODE = 'GH007';
    END IF;
  END IF;
  -- The credential that the recorded request names must be this transaction's own.
  IF asked.credential_id IS NOT NULL AND NOT ledger.credential_serves(asked, NEW.device_id) THEN
    RAISE EXCEPTION 'the credential does not serve this transaction' USING ERRCODE = 'GH008';
  END IF;
  RETURN NEW;
END $$;

-- As before, from the queue. What is older than a deadline can lie ahead is closed by the database's clock alone: a
-- gateway whose clock is fast keeps nothing open for longer.
CREATE OR REPLACE FUNCTION ledger.reconcile(of_gateway text, at timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  dangling record;
  closed bigint := 0;
BEGIN
  FOR dangling IN
    SELECT * FROM (
      SELECT r.request_id, r.gateway, r.transaction_key, r.signing_deadline <= ledger.moment(at)
             OR e.recorded_at <= clock_timestamp() - interval '40 seconds' AS is_overdue
      FROM ledger.open_reservation AS w JOIN ledger.reservation AS r ON r.request_id = w.request_id
      JOIN ledger.entry AS e ON e.entry_id = r.entry_id) AS o
    WHERE o.is_overdue OR o.gateway = of_gateway ORDER BY o.request_id LIMIT most
  LOOP
    -- One that somebody holds, or that cannot be closed, must not keep the others open.
    BEGIN
      PERFORM FROM ledger.transaction WHERE transaction_key = dangling.transaction_key FOR UPDATE SKIP LOCKED;
      CONTINUE WHEN NOT FOUND;
      IF ledger.close(dangling.request_id,
           CASE WHEN dangling.is_overdue THEN 'signing deadline passed' ELSE 'gateway restarted' END, at,
           coalesce(of_gateway, dangling.gateway)) THEN
        closed := closed + 1;
      END IF;
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'reservation % cannot be closed: %', dangling.request_id, SQLERRM;
    END;
  END LOOP;
  RETURN closed;
END $$;

GRANT SELECT ON audit.events, audit.feeds, audit.rogue_certificates TO gatehouse_auditor, gatehouse_writer;
GRANT SELECT ON state.feed, ledger.rogue_certificate, ledger.open_reservation TO gatehouse_writer;
GRANT SELECT ON ledger.rogue_certificate, ledger.open_reservation TO gatehouse_verifier;
GRANT EXECUTE ON FUNCTION state.take_feed, state.advance_feed, state.release_feed, ledger.alert_rogue_certificate
  TO gatehouse_writer;
