"""Signed zips of a release, carried as container images, come back as they went in.

    python3 tests/clients/signed_images.py SNAPSHOT.tar.zst --binary target/release/airlock [--first N] [--only SET/FORM …]

Makes the zips, signs them by gnupg, packs them as an image, imports it with `--signatures require`, serves it, downloads
every zip and signature, and asks gpg. Needs zstd, Go, Info-ZIP's zip, gnupg, umoci and skopeo, and about 6 GB for a
release of 2 GB. Prints a line for each set and form; ends with 1 at the first that is not as it should be.
"""

import argparse
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benches/figures"))
# From there: a server as a process, and zips of four kinds.
from airlock import Server
from gnupg import TestKey
from images import FORMS
from zip_sets import SETS, make_zip_sets

# Each set and each form once, at least.
PAIRS = ("stored/docker-archive", "deflated/oci-archive", "half/docker-save", "mixed/docker-archive")
TAG = "8.5.0"


class Wrong(Exception):
    """Something is not as it should be."""


def main():
    arguments = parsed()
    # So that who ends the run by `kill` or `timeout` finds nothing left of it either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="airlock-images-", dir=arguments.folder))
    kept = arguments.keep or folder / "kept"
    try:
        with TestKey(kept / "gnupg") as key:
            key.export(kept / "key.asc")
            snapshot = arguments.snapshot
            if arguments.first:
                snapshot = folder / "first.tar.zst"
                first_packages(arguments.snapshot, arguments.first, snapshot)
            for pair in arguments.only:
                print(f"{pair}: {carried(arguments, folder, kept, key, snapshot, pair)}", flush=True)
    except (Wrong, RuntimeError, OSError, subprocess.CalledProcessError) as error:
        print(f"failed: {error}")
        return 1
    finally:
        shutil.rmtree(folder)
    return 0


def carried(arguments, folder, kept, key, snapshot, pair):
    """Carries one set in one form to a client, and returns what to say of it."""
    set_name, form = pair.split("/")
    zips = folder / "zips"
    digests = signed_zips(folder, zips, key, snapshot, set_name)
    zips_bytes = sum(file.stat().st_size for file in zips.glob("*.zip"))
    image = folder / "image.tar"
    FORMS[form](zips, image, TAG)
    shutil.rmtree(zips)

    data = kept / "data"
    shutil.rmtree(data, ignore_errors=True)
    airlock(arguments.binary, data, "keys", "add", "--yes", kept / "key.asc")
    begun = time.monotonic()
    airlock(arguments.binary, data, "import", image, "--yes", "--signatures", "require")
    seconds = time.monotonic() - begun
    image.unlink()
    count = len(digests) // 2
    all_signatures_are_good(arguments.binary, data, count)
    with Server(arguments.binary, data) as server:
        asked = downloads(server, digests, key, folder, arguments.gpg_sample)
    store_bytes = sum(file.stat().st_size for file in data.iterdir() if file.is_file())
    return (
        f"{count:,} zips of {zips_bytes / 1e6:,.0f} MB came in within {seconds:.0f} s and take {store_bytes / 1e6:,.0f} MB; "
        f"all zips and signatures came back equal, all signatures good; gpg agrees on {asked:,}"
    )


def first_packages(snapshot, count, shorter):
    """Writes a snapshot of the first `count` packages."""
    found = set()
    decompress = subprocess.Popen(["zstd", "-dcq", "--long=31", snapshot], stdout=subprocess.PIPE)
    compress = subprocess.Popen(["zstd", "-q", "-o", shorter], stdin=subprocess.PIPE)
    with tarfile.open(fileobj=decompress.stdout, mode="r|") as whole, tarfile.open(fileobj=compress.stdin, mode="w|") as first:
        for member in whole:
            parts = member.name.split("/", 4)
            if member.isfile() and len(parts) == 5 and parts[1] == "packages":
                found.add((parts[2], parts[3]))
                if len(found) > count:
                    break
                first.addfile(member, whole.extractfile(member))
    decompress.kill()
    decompress.wait()
    compress.stdin.close()
    compress.wait()


def signed_zips(folder, zips, key, snapshot, set_name):
    """Makes the zips of a set in the folder `zips`, signs them, and returns the digest of each file by its name."""
    make_zip_sets(snapshot, folder, [set_name])
    with tarfile.open(folder / f"{set_name}.tar") as tar:
        for member in tar:
            member.name = Path(member.name).name
            tar.extract(member, zips, filter="data")
    (folder / f"{set_name}.tar").unlink()
    sums = (line.split("  ") for line in (folder / f"{set_name}.sums").read_text().splitlines())
    digests = {name: digest for digest, name in sums}

    def sign(name):
        return f"{name}.sig", hashlib.sha256(key.sign(zips / name)).hexdigest()

    with ThreadPoolExecutor() as workers:
        digests.update(list(workers.map(sign, list(digests))))
    return digests


def airlock(binary, data, *arguments):
    """Runs airlock and returns its JSON; anything but the exit code 0 raises."""
    command = [binary, "--data-dir", data, "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Wrong(f"{arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def all_signatures_are_good(binary, data, count):
    (branch,) = json.loads(airlock(binary, data, "signatures", "list"))
    counts = {status: number for status, number in branch["counts"].items() if number}
    if branch["branch"] != TAG or counts != {"good": count}:
        raise Wrong(f"the signatures of {branch['branch']} are {counts}, of {count} packages")


def downloads(server, digests, key, folder, sample):
    """Downloads everything, compares digests, and asks gpg about `sample` of the zips; returns of how many it was asked."""
    zips = [name for name in digests if name.endswith(".zip")]
    every = max(1, len(zips) // sample) if sample else 1

    def download(zips):
        with server.client() as client:
            for number, name in zips:
                package = name.rsplit(".zip", 1)[0].split("-")[0]
                content, signature = (client.get(f"/epr/{package}/{file}") for file in (name, f"{name}.sig"))
                for file, body in ((name, content), (f"{name}.sig", signature)):
                    if hashlib.sha256(body).hexdigest() != digests[file]:
                        raise Wrong(f"{file} did not come back as it was")
                if number % every == 0:
                    signature_file = folder / f"{name}.sig"
                    signature_file.write_bytes(signature)
                    if not key.agrees(content, signature_file):
                        raise Wrong(f"gpg does not agree on {name}")
                    signature_file.unlink()
        return sum(number % every == 0 for number, _ in zips)

    numbered = list(enumerate(zips))
    with ThreadPoolExecutor() as workers:
        return sum(workers.map(download, (numbered[0::2], numbered[1::2])))


def parsed():
    pairs = [f"{set_name}/{form}" for set_name in SETS for form in FORMS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("--binary", type=Path, required=True, metavar="FILE", help="airlock, a release build")
    parser.add_argument("--first", type=int, metavar="N", help="the first packages of the snapshot only")
    parser.add_argument("--only", nargs="+", choices=pairs, default=PAIRS, metavar="SET/FORM", help=", ".join(pairs))
    parser.add_argument("--gpg-sample", type=int, metavar="N", help="ask gpg about so many zips only [all]")
    parser.add_argument("--folder", type=Path, default="/var/tmp", help="work here, on a disk [/var/tmp]")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep here the key, used again, and the last store")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
