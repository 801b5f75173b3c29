"""What clients notice while the server has other things to do: an import, and clients that are slow."""

import functools
import json
import resource
import select
import subprocess
import sys
import threading
import time

from airlock import MIB, ControlSocket, Server, import_source
from clients import Client, Paced, SlowReader, percentile
from rows import row
from rows.serving import zip_of_about
from stand import CHECKOUT, Skipped
from table import Figure, at_most, ratio_at_most

SLOW_CLIENTS = CHECKOUT / "benches" / "slow_clients.py"
SETTLED_SECONDS = 8
OPEN_WITHIN_SECONDS = 60


@row("during-import")
def while_an_import_runs(stand):
    """8.5.0 is imported into a server that serves 7.9.0; meanwhile, each in a process of its own: `/search` 200 times a
    second, a document 50 times, a change of what is active 10 times, and a zip at 10 kB/s. Times count from when a
    request was due."""
    writes, reads, searches, wals, seconds = [], [], [], [], []
    for _ in range(stand.rounds):
        during = one_import(stand)
        writes.append(percentile(during.writes, 0.99) * 1000)
        reads.append(percentile(during.reads, 0.99) * 1000)
        searches.append(percentile(during.searches, 0.99) * 1000)
        wals.append(during.wal_bytes / MIB)
        seconds.append(during.seconds)
    yield Figure.of("during an import: a change, p99", "ms", writes, must=at_most(250))
    yield Figure.of("during an import: a document, p99", "ms", reads, must=at_most(250))
    yield Figure.of("during an import: `/search` at 200/s, p99", "ms", searches, must=at_most(50))
    yield Figure("during an import: largest write-ahead log", "MiB", max(wals), must=at_most(256))
    yield Figure.of("during an import: the import itself", "s", seconds)


class During:
    """What was seen during one import."""

    def __init__(self, writes, reads, searches, wal_bytes, seconds):
        self.writes, self.reads, self.searches = writes, reads, searches
        self.wal_bytes, self.seconds = wal_bytes, seconds


def one_import(stand):
    store = stand.fresh("store-busy")
    import_source(stand.binary, store, stand.snapshot("7.9.0"))
    import_source(stand.binary, store, CHECKOUT / "sample", "--release", "1.0.0")
    with Server(stand.binary, store) as server:
        slow, _ = zip_of_about(server, 2_000_000)
        with server.client() as client:
            document = json.loads(client.get("/search?prerelease=true"))[0]["path"]
        with SlowReader(server.address, slow, bytes_per_second=10_000), WalWatch(server) as wal:
            searches = Paced(200, functools.partial(getting, server.address, "/d/7.9.0/search"))
            reads = Paced(50, functools.partial(getting, server.address, f"/d/7.9.0{document}/"))
            writes = Paced(10, functools.partial(activating, store))
            seconds, _ = import_source(stand.binary, store, stand.snapshot("8.5.0"))
            return During(writes.finish(), reads.finish(), searches.finish(), wal.largest_bytes, seconds)


def getting(address, path):
    client = Client(address)
    return lambda: client.get(path)


def activating(store):
    """Returns what activates the one and the other in turn."""
    control = ControlSocket(store)
    turn = 0

    def activate():
        nonlocal turn
        turn += 1
        branch = ("1.0.0", "7.9.0")[turn % 2]
        control.ask("PUT", f"/admin/api/v1/distributions/default/{branch}")

    return activate


class WalWatch:
    """Looks at the size of the write-ahead log, a hundred times a second."""

    def __init__(self, server):
        self.server = server
        self.largest_bytes = 0
        self.has_ended = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.has_ended.wait(0.01):
            self.largest_bytes = max(self.largest_bytes, self.server.wal_bytes())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.has_ended.set()
        self.thread.join()


@row("slow-clients")
def beside_slow_clients(stand):
    """p99 of four good clients that ask 100 times a second each, for a search, a document, an icon and the index, beside
    5,000 slow ones, against their p99 without, in turn: connections on which nothing is sent, heads and bodies of
    requests that come byte by byte, readers of a zip that hardly read. From eight seconds after the last has connected:
    until then the slow ones are 5,000 ordinary requests at once."""
    if not SLOW_CLIENTS.exists():
        raise Skipped(f"{SLOW_CLIENTS.name} is not there")
    allow_open_files(20_000)
    count = 200 if stand.is_quick else 5000
    with Server(stand.binary, stand.store) as server:
        path, _ = zip_of_about(server, 2_000_000)
    # What is asked for with a body that does not come is small: the body is the attack.
    for kind, asked in (("idle", "/"), ("head", "/"), ("body", "/"), ("reader", path)):
        pairs = []
        for _ in range(stand.rounds):
            with Server(stand.binary, stand.store) as server:
                calm = good_clients_p99(stand, server)
                with SlowClients(server, count, kind, asked):
                    time.sleep(SETTLED_SECONDS)
                    pairs.append((good_clients_p99(stand, server) * 1000, calm * 1000))
        what = f"good clients' p99 beside {count:,} of kind {kind}"
        yield Figure.in_pairs(what, "ms", pairs, must=ratio_at_most(2))


def good_clients_p99(stand, server):
    with server.client() as client:
        icon = json.loads(client.get("/search?package=nginx"))[0]["icons"][0]["path"]
    paths = ("/search?package=nginx", "/package/nginx/1.5.0/", icon, "/")
    clients = [Paced(100, functools.partial(getting, server.address, path)) for path in paths]
    time.sleep(stand.seconds)
    return percentile([sample for client in clients for sample in client.finish()], 0.99)


class SlowClients:
    """Clients of one slow kind, all connected once this is entered."""

    def __init__(self, server, count, kind, path):
        address = f"{server.address[0]}:{server.address[1]}"
        command = [sys.executable, SLOW_CLIENTS, address, str(count), kind, path]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        is_ready, _, _ = select.select([self.process.stdout], [], [], OPEN_WITHIN_SECONDS)
        if not is_ready or self.process.stdout.readline().strip() != "open":
            self.process.kill()
            raise RuntimeError(f"not all slow clients were connected within {OPEN_WITHIN_SECONDS} s")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def allow_open_files(count):
    """Allows this process and its children so many, as far as the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
