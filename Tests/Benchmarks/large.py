"""A gateway whose ledger is as large as one wants: made once, and kept where somebody wants to use it again."""
import contextlib
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import lives
import seed
from gateway import Gateway


class Ledger:
    def __init__(self, gateway):
        self.gateway = gateway
        self.database = seed.Database(str(gateway.state / "run"))

    def grow(self, requests=0, entries=0):
        """Brings it to so many requests, or entries, all of them in the log. Seconds that took."""
        began = time.monotonic()
        missing = requests + entries - self.database.count("request" if requests else "entry")
        # The last percent is not worth an analysis of all tables.
        if missing * 100 > requests + entries:
            print(f"seeding {missing:,} {'requests' if requests else 'entries'}", file=sys.stderr)
            recorded, unfinished = self._recorded(), self.gateway.state.parent / "unfinished"
            unfinished.touch()
            seed.seed(self.database, recorded, missing if requests else 0, missing if entries else 0)
            unfinished.unlink()
        while self.database.run("SELECT EXISTS (SELECT FROM ledger.pending_leaf)") == "t":
            time.sleep(0.5)
        return time.monotonic() - began

    def _recorded(self):
        file = self.gateway.state.parent / "lives.json"
        if not file.exists():
            file.write_text(json.dumps(lives.record(self.gateway)))
        return [lives.Recorded(*one) for one in json.loads(file.read_text())]


@contextlib.contextmanager
def opened(program, state, name, settings=()):
    """The ledger below `state`/`name`, which is kept; without a state a temporary one. `settings` are PostgreSQL's."""
    # Not TMPDIR: the path of a socket has at most 107 octets.
    folder = Path(state or tempfile.mkdtemp(prefix="gatehouse-bench.", dir="/tmp")).resolve() / name
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "unfinished").exists():
        raise SystemExit(f"the ledger in {folder} was left while it was seeded: remove it")
    # The gateway may run as a user of its own.
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    gateway = Gateway(program, folder)
    gateway.start()
    try:
        configuration = gateway.state / "postgres/gatehouse.conf"
        missing = [one for one in settings if one not in configuration.read_text()]
        if missing:
            gateway.stop()
            with open(configuration, "a") as file:
                file.writelines(one + "\n" for one in missing)
            gateway.start()
        yield Ledger(gateway)
    finally:
        if gateway.child.poll() is None:
            gateway.stop()
        if not state:
            shutil.rmtree(folder.parent, ignore_errors=True)
