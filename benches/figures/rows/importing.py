"""The import of a snapshot into a new store, by itself and against unpacking it."""

import functools
import re
import shutil
import subprocess
import time
from dataclasses import dataclass

from airlock import MIB, import_source
from rows import row
from table import Figure, at_most, ratio_at_most


@dataclass(frozen=True)
class Round:
    """One pair: the import, the same file again, and tar."""

    seconds: float
    peak_bytes: int
    store_bytes: int
    again_seconds: float
    tar_seconds: float


@functools.cache
def rounds(stand):
    """Measures all that the rows of this file need, as they come from the same imports."""
    archive = stand.snapshot("8.5.0")
    archive.read_bytes()  # Into the page cache, for both.
    measured = []
    for _ in range(stand.rounds):
        tar_seconds = unpack(archive, stand.fresh("unpacked"))
        store = stand.fresh("imported")
        seconds, peak_bytes = import_source(stand.binary, store, archive)
        if (store / "airlock.db-wal").exists():
            raise RuntimeError("the import left its write-ahead log behind")
        store_bytes = sum(file.stat().st_size for file in store.iterdir())
        again_seconds, _ = import_source(stand.binary, store, archive)
        measured.append(Round(seconds, peak_bytes, store_bytes, again_seconds, tar_seconds))
        shutil.rmtree(store)
    return measured


def unpack(archive, folder):
    """Returns the seconds that zstd and tar need to have it all on the disk; what they wrote is removed again."""
    folder.mkdir()
    command = f"set -o pipefail; zstd -dcq --long=31 '{archive}' | tar -x -C '{folder}' && sync"
    begun = time.monotonic()
    subprocess.run(["bash", "-c", command], check=True)
    seconds = time.monotonic() - begun
    # On the disk as well: the import that follows is not to wait for it.
    subprocess.run(["bash", "-c", f"rm -rf '{folder}' && sync"], check=True)
    return seconds


def window_bytes(archive):
    """Returns what a decompressor has to hold for this archive, as its header says."""
    listing = subprocess.run(["zstd", "-lv", archive], check=True, capture_output=True, text=True).stdout
    return int(re.search(r"^Window Size: .*\((\d+) B\)", listing, re.MULTILINE)[1])


@row("import")
def against_tar(stand):
    """`airlock import` of the archive into a new folder, no server running, and `sync`, against `zstd -dc | tar -x` of
    it into a new folder of the same disk, and `sync`; in pairs, the archive in the page cache."""
    pairs = [(one.seconds, one.tar_seconds) for one in rounds(stand)]
    must, goal = ratio_at_most(1), ratio_at_most(0.5)
    yield Figure.in_pairs("import of 8.5.0, against `tar -x`", "s", pairs, must=must, goal=goal)


@row("import-memory")
def memory(stand):
    """The most that was resident in any of these imports, less the window that the archive's header asks of a
    decompressor."""
    window = window_bytes(stand.snapshot("8.5.0"))
    peak = max(one.peak_bytes for one in rounds(stand))
    what = f"its peak memory beyond the window of {window // MIB} MiB"
    yield Figure(what, "MiB", (peak - window) / MIB, must=at_most(192), goal=at_most(96))


@row("store")
def store_size(stand):
    """All files of the data folder when the import has ended; its write-ahead log is gone by then."""
    megabytes = [one.store_bytes / 1e6 for one in rounds(stand)]
    yield Figure.of("store after it", "MB", megabytes, must=at_most(200), goal=at_most(180))


@row("import-again")
def again(stand):
    """The same command once more on the same store, and `sync`; theirs is our first import of it."""
    pairs = [(one.again_seconds, one.seconds) for one in rounds(stand)]
    must, goal = ratio_at_most(1 / 3), at_most(1)
    yield Figure.in_pairs("the same file again, against the first time", "s", pairs, must=must, goal=goal)
