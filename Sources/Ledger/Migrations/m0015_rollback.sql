-- A database older than what its log has published: nobody issues until a person says, on record, what was lost. From
-- then on the log has another origin, `<origin>/<generation>`, so that no origin ever has two histories.

CREATE TABLE ledger.rollback (
  -- Above every generation that anybody has seen, those whose own record was lost included.
  generation   bigint PRIMARY KEY CHECK (generation > 0),
  entry_id     uuid NOT NULL UNIQUE REFERENCES ledger.entry,
  -- The largest checkpoint that was seen and that this database cannot continue.
  lost_size    bigint NOT NULL CHECK (lost_size > 0),
  lost_root    ledger.sha256 NOT NULL,
  -- The newest tree head that this database had instead; of no leaves at all, RFC 9162's empty tree.
  present_size bigint NOT NULL CHECK (present_size >= 0),
  present_root ledger.sha256 NOT NULL,
  at           timestamptz NOT NULL,
  actor        text NOT NULL CHECK (length(actor) BETWEEN 1 AND 400),
  reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 4000)
);
CALL ledger.protect('ledger.rollback');

-- Records the act. `head_size` and `head_root` are what the person was shown as present: a log that has grown since is
-- refused. For the owner only, who no gateway is.
CREATE FUNCTION ledger.accept_rollback(id uuid, new_generation bigint, size_lost bigint, root_lost bytea,
  head_size bigint, head_root bytea, happened timestamptz, who text, because text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  head ledger.tree_head;
BEGIN
  LOCK TABLE ledger.entry IN ROW EXCLUSIVE MODE;
  LOCK TABLE ledger.rollback IN SHARE ROW EXCLUSIVE MODE;
  IF new_generation <= (SELECT coalesce(max(generation), 0) FROM ledger.rollback) THEN
    RAISE EXCEPTION 'generation % is not new', new_generation USING ERRCODE = 'GH016';
  END IF;
  SELECT * INTO head FROM ledger.tree_head ORDER BY tree_size DESC LIMIT 1;
  IF coalesce(head.tree_size, 0) <> head_size OR coalesce(head.root_hash, sha256('')) <> head_root THEN
    RAISE EXCEPTION 'the log has changed meanwhile' USING ERRCODE = 'GH016';
  END IF;
  PERFORM ledger.moment(happened);
  PERFORM ledger.append(id, 'rollback', NULL, ledger.object('generation', new_generation::text,
    'lost_size', size_lost::text, 'lost_root', encode(root_lost, 'hex'), 'present_size', head_size::text,
    'present_root', encode(head_root, 'hex'), 'at', ledger.time_text(happened), 'actor', who, 'reason', because));
  INSERT INTO ledger.rollback
    (generation, entry_id, lost_size, lost_root, present_size, present_root, at, actor, reason)
  VALUES (new_generation, id, size_lost, root_lost, head_size, head_root, happened, who, because);
END $$;

CREATE VIEW audit.rollbacks AS
SELECT r.generation, r.lost_size, encode(r.lost_root, 'hex') AS lost_root, r.present_size,
       encode(r.present_root, 'hex') AS present_root, r.at, r.actor, r.reason, r.entry_id, e.recorded_at, e.writer
FROM ledger.rollback AS r JOIN ledger.entry AS e USING (entry_id);

COMMENT ON VIEW audit.rollbacks IS 'databases older than their published log that a person put back into service';
COMMENT ON COLUMN audit.rollbacks.generation IS 'number at the end of the log''s origin since then';
COMMENT ON COLUMN audit.rollbacks.lost_size IS
  'leaves of the largest checkpoint that was seen before; what lies beyond '
  'present_size is lost or no longer the same';
COMMENT ON COLUMN audit.rollbacks.lost_root IS 'root of that checkpoint, in hexadecimal';
COMMENT ON COLUMN audit.rollbacks.present_size IS 'leaves that the log had when the act was recorded';
COMMENT ON COLUMN audit.rollbacks.present_root IS 'root of those, in hexadecimal';
COMMENT ON COLUMN audit.rollbacks.actor IS 'who accepted it, as the operating system says';

GRANT SELECT ON ledger.rollback TO gatehouse_writer, gatehouse_sequencer, gatehouse_verifier;
GRANT SELECT ON audit.rollbacks TO gatehouse_auditor, gatehouse_writer;
