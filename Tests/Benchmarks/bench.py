"""Enrolments beside their crypto floor, the ledger beside pgbench, its verifier, auditors' questions, and policy.

docs/performance.md says how to read it.
"""
import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import audit
import floor
import large
import policy
import scenarios
import throughput
import verify
from gateway import Gateway


def measure(gateway, name, devices, workers):
    """Milliseconds of CPU for one enrolment, and the floor of the same minute."""
    scenario = scenarios.ALL[name]()
    prepared = scenario.prepare(gateway, devices, gateway.mint(devices, scenario.protocol))
    try:
        times = floor.operation_times()
        before, began = gateway.cpu(), time.monotonic()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(scenario.enrol, prepared))
        elapsed = time.monotonic() - began
        after = gateway.cpu()
    finally:
        scenario.close()
    spent = [(late - early) * 1_000 / len(devices) for early, late in zip(before, after)]
    least = floor.floor(name, times) * 1_000
    return {"gateway_ms": spent[0], "postgres_ms": spent[1], "floor_ms": least, "ratio": sum(spent) / least,
            "enrolments_per_second": len(devices) / elapsed}


def run(gateway, options):
    first_start = gateway.start()
    rounds = {name: [] for name in scenarios.ALL}
    fresh = gateway.memory()
    for number in range(options.rounds):
        for index, name in enumerate(scenarios.ALL):
            devices = [f"b{number}-{index}-{count}" for count in range(options.enrolments)]
            gateway.register(devices)
            rounds[name].append(measure(gateway, name, devices, options.workers))
            print(f"round {number + 1}, {name}: {rounds[name][-1]['ratio']:.1f}", file=sys.stderr)
    loaded = gateway.memory()
    stopped = gateway.stop()
    again = gateway.start()
    return {
        "enrolments": options.enrolments, "rounds": options.rounds, "workers": options.workers,
        "scenarios": {name: {
            **{key: statistics.median(one[key] for one in measured) for key in measured[0]},
            "ratios": [one["ratio"] for one in measured], "floor": floor.described(name),
        } for name, measured in rounds.items()},
        "ready_seconds": {"first_start": first_start, "existing_state": again}, "stop_seconds": stopped,
        "memory_mib": {
            "before": {"gateway": fresh[0], "postgres": fresh[1]},
            "after": {"gateway": loaded[0], "postgres": loaded[1]}},
    }


def table(result):
    lines = [f"{'one enrolment':<22}{'gateway':>10}{'postgres':>10}{'floor':>10}{'ratio':>8}   (rounds)"]
    for name, row in result["scenarios"].items():
        ratios = " ".join(f"{ratio:.1f}" for ratio in row["ratios"])
        lines.append(f"{name:<22}{row['gateway_ms']:>7.2f} ms{row['postgres_ms']:>7.2f} ms{row['floor_ms']:>7.2f} ms"
                     f"{row['ratio']:>8.1f}   ({ratios})")
    lines += [f"  floor of {name}: {row['floor']}" for name, row in result["scenarios"].items()]
    ready, memory = result["ready_seconds"], result["memory_mib"]
    lines.append(f"ready after {ready['first_start']:.2f} s on nothing, {ready['existing_state']:.2f} s on that state; "
                 f"stopped after {result['stop_seconds']:.2f} s")
    lines.append(f"memory, before → after: gateway {memory['before']['gateway']:.0f} → "
                 f"{memory['after']['gateway']:.0f} MiB, PostgreSQL {memory['before']['postgres']:.0f} → "
                 f"{memory['after']['postgres']:.0f} MiB")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("gatehouse", help="the executable, built for release")
    parser.add_argument("--enrolments", type=int, default=200, help="of each kind in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=8, help="devices at the same time")
    parser.add_argument("--only", choices=["enrolment", "policy", "throughput", "verify", "audit"],
                        help="measure this alone")
    parser.add_argument("--decisions", type=int, default=100_000, help="of policy, for each measurement")
    parser.add_argument("--intents", type=int, default=1_000_000, help="to replay")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64, 256], help="of the ledger, at a time")
    parser.add_argument("--issuances", type=int, default=1_000, help="on the ledger, for each number of clients")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000],
                        help="entries on the ledger before issuances are measured, rising")
    parser.add_argument("--entries", type=int, default=1_000_000, help="at least, on the ledger that is verified")
    parser.add_argument("--requests", type=int, default=1_000_000, help="on the ledger that auditors ask")
    parser.add_argument("--state", help="keep the large ledgers in this folder, and use those that are there")
    parser.add_argument("--json", help="write the result to this file as well")
    options = parser.parse_args()
    result = {}
    if options.only in (None, "policy"):
        result["policy"] = policy.measure(options.gatehouse, options.decisions, options.intents)
        print(policy.table(result["policy"]), flush=True)
    if options.only in (None, "throughput"):
        result["throughput"] = throughput.measure(
            options.gatehouse, options.state, options.sizes, options.clients, options.issuances)
        print(throughput.table(result["throughput"]), flush=True)
    if options.only in (None, "verify", "audit"):
        large_ledger(options, result)
    if options.only in (None, "enrolment"):
        measured = enrolment(options)
        result |= measured
        print(table(measured))
    text = json.dumps(result, ensure_ascii=False)
    print(text)
    if options.json:
        with open(options.json, "w") as file:
            file.write(text + "\n")


def large_ledger(options, result):
    """Both on one ledger, since it takes minutes to make."""
    with large.opened(options.gatehouse, options.state, "audit") as ledger:
        if options.only != "audit":
            result["verify"] = verify.measure(ledger, options.entries)
            print(verify.table(result["verify"]), flush=True)
        if options.only != "verify":
            result["audit"] = audit.measure(ledger, options.requests)
            print(audit.table(result["audit"]), flush=True)


def enrolment(options):
    folder = tempfile.mkdtemp(prefix="gatehouse-bench.")
    gateway = Gateway(options.gatehouse, folder)
    # The gateway may run as a user of its own.
    os.chmod(folder, 0o755)
    try:
        return run(gateway, options)
    except scenarios.Failed as failure:
        raise SystemExit(f"an enrolment failed: {failure}; the gateway's log:\n" + tail(gateway.log.name))
    finally:
        if gateway.child and gateway.child.poll() is None:
            gateway.stop()
        shutil.rmtree(gateway.state.resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def tail(path):
    with open(path, errors="replace") as file:
        return "".join(file.readlines()[-20:])


main()
