"""Multiplies the recorded chains of a ledger, as its superuser, until it holds a given number of requests.

A chain is all that one transaction left behind. Its copies have ids, serials, keys, credentials and devices of their
own, spread over the last 90 days; their documents keep their lengths, are canonical and hash as the ledger hashes, and
deciding again on them agrees. Signatures on the copied certificates are void. Entries wait for the sequencer.
"""
import argparse
import base64
import datetime
import hashlib
import json
import os
import re
import subprocess

DAYS, PARTS = 90, 8
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?=[.Z+])")
DER_TIME = re.compile(r"170d((?:3\d){12})5a")
# Columns that the database computes, or that follow from others.
TABLES = ["entry", "pending_leaf", "transaction", "request", "decision", "reservation", "revocation", "outcome",
          "certificate", "credential", "credential_event", "approval", "private_value"]


class Database:
    def __init__(self, host, user, name):
        self.command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", host, "-U", user, "-d", name]

    def run(self, sql):
        done = subprocess.run(self.command + ["-c", "SET TimeZone = 'UTC'", "-c", sql], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.strip()

    def rows(self, table, condition):
        text = self.run(f"SELECT coalesce(json_agg(t), '[]') FROM (SELECT * FROM ledger.{table} WHERE {condition}) AS t")
        return json.loads(text)

    def columns(self, table):
        return json.loads(self.run(f"""
            SELECT coalesce(json_agg(json_build_array(attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), -1))
              ORDER BY attnum), '[]')
            FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
            WHERE attrelid = to_regclass('ledger.{table}') AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""))

    def copy(self, table, columns):
        names = ", ".join(name for name, _ in columns)
        return subprocess.Popen(
            self.command + ["-c", f"COPY ledger.{table} ({names}) FROM STDIN"], stdin=subprocess.PIPE, text=True,
            env=os.environ | {"PGOPTIONS": "-c session_replication_role=replica -c TimeZone=UTC"})


class Chain:
    """The rows of one transaction, and which of their values a copy has anew."""

    def __init__(self, database, columns, requests, credential):
        ids = ", ".join(f"'{one}'" for one in requests)
        owned = f"request_id IN ({ids})"
        self.rows = {table: [] for table in columns}
        for table in ("request", "decision", "reservation", "outcome", "certificate", "approval"):
            self.rows[table] = database.rows(table, owned)
        for one in self.rows["reservation"]:
            one.pop("key_algorithm", None)
            self.rows["revocation"] += database.rows(
                "revocation", f"issuer = '{one['issuer']}' AND serial = '{one['serial']}'")
        keys = {one["transaction_key"] for one in self.rows["request"] if one["transaction_key"]}
        for key in keys:
            self.rows["transaction"] += database.rows("transaction", f"transaction_key = '{key}'")
        minted = "false"
        if credential:
            self.rows["credential"] = database.rows("credential", f"credential_id = '{credential}'")
            self.rows["credential_event"] = database.rows(
                "credential_event", f"credential_id = '{credential}' AND (request_id IS NULL OR {owned})")
            minted = f"entry_id = '{self.rows['credential'][0]['entry_id']}'"
        self.rows["entry"] = database.rows("entry", f"{owned} OR {minted} ORDER BY entry_id")
        if columns["private_value"]:
            entries = ", ".join(f"'{one['entry_id']}'" for one in self.rows["entry"])
            self.rows["private_value"] = database.rows("private_value", f"entry_id IN ({entries})")
        self.device = next((one["device_id"] for one in self.rows["request"] if one["device_id"]), None)
        self.credential = credential
        self.requests = len(requests)
        self.keys = [bytes(spki) for spki in sorted({tuple(spki) for one in self.rows["entry"]
                                                    for spki in self._keys(json.loads(one["body"]))})]

    def _keys(self, body):
        request = body.get("input", {}).get("request", {}).get("public_key")
        return [request["subjectPublicKeyInfo"]] if request else []

    def has(self, table):
        return bool(self.rows[table])

    def shifted(self, seconds):
        """The rows with all times moved, as templates."""
        text = json.dumps(self.rows)
        known = {}

        def moved(found):
            old = found.group(0)
            if old not in known:
                then = datetime.datetime.strptime(old.replace(" ", "T"), "%Y-%m-%dT%H:%M:%S")
                known[old] = (then + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
            return known[old]

        def moved_der(found):
            then = datetime.datetime.strptime(bytes.fromhex(found.group(1)).decode(), "%y%m%d%H%M%S")
            return "170d" + (then + datetime.timedelta(seconds=seconds)).strftime("%y%m%d%H%M%S").encode().hex() + "5a"

        return json.loads(DER_TIME.sub(moved_der, TIME.sub(moved, text)))


class Shift:
    """One chain at one time, ready to be copied."""

    def __init__(self, chain, seconds, columns, variant):
        self.chain, self.columns, self.variant = chain, columns, variant
        rows = chain.shifted(seconds)
        self.rows = variant(rows) if variant else rows
        text = json.dumps(self.rows)
        self.tokens = {}
        for one in sorted(set(re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", text))):
            self.tokens[one] = ("id", one, seconds)
        for row in self.rows["reservation"]:
            self.tokens[row["serial"][2:]] = ("serial",)
        for row in self.rows["request"]:
            for name in ("transaction_key", "request_digest"):
                if row[name]:
                    self.tokens[row[name][2:]] = ("digest",)
        for number, spki in enumerate(chain.keys):
            self.tokens[",".join(map(str, spki))] = ("key numbers", number)
            self.tokens[spki.hex()] = ("key hex", number)
            self.tokens[base64.b64encode(spki).decode()] = ("key text", number)
            self.tokens[hashlib.sha256(spki).hexdigest()] = ("key digest", number)
        for number, row in enumerate(self.rows["private_value"]):
            self.tokens[row["commitment"][2:]] = ("commitment", number)
        if chain.credential:
            self.tokens[chain.credential] = ("credential",)
        if chain.device:
            self.tokens[chain.device] = ("device",)
            self.tokens[chain.device.encode().hex()] = ("device hex",)
        for row in self.rows["reservation"]:
            self.tokens[row["tbs_sha256"][2:]] = ("tbs digest",)
        for row in self.rows["certificate"]:
            self.tokens[row["certificate_sha256"][2:]] = ("certificate digest",)
        self.order = list(self.tokens)
        self.pattern = re.compile("|".join(re.escape(one) for one in sorted(self.order, key=len, reverse=True)))
        self.place = {one: index for index, one in enumerate(self.order)}
        self.signed = [self._split(row["tbs"]) for row in self.rows["reservation"]]
        self.certificates = [self._split(row["der"]) for row in self.rows["certificate"]]
        self.bodies = [self._split(row["body"]) for row in self.rows["entry"]]
        self.lines = {table: [self._split(self._line(table, row)) for row in self.rows[table]]
                      for table in columns if table not in ("entry", "pending_leaf", "private_value")}
        self.entries = [(self._split(row["entry_id"]), row) for row in self.rows["entry"]]
        self.private = [(self._split(row["value"]), row) for row in self.rows["private_value"]]

    def _split(self, text):
        parts, end = [], 0
        for found in self.pattern.finditer(text):
            parts += [text[end:found.start()], self.place[found.group(0)]]
            end = found.end()
        return parts + [text[end:]]

    def _line(self, table, row):
        return "\t".join(field(row.get(name), kind) for name, kind in self.columns[table]) + "\n"

    def write(self, out, number):
        values = self._values(number)
        for table, lines in self.lines.items():
            for parts in lines:
                out[table].write(join(parts, values))
        for (entry, row), body in zip(self.entries, self.bodies):
            fact = join(body, values)
            leaf = "\\\\x" + hashlib.sha256(b"\0" + fact.encode()).hexdigest()
            new = {**row, "entry_id": join(entry, values), "body": fact, "leaf_hash": leaf,
                   "request_id": row["request_id"] and values[self.place[row["request_id"]]]}
            out["entry"].write("\t".join(
                leaf if name == "leaf_hash" else field(new.get(name), kind)
                for name, kind in self.columns["entry"]) + "\n")
            out["pending_leaf"].write(f"{new['entry_id']}\t{leaf}\n")
        for parts, row in self.private:
            out["private_value"].write(self._line("private_value", row | values[-1][row["commitment"]] | {
                "entry_id": values[self.place[row["entry_id"]]], "value": join(parts, values)}))

    def _values(self, number):
        unique = hashlib.sha256(f"{number}".encode())
        keys = [self._key(spki, unique.digest()) for spki in self.chain.keys]
        values, private = [None] * len(self.order), {}
        later = []
        for index, (old, what) in enumerate(self.tokens.items()):
            match what:
                case ("id", one, seconds):
                    milliseconds = int(one[:8] + one[9:13], 16) + seconds * 1_000 + number % 1_700_000
                    fresh = f"{milliseconds:012x}7{hashlib.sha256((one + str(number)).encode()).hexdigest()}"
                    fresh = fresh[:16] + "89ab"[int(fresh[16], 16) & 3] + fresh[17:32]
                    values[index] = f"{fresh[:8]}-{fresh[8:12]}-{fresh[12:16]}-{fresh[16:20]}-{fresh[20:]}"
                case ("serial",):
                    values[index] = old[:2] + hashlib.sha256((old + str(number)).encode()).hexdigest()[:len(old) - 2]
                case ("digest",):
                    values[index] = hashlib.sha256((old + str(number)).encode()).hexdigest()
                case ("key numbers", which):
                    values[index] = ",".join(map(str, keys[which]))
                case ("key hex", which):
                    values[index] = keys[which].hex()
                case ("key text", which):
                    values[index] = base64.b64encode(keys[which]).decode()
                case ("key digest", which):
                    values[index] = hashlib.sha256(keys[which]).hexdigest()
                case ("credential",):
                    values[index] = base64.b32encode(unique.digest()[:10]).decode()
                case ("device",):
                    values[index] = self._device(number)
                case ("device hex",):
                    values[index] = self._device(number).encode().hex()
                case _:
                    later.append((index, what))
        for index, what in sorted(later, key=lambda one: one[1][0] == "certificate digest"):
            match what:
                case ("commitment", which):
                    parts, row = self.private[which]
                    salt = hashlib.sha256(f"{row['commitment']}{number}".encode()).digest()[:16]
                    fresh = hashlib.sha256(salt + join(parts, values).encode()).hexdigest()
                    private[row["commitment"]] = {"salt": "\\x" + salt.hex(), "commitment": "\\x" + fresh}
                    values[index] = fresh
                case ("tbs digest",):
                    values[index] = digest(self.signed[0], values)
                case ("certificate digest",):
                    values[index] = digest(self.certificates[0], values)
        return values + [private]

    def _key(self, spki, fresh):
        # Ten in a million devices share a key with another, as images that were copied do.
        return spki[:-64] + hashlib.sha512(fresh).digest()

    def _device(self, number):
        # A device asks again and again: eight requests for each on average.
        return f"d{number // 8 if number % 100_003 else 7:0{len(self.chain.device) - 1}d}"


def digest(parts, values):
    return hashlib.sha256(bytes.fromhex(join(parts, values)[2:])).hexdigest()


def join(parts, values):
    return "".join([part if part.__class__ is str else values[part] for part in parts])


def field(value, kind):
    """A value of `row_to_json` in COPY's text format."""
    if value is None:
        return "\\N"
    if kind.endswith("[]"):
        value = "{" + ",".join(json.dumps(one) for one in value) + "}"
    elif isinstance(value, bool):
        value = "t" if value else "f"
    elif isinstance(value, (dict, list)):
        value = json.dumps(value, separators=(",", ":"))
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def canonical(members):
    return json.dumps(members, sort_keys=True, separators=(",", ":"))


def append(rows, kind, body, like):
    entry = {**like, "entry_id": fresh_id(like["entry_id"], len(rows["entry"])), "kind": kind, "body": canonical(body)}
    rows["entry"].append(entry)
    return entry["entry_id"]


def fresh_id(beside, number):
    """An id of the same millisecond."""
    return beside[:-4] + f"{number:04x}"


def revoked(rows):
    return revoke(rows, "keyCompromise" if len(rows["approval"]) else "superseded", "os:operator", "replaced by its owner")


def revoke(rows, cause, who, why):
    row, like = rows["reservation"][0], rows["entry"][-1]
    at = row["not_before"][:19]
    body = {"issuer": row["issuer"], "serial": row["serial"][2:], "at": at + ".000000Z", "reason": cause, "actor": who,
            "why": why, "request_id": row["request_id"]}
    rows["revocation"].append({
        "issuer": row["issuer"], "serial": row["serial"], "entry_id": append(rows, "revocation", body, like),
        "revoked_at": at + "+00:00", "reason": cause, "actor": who, "why": why})
    return rows


def closed(rows):
    """The chain as it is when its gateway was lost between reserving and signing."""
    rows["entry"] = [one for one in rows["entry"] if one["kind"] != "certificate"]
    rows["certificate"] = []
    row, why = rows["reservation"][0], "signing deadline passed"
    at = row["signing_deadline"][:19]
    body = {"request_id": row["request_id"], "at": at + ".000000Z", "issuer": row["issuer"],
            "serial": row["serial"][2:], "reason": why}
    outcome = rows["outcome"][0]
    outcome |= {"result": "closed", "reason": why, "entry_id": append(rows, "failure", body, rows["entry"][-1])}
    return revoke(rows, "cessationOfOperation", row["gateway"], why)


def chains(database, columns):
    text = database.run("""
        SELECT coalesce(json_agg(json_build_array(requests, credential)), '[]') FROM (
          SELECT array_agg(request_id ORDER BY attempt) AS requests, max(credential_id) AS credential
          FROM ledger.request WHERE kind IN ('enroll', 'refusal') AND operation IS DISTINCT FROM 'renew'
          GROUP BY coalesce(encode(transaction_key, 'hex'), request_id::text)
          ORDER BY min(received_at) DESC LIMIT 16) AS t""")
    return [Chain(database, columns, *one) for one in json.loads(text)]


def mixture(found):
    """(chain, variant) for each of a hundred requests, about."""
    issued = [one for one in found if one.has("certificate")]
    refused = [one for one in found if not one.has("reservation")]
    if not issued or not refused:
        raise SystemExit("seed.py needs a ledger with recorded certificates and refusals to multiply")
    cycle = [(issued[index % len(issued)], None) for index in range(68)]
    cycle += [(issued[index % len(issued)], variant) for index, variant in enumerate((revoked, revoked, closed, closed))]
    cycle += [(refused[index % len(refused)], None) for index in range(28)]
    return cycle


def always(database):
    return json.loads(database.run("""
        SELECT coalesce(json_agg(json_build_array(tgrelid::regclass::text, tgname)), '[]') FROM pg_trigger
        WHERE tgenabled = 'A' AND tgrelid::regclass::text LIKE 'ledger.%' AND tgparentid = 0"""))


def seed(database, requests):
    columns = {table: database.columns(table) for table in TABLES}
    cycle = mixture(chains(database, columns))
    triggers = always(database)
    for table, name in triggers:
        database.run(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
    copies = {table: database.copy(table, columns[table]) for table in TABLES if columns[table]}
    out = {table: copy.stdin for table, copy in copies.items()}
    columns = {table: listed for table, listed in columns.items() if listed}
    shifts, made, number = DAYS * PARTS, 0, 0
    for index in range(shifts):
        seconds = -(shifts - index) * (86_400 // PARTS)
        ready = {}
        while made * shifts < requests * (index + 1):
            chain, variant = cycle[number * 37 % len(cycle)]
            if (id(chain), variant) not in ready:
                ready[id(chain), variant] = Shift(chain, seconds, columns, variant)
            number += 1
            ready[id(chain), variant].write(out, number)
            made += chain.requests
    for stream in out.values():
        stream.close()
    if any(copy.wait() for copy in copies.values()):
        raise SystemExit("COPY failed")
    for table, name in triggers:
        database.run(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
    database.run("VACUUM (ANALYZE)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", required=True, help="directory of the server's socket")
    parser.add_argument("--user", default="gatehouse_superuser")
    parser.add_argument("--database", default="gatehouse")
    parser.add_argument("--requests", type=int, default=1_000_000)
    options = parser.parse_args()
    seed(Database(options.host, options.user, options.database), options.requests)


if __name__ == "__main__":
    main()
