"""Turns a tar of package-storage on standard input into one on standard output that holds each package as a zip.

    zstd -dc package-storage-8.5.0.tar.zst | python3 tests/zips_of_trees.py | airlock import - --release 8.5.0

The files of every other zip are deflated, the others stored. What lies beside the packages stays. Holds one package in
memory. Needs nothing but Python.
"""

import io
import re
import sys
import tarfile
import zipfile
from itertools import groupby

PACKAGE = re.compile(r"(?P<root>(?:.*/)?packages)/(?P<name>[a-z0-9_]+)/(?P<version>[^/]+)/(?P<path>.+)")


def add(tar, path, content):
    member = tarfile.TarInfo(path)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def zip_path(path):
    """Returns where the zip lies that a file belongs to; nothing for one that lies beside the packages."""
    found = PACKAGE.fullmatch(path)
    return found and f"{found['root']}/{found['name']}-{found['version']}.zip"


def zip_of(files, method):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method, compresslevel=1) as zipped:
        for path, content in files:
            found = PACKAGE.fullmatch(path)
            member = f"{found['name']}-{found['version']}/{found['path']}"
            zipped.writestr(zipfile.ZipInfo(member), content, method)
    return packed.getvalue()


def main():
    source = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
    files = ((member.name, source.extractfile(member).read()) for member in source if member.isfile())
    methods = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as target:
        for path, together in groupby(files, lambda file: zip_path(file[0])):
            if path is None:
                for name, content in together:
                    add(target, name, content)
            else:
                add(target, path, zip_of(together, methods[0]))
                methods.reverse()


if __name__ == "__main__":
    main()
