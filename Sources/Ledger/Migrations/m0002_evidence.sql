-- The evidence: transaction -> request -> decision -> reservation -> outcome -> certificate, and what surrounds it.

CREATE TABLE ledger.policy_version (
  policy_sha256 ledger.sha256 PRIMARY KEY CHECK (policy_sha256 = sha256(bundle)),
  bundle        bytea NOT NULL
);
CREATE TABLE ledger.policy_activation (
  entry_id      uuid PRIMARY KEY REFERENCES ledger.entry,
  policy_sha256 ledger.sha256 NOT NULL REFERENCES ledger.policy_version,
  activated_at  timestamptz NOT NULL,
  actor         text NOT NULL
);

CREATE TABLE ledger.transaction (
  transaction_key ledger.sha256 PRIMARY KEY,
  recorded_at     timestamptz NOT NULL,
  writer          text NOT NULL
);

CREATE TABLE ledger.request (
  request_id      uuid PRIMARY KEY REFERENCES ledger.entry,
  kind            text NOT NULL CHECK (kind IN ('enroll', 'assess', 'bind', 'refusal')),
  transaction_key ledger.sha256 REFERENCES ledger.transaction,
  attempt         integer CHECK (attempt >= 1),
  follows         uuid REFERENCES ledger.request,
  received_at     timestamptz NOT NULL,
  gateway         text NOT NULL,
  service         text,
  protocol        text NOT NULL CHECK (protocol IN ('scep', 'est', 'acme', 'cmp')),
  operation       text CHECK (operation IN ('enroll', 'renew', 'rekey')),
  reference       text CHECK (length(reference) <= 400),
  device_id       text,
  client_address  text NOT NULL,
  credential_id   text,
  proof_kinds     text[] NOT NULL,
  public_key      ledger.sha256,
  request_digest  ledger.sha256,
  UNIQUE (transaction_key, attempt),
  UNIQUE (request_id, kind),
  CHECK ((transaction_key IS NULL) = (attempt IS NULL)),
  CHECK (kind <> 'enroll' OR (transaction_key IS NOT NULL AND service IS NOT NULL AND operation IS NOT NULL))
);
CREATE INDEX request_received ON ledger.request (received_at);
CREATE INDEX request_device ON ledger.request (device_id, received_at DESC);
CREATE INDEX request_key ON ledger.request (public_key) WHERE public_key IS NOT NULL;
CREATE INDEX request_credential ON ledger.request (credential_id) WHERE credential_id IS NOT NULL;
CREATE INDEX request_reference ON ledger.request (service, reference) WHERE reference IS NOT NULL;

CREATE TABLE ledger.decision (
  request_id    uuid PRIMARY KEY,
  kind          text NOT NULL,
  entry_id      uuid NOT NULL UNIQUE REFERENCES ledger.entry,
  decided_at    timestamptz NOT NULL,
  effect        text NOT NULL CHECK (effect IN ('permit', 'defer', 'deny')),
  reason_code   text NOT NULL,
  reason        text NOT NULL,
  rule_ids      text[] NOT NULL,
  owner         text NOT NULL,
  policy_sha256 ledger.sha256 NOT NULL REFERENCES ledger.policy_version,
  profile       text,
  max_not_after timestamptz,
  decided_by    text NOT NULL CHECK (decided_by IN ('policy', 'issuance', 'registration')),
  FOREIGN KEY (request_id, kind) REFERENCES ledger.request (request_id, kind),
  UNIQUE (request_id, kind, effect),
  CHECK (kind <> 'refusal' OR effect = 'deny'),
  CHECK (decided_by = 'policy' OR effect = 'deny'),
  CHECK (effect = 'permit' OR (profile IS NULL AND max_not_after IS NULL)),
  CHECK (NOT (kind = 'enroll' AND effect = 'permit') OR (profile IS NOT NULL AND max_not_after IS NOT NULL))
);
CREATE INDEX decision_denied ON ledger.decision (decided_at DESC) WHERE effect = 'deny';

-- Committed before the CA key is used. Attempt n follows attempt n-1, which must have ended.
CREATE TABLE ledger.reservation (
  request_id       uuid PRIMARY KEY,
  kind             text NOT NULL DEFAULT 'enroll' CHECK (kind = 'enroll'),
  effect           text NOT NULL DEFAULT 'permit' CHECK (effect = 'permit'),
  entry_id         uuid NOT NULL UNIQUE REFERENCES ledger.entry,
  transaction_key  ledger.sha256 NOT NULL REFERENCES ledger.transaction,
  number           integer NOT NULL CHECK (number >= 1),
  predecessor      uuid UNIQUE,
  gateway          text NOT NULL,
  service          text NOT NULL,
  profile          text NOT NULL,
  device_id        text NOT NULL,
  issuer           text NOT NULL,
  serial           bytea NOT NULL CHECK (octet_length(serial) BETWEEN 8 AND 20 AND get_byte(serial, 0) BETWEEN 1 AND 127),
  tbs              bytea NOT NULL,
  tbs_sha256       ledger.sha256 NOT NULL,
  public_key       ledger.sha256 NOT NULL,
  names            jsonb NOT NULL,
  not_before       timestamptz NOT NULL,
  not_after        timestamptz NOT NULL,
  signing_deadline timestamptz NOT NULL,
  FOREIGN KEY (request_id, kind, effect) REFERENCES ledger.decision (request_id, kind, effect),
  UNIQUE (transaction_key, number),
  UNIQUE (issuer, serial),
  UNIQUE (request_id, tbs_sha256),
  UNIQUE (request_id, issuer, serial),
  CHECK ((number = 1) = (predecessor IS NULL)),
  CHECK (not_before < not_after)
);
CREATE INDEX reservation_serial_hex ON ledger.reservation ((encode(serial, 'hex')));
CREATE INDEX reservation_device ON ledger.reservation (device_id, service, not_after);
CREATE INDEX reservation_key ON ledger.reservation (public_key);
CREATE INDEX reservation_expiry ON ledger.reservation (not_after);

CREATE TABLE ledger.revocation (
  issuer     text NOT NULL,
  serial     bytea NOT NULL,
  entry_id   uuid NOT NULL UNIQUE REFERENCES ledger.entry,
  revoked_at timestamptz NOT NULL,
  reason     text NOT NULL CHECK (reason IN ('unspecified', 'keyCompromise', 'affiliationChanged', 'superseded',
                                             'cessationOfOperation', 'privilegeWithdrawn')),
  actor      text NOT NULL,
  why        text NOT NULL,
  PRIMARY KEY (issuer, serial)
);

-- One row under one key: a certificate or a closing, never both.
CREATE TABLE ledger.outcome (
  request_id   uuid PRIMARY KEY,
  result       text NOT NULL CHECK (result IN ('completed', 'closed')),
  entry_id     uuid NOT NULL UNIQUE REFERENCES ledger.entry,
  issuer       text NOT NULL,
  serial       bytea NOT NULL,
  reason       text,
  completed    uuid GENERATED ALWAYS AS (CASE WHEN result = 'completed' THEN request_id END) STORED,
  closed_serial bytea GENERATED ALWAYS AS (CASE WHEN result = 'closed' THEN serial END) STORED,
  FOREIGN KEY (request_id, issuer, serial) REFERENCES ledger.reservation (request_id, issuer, serial),
  FOREIGN KEY (issuer, closed_serial) REFERENCES ledger.revocation (issuer, serial) DEFERRABLE INITIALLY DEFERRED,
  UNIQUE (request_id, result),
  CHECK ((result = 'closed') = (reason IS NOT NULL))
);
ALTER TABLE ledger.reservation ADD FOREIGN KEY (predecessor) REFERENCES ledger.outcome (request_id);

-- Committed before the certificate is released.
CREATE TABLE ledger.certificate (
  request_id         uuid PRIMARY KEY,
  result             text NOT NULL DEFAULT 'completed' CHECK (result = 'completed'),
  tbs_sha256         ledger.sha256 NOT NULL,
  certificate_sha256 ledger.sha256 NOT NULL UNIQUE,
  der                bytea NOT NULL,
  signed_at          timestamptz NOT NULL,
  FOREIGN KEY (request_id, result) REFERENCES ledger.outcome (request_id, result),
  FOREIGN KEY (request_id, tbs_sha256) REFERENCES ledger.reservation (request_id, tbs_sha256)
);
ALTER TABLE ledger.outcome ADD FOREIGN KEY (completed) REFERENCES ledger.certificate (request_id)
  DEFERRABLE INITIALLY DEFERRED;

-- What a mint fixed. Its row is what consuming, deferring and revoking lock; the row itself never changes.
CREATE TABLE ledger.credential (
  credential_id      text PRIMARY KEY CHECK (credential_id ~ '^[A-Z2-7]{16}$'),
  entry_id           uuid NOT NULL UNIQUE REFERENCES ledger.entry,
  master_key_version bigint NOT NULL CHECK (master_key_version >= 1),
  service            text NOT NULL,
  device_id          text NOT NULL,
  restricted_to      text CHECK (restricted_to IN ('scep', 'est', 'acme', 'cmp')),
  minted_at          timestamptz NOT NULL,
  expires_at         timestamptz NOT NULL,
  minted_by          text NOT NULL,
  CHECK (minted_at < expires_at)
);
CREATE INDEX credential_device ON ledger.credential (device_id, minted_at DESC);
CREATE INDEX credential_minted ON ledger.credential (minted_at DESC);

CREATE TABLE ledger.credential_event (
  entry_id        uuid PRIMARY KEY REFERENCES ledger.entry,
  credential_id   text NOT NULL REFERENCES ledger.credential,
  kind            text NOT NULL CHECK (kind IN ('mint', 'consume', 'bind', 'defer', 'reject', 'revoke', 'alert')),
  at              timestamptz NOT NULL,
  actor           text,
  request_id      uuid REFERENCES ledger.request,
  transaction_key ledger.sha256,
  hold_until      timestamptz,
  reason          text,
  times           bigint NOT NULL CHECK (times = 1 OR (kind = 'reject' AND times > 1)),
  CHECK (kind NOT IN ('consume', 'bind', 'defer') OR (request_id IS NOT NULL AND transaction_key IS NOT NULL)),
  CHECK ((kind = 'defer') = (hold_until IS NOT NULL))
);
CREATE UNIQUE INDEX credential_used_once ON ledger.credential_event (credential_id) WHERE kind IN ('consume', 'bind');
CREATE UNIQUE INDEX credential_revoked_once ON ledger.credential_event (credential_id) WHERE kind = 'revoke';
CREATE UNIQUE INDEX credential_minted_once ON ledger.credential_event (credential_id) WHERE kind = 'mint';
CREATE INDEX credential_history ON ledger.credential_event (credential_id, at);

CREATE TABLE ledger.account (
  service       text NOT NULL,
  account_id    text NOT NULL CHECK (length(account_id) <= 200),
  entry_id      uuid NOT NULL UNIQUE REFERENCES ledger.entry,
  request_id    uuid NOT NULL UNIQUE REFERENCES ledger.request,
  credential_id text NOT NULL UNIQUE REFERENCES ledger.credential,
  device_id     text NOT NULL,
  order_until   timestamptz NOT NULL,
  PRIMARY KEY (service, account_id)
);

CREATE TABLE ledger.admin_event (
  entry_id uuid PRIMARY KEY REFERENCES ledger.entry,
  at       timestamptz NOT NULL,
  actor    text NOT NULL,
  action   text NOT NULL,
  target   text NOT NULL,
  reason   text NOT NULL
);

CREATE TABLE ledger.alert (
  entry_id    uuid PRIMARY KEY REFERENCES ledger.entry,
  at          timestamptz NOT NULL,
  detector    text NOT NULL,
  severity    text NOT NULL CHECK (severity IN ('info', 'warn', 'high', 'critical')),
  owner       text NOT NULL,
  subject     text NOT NULL,
  request_ids uuid[] NOT NULL,
  detail      text NOT NULL
);
CREATE INDEX alert_at ON ledger.alert (at DESC);

-- Requests that were counted instead of recorded: unverified ones beyond the budget of their service.
CREATE TABLE ledger.traffic (
  traffic_id  uuid PRIMARY KEY,
  minute      timestamptz NOT NULL CHECK (minute = date_trunc('minute', minute, 'UTC')),
  gateway     text NOT NULL,
  service     text NOT NULL,
  source      text NOT NULL,
  kind        text NOT NULL,
  requests    bigint NOT NULL CHECK (requests > 0),
  recorded_at timestamptz NOT NULL,
  writer      text NOT NULL
);
CREATE INDEX traffic_minute ON ledger.traffic (minute);

CREATE TRIGGER stamp BEFORE INSERT ON ledger.transaction FOR EACH ROW EXECUTE FUNCTION ledger.stamp();
CREATE TRIGGER stamp BEFORE INSERT ON ledger.traffic FOR EACH ROW EXECUTE FUNCTION ledger.stamp();
ALTER TABLE ledger.transaction ENABLE ALWAYS TRIGGER stamp;
ALTER TABLE ledger.traffic ENABLE ALWAYS TRIGGER stamp;
CALL ledger.protect('ledger.entry', 'ledger.policy_version', 'ledger.policy_activation', 'ledger.transaction',
  'ledger.request', 'ledger.decision', 'ledger.reservation', 'ledger.revocation', 'ledger.outcome',
  'ledger.certificate', 'ledger.credential', 'ledger.credential_event', 'ledger.account', 'ledger.admin_event',
  'ledger.alert', 'ledger.traffic');
