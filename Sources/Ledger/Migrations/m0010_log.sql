-- The transparency log: every entry becomes a leaf of one Merkle tree (RFC 9162 §2.1), written by one sequencer at a
-- time. Leaves, tiles and tree heads outlive the entries they stand for, so none of them refers to an entry.

ALTER TABLE ledger.entry DROP CONSTRAINT entry_kind_check, ADD CONSTRAINT entry_kind_check
  CHECK (kind IN ('request', 'decision', 'reservation', 'certificate', 'failure', 'revocation', 'credential', 'account',
                  'policy', 'admin', 'alert', 'approval', 'redaction', 'retention', 'rollback'));

-- A work queue, not evidence: entries that are no leaves yet.
CREATE TABLE ledger.pending_leaf (
  entry_id  uuid PRIMARY KEY,
  leaf_hash ledger.sha256 NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
INSERT INTO ledger.pending_leaf (entry_id, leaf_hash) SELECT entry_id, leaf_hash FROM ledger.entry;

CREATE FUNCTION ledger.queue_leaf() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO ledger.pending_leaf (entry_id, leaf_hash) VALUES (NEW.entry_id, NEW.leaf_hash);
  RETURN NULL;
END $$;
CREATE TRIGGER queue_leaf AFTER INSERT ON ledger.entry FOR EACH ROW EXECUTE FUNCTION ledger.queue_leaf();
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER queue_leaf;

CREATE TABLE ledger.leaf (
  leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
  entry_id   uuid NOT NULL UNIQUE,
  leaf_hash  ledger.sha256 NOT NULL
);

-- Full tiles only (C2SP tlog-tiles): 256 hashes of the tree's level 8 × `level`. What is partial follows from leaves.
CREATE TABLE ledger.tile (
  level      smallint CHECK (level BETWEEN 0 AND 7),
  tile_index bigint CHECK (tile_index >= 0),
  hashes     bytea NOT NULL CHECK (octet_length(hashes) = 8192),
  PRIMARY KEY (level, tile_index)
);

-- Committed before anything is signed: a signature is always over a tree head that is durable and the only one of its
-- size. `epoch` is the lease it was written under.
CREATE TABLE ledger.tree_head (
  tree_size bigint PRIMARY KEY CHECK (tree_size > 0),
  root_hash ledger.sha256 NOT NULL,
  epoch     bigint NOT NULL,
  sequencer text NOT NULL,
  at        timestamptz NOT NULL
);
-- The signed note (C2SP tlog-checkpoint) without cosignatures, and those as they come in (C2SP tlog-cosignature).
CREATE TABLE ledger.checkpoint (
  tree_size    bigint PRIMARY KEY REFERENCES ledger.tree_head,
  origin       text NOT NULL,
  note         text NOT NULL CHECK (octet_length(note) <= 16384),
  published_at timestamptz NOT NULL
);
CREATE TABLE ledger.cosignature (
  tree_size   bigint REFERENCES ledger.checkpoint,
  witness     text CHECK (length(witness) BETWEEN 1 AND 200),
  line        text NOT NULL CHECK (octet_length(line) <= 4096 AND line NOT LIKE E'%\n%'),
  recorded_at timestamptz NOT NULL,
  PRIMARY KEY (tree_size, witness)
);
CALL ledger.protect('ledger.leaf', 'ledger.tile', 'ledger.tree_head', 'ledger.checkpoint', 'ledger.cosignature');

-- What follows holds for the owner's own INSERT too: nobody adds what the log could not have.

-- Leaves continue the tree and stand for entries that wait.
CREATE FUNCTION ledger.leaves_follow() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  size bigint := (SELECT coalesce(max(tree_size), 0) FROM ledger.tree_head);
  first_index bigint;
  last_index bigint;
  waiting bigint;
BEGIN
  SELECT min(a.leaf_index), max(a.leaf_index), count(p.entry_id) INTO first_index, last_index, waiting
  FROM added AS a LEFT JOIN ledger.pending_leaf AS p ON p.entry_id = a.entry_id AND p.leaf_hash = a.leaf_hash;
  IF first_index <> size OR waiting <> last_index - first_index + 1 THEN
    RAISE EXCEPTION 'leaves that do not continue a log of % entries', size USING ERRCODE = 'GH015';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER leaves_follow AFTER INSERT ON ledger.leaf REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.leaves_follow();

-- A tile of level 0 holds the hashes of its leaves; one above has all the tiles it stands on.
CREATE FUNCTION ledger.tile_follows() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.level = 0 THEN
    PERFORM FROM ledger.leaf WHERE leaf_index BETWEEN NEW.tile_index * 256 AND NEW.tile_index * 256 + 255
    HAVING string_agg(leaf_hash, ''::bytea ORDER BY leaf_index) = NEW.hashes;
  ELSE
    PERFORM FROM ledger.tile WHERE level = NEW.level - 1
      AND tile_index BETWEEN NEW.tile_index * 256 AND NEW.tile_index * 256 + 255
    HAVING count(*) = 256;
  END IF;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'tile %/% does not follow from the leaves', NEW.level, NEW.tile_index USING ERRCODE = 'GH015';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tile_follows AFTER INSERT ON ledger.tile FOR EACH ROW EXECUTE FUNCTION ledger.tile_follows();

-- A tree head is over all leaves, with every full tile there, and written under the lease that holds.
CREATE FUNCTION ledger.head_follows() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  previous bigint := (SELECT coalesce(max(tree_size), 0) FROM ledger.tree_head);
BEGIN
  PERFORM ledger.require_lease(NEW.epoch);
  IF NEW.tree_size <= previous OR NEW.tree_size IS DISTINCT FROM (SELECT max(leaf_index) + 1 FROM ledger.leaf) THEN
    RAISE EXCEPTION 'a tree head of % leaves does not follow', NEW.tree_size USING ERRCODE = 'GH015';
  END IF;
  -- One by one: as a join, all tiles are read for each head.
  FOR above IN 0..6 LOOP
    FOR place IN previous >> 8 * (above + 1) .. (NEW.tree_size >> 8 * (above + 1)) - 1 LOOP
      PERFORM FROM ledger.tile WHERE level = above AND tile_index = place;
      IF NOT FOUND THEN RAISE EXCEPTION 'a full tile is missing' USING ERRCODE = 'GH015'; END IF;
    END LOOP;
  END LOOP;
  NEW.at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER head_follows BEFORE INSERT ON ledger.tree_head FOR EACH ROW
  EXECUTE FUNCTION ledger.head_follows();

-- A checkpoint says what its tree head says. Whether the signature is right, a verifier finds out.
CREATE FUNCTION ledger.checkpoint_follows() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM ledger.tree_head AS h WHERE h.tree_size = NEW.tree_size AND starts_with(NEW.note, NEW.origin
    || E'\n' || NEW.tree_size || E'\n' || encode(h.root_hash, 'base64') || E'\n');
  IF NOT FOUND THEN RAISE EXCEPTION 'a note that its tree head does not say' USING ERRCODE = 'GH015'; END IF;
  NEW.published_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER checkpoint_follows BEFORE INSERT ON ledger.checkpoint FOR EACH ROW
  EXECUTE FUNCTION ledger.checkpoint_follows();

ALTER TABLE ledger.leaf ENABLE ALWAYS TRIGGER leaves_follow;
ALTER TABLE ledger.tile ENABLE ALWAYS TRIGGER tile_follows;
ALTER TABLE ledger.tree_head ENABLE ALWAYS TRIGGER head_follows;
ALTER TABLE ledger.checkpoint ENABLE ALWAYS TRIGGER checkpoint_follows;

-- Leadership. The epoch rises with every change of hands and is checked inside each write of the leader, so that a
-- leader that lost it without noticing can write nothing. One row.
CREATE TABLE ledger.lease (
  job        text PRIMARY KEY DEFAULT 'sequencer' CHECK (job = 'sequencer'),
  epoch      bigint NOT NULL CHECK (epoch >= 1),
  holder     text NOT NULL,
  expires_at timestamptz NOT NULL
);

-- The epoch under which `who` leads for `seconds` more, by the database's clock; null while another does. Who held it
-- last renews by naming its epoch; without one even the same name waits for the lease to run out, since its former
-- process may live on.
CREATE FUNCTION ledger.take_lease(who text, of_epoch bigint, seconds double precision) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  until timestamptz := clock_timestamp() + make_interval(secs => least(greatest(seconds, 0.1), 60));
  held ledger.lease;
BEGIN
  INSERT INTO ledger.lease (epoch, holder, expires_at) VALUES (1, who, until) ON CONFLICT DO NOTHING;
  IF FOUND THEN RETURN 1; END IF;
  SELECT * INTO STRICT held FROM ledger.lease FOR UPDATE;
  IF held.epoch = of_epoch AND held.holder = who THEN
    UPDATE ledger.lease SET expires_at = until;
    RETURN held.epoch;
  END IF;
  -- One that lasts longer than a lease can is from before the clock was set back.
  IF held.expires_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '60 seconds' THEN RETURN NULL; END IF;
  UPDATE ledger.lease SET epoch = held.epoch + 1, holder = who, expires_at = until;
  RETURN held.epoch + 1;
END $$;

-- Gives a lease up, so that the next leader need not wait.
CREATE FUNCTION ledger.release_lease(who text, of_epoch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE ledger.lease SET expires_at = clock_timestamp() WHERE holder = who AND epoch = of_epoch;
END $$;

-- Fences a leader's write: nobody takes the lease over, and no other write of that leader begins, until this
-- transaction ends.
CREATE FUNCTION ledger.require_lease(of_epoch bigint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM ledger.lease WHERE epoch = of_epoch FOR UPDATE;
  IF NOT FOUND THEN RAISE EXCEPTION 'the lease has passed on' USING ERRCODE = 'GH014'; END IF;
END $$;

-- Appends leaves for these entries, in this order, and the tree head over all; compares and swaps on the size before.
-- `tile_levels`, `tile_indices` and `tile_hashes` are the tiles that became full. Safe to call again.
CREATE FUNCTION ledger.extend_log(of_epoch bigint, who text, previous_size bigint, entries uuid[], root bytea,
  tile_levels smallint[], tile_indices bigint[], tile_hashes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  size bigint;
  appended bigint;
BEGIN
  PERFORM ledger.require_lease(of_epoch);
  SELECT coalesce(max(tree_size), 0) INTO size FROM ledger.tree_head;
  IF size = previous_size + cardinality(entries) THEN
    PERFORM FROM ledger.tree_head WHERE tree_size = size AND root_hash = root AND epoch = of_epoch;
    IF FOUND THEN RETURN; END IF;  -- called again
  END IF;
  IF size <> previous_size OR cardinality(entries) = 0 THEN
    RAISE EXCEPTION 'the log has % leaves, not %', size, previous_size USING ERRCODE = 'GH015';
  END IF;
  INSERT INTO ledger.leaf (leaf_index, entry_id, leaf_hash)
  SELECT previous_size + e.place - 1, p.entry_id, p.leaf_hash
  FROM unnest(entries) WITH ORDINALITY AS e (id, place) JOIN ledger.pending_leaf AS p ON p.entry_id = e.id;
  GET DIAGNOSTICS appended = ROW_COUNT;
  IF appended <> cardinality(entries) THEN
    RAISE EXCEPTION '% of % entries wait', appended, cardinality(entries) USING ERRCODE = 'GH015';
  END IF;
  DELETE FROM ledger.pending_leaf WHERE entry_id = ANY (entries);
  INSERT INTO ledger.tile (level, tile_index, hashes)
  SELECT t.level, t.tile_index, t.hashes
  FROM unnest(tile_levels, tile_indices, tile_hashes) AS t (level, tile_index, hashes);
  INSERT INTO ledger.tree_head (tree_size, root_hash, epoch, sequencer, at)
  VALUES (previous_size + appended, root, of_epoch, who, clock_timestamp());
END $$;

-- Stores the signed note of a tree head. Safe to call again; another note for the same size is refused.
CREATE FUNCTION ledger.publish_checkpoint(of_epoch bigint, size bigint, root bytea, of_origin text, signed text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ledger.require_lease(of_epoch);
  PERFORM FROM ledger.tree_head WHERE tree_size = size AND root_hash = root;
  IF NOT FOUND THEN RAISE EXCEPTION 'no such tree head' USING ERRCODE = 'GH015'; END IF;
  INSERT INTO ledger.checkpoint (tree_size, origin, note, published_at)
  VALUES (size, of_origin, signed, clock_timestamp()) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    PERFORM FROM ledger.checkpoint WHERE tree_size = size AND note = signed;
    IF NOT FOUND THEN RAISE EXCEPTION 'another checkpoint has that size' USING ERRCODE = 'GH015'; END IF;
  END IF;
END $$;

CREATE FUNCTION ledger.add_cosignature(of_epoch bigint, size bigint, by_witness text, signed_line text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ledger.require_lease(of_epoch);
  INSERT INTO ledger.cosignature (tree_size, witness, line, recorded_at)
  VALUES (size, by_witness, signed_line, clock_timestamp()) ON CONFLICT DO NOTHING;
END $$;

GRANT SELECT ON ledger.pending_leaf, ledger.leaf, ledger.tile, ledger.tree_head, ledger.checkpoint,
  ledger.cosignature, ledger.lease TO gatehouse_writer;

GRANT USAGE ON SCHEMA ledger TO gatehouse_sequencer;
GRANT SELECT ON ledger.pending_leaf, ledger.leaf, ledger.tile, ledger.tree_head, ledger.checkpoint,
  ledger.cosignature, ledger.lease TO gatehouse_sequencer;
GRANT EXECUTE ON FUNCTION ledger.take_lease, ledger.release_lease, ledger.extend_log, ledger.publish_checkpoint,
  ledger.add_cosignature TO gatehouse_sequencer;

-- The verifier reads the evidence itself: an auditor's views might be made to lie.
GRANT USAGE ON SCHEMA ledger TO gatehouse_verifier;
GRANT USAGE ON TYPE ledger.sha256 TO gatehouse_verifier;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO gatehouse_verifier;
