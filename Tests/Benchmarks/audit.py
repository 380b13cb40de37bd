"""Every question of docs/auditing.md, asked by the auditor's login of a ledger of a million requests.

Goal: a second each. The chains that are multiplied (seed.py) were made by a gateway, through EST.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import scenarios
import seed
from gateway import Gateway, host

GOAL = 1_000
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/auditing.md"


def questions():
    """(title, SQL) in the order of the document."""
    text = DOCUMENT.read_text()
    return re.findall(r"^### (\d+\. .*?)\n.*?```sql\n(.*?)```", text, re.MULTILINE | re.DOTALL)


def chains(gateway):
    """Enrolments of every sort, as they come in."""
    issued, denied, stale = ([f"seed-{kind}{count}-dev" for count in range(3)] for kind in "idp")
    now = datetime.now(timezone.utc)

    def posture(status, minutes):
        return [{"source": "intune", "status": status, "jailbroken": False,
                 "observed_at": (now - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")}]

    devices = {**{one: posture("compliant", 1) for one in issued},
               **{one: posture("noncompliant", 1) for one in denied},
               **{one: posture("compliant", 6_000) for one in stale}}
    lines = [json.dumps({
        "id": device, "serial": None, "udid": None, "groups": ["corp-laptops"], "dns": [host(device)], "email": [],
        "upn": [], "sid": None, "owner": None, "posture": facts}) for device, facts in devices.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.chmod(file.name, 0o644)
        gateway.command("device", "import", file.name)
    names = list(devices)
    est = scenarios.EST(keeps_connections=False)
    credentials = gateway.mint(names, "est")
    prepared = est.prepare(gateway, names, credentials)
    wrong = est.prepare(gateway, issued[:1], [credentials[0] | {"password": "A" * len(credentials[0]["password"])}])
    for index, one in enumerate(prepared + wrong):
        try:
            est.enrol(one)
        except scenarios.Failed:
            if index < len(issued):
                raise


def measure(program, requests, folder):
    """Milliseconds of each question, median of 3."""
    gateway = Gateway(program, folder)
    gateway.start()
    try:
        chains(gateway)
        database = seed.Database(str(gateway.state / "run"), "gatehouse_superuser", "gatehouse")
        began = time.monotonic()
        seed.seed(database, requests)
        seeded = time.monotonic() - began
        return {"requests": requests, "seed_seconds": seeded, "milliseconds": ask(database)}
    finally:
        gateway.stop()


def ask(database):
    """Milliseconds by title. The document's own serial, device and policy stand for some of this ledger."""
    serial, device, policy = database.run("""
        SELECT serial, device_id, policy_sha256 FROM audit.policy_decisions ORDER BY decided_at DESC LIMIT 1
        """).split("|")
    auditor = [word if word != database.command[database.command.index("-U") + 1] else "gatehouse_auditor"
               for word in database.command]
    result = {}
    for title, sql in questions():
        sql = re.sub(r"serial = '[0-9a-f]+'", f"serial = '{serial}'", sql)
        sql = re.sub(r"policy_sha256 = '[0-9a-f]+'", f"policy_sha256 = '{policy}'", sql)
        sql = sql.replace("'LT-042'", f"'{device}'")
        once = sql.strip().rstrip(";") + ";\n"
        done = subprocess.run(auditor + ["-o", "/dev/null"], input="\\timing on\n" + once * 3, capture_output=True,
                              text=True)
        if done.returncode:
            raise SystemExit(f"{title}: {done.stderr}")
        result[title] = statistics.median(float(one) for one in re.findall(r"Time: ([\d.]+) ms", done.stdout))
    return result


def table(result):
    lines = [f"{'question of docs/auditing.md':<72}{'median of 3':>14}"]
    lines += [f"{title:<72}{milliseconds:>11.1f} ms" for title, milliseconds in result["milliseconds"].items()]
    slow = [title for title, milliseconds in result["milliseconds"].items() if milliseconds > GOAL]
    lines.append(f"audit: {'FAIL' if slow else 'PASS'}: {len(result['milliseconds'])} questions on "
                 f"{result['requests']:,} requests, goal {GOAL} ms each, slowest "
                 f"{max(result['milliseconds'].values()):.0f} ms; seeded in {result['seed_seconds']:.0f} s")
    return "\n".join(lines + [f"  too slow: {title}" for title in slow])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gatehouse", help="the executable, built for release")
    parser.add_argument("--requests", type=int, default=1_000_000)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="gatehouse-audit.")
    os.chmod(folder, 0o755)
    try:
        result = measure(options.gatehouse, options.requests, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table(result))
    return 0 if max(result["milliseconds"].values()) <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
