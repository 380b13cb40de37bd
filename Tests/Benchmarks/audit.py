"""Every question of docs/auditing.md, asked by the auditor's login of a ledger of a million requests.

Goal: a second each. What the ledger holds was lived through with a gateway (lives.py) and multiplied (seed.py).
"""
import re
import statistics
import subprocess
from pathlib import Path

GOAL = 1_000
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/auditing.md"


def questions():
    """(title, SQL) in the order of the document."""
    text = DOCUMENT.read_text()
    return re.findall(r"^### (\d+\. .*?)\n.*?```sql\n(.*?)```", text, re.MULTILINE | re.DOTALL)


def measure(ledger, requests):
    """Milliseconds of each question, median of 3."""
    seeded = ledger.grow(requests=requests)
    return {"requests": ledger.database.count("request"), "seed_seconds": seeded,
            "milliseconds": ask(ledger.database)}


def ask(database):
    """Milliseconds by title. The document's own serial, device and policy stand for some of this ledger."""
    serial, device, policy = database.run("""
        SELECT i.serial, i.device_id, i.policy_sha256 FROM audit.approvals AS a
        JOIN audit.issuance AS i USING (transaction_key)
        WHERE a.verdict = 'approve' AND a.at > now() - interval '9 days' AND i.signed_at IS NOT NULL
        ORDER BY i.signed_at DESC LIMIT 1""").split("|")
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
    lines = [f"{'question of docs/auditing.md':<96}{'median of 3':>14}"]
    lines += [f"{title:<96}{milliseconds:>11.1f} ms" for title, milliseconds in result["milliseconds"].items()]
    slow = [title for title, milliseconds in result["milliseconds"].items() if milliseconds > GOAL]
    lines.append(f"audit: {'FAIL' if slow else 'PASS'}: {len(result['milliseconds'])} questions on "
                 f"{result['requests']:,} requests, goal {GOAL} ms each, slowest "
                 f"{max(result['milliseconds'].values()):.0f} ms; seeded in {result['seed_seconds']:.0f} s")
    return "\n".join(lines + [f"  too slow: {title}" for title in slow])
