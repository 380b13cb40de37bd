-- A month is retired only as its absence can be told afterwards from entries that somebody took away.

-- What is gone of a month came before any request of a day after it or later: as gatehouse-verify looks for it, by the
-- thousand earliest that stay. A clock that ran ahead for a while may have had it otherwise.
CREATE FUNCTION ledger.check_order() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  span record;
  late timestamptz;
  bound bigint;
BEGIN
  -- What is to go is known in ledger.retire.
  IF to_regclass('pg_temp.gone_entry') IS NULL THEN RETURN NULL; END IF;
  FOR span IN SELECT from_id, to_id FROM pg_temp.gone_month LOOP
    late := to_timestamp((('x' || replace(left(span.to_id::text, 13), '-', ''))::bit(48)::bigint) / 1000.0)
      + interval '1 day';
    SELECT min(l.leaf_index) INTO bound FROM ledger.leaf AS l JOIN (
      SELECT e.entry_id FROM ledger.entry AS e
      WHERE e.request_id >= ledger.first_id(late)
        AND NOT EXISTS (SELECT FROM pg_temp.gone_entry AS g WHERE g.entry_id = e.entry_id)
      ORDER BY e.request_id LIMIT 1000) AS e USING (entry_id);
    PERFORM FROM pg_temp.gone_entry AS g JOIN ledger.leaf AS l USING (entry_id)
    WHERE g.entry_id >= span.from_id AND g.entry_id < span.to_id AND l.leaf_index >= bound;
    IF FOUND THEN
      RAISE EXCEPTION 'a request dated % or later became leaf %, before entries of that month: a clock was wrong',
        to_char(late AT TIME ZONE 'UTC', 'YYYY-MM-DD'), bound USING ERRCODE = 'GH020';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER check_order AFTER INSERT ON ledger.retention FOR EACH ROW EXECUTE FUNCTION ledger.check_order();
ALTER TABLE ledger.retention ENABLE ALWAYS TRIGGER check_order;
