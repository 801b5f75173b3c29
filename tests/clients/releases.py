"""Four releases in one store: what they cost, that each answers as the reference registry does, and that Kibana's way of
joining addresses works.

    python3 tests/clients/releases.py PACKAGE-STORAGE-7.9.0 PACKAGE-STORAGE-8.5.0 --binary target/release/airlock
        [--registry PROGRAM] [--recordings FOLDER]

The two are snapshots as .tar.zst. Of the second two more releases are made: the versions that a Kibana 7.17.0 is offered, and
the older half of each package. PROGRAM is the reference registry, which is not part of this repository and is not built here;
FOLDER holds recordings and their `replay.py`. What is not given is left out, and it is said. Needs zstd and tar, and 8 GB in
the temporary folder. Ends with 1 where something differs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benches/figures"))
from airlock import Server
from clients import closed_port
from reference import CATEGORIES, SEARCHES, SHOWN, ask, difference, wait_for

ALL = "?all=true&prerelease=true"
INSTALLED = 10
EVERY = 20


def main():
    arguments = parsed()
    failures = []
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        folder = Path(folder)
        tree = unpacked(arguments.newer, folder)
        sources = {"7.9.0": arguments.older, "8.5.0": arguments.newer} | subsets(tree, folder, arguments)
        bytes_of = {}
        for order in ("there", "back"):
            names = list(sources) if order == "there" else list(sources)[::-1]
            # 8.5.0 comes first on the way there: the others are told by what they add to it.
            names.sort(key=lambda name: order == "there" and name != "8.5.0")
            for name in names:
                airlock(arguments, folder / order, "import", sources[name], "--release", name, "--yes", "--quiet")
                bytes_of[order, name] = size(folder / order)
            airlock(arguments, folder / order, "activate", "8.5.0")
        alone, together = bytes_of["there", "8.5.0"], max(bytes_of.values())
        print(f"8.5.0 alone takes {alone:,} bytes, with {len(sources) - 1} more releases {together:,}: {together / alone:.3f} times")
        failures += check("fingerprints of stores filled in different order", same_fingerprints(arguments, folder, sources))
        with Server(arguments.binary, folder / "there") as server:
            for name, release in sources.items():
                if release.suffix == ".zst":
                    failures += check(f"replay of {name}", replayed(arguments, server, name))
                else:
                    failures += check(f"{name} beside the reference", beside(arguments, server, name, release))
            for base in (f"{server.url}/d/8.5.0", f"{server.url}/d/8.5.0/", server.url, f"{server.url}/"):
                failures += check(f"ten packages from {base.removeprefix(server.url) or 'no path'}", installed(base))
    return 1 if failures else 0


def unpacked(archive, folder):
    (folder / "tree").mkdir()
    zstd = subprocess.Popen(["zstd", "-dqc", "--long=31", archive], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-C", folder / "tree", "-xf", "-"], stdin=zstd.stdout, check=True)
    return next((folder / "tree").glob("**/packages"))


def subsets(tree, folder, arguments):
    """Makes two more releases, of links to the files of the first, as folders."""
    with_conditions = {}
    airlock(arguments, folder / "whole", "import", arguments.newer, "--release", "8.5.0", "--yes", "--quiet")
    with Server(arguments.binary, folder / "whole") as server:
        for query in (ALL, f"{ALL}&kibana.version=7.17.0"):
            found = json.loads(ask(f"{server.url}/d/8.5.0/search{query}")[2])
            with_conditions[query] = [(package["name"], package["version"]) for package in found]
    shutil.rmtree(folder / "whole")
    versions = defaultdict(list)
    for name, version in with_conditions[ALL]:
        versions[name].append(version)
    # A search lists the versions of a package from the newest to the oldest, or the other way round: by name it is the same.
    older = [(name, version) for name, all_of in versions.items() for version in by_age(all_of)[: (len(all_of) + 1) // 2]]
    made = {}
    for release, chosen in (("7.17.0", with_conditions[f"{ALL}&kibana.version=7.17.0"]), ("8.4.0", older)):
        packages = folder / f"package-storage-{release}" / "packages"
        for name, version in chosen:
            (packages / name).mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-al", tree / name / version, packages / name / version], check=True)
        shutil.copytree(tree.parent / "deployment", packages.parent / "deployment")
        print(f"{release}: {len(chosen):,} of {len(with_conditions[ALL]):,} versions", flush=True)
        made[release] = packages.parent
    return made


def by_age(versions):
    def key(version):
        plain, _, before = version.partition("+")[0].partition("-")
        parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split(".") if part]
        return [int(part) for part in plain.split(".")], not before, parts

    return sorted(versions, key=key)


def same_fingerprints(arguments, folder, sources):
    def fingerprints(order):
        text = airlock(arguments, folder / order, "distribution", "list", "--json")
        found = json.loads(text)
        found = found if isinstance(found, list) else found["distributions"]
        return {it["name"]: it["fingerprint"] for it in found}

    there, back = fingerprints("there"), fingerprints("back")
    missing = [f"  {name} has no address" for name in sources if name not in there]
    return len(there), missing + [f"  {name}: {there[name]}, {back.get(name)}" for name in there if there[name] != back.get(name)]


def replayed(arguments, server, release):
    if not arguments.recordings:
        return None, ["--recordings names no folder"]
    command = [sys.executable, arguments.recordings / "replay.py", f"{server.url}/d/{release}", arguments.recordings / f"{release}.tar.zst"]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines() or [done.stderr]
    return lines[-1], [] if done.returncode == 0 else lines[:SHOWN]


def beside(arguments, server, release, tree):
    """Compares the answers of a release with those of the reference registry over the same files."""
    if not arguments.registry:
        return None, ["--registry names no program"]
    port = closed_port()
    with tempfile.TemporaryDirectory() as folder, open(Path(folder, "log"), "w+") as log:
        Path(folder, "config.yml").write_text(f"package_paths: [{tree / 'packages'}]\n" + cache_times(server, release))
        # What came as a tree has no signature, which it would ask for.
        command = [arguments.registry.resolve(), "-disable-package-validation", "-require-package-signatures=false", f"-address=127.0.0.1:{port}"]
        registry = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            # It reads every manifest before it answers.
            wait_for(f"http://127.0.0.1:{port}/health", registry, log, seconds=300)
            paths = [*requests(server, release)]
            pair = f"{server.url}/d/{release}", f"http://127.0.0.1:{port}"
            failed = [failure for path in paths if (failure := difference(path, *pair))]
        finally:
            registry.terminate()
            registry.wait()
    return f"{len(paths) - len(failed):,} of {len(paths):,} answers", failed


def cache_times(server, release):
    """Returns the settings that make the reference say the cache times that the release brought with it."""
    package = json.loads(ask(f"{server.url}/d/{release}/search")[2])[0]["path"]
    names = {"/search": "search", "/categories": "categories", f"{package}/manifest.yml": "catch_all"}
    lines = []
    for path, name in names.items():
        said = ask(f"{server.url}/d/{release}{path}")[1].get("cache-control", "")
        if "max-age=" in said:
            lines.append(f"cache_time.{name}: {said.split('max-age=')[1].split(',')[0]}s\n")
    return "".join(lines)


def requests(server, release):
    yield from (f"/search{query}" for query in SEARCHES)
    yield from (f"/categories{query}" for query in CATEGORIES)
    for package in json.loads(ask(f"{server.url}/d/{release}/search{ALL}")[2])[::EVERY]:
        document = json.loads(ask(f"{server.url}/d/{release}{package['path']}/")[2])
        yield f"{package['path']}/"
        yield from document["assets"][:2]
        yield from (icon["path"] for icon in document.get("icons", []))


def installed(base):
    """Does what Fleet does to install ten packages, joining addresses as Fleet joins them."""
    failed, got = [], 0
    packages = json.loads(ask(f"{base}/search?kibana.version=8.5.0")[2])
    for name in [package["name"] for package in packages][:: max(1, len(packages) // INSTALLED)][:INSTALLED]:
        newest = json.loads(ask(f"{base}/search?package={name}&prerelease=true&kibana.version=8.5.0")[2])[0]
        for slash in ("", "/"):
            status, _, body = ask(f"{base}/package/{name}/{newest['version']}{slash}")
            if status != 200 or json.loads(body)["download"] != newest["download"]:
                failed.append(f"  the document of {name} with {slash!r} behind it: {status}")
        status, headers, body = ask(f"{base}{newest['download']}")
        if status != 200 or body[:2] != b"PK" or headers.get("content-encoding"):
            failed.append(f"  {newest['download']}: {status}")
        signature = newest.get("signature_path")
        if signature and ask(f"{base}{signature}")[0] != 200:
            failed.append(f"  {signature}")
        got += 1
    return f"{got} packages", failed or ([] if got == INSTALLED else ["  not ten"])


def check(what, outcome):
    said, failed = outcome
    if said is None:
        print(f"{what}: left out, {failed[0]}", flush=True)
        return []
    shown = failed[:SHOWN] + [f"  and {len(failed) - SHOWN} more"] * (len(failed) > SHOWN)
    print("\n".join([f"{what}: {said}{', and differences' if failed else ''}", *shown]), flush=True)
    return failed


def airlock(arguments, store, *command):
    done = subprocess.run([arguments.binary, "--data-dir", store, *command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def size(store):
    return sum(file.stat().st_size for file in store.iterdir() if file.is_file())


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("older", type=Path)
    parser.add_argument("newer", type=Path)
    parser.add_argument("--binary", type=Path, required=True, metavar="FILE", help="airlock, a release build")
    given = os.environ.get("AIRLOCK_REFERENCE_REGISTRY")
    parser.add_argument("--registry", type=Path, default=given and Path(given), metavar="PROGRAM", help="[AIRLOCK_REFERENCE_REGISTRY]")
    parser.add_argument("--recordings", type=Path, metavar="FOLDER")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
