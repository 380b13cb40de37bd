-- A transaction goes with the last of its requests when their month is retired, and in no other way.

CREATE FUNCTION ledger.guard_transaction() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE'
     AND EXISTS (SELECT FROM ledger.retention WHERE retired_in = pg_current_xact_id_if_assigned())
     AND NOT EXISTS (SELECT FROM ledger.request WHERE transaction_key = OLD.transaction_key) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'ledger.transaction is append-only' USING ERRCODE = 'GH000';
END $$;

CREATE FUNCTION ledger.end_transaction() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM ledger.transaction AS t WHERE t.transaction_key = OLD.transaction_key
    AND NOT EXISTS (SELECT FROM ledger.request AS q WHERE q.transaction_key = t.transaction_key);
  RETURN NULL;
END $$;

-- Months that were retired before left theirs behind.
DROP TRIGGER refuse_change ON ledger.transaction;
DELETE FROM ledger.transaction AS t WHERE EXISTS (SELECT FROM ledger.retention)
  AND NOT EXISTS (SELECT FROM ledger.request AS q WHERE q.transaction_key = t.transaction_key);
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON ledger.transaction
  FOR EACH ROW EXECUTE FUNCTION ledger.guard_transaction();
CREATE TRIGGER end_transaction AFTER DELETE ON ledger.request
  FOR EACH ROW EXECUTE FUNCTION ledger.end_transaction();
ALTER TABLE ledger.transaction ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE ledger.request ENABLE ALWAYS TRIGGER end_transaction;
