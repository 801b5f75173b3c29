"""What the program is made of: the crates that are linked into it, and the C that lies in some of them.

The facts come from `cargo metadata` for the target that is built, and from the headers of the C.
"""

import json
import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-gnu"


class Component:
    def __init__(self, name, version, licence, source, folder=None, checksum=None, within=None):
        self.name, self.version, self.licence, self.source = name, version, licence, source
        self.folder, self.checksum, self.within = folder, checksum, within
        self.authors = []


def crates(target=TARGET):
    """Returns each crate that is linked in, without airlock itself, and what the compiler alone runs."""
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target],
            cwd=REPOSITORY, check=True, stdout=subprocess.PIPE,
        ).stdout
    )
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    linked, waiting = set(), [root]
    while waiting:
        name = waiting.pop()
        if name in linked or is_macro(packages[name]):
            continue
        linked.add(name)
        for dependency in nodes[name]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    sums = checksums()
    found = []
    for name in sorted(linked - {root}, key=lambda it: (packages[it]["name"], packages[it]["version"])):
        package = packages[name]
        component = Component(
            package["name"], package["version"], package["license"] or "see the text",
            f"https://crates.io/crates/{package['name']}", Path(package["manifest_path"]).parent,
            sums.get((package["name"], package["version"])),
        )
        component.authors = package["authors"]
        found.append(component)
    return found


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


def checksums():
    found, name, version = {}, None, None
    for line in (REPOSITORY / "Cargo.lock").read_text().splitlines():
        key, _, value = line.partition(" = ")
        value = value.strip('"')
        if key == "name":
            name = value
        elif key == "version":
            version = value
        elif key == "checksum":
            found[name, version] = value
    return found


def bundled(linked):
    """Returns the C that is compiled from some of the crates `linked`."""
    folders = {component.name: component.folder for component in linked}

    def version(crate, header, *names):
        text = (folders[crate] / header).read_text(errors="replace")
        parts = [re.search(rf'#define\s+{name}\s+"?([0-9.]+)', text).group(1) for name in names]
        return ".".join(parts)

    yield Component(
        "SQLite", version("libsqlite3-sys", "sqlite3/sqlite3.h", "SQLITE_VERSION"),
        "blessing", "https://sqlite.org", within="libsqlite3-sys",
    )
    yield Component(
        "Zstandard",
        version("zstd-sys", "zstd/lib/zstd.h", "ZSTD_VERSION_MAJOR", "ZSTD_VERSION_MINOR", "ZSTD_VERSION_RELEASE"),
        "BSD-3-Clause", "https://github.com/facebook/zstd", folders["zstd-sys"] / "zstd", within="zstd-sys",
    )
    yield Component(
        "XZ Utils",
        version("liblzma-sys", "xz/src/liblzma/api/lzma/version.h",
                "LZMA_VERSION_MAJOR", "LZMA_VERSION_MINOR", "LZMA_VERSION_PATCH"),
        "0BSD", "https://tukaani.org/xz/", folders["liblzma-sys"] / "xz", within="liblzma-sys",
    )
    yield Component(
        "libdeflate",
        version("libdeflate-sys", "libdeflate/libdeflate.h", "LIBDEFLATE_VERSION_STRING"),
        "MIT", "https://github.com/ebiggers/libdeflate", folders["libdeflate-sys"] / "libdeflate",
        within="libdeflate-sys",
    )
