-- What auditors ask, beyond single requests: docs/auditing.md has the questions, each answered within a second.

-- The key that a TBSCertificate (RFC 5280 §4.1) certifies, named as in policy; null when that cannot be told. Read from
-- the bytes that are signed, since what a request says of its key is not what a relying party sees.
CREATE FUNCTION ledger.key_algorithm(tbs bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place integer := 0;
  header integer;
  octets integer;
  passed integer := 0;
  key bytea;
  modulus integer;
BEGIN
  LOOP
    IF place < 0 OR place + 4 > octet_length(tbs) THEN RETURN NULL; END IF;
    octets := get_byte(tbs, place + 1);
    header := 2;
    IF octets = 129 THEN
      octets := get_byte(tbs, place + 2);
      header := 3;
    ELSIF octets = 130 THEN
      octets := get_byte(tbs, place + 2) * 256 + get_byte(tbs, place + 3);
      header := 4;
    ELSIF octets > 127 THEN
      RETURN NULL;
    END IF;
    IF place = 0 THEN
      place := header;
    ELSE
      EXIT WHEN passed = 5;  -- serial number, signature, issuer, validity, subject; the version does not count
      IF get_byte(tbs, place) <> 160 THEN passed := passed + 1; END IF;
      place := place + header + octets;
    END IF;
  END LOOP;
  key := substring(tbs FROM place + header + 1 FOR octets);
  IF starts_with(encode(key, 'hex'), '300d06092a864886f70d010101050003') AND octet_length(key) > 28 THEN
    IF get_byte(key, 24) <> 2 OR get_byte(key, 25) <> 130 THEN RETURN NULL; END IF;
    modulus := get_byte(key, 26) * 256 + get_byte(key, 27) - CASE WHEN get_byte(key, 28) = 0 THEN 1 ELSE 0 END;
    RETURN 'rsa-' || modulus * 8;
  END IF;
  RETURN CASE
    WHEN substring(key FOR 21) = '\x301306072a8648ce3d020106082a8648ce3d030107' THEN 'ec-p256'
    WHEN substring(key FOR 18) = '\x301006072a8648ce3d020106052b81040022' THEN 'ec-p384'
    WHEN substring(key FOR 18) = '\x301006072a8648ce3d020106052b81040023' THEN 'ec-p521'
    WHEN substring(key FOR 7) = '\x300506032b6570' THEN 'ed25519' END;
END $$;

ALTER TABLE ledger.reservation
  ADD COLUMN key_algorithm text GENERATED ALWAYS AS (ledger.key_algorithm(tbs)) STORED;

-- What is live is read from one index alone: the rows themselves carry TBSCertificates.
DROP INDEX ledger.reservation_expiry;
CREATE INDEX reservation_expiry ON ledger.reservation (not_after)
  INCLUDE (request_id, not_before, service, profile, key_algorithm, device_id, issuer, serial);
DROP INDEX ledger.reservation_key;
CREATE INDEX reservation_key ON ledger.reservation (public_key, device_id);
CREATE INDEX revocation_at ON ledger.revocation (revoked_at DESC);
CREATE INDEX outcome_closed ON ledger.outcome (request_id) WHERE result = 'closed';
CREATE INDEX decision_inventory ON ledger.decision (request_id) INCLUDE (owner)
  WHERE kind = 'enroll' AND effect = 'permit';
CREATE INDEX decision_policy ON ledger.decision ((encode(policy_sha256, 'hex')), decided_at) WHERE effect = 'permit';
CREATE INDEX decision_unpermitted ON ledger.decision (decided_at DESC) INCLUDE (request_id, effect, reason_code, owner)
  WHERE effect <> 'permit';
CREATE INDEX admin_event_at ON ledger.admin_event (at DESC);
CREATE INDEX admin_event_target ON ledger.admin_event (target, at);
CREATE INDEX credential_event_at ON ledger.credential_event (at DESC) WHERE kind IN ('reject', 'alert', 'revoke');

-- Each request with its decision, and nothing of what came of it: cheap to count over long periods.
CREATE VIEW audit.attempts AS
SELECT q.request_id, q.kind, q.received_at, q.gateway, q.service, q.protocol, q.operation, q.device_id,
       q.proof_kinds, q.credential_id, d.decided_at, d.effect, d.reason_code, d.rule_ids, d.owner,
       encode(d.policy_sha256, 'hex') AS policy_sha256, d.profile, d.decided_by
FROM ledger.request AS q
JOIN ledger.decision AS d ON d.request_id = q.request_id;

CREATE VIEW audit.certificates AS
SELECT r.request_id, r.issuer, encode(r.serial, 'hex') AS serial, r.service, r.profile, d.owner, r.device_id,
       r.names->>'commonName' AS common_name, r.key_algorithm, encode(r.public_key, 'hex') AS public_key_sha256,
       r.not_before, r.not_after, r.not_after - r.not_before AS validity, r.gateway, v.revoked_at,
       v.reason AS revocation_reason,
       CASE WHEN v.serial IS NOT NULL THEN 'revoked' WHEN r.not_after <= now() THEN 'expired' ELSE 'issued' END AS state
FROM ledger.reservation AS r
JOIN ledger.certificate AS c ON c.request_id = r.request_id
LEFT JOIN ledger.decision AS d ON d.request_id = r.request_id AND d.kind = 'enroll' AND d.effect = 'permit'
LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial;

CREATE VIEW audit.closings AS
SELECT o.request_id, e.recorded_at, o.reason, r.gateway, r.service, r.device_id, o.issuer,
       encode(o.serial, 'hex') AS serial, r.signing_deadline, v.revoked_at
FROM ledger.outcome AS o
JOIN ledger.reservation AS r ON r.request_id = o.request_id
LEFT JOIN ledger.entry AS e ON e.entry_id = o.entry_id
LEFT JOIN ledger.revocation AS v ON v.issuer = o.issuer AND v.serial = o.serial
WHERE o.result = 'closed';

CREATE VIEW audit.policy_decisions AS
SELECT encode(d.policy_sha256, 'hex') AS policy_sha256, d.decided_at, d.request_id, d.rule_ids, d.owner, q.service,
       r.device_id, encode(r.serial, 'hex') AS serial, r.not_after, v.revoked_at
FROM ledger.decision AS d
JOIN ledger.reservation AS r ON r.request_id = d.request_id
JOIN ledger.certificate AS c ON c.request_id = d.request_id
LEFT JOIN ledger.request AS q ON q.request_id = d.request_id
LEFT JOIN ledger.revocation AS v ON v.issuer = r.issuer AND v.serial = r.serial
WHERE d.effect = 'permit';

-- Keys that more than one device has, or had, a certificate or a reservation for.
CREATE VIEW audit.shared_keys AS
SELECT encode(k.public_key, 'hex') AS public_key_sha256, k.first_device, k.last_device,
       (SELECT count(DISTINCT r.device_id) FROM ledger.reservation AS r WHERE r.public_key = k.public_key) AS devices
FROM (SELECT public_key, min(device_id) AS first_device, max(device_id) AS last_device FROM ledger.reservation
      GROUP BY public_key HAVING min(device_id) <> max(device_id)) AS k;

CREATE VIEW audit.leaves AS
SELECT l.leaf_index, l.entry_id, encode(l.leaf_hash, 'hex') AS leaf_hash FROM ledger.leaf AS l;

CREATE VIEW audit.checkpoints AS
SELECT h.tree_size, encode(h.root_hash, 'hex') AS root_hash, h.at, h.sequencer, h.epoch, c.origin, c.published_at,
       ARRAY(SELECT s.witness FROM ledger.cosignature AS s WHERE s.tree_size = h.tree_size ORDER BY 1) AS witnesses,
       c.note
FROM ledger.tree_head AS h LEFT JOIN ledger.checkpoint AS c USING (tree_size);

-- One row. Counts stop where a number says no more than "far too many".
CREATE VIEW audit.integrity AS
SELECT h.tree_size, encode(h.root_hash, 'hex') AS root_hash, h.at AS tree_head_at, c.tree_size AS checkpoint_size,
       c.origin, c.published_at, now() - c.published_at AS checkpoint_age,
       (SELECT count(*) FROM ledger.cosignature AS s WHERE s.tree_size = c.tree_size) AS cosignatures,
       (SELECT count(*) FROM (SELECT FROM ledger.tree_head AS later
                              WHERE later.tree_size > coalesce(c.tree_size, 0) LIMIT 10001) AS unsigned)
         AS unsigned_heads,
       (SELECT count(*) FROM (SELECT FROM ledger.pending_leaf LIMIT 10001) AS waiting) AS waiting_entries,
       now() - (SELECT e.recorded_at FROM ledger.entry AS e
                WHERE e.entry_id = (SELECT p.entry_id FROM ledger.pending_leaf AS p ORDER BY p.entry_id LIMIT 1))
         AS oldest_waiting_age,
       l.holder AS sequencer, l.epoch, l.expires_at AS lease_expires_at,
       (SELECT count(*) FROM audit.open_issuance AS o WHERE o.recorded_at < now() - interval '60 seconds')
         AS overdue_reservations,
       (SELECT count(*) FROM ledger.redaction) AS redactions
FROM (VALUES (true)) AS one
LEFT JOIN LATERAL (SELECT * FROM ledger.tree_head ORDER BY tree_size DESC LIMIT 1) AS h ON true
LEFT JOIN LATERAL (SELECT * FROM ledger.checkpoint ORDER BY tree_size DESC LIMIT 1) AS c ON true
LEFT JOIN ledger.lease AS l ON l.job = 'sequencer';

-- Who could read or write what is in this database, as the cluster's roles are now.
CREATE VIEW audit.access AS
SELECT r.rolname::text AS role, r.rolcanlogin AS may_login, r.rolsuper AS is_superuser,
       ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members AS m
             JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1) AS member_of,
       has_table_privilege(r.oid, 'audit.issuance'::regclass, 'SELECT') AS reads_views,
       has_table_privilege(r.oid, 'ledger.entry'::regclass, 'SELECT') AS reads_evidence,
       EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'ledger'::regnamespace
                 AND p.proname = 'reserve' AND has_function_privilege(r.oid, p.oid, 'EXECUTE')) AS records_requests,
       EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'ledger'::regnamespace
                 AND p.proname = 'extend_log' AND has_function_privilege(r.oid, p.oid, 'EXECUTE')) AS extends_log,
       r.rolvaliduntil AS valid_until
FROM pg_catalog.pg_roles AS r
WHERE r.oid >= 16384 OR r.rolcanlogin;

-- A column that has no comment of its own means what its name means everywhere.
DROP VIEW audit.dictionary;
CREATE VIEW audit.dictionary AS
SELECT c.relname::text AS view, a.attname::text AS column_name, format_type(a.atttypid, a.atttypmod) AS data_type,
       coalesce(col_description(c.oid, a.attnum), m.meaning) AS meaning,
       obj_description(c.oid, 'pg_class') AS view_meaning
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN (VALUES
    ('account_id', 'id of the ACME account, as in its URL'),
    ('action', 'what was done, e.g. device.set'),
    ('actor', 'who did it: os:NAME for a person or a service of the machine, else the gateway'),
    ('alert_id', 'id of the alert''s entry'),
    ('approved_by', 'whose latest word approves'),
    ('approver', 'who spoke'),
    ('at', 'when it happened, by the clock of whoever recorded it'),
    ('attempt', 'counts the requests of one transaction'),
    ('body', 'the fact as RFC 8785 JSON, exactly as hashed'),
    ('certificate_sha256', 'SHA-256 of the certificate''s DER'),
    ('checkpoint_age', 'how long ago the newest checkpoint was published'),
    ('checkpoint_size', 'entries that the newest signed checkpoint covers'),
    ('client_address', 'address the request came from, as the gateway saw it'),
    ('column_name', 'name of the column'),
    ('common_name', 'common name of the certificate''s subject'),
    ('cosignatures', 'witnesses that signed the newest checkpoint'),
    ('count', 'how many of the team must approve'),
    ('credential_id', 'id of the enrollment credential; the secret is not in the database'),
    ('data_type', 'PostgreSQL''s name of its type'),
    ('decided_at', 'when it was decided, by the gateway''s clock'),
    ('decided_by', 'policy | issuance | registration'),
    ('decision', 'the decision as RFC 8785 JSON, exactly as hashed, with its trace'),
    ('denied_by', 'whose latest word denies'),
    ('detail', 'one sentence'),
    ('detector', 'what noticed it, e.g. credential-reuse'),
    ('device_id', 'the device in the directory that was proven; null when none was'),
    ('dns', 'DNS names granted to the device'),
    ('effect', 'permit | defer | deny'),
    ('email', 'mail addresses granted to the device'),
    ('entry_id', 'id of the entry (UUIDv7)'),
    ('epoch', 'counts changes of hands of the sequencer''s lease'),
    ('expires_at', 'when it ends unused'),
    ('extends_log', 'may add leaves and tree heads to the transparency log'),
    ('follows', 'the earlier request that this one decides again'),
    ('gateway', 'name of the replica that handled it'),
    ('groups', 'groups the device is in'),
    ('held_until', 'until when the credential waits with its request'),
    ('is_superuser', 'is bound by no right; finding out what it altered is the verifier''s work'),
    ('issuer', 'name of the issuing CA, as in paths'),
    ('key_algorithm', 'kind and size of the certified key, e.g. ec-p256, rsa-2048; null when it cannot be told'),
    ('kind', 'which sort of row it is'),
    ('leaf_hash', 'RFC 9162 leaf hash: SHA-256 of a zero octet and the body'),
    ('leaf_index', 'place in the transparency log, from 0'),
    ('lease_expires_at', 'until when the sequencer leads'),
    ('may_login', 'whether anybody can connect as it'),
    ('meaning', 'what the column says'),
    ('member_of', 'roles it can become or inherits from'),
    ('members', 'who is in the team'),
    ('minted_at', 'when the credential was made'),
    ('minted_by', 'who made the credential'),
    ('minute', 'start of the minute'),
    ('names', 'all names of the certificate'),
    ('not_after', 'end of validity'),
    ('not_before', 'start of validity'),
    ('note', 'the signed checkpoint (C2SP signed note); null while the head is unsigned'),
    ('number', 'counts, from 1'),
    ('octets', 'size in octets'),
    ('oldest_waiting_age', 'how long the first entry has waited for its leaf; null when none waits'),
    ('operation', 'enroll | renew | rekey'),
    ('order_until', 'until when the account may order'),
    ('origin', 'name of the log in its checkpoints'),
    ('overdue_reservations', 'reservations neither completed nor closed a minute after they were recorded'),
    ('owner', 'team answerable'),
    ('policy_sha256', 'SHA-256 of the policy bundle'),
    ('posture', 'what posture sources last said, as JSON'),
    ('profile', 'certificate profile that was granted; null unless permitted'),
    ('proof_kinds', 'kinds of proof that were offered and verified'),
    ('protocol', 'scep | est | acme | cmp'),
    ('public_key_sha256', 'SHA-256 of the SubjectPublicKeyInfo'),
    ('published_at', 'when the signed checkpoint was stored'),
    ('reads_evidence', 'may read the tables of evidence'),
    ('reads_views', 'may read the views of schema audit'),
    ('reason', 'one sentence or word that says why'),
    ('reason_code', 'stable code of the reason, e.g. posture.stale'),
    ('received_at', 'when the gateway received the request, by its clock'),
    ('recorded_at', 'when the database recorded it, by its clock'),
    ('records_requests', 'may record requests, decisions and reservations'),
    ('redactions', 'acts of redaction so far'),
    ('repeated', 'how often the same answer was given again without a row of its own'),
    ('request', 'the request as RFC 8785 JSON, exactly as hashed'),
    ('request_id', 'correlation id, as the client and the logs see it'),
    ('request_ids', 'requests that gave rise to it'),
    ('requests', 'how many there were'),
    ('restricted_to', 'the one protocol that may use it; null for any of its service'),
    ('reuse_attempts', 'how often it was presented when it was worth nothing any more'),
    ('revocation_reason', 'RFC 5280 reason of the revocation'),
    ('revoked_at', 'when it was revoked; null while it is not'),
    ('revoked_by', 'who revoked it'),
    ('revoked_why', 'why it was revoked'),
    ('role', 'name of the role'),
    ('root_hash', 'root of the Merkle tree, RFC 9162'),
    ('rule', 'the rule that asks'),
    ('rule_ids', 'every rule that carried the outcome'),
    ('sequencer', 'process that writes the transparency log'),
    ('serial', 'serial number in lower-case hexadecimal; of a device, the maker''s'),
    ('service', 'the service asked for'),
    ('severity', 'info | warn | high | critical'),
    ('sid', 'Windows security identifier of the device'),
    ('signed_at', 'when the certificate was signed'),
    ('signing_deadline', 'when the reservation may be closed'),
    ('since', 'when the waiting request was received'),
    ('source', 'address the requests came from'),
    ('state', 'what has become of it by now'),
    ('subject', 'what it is about: a credential, a device, a digest'),
    ('target', 'what it was done to'),
    ('team', 'the team that is asked'),
    ('times', 'how many one row stands for'),
    ('transaction_key', 'SHA-256 naming the transaction: one credential use, one certificate'),
    ('tree_head_at', 'when the newest tree head was written'),
    ('tree_size', 'entries that the tree head covers'),
    ('udid', 'Apple''s device identifier'),
    ('unsigned_heads', 'tree heads newer than the newest checkpoint; 10001 stands for more'),
    ('updated_at', 'when the directory last heard of the device'),
    ('updated_by', 'who told it'),
    ('upn', 'user principal names granted to the device'),
    ('used_at', 'when it was spent; null while it is not'),
    ('used_by', 'the request that spent it'),
    ('valid_until', 'until when its password is valid; null when there is no end'),
    ('validity', 'from start to end of validity'),
    ('verdict', 'what was said of it'),
    ('view', 'name of the view'),
    ('view_meaning', 'what one row of the view is'),
    ('waiting_entries', 'entries that are no leaves of the log yet; 10001 stands for more'),
    ('why', 'the words of whoever revoked'),
    ('witnesses', 'witnesses that cosigned the checkpoint'),
    ('writer', 'database login that wrote it'),
    ('wrong_guesses', 'how often a wrong secret was presented for it'),
    ('behind', 'how much is not yet delivered'),
    ('commitment', 'SHA-256 of salt and value, which stands for the value in the hashed body'),
    ('commitments', 'how many commitments it holds, or which'),
    ('delivered_at', 'when the last event was delivered'),
    ('from_id', 'first id of the month'),
    ('month', 'first day of the month'),
    ('name', 'what it is called'),
    ('devices', 'how many devices'),
    ('first_device', 'one of the devices'),
    ('last_device', 'another of the devices'),
    ('field', 'where in the document it stood'),
    ('generation', 'counts the rollbacks that were accepted'),
    ('position', 'how far it has come'),
    ('salt', 'random octets that keep the value from being guessed by its commitment'),
    ('value', 'the value itself'),
    ('feed', 'name of the feed'),
    ('holder', 'process that leads'),
    ('delivering', 'whether a process is at work on it now')
  ) AS m (name, meaning) ON m.name = a.attname
WHERE c.relnamespace = 'audit'::regnamespace AND c.relkind = 'v';

COMMENT ON VIEW audit.attempts IS 'each request with its decision, without what came of it: quick to count';
COMMENT ON VIEW audit.certificates IS 'every certificate that was signed, with its key and its end';
COMMENT ON VIEW audit.closings IS 'reservations that were ended without a certificate; the serial of each is revoked';
COMMENT ON VIEW audit.policy_decisions IS 'certificates by the policy that permitted them';
COMMENT ON VIEW audit.shared_keys IS 'keys that were certified for more than one device';
COMMENT ON VIEW audit.leaves IS 'the place of each entry in the transparency log';
COMMENT ON VIEW audit.checkpoints IS 'tree heads of the transparency log, with the signed checkpoint of each';
COMMENT ON VIEW audit.integrity IS 'one row: how far the transparency log is behind, and what hangs';
COMMENT ON VIEW audit.access IS 'roles of the database server and what each may do here';
COMMENT ON VIEW audit.dictionary IS 'every view and column, with its meaning';

GRANT SELECT ON ALL TABLES IN SCHEMA audit TO gatehouse_auditor, gatehouse_writer;
