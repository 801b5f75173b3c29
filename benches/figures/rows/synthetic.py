"""Sources that no release has: ten times the versions, and an entry of 200 MB."""

import io
import os
import re
import subprocess
import tarfile
import threading

from airlock import MIB, Server, import_source
from rows import row
from table import Figure, at_most

TIMES = 10
LARGE_BYTES = 200_000_000
# What an import and the documents need of a package. Icons and pipelines make it larger, not more.
KEPT = ("*/manifest.yml", "*/docs/README.md", "*/changelog.yml")
LARGE_MANIFEST = """format_version: 1.0.0
name: large
title: Large
version: 1.0.0
description: One large file.
type: integration
categories: [custom]
conditions:
  kibana.version: "^8.0.0"
owner:
  github: elastic/integrations
"""


@row("ten-times")
def ten_times_the_versions(stand):
    """As the start above, of a store with each package version of 8.5.0 ten times: its manifests, README and changelog,
    with another patch number each time."""
    count = 0
    store = stand.fresh("store-of-ten")

    def write(pipe):
        nonlocal count
        with tarfile.open(fileobj=pipe, mode="w|") as tar:
            for version in versions(stand):
                for number in range(TIMES):
                    version.add_to(tar, number)
                    count += 1

    import_stream(stand, store, write, "--release", "99.0.0")
    milliseconds = []
    for _ in range(stand.rounds):
        with Server(stand.binary, store) as server:
            with server.client() as client:
                offered = client.get("/search?all=true&prerelease=true").count(b'"download":')
            if offered != count:
                raise RuntimeError(f"{offered} of {count} versions are offered")
            milliseconds.append(server.seconds_to_first_search * 1000)
    what = f"ten times the versions ({count:,}), start to first `/search`"
    yield Figure.of(what, "ms", milliseconds, must=at_most(500), goal=at_most(300))


class Version:
    """The kept files of one package version."""

    def __init__(self, folder):
        self.name, self.version = folder.parent.name, folder.name
        self.files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    def add_to(self, tar, number):
        """Adds it with its patch number raised by `number` thousand."""
        core, dash, rest = self.version.partition("-")
        major, minor, patch = core.split(".")
        version = f"{major}.{minor}.{int(patch) + 1000 * number}{dash}{rest}"
        for path, content in self.files.items():
            if path == "manifest.yml":
                content = re.sub(rb"(?m)^version:.*$", b"version: " + version.encode(), content)
            add_file(tar, f"packages/{self.name}/{version}/{path}", content)


def versions(stand):
    """Yields the package versions of 8.5.0, as far as they are kept."""
    folder = stand.fresh("manifests")
    folder.mkdir()
    decompress = subprocess.Popen(["zstd", "-dcq", "--long=31", stand.snapshot("8.5.0")], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", folder, "--wildcards", *KEPT], stdin=decompress.stdout, check=True)
    decompress.wait()
    for manifest in sorted(folder.glob("*/packages/*/*/manifest.yml")):
        yield Version(manifest.parent)


def add_file(tar, path, content):
    member = tarfile.TarInfo(path)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def import_stream(stand, store, write, *options):
    """Imports what `write` writes into a pipe; returns (seconds, peak bytes)."""
    reader, writer = os.pipe()
    failed = []

    def run():
        with os.fdopen(writer, "wb") as pipe:
            try:
                write(pipe)
            except Exception as error:
                failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    # Closes our copy of the reading end once the child has its own, so that a child that ends also ends the writer.
    outcome = import_source(stand.binary, store, "-", *options, stdin=os.fdopen(reader, "rb"))
    thread.join()
    if failed:
        raise failed[0]
    return outcome


@row("large-entry")
def one_entry_of_200_megabytes(stand):
    """A tar of one package with one file of 200 MB, once of noise and once of lines of text, made while it is imported;
    then `VmHWM` while four clients download its zip at once."""
    text = b"2022-11-01T08:00:00.000Z INFO one line of a log that is much like the next\n"
    for kind, repeat in (("noise", None), ("text", text)):
        store = stand.fresh(f"store-of-{kind}")

        def write(pipe):
            with tarfile.open(fileobj=pipe, mode="w|") as tar:
                add_file(tar, "packages/large/1.0.0/manifest.yml", LARGE_MANIFEST.encode())
                add_file(tar, "packages/large/1.0.0/docs/README.md", b"# Large\n")
                member = tarfile.TarInfo("packages/large/1.0.0/kibana/ml_module/large.json")
                member.size = LARGE_BYTES
                tar.addfile(member, Endless(repeat))

        _, peak = import_stream(stand, store, write, "--release", "1.0.0")
        what = f"an entry of 200 MB of {kind}: peak memory of its import"
        yield Figure(what, "MiB", peak / MIB, must=at_most(192), goal=at_most(96))
        with Server(stand.binary, store) as server:
            url = f"{server.url}/epr/large/large-1.0.0.zip"
            server.forget_peak()
            curl = ["curl", "--fail", "--silent", "--output", "/dev/null", url]
            clients = [subprocess.Popen(curl) for _ in range(4)]
            if any(client.wait() for client in clients):
                raise RuntimeError(f"{url} could not be downloaded")
            peak = server.peak_bytes()
        what = f"an entry of 200 MB of {kind}: resident during its download"
        yield Figure(what, "MiB", peak / MIB, must=at_most(100), goal=at_most(60))


class Endless:
    """A file without an end, of noise or of a text again and again."""

    def __init__(self, text):
        self.block = text and text * 1000

    def read(self, count):
        if self.block is None:
            return os.urandom(count)
        return (self.block * (count // len(self.block) + 1))[:count]
