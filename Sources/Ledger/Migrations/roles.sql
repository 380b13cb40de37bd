-- The roles of Gatehouse, created once for a PostgreSQL cluster by its superuser. Safe to run again.
-- How a login authenticates (peer, certificate, SCRAM) is the cluster's business: pg_hba.conf.
--
--   gatehouse_owner      owns every object; nobody logs in as it
--   gatehouse_migrator   `gatehouse db migrate`, and what a person does to the record itself (`ledger redact`, `ledger
--                        retire`, `ledger accept-rollback`): becomes the owner for the length of that
--   gatehouse_writer     the gateway: reads, and calls the ledger's functions
--   gatehouse_auditor    `gatehouse ledger query`: reads the views of schema audit
--   gatehouse_sequencer  the transparency log: numbers the entries and signs checkpoints; writes nothing else
--   gatehouse_verifier   `gatehouse-verify`: reads the evidence itself, and nothing else

DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['gatehouse_owner', 'gatehouse_migrator', 'gatehouse_writer', 'gatehouse_auditor',
                                 'gatehouse_sequencer', 'gatehouse_verifier']
  LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I', role_name);
    END IF;
  END LOOP;
END $$;

ALTER ROLE gatehouse_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE gatehouse_migrator LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE gatehouse_writer LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE gatehouse_auditor LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE gatehouse_sequencer LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE gatehouse_verifier LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
GRANT gatehouse_owner TO gatehouse_migrator;

-- A commit that was acknowledged is on disk: invariants I1 and I2 rest on it.
ALTER ROLE gatehouse_migrator SET synchronous_commit = 'on';
ALTER ROLE gatehouse_writer SET synchronous_commit = 'on';
ALTER ROLE gatehouse_sequencer SET synchronous_commit = 'on';
ALTER ROLE gatehouse_auditor SET default_transaction_read_only = 'on';
ALTER ROLE gatehouse_verifier SET default_transaction_read_only = 'on';
ALTER ROLE gatehouse_auditor SET statement_timeout = '60s';
ALTER ROLE gatehouse_auditor SET idle_in_transaction_session_timeout = '60s';
-- Who may only read cannot take all connections, nor fill the disk with what a question sorts. The timeouts can be
-- lifted by the login itself; these cannot.
ALTER ROLE gatehouse_auditor CONNECTION LIMIT 20;
ALTER ROLE gatehouse_verifier CONNECTION LIMIT 20;
ALTER ROLE gatehouse_auditor SET temp_file_limit = '8GB';
ALTER ROLE gatehouse_verifier SET temp_file_limit = '32GB';
-- Questions about a year are planned as dear and answered in half a second: compiling them takes a quarter of it.
ALTER ROLE gatehouse_auditor SET jit = 'off';
ALTER ROLE gatehouse_auditor SET search_path = audit, pg_catalog;

-- The database itself, once, by the superuser (CREATE DATABASE cannot stand in a block), then hardening.sql inside it:
--   CREATE DATABASE gatehouse OWNER gatehouse_owner ENCODING 'UTF8' TEMPLATE template0;
--   REVOKE ALL ON DATABASE gatehouse FROM PUBLIC;
--   GRANT CONNECT ON DATABASE gatehouse TO gatehouse_migrator, gatehouse_writer, gatehouse_auditor,
--     gatehouse_sequencer, gatehouse_verifier;
