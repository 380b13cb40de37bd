"""gatehouse-verify on one core, beside reading and hashing every body once."""
import contextlib
import os
import subprocess
import time
from pathlib import Path

from gateway import kibibytes

GOAL = 100_000  # entries a second
RUNS = 3
BODIES = "COPY (SELECT body FROM ledger.entry) TO STDOUT"
CORE = max(os.sched_getaffinity(0))


def leave_core(gateway):
    """Keeps the gateway, its PostgreSQL and who measures off the core that is measured, where there is another."""
    others = os.sched_getaffinity(0) - {CORE}
    for pid in {os.getpid()}.union(*gateway.processes()) if others else ():
        # Some end meanwhile.
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), others)


def timed(command):
    """(exit code, seconds by the clock, seconds of CPU, MiB resident at most) of a command that has one core."""
    began, most, pid = time.monotonic(), 0, 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, {CORE}))
    while not pid:
        time.sleep(0.02)
        # That of rusage would begin with what Python has.
        most = max(most, kibibytes(process.pid, "status", "VmHWM:"))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - began, usage.ru_utime + usage.ru_stime, most / 1024


def measure(ledger, entries):
    """Of a ledger with so many entries, all of them leaves."""
    ledger.grow(entries=entries)
    database, gateway = ledger.database, ledger.gateway
    leave_core(gateway)
    copy = [*database.command, "-c", BODIES]
    # The first reads what the others find in memory.
    floor = min(timed(["sh", "-c", '"$@" | openssl dgst -sha256', "sh", *copy])[1] for _ in range(RUNS))
    result = {"entries": database.count("entry"), "floor_seconds": floor}
    verifier = [str(Path(gateway.program).resolve().with_name("gatehouse-verify")), "database", "--host",
                str(gateway.state / "run"), "--name", "gatehouse", "--key", str(gateway.state / "pki/log.vkey")]
    for name, words in (("without_replay", ["--skip-replay"]), ("whole", [])):
        runs = [timed(verifier + words) for _ in range(RUNS)]
        if code := next((run[0] for run in runs if run[0] != 0), 0):
            raise SystemExit(f"gatehouse-verify ended with {code}; run it: {' '.join(verifier)}")
        # Once PostgreSQL has it in memory, what else the machine does only makes a run longer: the best is what it
        # takes, here as of the floor.
        _, clock, processor, _ = min(runs, key=lambda run: run[1])
        result[name] = {"seconds": clock, "slowest_seconds": max(run[1] for run in runs), "cpu_seconds": processor,
                        "memory_mib": max(run[3] for run in runs), "per_second": result["entries"] / clock,
                        "ratio": clock / result["floor_seconds"]}
    return result


def table(result):
    lines = [f"{f'verifying on one core, best of {RUNS}':<32}{'clock':>10}{'slowest':>10}{'CPU':>10}{'entries/s':>12}"
             f"{'ratio':>8}{'resident':>12}",
             f"{'floor: read and hash bodies':<32}{result['floor_seconds']:>8.1f} s"]
    for name, title in (("without_replay", "--skip-replay"), ("whole", "everything, decisions too")):
        one = result[name]
        lines.append(f"{title:<32}{one['seconds']:>8.1f} s{one['slowest_seconds']:>8.1f} s{one['cpu_seconds']:>8.1f} s"
                     f"{one['per_second']:>12,.0f}{one['ratio']:>8.1f}{one['memory_mib']:>8.0f} MiB")
    rate = result["whole"]["per_second"]
    lines.append(f"verify: {'PASS' if rate >= GOAL else 'FAIL'}: {result['entries']:,} entries, a million in "
                 f"{1_000_000 / rate:.1f} s, goal 10 s")
    return "\n".join(lines)
