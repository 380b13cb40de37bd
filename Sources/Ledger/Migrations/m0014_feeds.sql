-- What carries the ledger elsewhere: events in the log's order, the cursor of each feed, and two alerts that
-- reconciliation raises.

-- Every fact in the order of its leaf: an entry appears once it is a leaf, so nothing ever appears before what was read
-- last. A leaf whose entry was retired has no columns but its index and hash.
CREATE VIEW audit.events AS
SELECT l.leaf_index, l.entry_id, e.kind, e.recorded_at, e.request_id, q.service, q.protocol, q.operation, q.device_id,
       q.gateway, coalesce(p.value, q.client_address) AS client_address, e.body,
       encode(l.leaf_hash, 'hex') AS leaf_hash, e.writer
FROM ledger.leaf AS l LEFT JOIN ledger.entry AS e USING (entry_id)
LEFT JOIN ledger.request AS q ON q.request_id = e.request_id
LEFT JOIN ledger.private_value AS p
  ON p.commitment = CASE WHEN q.client_address ~ '^commitment:[0-9a-f]{64}$'
                         THEN decode(substring(q.client_address FROM 12), 'hex') END;
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
  WHERE name = of_feed AND epoch = of_epoch AND place >= position;
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
  entry_id           uuid NOT NULL UNIQUE REFERENCES ledger.entry
);
CALL ledger.protect('ledger.rogue_certificate');

-- Raises the alert of a rogue certificate; false when that certificate was reported before.
CREATE FUNCTION ledger.alert_rogue_certificate(id uuid, fingerprint bytea, of_owner text, what text,
  happened timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM ledger.certificate WHERE certificate_sha256 = fingerprint) THEN
    RAISE EXCEPTION 'the ledger knows that certificate' USING ERRCODE = 'GH001';
  END IF;
  LOCK TABLE ledger.rogue_certificate IN SHARE ROW EXCLUSIVE MODE;
  PERFORM FROM ledger.rogue_certificate WHERE certificate_sha256 = fingerprint;
  IF FOUND THEN RETURN false; END IF;
  PERFORM ledger.append_alert(id, happened, 'rogue-certificate', 'critical', of_owner, encode(fingerprint, 'hex'), '{}',
    what, NULL);
  INSERT INTO ledger.rogue_certificate (certificate_sha256, entry_id) VALUES (fingerprint, id);
  RETURN true;
END $$;

-- A reservation that nobody came back to: its gateway died or lost the database between reserving and releasing.
CREATE FUNCTION ledger.alert_orphan() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ledger.append_alert(ledger.new_id(), (e.body::jsonb->>'at')::timestamptz, 'orphan-reservation', 'warn', d.owner,
    encode(NEW.serial, 'hex'), ARRAY[NEW.request_id], 'closed without a certificate and its serial revoked: '
      || NEW.reason, NEW.request_id)
  FROM ledger.decision AS d JOIN ledger.entry AS e ON e.entry_id = NEW.entry_id WHERE d.request_id = NEW.request_id;
  RETURN NULL;
END $$;
CREATE TRIGGER alert_orphan AFTER INSERT ON ledger.outcome FOR EACH ROW
  WHEN (NEW.result = 'closed' AND NEW.reason IN ('signing deadline passed', 'gateway restarted'))
  EXECUTE FUNCTION ledger.alert_orphan();
ALTER TABLE ledger.outcome ENABLE ALWAYS TRIGGER alert_orphan;

GRANT SELECT ON audit.events, audit.feeds TO gatehouse_auditor, gatehouse_writer;
GRANT SELECT ON state.feed, ledger.rogue_certificate TO gatehouse_writer;
GRANT SELECT ON ledger.rogue_certificate TO gatehouse_verifier;
GRANT EXECUTE ON FUNCTION state.take_feed, state.advance_feed, state.release_feed, ledger.alert_rogue_certificate
  TO gatehouse_writer;
