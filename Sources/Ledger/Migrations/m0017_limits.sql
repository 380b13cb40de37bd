-- Limits on what one login, or one row that is gone, can do to everybody else.

-- As before, but for the limit: reservations that somebody holds, or that cannot be closed, do not count.
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
    WHERE o.is_overdue OR o.gateway = of_gateway ORDER BY o.request_id
  LOOP
    EXIT WHEN closed >= most;
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

-- As before: what has not expired by the database's clock, give or take the tolerance, is not forgotten, whatever a
-- gateway says of the time.
CREATE OR REPLACE FUNCTION state.forget(at timestamptz, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH latest AS (
    -- Without a tolerance the gateway is believed, as in ledger.moment.
    SELECT CASE WHEN clock_tolerance IS NULL THEN at ELSE least(at, clock_timestamp() + clock_tolerance) END AS moment
    FROM ledger.setting),
  old_records AS (
    DELETE FROM state.record WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM state.record WHERE expires_at <= (SELECT moment FROM latest) LIMIT most)) RETURNING 1),
  old_values AS (
    DELETE FROM state.consumed WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM state.consumed WHERE expires_at <= (SELECT moment FROM latest) LIMIT most)) RETURNING 1)
  SELECT (SELECT count(*) FROM old_records) + (SELECT count(*) FROM old_values)
$$;

-- As before: an activation is shown though its bundle is gone, with octets NULL.
CREATE OR REPLACE VIEW audit.policies AS
SELECT encode(a.policy_sha256, 'hex') AS policy_sha256, 'activated' AS verdict, a.activated_at AS at, a.actor,
       s.number, s.number = (SELECT max(number) FROM ledger.policy_succession) AS in_force,
       encode(s.previous_sha256, 'hex') AS previous_sha256, octet_length(p.bundle) AS octets,
       NULL::text AS faults, e.recorded_at, s.by_name, encode(s.meaning_sha256, 'hex') AS meaning_sha256
FROM ledger.policy_activation AS a LEFT JOIN ledger.policy_version AS p USING (policy_sha256)
LEFT JOIN ledger.policy_succession AS s USING (entry_id) LEFT JOIN ledger.entry AS e USING (entry_id)
UNION ALL
SELECT encode(r.candidate_sha256, 'hex'), 'refused', r.refused_at, r.actor, NULL, false,
       encode(r.in_force_sha256, 'hex'), NULL, r.faults, e.recorded_at, false, NULL
FROM ledger.policy_refusal AS r LEFT JOIN ledger.entry AS e USING (entry_id);

COMMENT ON COLUMN audit.policies.octets IS 'size of the bundle that is kept; NULL if it is gone';
