"""Durable issuances a second: the ledger's own functions beside a plain loop and beside pgbench, in one run."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import large

SUPERUSER = "gatehouse_superuser"
# One issuance commits twice: before the CA's key is used, and before the certificate is released.
COMMITS = 2
SCRIPT = """BEGIN;
INSERT INTO reserved (body) VALUES (repeat('r', 200));
INSERT INTO spent (body) VALUES (repeat('s', 50));
COMMIT;
"""


class Database:
    """The cluster of a gateway's state, as its superuser."""

    def __init__(self, gateway):
        versions = sorted(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name))
        self.programs = versions[-1] / "bin"
        self.socket = str(gateway.state.resolve() / "run")
        if len(self.socket) > 85:
            raise SystemExit("the path of the state is too long for pgbench: set TMPDIR to a shorter one")

    def run(self, program, *words):
        done = subprocess.run(
            [self.programs / program, "-h", self.socket, "-U", SUPERUSER, *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{program}: {done.stderr}")
        return done.stdout

    def sql(self, text, database="gatehouse"):
        return self.run("psql", "-XqAtv", "ON_ERROR_STOP=1", "-d", database, "-c", text).strip()

    def prepare(self):
        if self.sql("SELECT count(*) FROM pg_database WHERE datname = 'pgbench'", "postgres") == "1":
            return
        self.sql("CREATE DATABASE pgbench", "postgres")
        for table in ("reserved", "spent"):
            self.sql(f"CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)", "pgbench")

    def pgbench(self, clients, transactions):
        """Transactions a second."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(SCRIPT)
            file.flush()
            said = self.run("pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-t",
                            str(max(1, transactions // clients)), "-f", file.name, "pgbench")
        line = next(line for line in said.splitlines() if line.startswith("tps"))
        return float(line.split()[2])


def bench(gateway, clients, issuances, **options):
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    said = gateway.command("ledger", "bench", "--clients", str(clients), "--issuances", str(issuances), *words)
    return json.loads(said)


def at_size(gateway, database, clients, issuances):
    """One line for each number of clients, and the plain loop of the same minute."""
    loop = bench(gateway, 1, max(50, issuances // 8), batch=1, connections=1)
    lines = []
    for count in clients:
        ours = bench(gateway, count, max(100, min(issuances, issuances * count // 8)))
        tps = database.pgbench(count, max(400, issuances * COMMITS))
        lines.append({
            "clients": count, "per_second": ours["per_second"], "p50_ms": ours["p50_microseconds"] / 1_000,
            "p99_ms": ours["p99_microseconds"] / 1_000, "pgbench_per_second": tps / COMMITS,
            "to_loop": ours["per_second"] / loop["per_second"], "to_pgbench": ours["per_second"] / (tps / COMMITS)})
        print(f"throughput: {count} clients, {ours['per_second']}/s", file=sys.stderr)
    return {"loop_per_second": loop["per_second"], "connections": bench(gateway, 1, 1)["connections"], "lines": lines}


def measure(program, state, sizes, clients, issuances):
    """Sizes are numbers of entries on the ledger beforehand, rising. One that the ledger is far beyond is left out."""
    results = []
    # Room for 256 clients of pgbench; a gateway has a few.
    with large.opened(program, state, "throughput", ["max_connections = 400"]) as ledger:
        database = Database(ledger.gateway)
        database.prepare()
        for size in sizes:
            if ledger.database.count("entry") > size * 3:
                print(f"throughput: the ledger is beyond {size:,} entries", file=sys.stderr)
                continue
            ledger.grow(entries=size)
            present = ledger.database.count("entry")
            # What follows is measured on so many: plans and pages are warm.
            bench(ledger.gateway, 8, 50)
            results.append({"entries": present, **at_size(ledger.gateway, database, clients, issuances)})
    return results


def table(results):
    lines = []
    for result in results:
        lines.append(f"durable issuances/s on a ledger of {result['entries']:,} entries "
                     f"({result['connections']} writing connections); plain loop {result['loop_per_second']}/s")
        lines.append(f"{'clients':>10}{'issued/s':>12}{'p50':>12}{'p99':>12}{'× loop':>10}{'pgbench/s':>12}"
                     f"{'× pgbench':>12}")
        for line in result["lines"]:
            lines.append(f"{line['clients']:>10}{line['per_second']:>12}{line['p50_ms']:>9.1f} ms"
                         f"{line['p99_ms']:>9.1f} ms{line['to_loop']:>10.2f}{line['pgbench_per_second']:>12.0f}"
                         f"{line['to_pgbench']:>12.2f}")
    return "\n".join(lines)
