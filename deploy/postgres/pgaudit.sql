-- Lets PostgreSQL log every read of an auditor's view (pgAudit's object audit), and every read of the login that sees
-- the evidence itself, personal values included (its session audit). A superuser runs it inside Gatehouse's database,
-- once the server has the settings of pgaudit.conf and the first migration is done. Views of later migrations are logged
-- too. Safe to run again.

CREATE EXTENSION IF NOT EXISTS pgaudit;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'gatehouse_audited') THEN
    CREATE ROLE gatehouse_audited NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
  END IF;
END $$;

-- Nobody is a member of it; what it is granted is what is logged.
GRANT SELECT ON ALL TABLES IN SCHEMA audit TO gatehouse_audited;
ALTER DEFAULT PRIVILEGES FOR ROLE gatehouse_owner IN SCHEMA audit GRANT SELECT ON TABLES TO gatehouse_audited;

-- Only a superuser can take this back: the login itself cannot.
ALTER ROLE gatehouse_verifier SET pgaudit.log = 'read';
