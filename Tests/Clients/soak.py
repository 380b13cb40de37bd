"""Kills a gateway under load, again and again, and then holds what its clients received against its ledger.

Clients over EST ask with fresh devices, keys and credentials and repeat until they are answered; a fifth of the
credentials are fought over by two clients. Each life of the gateway is ended by SIGKILL after a random time, some
while they start, and every 50th time PostgreSQL is made to crash as well. Ends with 1 when anything was lost.
"""
import argparse
import base64
import collections
import hashlib
import http.client
import json
import os
import queue
import random
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

import certification

sys.path.insert(0, str(Path(__file__).parent.parent / "Benchmarks"))
from gateway import Gateway, host, kibibytes  # noqa: E402

PATH = "/.well-known/est/laptops/simpleenroll"


class Job:
    """One device's wish: the same request until it is answered."""

    def __init__(self, credential, key, rival=False):
        self.credential, self.rival = credential["id"], rival
        device = credential["device"]
        self.body = base64.b64encode(certification.request(key, {"common_name": device, "dns": [host(device)]}))
        basic = base64.b64encode(f"{credential['username']}:{credential['password']}".encode()).decode()
        self.headers = {"Content-Type": "application/pkcs10", "Authorization": "Basic " + basic}
        self.spki = certification.spki(key.public_key())
        self.certificate = None
        self.refusal = None


class Crowd:
    """The clients, and what they saw."""

    def __init__(self, options):
        self.options = options
        self.fresh, self.lock = queue.Queue(), threading.Lock()
        self.jobs, self.done, self.violations = [], [], []
        self.answers = collections.Counter()
        self.stopping = threading.Event()
        self.service, self.generation = None, 0
        self.changed = threading.Condition()
        self.threads = []

    def serve_from(self, url):
        with self.changed:
            self.service, self.generation = url, self.generation + 1
            self.changed.notify_all()

    def add(self, jobs):
        with self.lock:
            self.jobs += jobs
        for job in jobs:
            self.fresh.put(job)

    def start(self, root):
        self.tls = ssl.create_default_context(cafile=root)
        self.threads = [threading.Thread(target=self.work) for _ in range(self.options.clients)]
        for thread in self.threads:
            thread.start()

    def finish(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        if any(thread.is_alive() for thread in self.threads):
            self.violations.append("a request had no final answer a minute after the last start")

    def work(self):
        client = Client(self)
        while not (self.stopping.is_set() and self.fresh.empty()):
            try:
                job = self.fresh.get_nowait()
            except queue.Empty:
                with self.lock:
                    job = random.choice(self.done) if self.done else None
                time.sleep(0.005)
            if job:
                self.settle(client, job)
                time.sleep(random.uniform(0, 0.03))

    def settle(self, client, job):
        known = job.certificate
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status, text = client.ask(job)
            with self.lock:
                self.answers[status] += 1
            if status == 200:
                return self.take(job, known, text)
            if status in (0, 202, 503):
                time.sleep(0.01)
                continue
            if known or not job.rival:
                self.violations.append(f"HTTP {status} for {job.credential}: {text[:300]}")
            job.refusal = status
            return None
        self.violations.append(f"no final answer in a minute for {job.credential}")

    def take(self, job, known, text):
        certificates = pkcs7.load_der_pkcs7_certificates(base64.b64decode(text))
        mine = [one for one in certificates if certification.spki(one.public_key()) == job.spki]
        if len(mine) != 1:
            self.violations.append(f"an answer without the device's certificate: {job.credential}")
            return
        der = mine[0].public_bytes(serialization.Encoding.DER)
        if known and known != der:
            self.violations.append(f"another certificate for the same request: {job.credential}")
        job.certificate = der
        if not known:
            with self.lock:
                self.done.append(job)


class Client:
    """One connection, made anew when it breaks."""

    def __init__(self, crowd):
        self.crowd, self.connection, self.generation = crowd, None, 0

    def ask(self, job):
        """(status, body); status 0 when there was no answer."""
        crowd = self.crowd
        with crowd.changed:
            crowd.changed.wait_for(lambda: crowd.service is not None, 1)
            service, generation = crowd.service, crowd.generation
        if service is None:
            return 0, ""
        try:
            if self.connection is None or self.generation != generation:
                self.connection = http.client.HTTPSConnection(
                    urllib.parse.urlsplit(service).netloc, timeout=20, context=crowd.tls)
                self.generation = generation
            self.connection.request("POST", PATH, job.body, job.headers)
            response = self.connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return 0, ""


class Soak:
    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="gatehouse-soak.")
        os.chmod(self.folder, 0o755)
        self.gateway = Gateway(options.gatehouse, self.folder)
        self.crowd = Crowd(options)
        self.minting = threading.Event()
        self.counts = collections.Counter()
        self.anchor = b""
        self.slowest_start = 0

    # Credentials: `credential mint` goes to the database itself, so it works while the gateway is dead.

    def mint(self, first, count):
        devices = [f"soak-{number}" for number in range(first, first + count)]
        self.gateway.register(devices)
        jobs = []
        for number, credential in enumerate(self.gateway.mint(devices, "est")):
            rivals = 2 if (first + number) % 5 == 0 else 1
            jobs += [Job(credential, certification.key("p256"), rivals == 2) for _ in range(rivals)]
        self.crowd.add(jobs)

    def keep_minting(self):
        number = 1_000_000
        while not self.minting.is_set():
            if self.crowd.fresh.qsize() > 400:
                time.sleep(0.1)
                continue
            try:
                self.mint(number, 20)
            except SystemExit:  # PostgreSQL was just made to crash
                time.sleep(0.2)
            number += 20

    # Lives and deaths

    def start(self):
        (self.gateway.state / "run/endpoints.json").unlink(missing_ok=True)
        took = self.gateway.start()
        self.slowest_start = max(self.slowest_start, took)
        self.crowd.serve_from(self.gateway.endpoints["tls"])

    def crash_database(self):
        os.kill(self.postmaster(), signal.SIGQUIT)
        self.counts["PostgreSQL crashes"] += 1

    def postmaster(self):
        return int((self.gateway.state / "postgres/postmaster.pid").read_text().split()[0])

    def lives(self):
        """Begins and ends with a gateway in service."""
        for number in range(1, self.options.kills + 1):
            anchor = self.gateway.state / "log/anchor"
            if not self.anchor and anchor.exists():
                self.anchor = anchor.read_bytes()
            is_starting = number % 20 == 0
            if is_starting:
                self.die()
                self.counts["kills"] += 1
                self.gateway.spawn()
                self.counts["of them while it started"] += 1
            time.sleep(random.uniform(0, 0.2) if is_starting else random.uniform(0.05, 0.4))
            if number % 50 == 0:
                self.crash_database()
                time.sleep(random.uniform(0, 0.2))
            self.die()
            self.counts["kills"] += 1
            self.start()
            if number % 10 == 0 or number == self.options.kills:
                self.progress(number)

    def die(self):
        self.gateway.child.kill()
        self.gateway.child.wait()
        # Until here the clients learn of it by their broken connections alone.
        self.crowd.serve_from(None)

    def progress(self, number):
        received = len(self.crowd.done)
        print(f"\r{number} of {self.options.kills} kills, {received} certificates, "
              f"{len(self.crowd.violations)} violations", end="" if sys.stderr.isatty() else "\n", file=sys.stderr)

    def steady(self):
        """Memory and open files of one long life."""
        end = time.monotonic() + self.options.steady
        samples = []
        pid = self.gateway.endpoints["process"]
        while time.monotonic() < end:
            time.sleep(min(5, max(0.1, end - time.monotonic())))
            samples.append((kibibytes(pid, "status", "VmRSS:") // 1024, len(os.listdir(f"/proc/{pid}/fd")),
                            len(self.crowd.done)))
            print("steady: {} MiB resident, {} descriptors, {} certificates".format(*samples[-1]), file=sys.stderr)
        return samples

    # The ledger's side

    def query(self, sql):
        return json.loads(self.gateway.command("ledger", "query", "--output", "json", "--limit", "100000000", sql))

    def wait_for_outcomes(self):
        """Seconds until every reservation has an outcome."""
        began = time.monotonic()
        while time.monotonic() - began < 180:
            if not self.query("SELECT request_id FROM audit.open_issuance LIMIT 1"):
                return time.monotonic() - began
            time.sleep(1)
        self.crowd.violations.append("a reservation is open after three minutes")
        return time.monotonic() - began

    def compare(self):
        violations = self.crowd.violations
        rows = self.query(
            "SELECT state, serial, certificate_sha256, credential_id, revocation_reason FROM audit.issuance "
            "WHERE serial IS NOT NULL")
        known = {row["certificate_sha256"]: row for row in rows if row["certificate_sha256"]}
        for job in self.crowd.done:
            row = known.get(hashlib.sha256(job.certificate).hexdigest())
            if row is None:
                violations.append(f"released and not on the ledger: {job.credential}")
            elif row["state"] != "issued" or row["credential_id"] != job.credential:
                violations.append(f"released, and on the ledger as {row['state']} of {row['credential_id']}")
        closed = [row for row in rows if row["state"] == "closed"]
        violations += [f"closed and not revoked: serial {row['serial']}" for row in closed
                       if row["revocation_reason"] is None]
        issued = collections.Counter(row["credential_id"] for row in rows if row["state"] == "issued")
        violations += [f"{times} certificates by credential {one}" for one, times in issued.items() if times > 1]
        received = collections.Counter(job.credential for job in self.crowd.done)
        violations += [f"{times} clients got a certificate by {one}" for one, times in received.items() if times > 1]
        unanswered = [job for job in self.crowd.jobs if job.certificate is None and job.refusal is None]
        violations += [f"never answered: {job.credential}" for job in unanswered]
        used = {job.credential for job in self.crowd.jobs}
        violations += [f"nobody got a certificate by {one}" for one in used - set(received)]
        serials = [row["serial"] for row in rows]
        if len(set(serials)) != len(serials):
            violations.append("a serial number was reserved twice")
        self.counts |= {"certificates received": len(self.crowd.done), "certificates on the ledger": len(known),
                        "reservations": len(rows), "orphans closed and revoked": len(closed)}

    def verify(self):
        """What gatehouse-verify says of the whole ledger; its lines."""
        state = self.gateway.state.resolve()
        against = []
        if self.anchor:
            # Of one of the first lives: what it signed is still part of the log.
            early = self.gateway.state / "early-checkpoint"
            early.write_bytes(self.anchor)
            against = ["--against", early]
        done = subprocess.run(
            [Path(self.options.gatehouse).parent / "gatehouse-verify", "database", "--host", state / "run", "--name",
             "gatehouse", "--key", state / "pki/log.vkey", *against], capture_output=True, text=True)
        if done.returncode != 0:
            self.crowd.violations.append(f"gatehouse-verify ended with {done.returncode}")
        return (done.stdout + done.stderr).strip()

    def run(self):
        began = time.monotonic()
        self.start()
        self.mint(0, 40)
        minter = threading.Thread(target=self.keep_minting)
        minter.start()
        self.crowd.start(str(self.gateway.state / "pki/root.pem"))
        try:
            self.lives()
            samples = self.steady()
        finally:
            self.minting.set()
            minter.join()
            self.crowd.finish()
        waited = self.wait_for_outcomes()
        self.compare()
        verified = self.verify() if self.options.verify else "(not asked for)"
        return self.report(time.monotonic() - began, samples, waited, verified)

    def report(self, seconds, samples, waited, verified):
        answers = ", ".join(f"{count} × {status or 'no answer'}" for status, count in
                            sorted(self.crowd.answers.items()))
        print(f"soak: seed {self.options.seed}, {seconds:.0f} s, {self.options.clients} clients")
        for name, count in self.counts.items():
            print(f"  {name}: {count}")
        print(f"  answers: {answers}")
        print(f"  slowest start until ready: {self.slowest_start:.2f} s; last reservation settled {waited:.0f} s "
              "after the load")
        for memory, descriptors, certificates in [samples[0], samples[-1]] if samples else []:
            print(f"  steady: {memory} MiB resident, {descriptors} descriptors, {certificates} certificates")
        print("  verifier: " + verified.replace("\n", "\n    "))
        for violation in self.crowd.violations[:50]:
            print(f"  VIOLATION: {violation}")
        print("soak: " + (f"FAIL, {len(self.crowd.violations)} violations" if self.crowd.violations else
                          "PASS, every certificate received is on the ledger and every orphan is revoked"))
        return 1 if self.crowd.violations else 0

    def remove(self):
        if self.gateway.child and self.gateway.child.poll() is None:
            self.gateway.stop()
        try:
            os.kill(self.postmaster(), signal.SIGQUIT)
        except (OSError, ValueError, IndexError):
            pass
        shutil.rmtree(self.gateway.state.resolve(), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("gatehouse", help="the executable, built for release")
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--steady", type=int, default=60, help="seconds of one long life after the last kill")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of the random times")
    parser.add_argument("--no-verify", dest="verify", action="store_false", help="do not run the verifier at the end")
    parser.add_argument("--keep", action="store_true", help="leave state and log behind")
    options = parser.parse_args()
    random.seed(options.seed)
    soak = Soak(options)
    status = 1
    try:
        status = soak.run()
    finally:
        if options.keep:
            print(f"soak: state and log are in {soak.folder}", file=sys.stderr)
        else:
            if status:
                shutil.copy(soak.gateway.log.name, "soak.log")
                print("soak: the gateway's log is in soak.log", file=sys.stderr)
            soak.remove()
    raise SystemExit(status)


main()
