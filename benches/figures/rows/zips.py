"""The packages of 8.5.0 as zips: their import, what they take in the store, and their download beside nginx."""

import functools
import hashlib
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass

from airlock import MIB, Server, import_source
from nginx import Nginx
from rows import row
from rows.serving import beside_nginx, zip_of_about
from stand import Skipped
from table import Figure, at_least, at_most, ratio_at_least
from zip_sets import make_zip_sets

ZIP_BYTES = 2_000_000
PACKAGE_FILE = re.compile(r"(.+?)-\d+\.")
# What must hold of the store, and what is hoped for, in hundredths of the zips' bytes.
SHARES = {"deflated": (15, 14), "stored": (9, 8), "half": (14, 12)}


@dataclass(frozen=True)
class Import:
    """What importing one of the sets came to, in rounds."""

    zips_bytes: int
    seconds: list
    peak_bytes: int
    store_bytes: int


@functools.cache
def sets(stand):
    """Makes the sets once, some 5 GB and two minutes."""
    if not shutil.which("go"):
        raise Skipped("no Go to zip with: install golang-go")
    folder = stand.fresh("zip-sets")
    folder.mkdir()
    make_zip_sets(stand.snapshot("8.5.0"), folder, list(SHARES))
    return folder


@functools.cache
def imported(stand, name):
    """Imports one of the sets once a round, each time into a new store; the last is kept."""
    source = sets(stand) / f"{name}.tar"
    store = stand.fresh(f"store-of-{name}-zips")
    seconds, peak_bytes = [], 0
    for _ in range(stand.rounds):
        shutil.rmtree(store, ignore_errors=True)
        # Into the page cache; and what was written before is not to be waited for.
        subprocess.run(["cat", source], stdout=subprocess.DEVNULL, check=True)
        subprocess.run(["sync"], check=True)
        took, peak = import_source(stand.binary, store, source, "--release", "8.5.0")
        seconds.append(took)
        peak_bytes = max(peak_bytes, peak)
    store_bytes = sum(file.stat().st_size for file in store.iterdir())
    with tarfile.open(source) as tar:
        zips_bytes = sum(member.size for member in tar)
    return Import(zips_bytes, seconds, peak_bytes, store_bytes)


@row("zip-import")
def zip_import(stand):
    """`airlock import` of a tar of all 1,912 packages as zips into a new folder, and `sync`; the tar in the page cache. The
    zips are made by Go's archive/zip: all deflated, all stored, and the older half of each package's versions stored."""
    for name in SHARES:
        one = imported(stand, name)
        rates = [one.zips_bytes / 1e6 / seconds for seconds in one.seconds]
        yield Figure.of(f"import of zips, {name}", "MB/s", rates, must=at_least(250), goal=at_least(400))


@row("zip-import-memory")
def zip_import_memory(stand):
    """The most that was resident in any of these imports; nothing is decompressed but the zips."""
    peak = max(imported(stand, name).peak_bytes for name in SHARES)
    yield Figure("their peak memory", "MiB", peak / MIB, must=at_most(192))


@row("zip-store")
def zip_store(stand):
    """All files of the data folder after such an import, in hundredths of the bytes of the zips."""
    for name, (must, goal) in SHARES.items():
        one = imported(stand, name)
        share = 100 * one.store_bytes / one.zips_bytes
        yield Figure(f"store of zips, {name}", "%", share, must=at_most(must), goal=at_most(goal))


@row("zip-download")
def zip_download(stand):
    """As the answers, of the zip nearest to 2 MB in the set that is deflated and in the set that is stored. Before that, all
    zips of each set are downloaded and their digests compared with those they were made with."""
    for name, must, goal in (("deflated", 0.5, 0.7), ("stored", 0.25, 0.5)):
        imported(stand, name)
        store = stand.folder / f"store-of-{name}-zips"
        with Server(stand.binary, store) as server, Nginx(stand.fresh("nginx")) as nginx:
            check_digests(server, sets(stand) / f"{name}.sums")
            path, size = zip_of_about(server, ZIP_BYTES)
            bounds = {"must": ratio_at_least(must), "goal": ratio_at_least(goal)}
            what = f"a {name} zip of {size / 1e6:.1f} MB, `{path}`"
            yield beside_nginx(stand, server, nginx, what, path, False, bounds)


def check_digests(server, sums):
    """Requires that each zip comes back with the digest it went in with."""
    with server.client() as client:
        for line in sums.read_text().splitlines():
            sha256, file = line.split("  ")
            name = PACKAGE_FILE.match(file)[1]
            if hashlib.sha256(client.get(f"/epr/{name}/{file}")).hexdigest() != sha256:
                raise RuntimeError(f"{file} did not come back as it was")
