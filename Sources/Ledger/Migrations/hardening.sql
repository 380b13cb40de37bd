-- Takes from PUBLIC what PostgreSQL gives to everybody. A superuser runs it inside Gatehouse's database, once, before
-- the first migration. Safe to run again.
--
-- A login that may only read could otherwise fill the disk (large objects, messages in the write-ahead log, temporary
-- tables) or hold the locks that the ledger's functions take.

DO $$
DECLARE
  given regprocedure;
BEGIN
  EXECUTE pg_catalog.format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', pg_catalog.current_database());
  FOR given IN
    SELECT oid FROM pg_catalog.pg_proc WHERE pronamespace = 'pg_catalog'::pg_catalog.regnamespace
      AND (proname ~ '^lo_' OR proname IN ('loread', 'lowrite', 'pg_logical_emit_message', 'pg_notify')
        OR proname ~ '^pg_(try_)?advisory_')
  LOOP
    EXECUTE pg_catalog.format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', given);
  END LOOP;
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_xact_lock(bigint) TO gatehouse_owner;
