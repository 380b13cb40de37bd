"""Makes large ledgers: multiplies the lives that lives.py recorded, as the superuser, spread over the last year.

Beside the copies (copies.py) are facts that no request gives rise to: policy bundles that differ by a comment, refused
candidates, administrators' acts, counted traffic, erasures, rogue certificates, overdue reviews, counted guesses.
Entries lie in partitions of their months and wait for the sequencer, so leaves, tiles and checkpoints are real.

What gatehouse-verify says of it is `ok` in every line that it checks. What it does not show: signatures on copied
certificates are void and their public keys nobody's, and the histories that decisions rest on are those of the recorded
devices, so that a device may have more certificates than its service allows. The device directory, reservations that are
still open, and the state of ACME orders are not multiplied.
"""
import collections
import hashlib
import json
import os
import subprocess
import time

import copies
from copies import Life, Template, canonical, fresh_id, written

DAYS = 365
EXTRA = ["admin_event", "traffic", "redaction", "redacted_commitment", "policy_version", "policy_activation",
         "policy_succession", "policy_refusal", "overdue_review", "rogue_certificate"]
# (actor, action, target or None for a device, reason)
ACTS = [("os:jane", "device.set", None, "groups: corp-laptops"), ("os:omar", "device.set", None, "owner: jo"),
        ("os:provisioning", "device.import", "40 devices", "SHA-256 of the list: " + "5a" * 32),
        ("os:operator", "device.set", None, "groups: servers")]
Copy = collections.namedtuple("Copy", "name at device key policy address is_erased")


class Database:
    def __init__(self, host, user="gatehouse_superuser", name="gatehouse"):
        self.command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", host, "-U", user, "-d", name]

    def run(self, sql):
        done = subprocess.run(self.command + ["-f", "-"], input="SET TimeZone = 'UTC';\n" + sql, capture_output=True,
                              text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.strip()

    def count(self, table):
        return int(self.run(f"SELECT count(*) FROM ledger.{table}"))

    def rows(self, conditions):
        """Table → rows that meet its condition."""
        selects = [
            f"'{table}', (SELECT coalesce(json_agg(t), '[]') FROM (SELECT * FROM ledger.{table} WHERE {condition}) AS t)"
            for table, condition in conditions.items()]
        return json.loads(self.run(f"SELECT json_build_object({', '.join(selects)})"))

    def columns(self, tables):
        """Table → (name, type) of the columns that are not computed."""
        listed = ", ".join(f"'{one}'" for one in tables)
        return json.loads(self.run(f"""
            SELECT json_object_agg(relname, columns) FROM (
              SELECT relname, json_agg(json_build_array(attname,
                format_type(coalesce(nullif(t.typbasetype, 0), t.oid), -1)) ORDER BY attnum) AS columns
              FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid JOIN pg_type AS t ON t.oid = a.atttypid
              WHERE relnamespace = 'ledger'::regnamespace AND relname IN ({listed}) AND attnum > 0
                AND NOT attisdropped AND attgenerated = '' GROUP BY relname) AS all_of_them"""))

    def copy(self, table, columns):
        names = ", ".join(name for name, _ in columns)
        return subprocess.Popen(
            self.command + ["-c", f"COPY ledger.{table} ({names}) FROM STDIN"], stdin=subprocess.PIPE, text=True,
            env=os.environ | {"PGOPTIONS": "-c session_replication_role=replica -c TimeZone=UTC"})


class Facts:
    """Facts that are of no request, one entry each."""

    def __init__(self, out, columns, gateway):
        self.out, self.columns, self.gateway = out, columns, gateway
        self.made = 0

    def row(self, table, /, **values):
        fields = [copies.field(values.get(name), kind) for name, kind in self.columns[table]]
        self.out[table].write("\t".join(fields) + "\n")

    def entry(self, kind, moment, /, **body):
        """The id of a new entry. Members that are None are left out."""
        self.made += 1
        text = canonical({name: value for name, value in body.items() if value is not None})
        leaf = hashlib.sha256(b"\0" + text.encode()).hexdigest()
        known = {"entry_id": fresh_id(moment * 1_000, f"{kind} {self.made} {text}"), "kind": kind, "body": text,
                 "leaf_hash": "\\x" + leaf, "recorded_at": instant(moment),
                 "writer": "gatehouse_migrator" if kind == "redaction" else "gatehouse_writer"}
        self.row("entry", **known)
        self.row("pending_leaf", **known)
        return known["entry_id"]

    def alert(self, at, detector, severity, subject, detail, owner="Device Identity"):
        said = {"detector": detector, "severity": severity, "owner": owner, "subject": subject, "detail": detail}
        alert = self.entry("alert", at, at=stamp(at), request_ids="", **said)
        self.row("alert", entry_id=alert, at=instant(at), request_ids=[], **said)
        return alert

    def act(self, at, number, device):
        actor, action, target, reason = ACTS[number % len(ACTS)]
        said = {"actor": actor, "action": action, "target": target or device, "reason": reason}
        self.row("admin_event", entry_id=self.entry("admin", at, at=stamp(at), **said), at=instant(at), **said)

    def guesses(self, at, credential, times):
        self.row("credential_event", kind="reject", at=instant(at), credential_id=credential, reason="credential.wrong",
                 times=times, entry_id=self.entry(
                     "credential", at, kind="reject", credential_id=credential, at=stamp(at),
                     reason="credential.wrong", times=str(times)))

    def traffic(self, at, number, address):
        minute = instant(at // 60 * 60)
        self.row("traffic", traffic_id=fresh_id(at * 1_000, f"traffic {number} {at}"), minute=minute,
                 gateway=self.gateway, service=("laptops", "network-gear", "servers")[number % 3], source=address,
                 kind="throttled", requests=number % 900 + 1, recorded_at=minute, writer="gatehouse_writer")

    def erasure(self, at, device, erased):
        commitments = [commitment for _, commitment in erased]
        said = {"actor": "os:privacy", "reason": "the person has left", "device_id": device}
        redaction = self.entry("redaction", at, at=stamp(at), commitments=" ".join(commitments), **said)
        self.row("redaction", entry_id=redaction, at=instant(at), commitments=len(erased), **said)
        for request, commitment in erased:
            self.row("redacted_commitment", commitment="\\x" + commitment, entry_id=redaction, request_id=request)

    def rogue(self, at, number):
        fingerprint = hashlib.sha256(f"rogue {number} {at}".encode()).hexdigest()
        alert = self.alert(at, "rogue-certificate", "critical", fingerprint,
                           "a certificate of issuing that the ledger does not know", "Endpoint Security")
        self.row("rogue_certificate", certificate_sha256="\\x" + fingerprint, entry_id=alert)

    def overdue(self, at, number):
        # With the time: a ledger that is grown again has the same numbers on the same days.
        subject, due = f"rule corp-{number}-{at}", written(at)[:10]
        self.row("overdue_review", subject=subject, review_by=due, entry_id=self.alert(
            at, "review-overdue", "warn", subject, f"to be reviewed by {due}"))


class Policies:
    """Bundles that came into force one after the other. They differ by a comment, so decisions are the same."""

    def __init__(self, database, facts):
        self.facts = facts
        self.recorded = database.run("SELECT encode(ledger.policy_in_force(), 'hex')")
        self.bundle = json.loads(bytes.fromhex(database.run(
            "SELECT encode(bundle, 'hex') FROM ledger.policy_version WHERE policy_sha256 = ledger.policy_in_force()")))
        self.meaning, number = database.run("""
            SELECT encode(meaning_sha256, 'hex'), number FROM ledger.policy_succession ORDER BY number DESC LIMIT 1
            """).split("|")
        self.number = int(number)
        self.in_force = self.recorded

    def activate(self, at, name):
        files = dict(self.bundle["files"])
        changed = sorted(files)[0]
        files[changed] += f"# as of {name}\n"
        octets = json.dumps(self.bundle | {"files": files}, sort_keys=True, separators=(",", ":"),
                            ensure_ascii=False).encode()
        digest = hashlib.sha256(octets).hexdigest()
        self.facts.row("policy_version", policy_sha256="\\x" + digest, bundle="\\x" + octets.hex())
        self._activate(at, digest)

    def restore(self, at):
        """The recorded bundle comes back into force, since the gateway has its files."""
        self._activate(at, self.recorded)

    def _activate(self, at, digest):
        previous, self.in_force, self.number = self.in_force, digest, self.number + 1
        entry = self.facts.entry(
            "policy", at, verdict="activated", policy_sha256=digest, previous_sha256=previous,
            meaning_sha256=self.meaning, at=stamp(at), actor="os:jane", by_name="true")
        self.facts.row("policy_activation", entry_id=entry, policy_sha256="\\x" + digest, activated_at=instant(at),
                       actor="os:jane")
        self.facts.row("policy_succession", number=self.number, entry_id=entry, previous_sha256="\\x" + previous,
                       meaning_sha256="\\x" + self.meaning, by_name=True)

    def refuse(self, at, name):
        candidate = hashlib.sha256(f"candidate {name}".encode()).hexdigest()
        faults = "rules/corp-laptop-client-auth.yaml:13: no such group"
        entry = self.facts.entry(
            "policy", at, verdict="refused", policy_sha256=candidate, in_force_sha256=self.in_force, at=stamp(at),
            actor=self.facts.gateway, faults=faults)
        self.facts.row("policy_refusal", entry_id=entry, candidate_sha256="\\x" + candidate,
                       in_force_sha256="\\x" + self.in_force, refused_at=instant(at), actor=self.facts.gateway,
                       faults=faults)
        self.facts.alert(at, "policy-refused", "high", candidate, "1 fault")


def instant(at):
    return written(at) + "+00"


def stamp(at):
    return written(at) + ".000000Z"


def mixture(database, recorded, columns):
    """Templates in the order in which they are copied, each as often as its share of a hundred."""
    policy = database.run("SELECT encode(ledger.policy_in_force(), 'hex')")
    result = []
    for place, (device, share) in enumerate(recorded):
        life = Life(database, device)
        variants = [Template(life.rows, device, columns, policy)] * share
        if place == 0:  # enrolled once
            for variant, (cause, lag) in enumerate(
                    (("superseded", 0), ("superseded", 1_700_000), ("keyCompromise", 86_400), ("closed", 0))):
                rows = copies.closed(life.rows) if cause == "closed" else copies.revoked(
                    life.rows, cause, "os:operator", "replaced by its owner", lag + 30)
                variants[variant] = Template(rows, device, columns, policy, lag + 100)
        result += variants
    # Any step that shares no factor with their number mixes them.
    return [result[index * 37 % len(result)] for index in range(len(result))]


def seed(database, recorded, requests=0, entries=0):
    """Copies the recorded lives until the ledger has about so many requests, or entries, more."""
    columns = database.columns(copies.TABLES + EXTRA)
    cycle = mixture(database, recorded, columns)
    per_life = sum(one.requests if requests else one.entries + 0.07 for one in cycle) / len(cycle)
    lives = max(1, round((requests or entries) / per_life))
    now = int(time.time()) - 120
    begin = now - DAYS * 86_400
    with Open(database, begin, lives * 5 > database.count("entry")):
        processes = {table: database.copy(table, columns[table]) for table in columns}
        out = {table: process.stdin for table, process in processes.items()}
        gateway = cycle[0].rows["request"][0]["gateway"]
        write(cycle, Facts(out, columns, gateway), database, lives, begin, now)
        for stream in out.values():
            stream.close()
        failed = [table for table, process in processes.items() if process.wait()]
        if failed:
            raise SystemExit(f"COPY failed: {', '.join(failed)}")
        database.run(AFTERWARDS)


def write(cycle, facts, database, lives, begin, now):
    policies, salt = Policies(database, facts), database.count("entry")
    changes = max(2, min(400, lives // 2_000))
    devices, activated = max(8, lives // 6), -1
    for number in range(lives):
        at = begin + (now - begin) * number // lives
        if number * changes // lives > activated:
            activated = number * changes // lives
            policies.activate(at - 60, f"{salt}/{activated}")
            if activated % 2:
                policies.refuse(at - 30, f"{salt}/{activated}")
        template = cycle[number % len(cycle)]
        if template.lag > now - at:
            template = cycle[0]
        # Each device lives some lives of any sort.
        device, name = (number * 2_654_435_761 >> 7) % devices, f"{salt}/{number}"
        # Now and then a device is the copy of another, key and all.
        key = f"{salt}/{number - len(cycle)}" if number % 4_001 == 4_000 else name
        # Who guesses has few addresses.
        address = f"10.{device >> 16 & 255}.{device >> 8 & 255}.{device & 255}" if template.lines.get("reservation") \
            else f"198.51.100.{number % 97}"
        copy = Copy(name, at, device, key, policies.in_force, address, number % 211 == 210 and at < now - 86_400)
        credential, erased = template.write(facts.out, copy)
        if erased:
            facts.erasure(at + 86_400, template.device(device), erased)
        if credential and number % 60 == 7:
            facts.guesses(at // 60 * 60, credential, number % 40 + 2)
        beside(facts, number, at, address, template.device(device))
    policies.restore(now)


def beside(facts, number, at, address, device):
    """What happens while devices enrol."""
    if number % 20 == 3:
        facts.act(at, number // 20, device)
    if number % 15 == 4:
        facts.traffic(at, number // 15, address)
    if number % 10_007 == 5:
        facts.rogue(at, number)
    if number % 5_003 == 6:
        facts.overdue(at, number)


# Months of the past get partitions as months to come have them. What was recorded so far moves to its own.
PARTITIONS = """
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL TimeZone = 'UTC';
CREATE TEMP TABLE saved ON COMMIT DROP AS SELECT * FROM ledger.entry_earlier;
DELETE FROM ledger.entry_earlier;
ALTER TABLE ledger.entry DETACH PARTITION ledger.entry_earlier;
DO $$
DECLARE
  month timestamptz;
  part text;
BEGIN
  EXECUTE format('ALTER TABLE ledger.entry ATTACH PARTITION ledger.entry_earlier FOR VALUES FROM (MINVALUE) TO (%L)',
    ledger.first_id(date_trunc('month', timestamptz '{begin}')));
  FOR month IN SELECT generate_series(date_trunc('month', timestamptz '{begin}'), now(), interval '1 month') LOOP
    part := 'entry_' || to_char(month, 'YYYY_MM');
    EXECUTE format('CREATE TABLE ledger.%I PARTITION OF ledger.entry FOR VALUES FROM (%L) TO (%L)', part,
      ledger.first_id(month), ledger.first_id(month + interval '1 month'));
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ledger.%I FOR EACH STATEMENT '
                   'EXECUTE FUNCTION ledger.refuse_change()', part);
    EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER refuse_truncate', part);
  END LOOP;
END $$;
INSERT INTO ledger.entry SELECT * FROM saved;
COMMIT;
"""
# Those that no constraint rests on.
INDEXES = """
SELECT coalesce(json_agg(json_build_array(x.indexrelid::regclass::text,
  replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON '))), '[]')
FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indexrelid
WHERE c.relnamespace = 'ledger'::regnamespace AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = x.indexrelid)
"""
# Those that fire for a replica too, or were kept from it.
TRIGGERS = """
SELECT coalesce(json_agg(json_build_array(tgrelid::regclass::text, tgname)), '[]') FROM pg_trigger
WHERE tgenabled IN ('A', 'D') AND tgname <> 'refuse_truncate' AND tgrelid IN (
  SELECT oid FROM pg_class WHERE relnamespace = 'ledger'::regnamespace)
"""

# Numbers of activations go on; and whoever was told to wait has asked again.
AFTERWARDS = """
SELECT setval(pg_get_serial_sequence('ledger.policy_succession', 'number'), max(number)) FROM ledger.policy_succession;
INSERT INTO state.repetition (request_id, times, last_at)
SELECT request_id, 3, decided_at + interval '1 hour' FROM ledger.decision WHERE effect = 'defer' ON CONFLICT DO NOTHING;
"""

SETTINGS = ["fsync = off", "full_page_writes = off", "max_wal_size = '8GB'"]


class Open:
    """While it is, no trigger fires, and no index that no constraint rests on is in the way of many rows."""

    def __init__(self, database, begin, grows_much):
        self.database, self.begin, self.grows_much = database, begin, grows_much

    def __enter__(self):
        month = "entry_" + written(self.begin)[:7].replace("-", "_")
        self.indexes = json.loads(self.database.run(INDEXES)) if self.grows_much else []
        self._switch("DISABLE TRIGGER")
        if not self.database.run(f"SELECT to_regclass('ledger.{month}')"):
            self.database.run(PARTITIONS.format(begin=instant(self.begin)))
        self.database.run("".join(f"DROP INDEX {name};\n" for name, _ in self.indexes))
        self.database.run("".join(f"ALTER SYSTEM SET {one};\n" for one in SETTINGS) + "SELECT pg_reload_conf();")

    def _switch(self, how):
        self.database.run("".join(f"ALTER TABLE {table} {how} {name};\n"
                                  for table, name in json.loads(self.database.run(TRIGGERS))))

    def __exit__(self, kind, *_):
        if kind:
            return
        self.database.run("SET maintenance_work_mem = '512MB';\n" + "".join(f"{one};\n" for _, one in self.indexes))
        self._switch("ENABLE ALWAYS TRIGGER")
        self.database.run("VACUUM (ANALYZE)")
        self.database.run("".join(f"ALTER SYSTEM RESET {one.split()[0]};\n" for one in SETTINGS)
                          + "SELECT pg_reload_conf();\nCHECKPOINT;")
        os.sync()  # what was written without fsync
