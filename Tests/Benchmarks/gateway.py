"""A gateway with a private PostgreSQL below a temporary state, and what its processes cost."""
import datetime
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


class Gateway:
    def __init__(self, program, folder):
        self.program = program
        self.state = Path(folder) / "state"
        self.log = open(Path(folder) / "up.log", "ab")
        self.child = None

    def start(self):
        """Starts it; seconds until /readyz says yes."""
        began = time.monotonic()
        self.spawn()
        while time.monotonic() - began < 120:
            if self.child.poll() is not None:
                raise SystemExit(f"the gateway ended; its log: {self.log.name}")
            if self._is_ready():
                return time.monotonic() - began
            time.sleep(0.005)
        raise SystemExit("the gateway is not ready after 120 s")

    def spawn(self):
        """Starts it and does not wait."""
        ports = ["--tls-port", "--http-port", "--admin-port", "--http01-port", "--tls-alpn01-port"]
        self.child = subprocess.Popen(
            [self.program, "up", "--state", str(self.state)] + [word for port in ports for word in (port, "0")],
            stdout=self.log, stderr=self.log)

    def _is_ready(self):
        try:
            self.endpoints = json.loads((self.state / "run/endpoints.json").read_text())
            return urllib.request.urlopen(self.endpoints["admin"] + "/readyz", timeout=1).status == 200
        except (OSError, ValueError):
            return False

    def stop(self):
        """Seconds until it ended."""
        began = time.monotonic()
        self.child.send_signal(signal.SIGINT)
        self.child.wait(60)
        return time.monotonic() - began

    def command(self, *words, text=None):
        done = subprocess.run(
            [self.program, *words, "--state", str(self.state)], input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"gatehouse {' '.join(words)}: {done.stderr}")
        return done.stdout

    def register(self, devices):
        """Registers laptops that were compliant a minute ago."""
        minute_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
        posture = [{"source": "intune", "status": "compliant", "jailbroken": False,
                    "observed_at": minute_ago.strftime("%Y-%m-%dT%H:%M:%SZ")}]
        lines = [json.dumps({
            "id": device, "serial": None, "udid": None, "groups": ["corp-laptops"], "dns": [host(device)],
            "email": [], "upn": [], "sid": None, "owner": None, "posture": posture}) for device in devices]
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.chmod(file.name, 0o644)
            self.command("device", "import", file.name)

    def mint(self, devices, protocol):
        """One credential for each device, in their order."""
        def one(device):
            return json.loads(self.command(
                "credential", "mint", "--service", "laptops", "--device", device, "--protocol", protocol,
                "--ttl", "12h", "--output", "json"))
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(one, devices))

    def processes(self):
        """(ids of the gateway and what it started, ids of PostgreSQL's processes)"""
        postmaster = int((self.state / "postgres/postmaster.pid").read_text().split()[0])
        database = descendants(postmaster)
        return descendants(self.endpoints["process"]) - database, database

    def cpu(self):
        """Seconds of CPU used so far: (gateway, PostgreSQL)."""
        gateway, database = self.processes()
        return sum(map(cpu_seconds, gateway)), sum(map(cpu_seconds, database))

    def memory(self):
        """MiB: (resident size of the gateway, proportional size of PostgreSQL)."""
        gateway, database = self.processes()
        return (sum(kibibytes(pid, "status", "VmRSS:") for pid in gateway) / 1024,
                sum(kibibytes(pid, "smaps_rollup", "Pss:") for pid in database) / 1024)


def host(device):
    return f"{device}.devices.localhost"


def descendants(root):
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := stat(int(entry))):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, rest = set(), [root]
    while rest:
        pid = rest.pop()
        found.add(pid)
        rest += children.get(pid, [])
    return found


def stat(pid):
    """The fields of /proc/PID/stat from the state on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(pid):
    """User and system time of a process and of its children that ended."""
    return sum(int(value) for value in stat(pid)[11:15]) / TICK


def kibibytes(pid, file, label):
    try:
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(label):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
