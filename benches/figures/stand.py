"""The test stand: where things lie, which tools there are, what a run was asked for.

Everything that a row writes lies below one temporary folder, which goes away with the run.
"""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from airlock import import_source

CHECKOUT = Path(__file__).resolve().parents[2]

# What is called, and the package of Debian that has it.
TOOLS = {"nginx": "nginx-light", "wrk": "wrk", "zstd": "zstd", "curl": "curl"}


class Skipped(Exception):
    """A row that cannot be measured here, and why."""


class Stand:
    def __init__(self, binary, folder, *, rounds, seconds, is_quick, is_built_here):
        self.binary = binary
        self.folder = folder
        self.rounds = rounds
        self.seconds = seconds
        self.is_quick = is_quick
        self.is_built_here = is_built_here
        # What a row has to say beyond its figures: (title, Markdown).
        self.appendices = []

    def snapshot(self, release):
        """Returns the archive of a release, which the shared data hold."""
        shared = Path(os.environ.get("AIRLOCK_SHARED", CHECKOUT.parent / "shared"))
        path = shared / "data" / f"package-storage-{release}.tar.zst"
        if not path.exists():
            sys.exit(f"Error: {path} is missing\nHint: name the folder of the shared data with AIRLOCK_SHARED")
        return path

    @functools.cached_property
    def store(self):
        """A store that holds 8.5.0 and serves it at `/`; rows that change it change it back."""
        return self.new_store("8.5.0", self.snapshot("8.5.0"))

    def new_store(self, name, source, *options):
        """Returns a new folder whose store holds `source`."""
        folder = self.folder / f"store-{name}"
        import_source(self.binary, folder, source, *options)
        return folder

    def fresh(self, name):
        """Returns the path of a folder that is not there."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        return path


def install_tools():
    """Installs what is missing, as root; else says how and ends."""
    missing = sorted(package for tool, package in TOOLS.items() if not shutil.which(tool))
    if not missing:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        sys.exit(f"Error: missing: {' '.join(missing)}\nHint: sudo {' '.join(install)}")
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update"], check=True, **quiet)
    subprocess.run(install, check=True, **quiet)


def built_binary():
    """Builds the release binary and returns its path."""
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=CHECKOUT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", CHECKOUT / "target"))
    return target / "release" / "airlock"
