"""Five hundred requests a second while everything that can change changes.

    python3 tests/clients/changes.py PACKAGE-STORAGE-7.9.0 PACKAGE-STORAGE-8.5.0 --binary target/release/airlock [--seconds 120]

The two are snapshots as .tar.zst. While a distribution is set, held back, rolled back, a release imported (niced), deleted and
collected, each in turn, clients ask for what the distribution offers and for what it once offered. Every answer has to be, whole,
one that was given when nothing changed; none may fail; and the 99th of a hundred has 50 ms. Ends with 1 where that does not hold.
"""

import argparse
import hashlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benches/figures"))
from airlock import QUIET, Server
from clients import FORK, Client, percentile

PER_SECOND = 500
CLIENTS = 5
MOST_SECONDS = 0.050
AT = "/d/prod"
LISTS = ("/search", "/search?kibana.version=8.5.0", "/search?package=nginx&kibana.version=8.5.0", "/categories", "/categories?prerelease=true")
HELD = "nginx"


def main():
    arguments = parsed()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        store = Path(folder, "data")
        for release, source in (("7.9.0", arguments.older), ("8.5.0", arguments.newer)):
            airlock(arguments, store, "import", source, "--release", release, "--yes", "--quiet")
        with Server(arguments.binary, store) as server:
            return under_change(arguments, server, store)


def under_change(arguments, server, store):
    def run(*command, nice=0):
        return airlock(arguments, store, *command, nice=nice)

    run("distribution", "create", "prod", "--from", "8.5.0")
    with Client(server.address) as client:
        newest = json.loads(client.get(f"{AT}/search?package={HELD}"))[0]
        older = json.loads(client.get(f"{AT}/search?package={HELD}&all=true"))[0]
        document = json.loads(client.get(f"{AT}{newest['path']}/"))
        pinned = [f"{newest['path']}/", newest["download"], document["assets"][0], f"{older['path']}/"]
        # What each state answers, while nothing changes: this is all that may ever come.
        before = last_change_set(run)
        steps = changes(run, before, arguments.older, older["version"])
        allowed = {path: set() for path in (*LISTS, *pinned)}
        for _, step in [("nothing", lambda: None), *steps]:
            step()
            for path, seen in allowed.items():
                seen.add(digest(client.get(f"{AT}{path}")))
    many = [path for path in LISTS if len(allowed[path]) < 2]
    if many or any(len(allowed[path]) != 1 for path in pinned):
        print(f"the changes change too little or too much: {many}, {[len(allowed[path]) for path in pinned]}")
        return 1

    clients = [Asking(server.address, allowed, PER_SECOND / CLIENTS, number) for number in range(CLIENTS)]
    done, until = [], time.monotonic() + arguments.seconds
    while time.monotonic() < until:
        for name, step in steps:
            step()
            done.append(name)
    samples, failures = [], []
    for client in clients:
        took, failed = client.finish()
        samples += took
        failures += failed
    rate = len(samples) / arguments.seconds
    middle, most = percentile(samples, 0.5), percentile(samples, 0.99)
    print(f"{len(samples):,} answers, {rate:.0f} a second, beside {len(done)} changes: {', '.join(sorted(set(done)))}")
    print(f"half of them within {1000 * middle:.1f} ms, 99 of 100 within {1000 * most:.1f} ms, all within {1000 * max(samples):.0f} ms")
    print("\n".join([f"{len(failures)} failed or mixed", *failures[:10]]))
    return 1 if failures or most > MOST_SECONDS or rate < 0.95 * PER_SECOND else 0


def changes(run, before, source, version):
    """Returns the changes, as (name, what does it), that end where they began."""
    return [
        ("set to the older release", lambda: run("distribution", "set", "prod", "--from", "7.9.0")),
        ("set back", lambda: run("distribution", "set", "prod", "--from", "8.5.0")),
        ("hold", lambda: run("hold", "prod", HELD, "--at", version, "--reason", "a test")),
        ("import", lambda: run("import", source, "--release", "7.9.1", "--yes", "--quiet", nice=10)),
        ("rollback", lambda: run("rollback", before, "--yes", "--reason", "a test")),
        ("delete-release", lambda: run("delete-release", "7.9.1", "--yes")),
        ("gc", lambda: run("gc")),
    ]


def last_change_set(run):
    found = json.loads(run("history", "--limit", "1", "--json"))
    found = found if isinstance(found, list) else found["change_sets"]
    return str(found[0].get("change_set") or found[0].get("number"))


class Asking:
    """A client in a process of its own that keeps to its schedule, as `Paced` does, and says what was wrong."""

    def __init__(self, address, allowed, per_second, number):
        self.stop = FORK.Event()
        self.receiver, sender = FORK.Pipe(duplex=False)
        self.process = FORK.Process(target=self._run, args=(address, allowed, 1 / per_second, number, sender), daemon=True)
        self.process.start()

    def _run(self, address, allowed, interval, number, sender):
        samples, failures = [], []
        paths = itertools.cycle(allowed)
        for _ in range(number):
            next(paths)
        client = Client(address)
        due = time.monotonic() + interval * number / CLIENTS
        while not self.stop.is_set():
            time.sleep(max(0.0, due - time.monotonic()))
            path = next(paths)
            try:
                body = client.get(f"{AT}{path}")
                if digest(body) not in allowed[path]:
                    failures.append(f"  {path}: an answer of no state, {len(body)} bytes")
            except (OSError, RuntimeError) as error:
                failures.append(f"  {path}: {error}")
                client = Client(address)
            samples.append(time.monotonic() - due)
            due += interval
        sender.send((samples, failures))

    def finish(self):
        self.stop.set()
        try:
            return self.receiver.recv()
        finally:
            self.process.join()


def digest(body):
    return hashlib.blake2b(body, digest_size=16).digest()


def airlock(arguments, store, *command, nice=0):
    whole = ["nice", "-n", str(nice), arguments.binary, "--data-dir", store, *command]
    done = subprocess.run(whole, capture_output=True, text=True, env=QUIET)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("older", type=Path)
    parser.add_argument("newer", type=Path)
    parser.add_argument("--binary", type=Path, required=True, metavar="FILE", help="airlock, a release build")
    parser.add_argument("--seconds", type=int, default=120)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
