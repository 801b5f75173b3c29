"""The packages of a release as zips, in four sets: one tar each, in the order of the release's tree.

    python3 benches/figures/zip_sets.py SNAPSHOT.tar.zst FOLDER [SET …]

Needs zstd; Go for the sets `deflated`, `half` and `mixed`, and Info-ZIP's zip for `mixed`. Beside each `{set}.tar` lies
`{set}.sums` with the digests of its zips, as sha256sum writes them. The sets of 8.5.0 have 1.3 to 2.2 GB each.
"""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from contextlib import ExitStack
from functools import cache
from itertools import groupby
from pathlib import Path

SETS = ("stored", "deflated", "half", "mixed")
GO_PROGRAM = Path(__file__).parent / "zipping" / "main.go"
MODIFIED = 1_667_289_600  # 2022-11-01 08:00 UTC
ZIP_PATHS = "package-storage/packages"


class GoZipper:
    """Go's archive/zip, which elastic-package uses, in a process of its own."""

    def __init__(self, folder):
        program = folder / "zipping"
        if not program.exists():
            subprocess.run(["go", "build", "-o", program, GO_PROGRAM], check=True)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def pack(self, root, files, method="deflate"):
        pipe = self.process.stdin
        pipe.write(b"%s %d\n" % (method.encode(), len(files)))
        for path, content in files:
            pipe.write(b"%d %s\n" % (len(content), f"{root}/{path}".encode()))
            pipe.write(content)
        pipe.flush()
        length = int(self.process.stdout.readline())
        return self.process.stdout.read(length)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def python_zip(root, files, method=zipfile.ZIP_DEFLATED):
    """Zips as Python's zipfile does."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        for path, content in files:
            member = zipfile.ZipInfo(f"{root}/{path}", (2022, 11, 1, 8, 0, 0))
            member.external_attr = 0o644 << 16
            member.compress_type = method
            zipped.writestr(member, content)
    return packed.getvalue()


def info_zip(root, files):
    """Zips as Info-ZIP does, with folders and its extra fields."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files:
            file = Path(folder, root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            os.utime(file, (MODIFIED, MODIFIED))
        subprocess.run(["zip", "-q", "-r", "package.zip", root], cwd=folder, check=True)
        return Path(folder, "package.zip").read_bytes()


def members(snapshot):
    """Yields (name, version, path, content) of each file of a package in `snapshot`; content as a function."""
    decompress = subprocess.Popen(["zstd", "-dcq", "--long=31", snapshot], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=decompress.stdout, mode="r|") as tar:
        for member in tar:
            parts = member.name.split("/", 4)
            if member.isfile() and len(parts) == 5 and parts[1] == "packages":
                yield parts[2], parts[3], parts[4], lambda: tar.extractfile(member).read()
    decompress.wait()


def packages(snapshot):
    """Yields (name, version, files) of each package, in the order they lie in."""
    for (name, version), group in groupby(members(snapshot), key=lambda member: member[:2]):
        yield name, version, [(path, read()) for _, _, path, read in group]


def newer_halves(snapshot):
    """Returns the newer half of each package's versions, as (name, version)."""
    versions = defaultdict(set)
    for name, version, _, _ in members(snapshot):
        versions[name].add(version)
    newer = set()
    for name, all_versions in versions.items():
        in_order = sorted(all_versions, key=precedence)
        newer.update((name, version) for version in in_order[len(in_order) // 2 :])
    return newer


def precedence(version):
    core, dash, rest = version.partition("-")
    return [int(number) for number in core.split(".")], not dash, rest


class ZipSet:
    """The tar of a set, and the digests of what is in it."""

    def __init__(self, folder, name):
        self.tar = tarfile.open(folder / f"{name}.tar", "w")
        self.sums = open(folder / f"{name}.sums", "w")

    def add(self, root, zipped):
        member = tarfile.TarInfo(f"{ZIP_PATHS}/{root}.zip")
        member.size, member.mtime = len(zipped), MODIFIED
        self.tar.addfile(member, io.BytesIO(zipped))
        print(f"{hashlib.sha256(zipped).hexdigest()}  {root}.zip", file=self.sums)

    def close(self):
        self.tar.close()
        self.sums.close()


def make_zip_sets(snapshot, folder, names=SETS):
    """Writes the sets called `names`; each zip is made once, whatever number of sets it is in."""
    newer = newer_halves(snapshot) if "half" in names else ()
    with ExitStack() as stack:
        sets = {name: ZipSet(folder, name) for name in names}
        for zip_set in sets.values():
            stack.callback(zip_set.close)
        go = GoZipper(folder)
        stack.callback(go.close)
        for number, (name, version, files) in enumerate(packages(snapshot)):
            root = f"{name}-{version}"
            stored = cache(lambda: go.pack(root, files, "store"))
            deflated = cache(lambda: go.pack(root, files))
            encoders = {
                "stored": stored,
                "deflated": deflated,
                "half": deflated if (name, version) in newer else stored,
                "mixed": (lambda: info_zip(root, files), lambda: python_zip(root, files), deflated)[number % 3],
            }
            for set_name, zip_set in sets.items():
                zip_set.add(root, encoders[set_name]())


if __name__ == "__main__":
    make_zip_sets(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or SETS)
