-- Lets PostgreSQL log every read of an auditor's view (pgAudit's object audit). A superuser runs it inside Gatehouse's
-- database once the server has the settings of pgaudit.conf, and again after each migration: new views are new objects.
-- Safe to run again.

CREATE EXTENSION IF NOT EXISTS pgaudit;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'gatehouse_audited') THEN
    CREATE ROLE gatehouse_audited NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
  END IF;
END $$;

-- Nobody is a member of it; what it is granted is what is logged.
GRANT SELECT ON ALL TABLES IN SCHEMA audit TO gatehouse_audited;
