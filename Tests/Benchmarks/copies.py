"""Recorded lives of devices as templates, and copies of them: what is unique in each copy is its own.

A life is all that the ledger holds of one device. A copy's ids, serials, keys, credentials, times and device are anew;
its documents keep their lengths, are canonical and hash as the ledger hashes, and deciding again on them agrees.
"""
import base64
import calendar
import hashlib
import json
import re
import time

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?=[.Z+])")
DER_TIME = re.compile(r"170d((?:3\d){12})5a")
CLOCK = [f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(86_400)]
DER_CLOCK = [one.replace(":", "").encode().hex() + "5a" for one in CLOCK]
TABLES = ["entry", "pending_leaf", "transaction", "request", "decision", "reservation", "revocation", "outcome",
          "certificate", "credential", "credential_event", "approval", "account", "alert", "private_value"]
SPECIAL = ("entry", "pending_leaf", "private_value")


class Life:
    """The rows of one device, or of one request that proved none."""

    def __init__(self, database, device):
        if device:
            minted = f"SELECT credential_id FROM ledger.credential WHERE device_id = '{device}'"
            requests = f"""SELECT request_id FROM ledger.request WHERE device_id = '{device}' UNION
                SELECT request_id FROM ledger.credential_event WHERE credential_id IN ({minted})"""
        else:
            minted = "SELECT NULL"
            requests = """SELECT q.request_id FROM ledger.request AS q WHERE device_id IS NULL AND NOT EXISTS (
                SELECT FROM ledger.credential_event AS e WHERE e.request_id = q.request_id) LIMIT 1"""
        self.device = device
        owned, spent = f"request_id IN ({requests})", f"credential_id IN ({minted})"
        conditions = {
            "request": owned, "decision": owned, "reservation": owned, "outcome": owned, "certificate": owned,
            "approval": owned, "credential": spent, "credential_event": spent, "account": spent,
            "alert": f"subject IN ({minted})",
            "transaction": f"transaction_key IN (SELECT transaction_key FROM ledger.request WHERE {owned})",
            "revocation": f"(issuer, serial) IN (SELECT issuer, serial FROM ledger.reservation WHERE {owned})"}
        self.rows = database.rows(conditions)
        ids = {row[name] for rows in self.rows.values() for row in rows for name in ("entry_id", "request_id")
               if row.get(name)}
        listed = ", ".join(f"'{one}'" for one in ids)
        self.rows |= database.rows({"entry": f"entry_id IN ({listed}) OR {owned} ORDER BY entry_id",
                                    "private_value": f"entry_id IN ({listed})"})
        for one in self.rows["reservation"]:
            one.pop("key_algorithm", None)
        self.requests = len(self.rows["request"])


class Template:
    """A life with the places in it where a copy has values of its own. `lag`: seconds until its last fact."""

    def __init__(self, rows, device, columns, policy, lag=0):
        self.rows, self.columns, self.lag = rows, columns, lag
        self.requests, self.entries = len(rows["request"]), len(rows["entry"])
        text = json.dumps(rows)
        self.began = min(seconds(row["recorded_at"][:19]) for row in rows["entry"])
        self.name, self.tokens = device, {policy: ("policy",)}
        for one in sorted(set(ID.findall(text))):
            self.tokens[one] = ("id", one)
        for one in sorted(set(TIME.findall(text))):
            self.tokens[one] = ("time", seconds(one))
        for one in sorted(set(DER_TIME.findall(text))):
            then = time.strptime(bytes.fromhex(one).decode(), "%y%m%d%H%M%S")
            self.tokens[f"170d{one}5a"] = ("DER time", calendar.timegm(then))
        self._find_names(device)
        self._find_keys()
        for place, row in enumerate(rows["reservation"]):
            self.tokens[row["serial"][2:]] = ("hexadecimal",)
            self.tokens[row["tbs_sha256"][2:]] = ("TBS digest", place)
        for place, row in enumerate(rows["certificate"]):
            self.tokens[row["certificate_sha256"][2:]] = ("certificate digest", place)
        self._split_all()

    def _find_names(self, device):
        for row in self.rows["request"]:
            self.tokens[row["gateway"]] = ("gateway",)
            for name in ("transaction_key", "request_digest"):
                if row[name]:
                    self.tokens[row[name][2:]] = ("hexadecimal",)
            if row["reference"]:
                is_hexadecimal = re.fullmatch("[0-9a-f]*", row["reference"])
                self.tokens[row["reference"]] = ("hexadecimal",) if is_hexadecimal else ("base64url",)
        for row in self.rows["account"]:
            self.tokens[row["account_id"]] = ("base64url",)
        for row in self.rows["credential"]:
            self.tokens[row["credential_id"]] = ("credential",)
        for place, row in enumerate(self.rows["private_value"]):
            self.tokens[row["commitment"][2:]] = ("commitment", place)
        if device:
            self.tokens[device] = ("device",)
            self.tokens[device.encode().hex()] = ("device hex",)

    def device(self, number):
        """The name of a device of this sort, as long as that of the recorded one."""
        name = self.name or "l-nobody-at-all"
        return f"{name[0]}{number:0{len(name) - 1}d}"

    def _find_keys(self):
        self.keys = []
        for row in self.rows["entry"]:
            key = json.loads(row["body"]).get("input", {}).get("request", {}).get("public_key")
            spki = bytes(key["subjectPublicKeyInfo"]) if key else None
            if spki is None or spki in self.keys:
                continue
            place = len(self.keys)
            self.keys.append(spki)
            self.tokens[",".join(map(str, spki))] = ("key numbers", place)
            self.tokens[spki.hex()] = ("key hex", place)
            self.tokens[base64.b64encode(spki).decode()] = ("key text", place)
            self.tokens[hashlib.sha256(spki).hexdigest()] = ("key digest", place)

    def _split_all(self):
        self.order = list(self.tokens)
        self.place = {one: index for index, one in enumerate(self.order)}
        self.credential = next((self.place[row["credential_id"]] for row in self.rows["credential"]), None)
        self.pattern = re.compile("|".join(re.escape(one) for one in sorted(self.order, key=len, reverse=True)))
        rows = self.rows
        self.signed = [self._split(row["tbs"]) for row in rows["reservation"]]
        self.certificates = [self._split(row["der"]) for row in rows["certificate"]]
        self.private = [(self.place[row["commitment"][2:]], self.place[row["entry_id"]], row["field"])
                        for row in rows["private_value"]]
        self.lines = {table: [self._split(self._line(table, row)) for row in rows[table]]
                      for table in self.columns if table in rows and table not in SPECIAL and rows[table]}
        # COPY's text format of a body is the body with its backslashes doubled; all of it is ASCII.
        names = [name for name, _ in self.columns["entry"]]
        self.facts = [(self.place[row["entry_id"]], self._split(row["body"]), "\\" in row["body"],
                       [self._split(field(row[name], "")) if name not in ("entry_id", "body", "leaf_hash") else name
                        for name in names]) for row in rows["entry"]]
        # Digests of what holds other tokens come after those.
        last = {"commitment": 1, "TBS digest": 1, "certificate digest": 2}
        self.making = sorted(((index, old, self.tokens[old]) for index, old in enumerate(self.order)),
                             key=lambda one: last.get(one[2][0], 0))

    def _split(self, text):
        parts, end = [], 0
        for found in self.pattern.finditer(text):
            parts += [text[end:found.start()], self.place[found.group(0)]]
            end = found.end()
        return parts + [text[end:]]

    def _line(self, table, row):
        return "\t".join(field(row.get(name), kind) for name, kind in self.columns[table]) + "\n"

    def write(self, out, copy):
        """Writes a copy. Returns the id of its credential, and (request id, commitment) of what it erased."""
        values, private = self._values(copy)
        for table, lines in self.lines.items():
            out[table].write("".join([join(parts, values) for parts in lines]))
        entries, waiting = [], []
        for place, body, has_backslash, others in self.facts:
            fact = join(body, values)
            leaf = "\\\\x" + hashlib.sha256(b"\0" + fact.encode()).hexdigest()
            if has_backslash:
                fact = fact.replace("\\", "\\\\")
            known = {"entry_id": values[place], "body": fact, "leaf_hash": leaf}
            entries.append("\t".join([known[one] if one.__class__ is str else join(one, values) for one in others]))
            waiting.append(f"{values[place]}\t{leaf}\n")
        out["entry"].write("\n".join(entries) + "\n")
        out["pending_leaf"].write("".join(waiting))
        credential = values[self.credential] if self.credential else None
        if copy.is_erased:
            return credential, [(values[entry], values[commitment]) for commitment, entry, _ in self.private]
        for commitment, entry, name in self.private:
            out["private_value"].write("\t".join([
                f"\\\\x{values[commitment]}", values[entry], name, f"\\\\x{private[commitment]}", copy.address]) + "\n")
        return credential, []

    def _values(self, copy):
        values, private, shift = [None] * len(self.order), {}, copy.at - self.began
        keys = [fresh_key(spki, f"{copy.key}/{place}") for place, spki in enumerate(self.keys)]
        for index, old, what in self.making:
            match what:
                case ("id", one):
                    values[index] = fresh_id(int(one[:8] + one[9:13], 16) + shift * 1_000, f"{one}{copy.name}")
                case ("time", at):
                    values[index] = written(at + shift)
                case ("DER time", at):
                    days, rest = divmod(at + shift, 86_400)
                    values[index] = f"170d{der_date(days)}{DER_CLOCK[rest]}"
                case ("hexadecimal",):
                    # The first octet stays: serial numbers are positive.
                    values[index] = old[:2] + hexadecimal(old, copy)[:len(old) - 2]
                case ("base64url",):
                    octets = hashlib.sha256(f"{old}{copy.name}".encode()).digest()
                    values[index] = base64.urlsafe_b64encode(octets).decode()[:len(old)]
                case ("credential",):
                    octets = hashlib.sha256(f"{old}{copy.name}".encode()).digest()[:10]
                    values[index] = base64.b32encode(octets).decode()
                case ("device",):
                    values[index] = self.device(copy.device)
                case ("device hex",):
                    values[index] = self.device(copy.device).encode().hex()
                case ("policy",):
                    values[index] = copy.policy
                case ("gateway",):
                    values[index] = f"{old[:-1]}{copy.device & 3}"
                case ("key numbers", which):
                    values[index] = ",".join(map(str, keys[which]))
                case ("key hex", which):
                    values[index] = keys[which].hex()
                case ("key text", which):
                    values[index] = base64.b64encode(keys[which]).decode()
                case ("key digest", which):
                    values[index] = hashlib.sha256(keys[which]).hexdigest()
                case ("commitment", _):
                    salt = hashlib.sha256(f"{old}{copy.name}".encode()).digest()[:16]
                    private[index] = salt.hex()
                    values[index] = hashlib.sha256(salt + copy.address.encode()).hexdigest()
                case ("TBS digest", which):
                    values[index] = digest(self.signed[which], values)
                case ("certificate digest", which):
                    values[index] = digest(self.certificates[which], values)
        return values, private


def hexadecimal(old, copy):
    return hashlib.sha256(f"{old}{copy.name}".encode()).hexdigest()


def fresh_id(milliseconds, name):
    """UUIDv7 (RFC 9562 §5.7)."""
    rest = hashlib.sha256(name.encode()).hexdigest()
    text = f"{milliseconds:012x}7{rest[:3]}{'89ab'[int(rest[3], 16) & 3]}{rest[4:19]}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def fresh_key(spki, name):
    octets = hashlib.sha512(name.encode()).digest()
    if len(spki) < 200:
        return spki[:-64] + octets
    # An RSA key ends with its exponent of 3 octets, and its modulus is odd.
    return spki[:-69] + octets[:-1] + bytes([octets[-1] | 1]) + spki[-5:]


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


DATES, DER_DATES = {}, {}


def written(at):
    days, rest = divmod(at, 86_400)
    if days not in DATES:
        DATES[days] = time.strftime("%Y-%m-%dT", time.gmtime(days * 86_400))
    return DATES[days] + CLOCK[rest]


def der_date(days):
    if days not in DER_DATES:
        DER_DATES[days] = time.strftime("%y%m%d", time.gmtime(days * 86_400)).encode().hex()
    return DER_DATES[days]


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


def append(rows, kind, body, like, lag):
    """An entry `lag` seconds after another of its request."""
    milliseconds = int(like["entry_id"][:8] + like["entry_id"][9:13], 16) + lag * 1_000
    recorded = written(seconds(like["recorded_at"][:19]) + lag) + like["recorded_at"][19:]
    entry = {**like, "entry_id": fresh_id(milliseconds, f"{kind}{len(rows['entry'])}"), "kind": kind,
             "body": canonical(body), "recorded_at": recorded}
    rows["entry"].append(entry)
    return entry["entry_id"]


def revoked(rows, cause, who, why, lag):
    """The life with its first certificate revoked `lag` seconds later."""
    rows = json.loads(json.dumps(rows))
    row = rows["reservation"][0]
    like = next(one for one in rows["entry"] if one["entry_id"] == row["entry_id"])
    at = written(seconds(like["recorded_at"][:19]) + lag)
    body = {"issuer": row["issuer"], "serial": row["serial"][2:], "at": at + ".000000Z", "reason": cause, "actor": who,
            "why": why, "request_id": row["request_id"]}
    rows["revocation"].append({
        "issuer": row["issuer"], "serial": row["serial"], "entry_id": append(rows, "revocation", body, like, lag),
        "revoked_at": at + "+00:00", "reason": cause, "actor": who, "why": why})
    return rows


def closed(rows):
    """The life as it is when its gateway was lost between reserving and signing."""
    rows = json.loads(json.dumps(rows))
    row, why, lag = rows["reservation"][0], "signing deadline passed", 61
    like = next(one for one in rows["entry"] if one["entry_id"] == row["entry_id"])
    rows["entry"] = [one for one in rows["entry"] if one["kind"] != "certificate"]
    rows["certificate"] = []
    at, request = written(seconds(like["recorded_at"][:19]) + lag), row["request_id"]
    body = {"request_id": request, "at": at + ".000000Z", "issuer": row["issuer"], "serial": row["serial"][2:],
            "reason": why}
    rows["outcome"][0] |= {"result": "closed", "reason": why, "entry_id": append(rows, "failure", body, like, lag)}
    alert = {"detector": "orphan-reservation", "severity": "warn", "owner": rows["decision"][0]["owner"],
             "subject": row["serial"][2:], "detail": "closed without a certificate and its serial revoked: " + why}
    rows["alert"].append(alert | {"at": at + "+00:00", "request_ids": [request], "entry_id": append(
        rows, "alert", alert | {"at": at + ".000000Z", "request_ids": request}, like, lag)})
    return revoked(rows, "cessationOfOperation", row["gateway"], why, lag)
