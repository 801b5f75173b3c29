"""The reference registry's own programs as clients: what signed_images.py kept, downloaded and passed on by them.

    python3 tests/clients/reference.py KEPT --binary target/release/airlock [--distribution PROGRAM] [--registry PROGRAM]

KEPT is the folder that `signed_images.py --keep` left. PROGRAM of `--distribution` is the distribution tool of
elastic/package-registry, built with KEPT/key.asc in place of its key file; that of `--registry` the registry itself.
They are not part of this repository and nothing here builds them; what is not given is left out, and it is said.
Ends with 1 where something differs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benches/figures"))
from airlock import Server
from clients import closed_port

# All there is, and what a person in charge of a few Kibanas asks for.
DOWNLOADS = """
address: "{address}"
matrix:
  - {{}}
  - kibana.version: 8.5.0
    spec.max: 3.0
queries:
  - all: true
    prerelease: true
  - type: integration
packages:
  - name: {name}
    version: {version}
actions:
  - download:
      destination: {destination}
"""
SEARCHES = (
    "",
    "?all=true",
    "?prerelease=true",
    "?all=true&prerelease=true",
    "?kibana.version=8.5.0",
    "?kibana.version=7.17.0&prerelease=true",
    "?package=nginx&all=true",
    "?category=security",
    "?type=input&prerelease=true",
    "?spec.min=1.0&spec.max=1.10",
    "?capabilities=observability",
    "?package=there_is_none",
    "?kibana.version=nonsense",
    "?all=maybe",
)
CATEGORIES = ("", "?prerelease=true", "?include_policy_templates=true", "?kibana.version=8.5.0", "?prerelease=maybe")
ABSENT = (
    "/package/there_is_none/1.0.0/",
    "/package/there_is_none/1.0/",
    "/package/there_is_none/1.0.0/img/none.svg",
    "/epr/there_is_none/there_is_none-1.0.0.zip",
    "/epr/there_is_none/there_is_none-1.0.0.zip.sig",
    "/there-is-nothing",
)
# Every so many-th package is asked for with all that it has.
EVERY = 20
SHOWN = 20
HEADERS = ("content-type", "cache-control", "access-control-allow-origin")


def main():
    arguments = parsed()
    failures = []
    with Server(arguments.binary, arguments.kept / "data") as airlock:
        packages = json.loads(ask(f"{airlock.url}/search?all=true&prerelease=true")[2])
        for name, program, check in (
            ("distribution", arguments.distribution, downloads_all),
            ("registry", arguments.registry, passes_on),
        ):
            if not program:
                print(f"{name}: left out, --{name} names no program")
                continue
            said, failed = check(program.resolve(), airlock, packages)
            shown = failed[:SHOWN] + [f"  and {len(failed) - SHOWN} more"] * (len(failed) > SHOWN)
            print("\n".join([f"{name}: {said}", *shown]), flush=True)
            failures += failed
    return 1 if failures else 0


def downloads_all(program, airlock, packages):
    """The distribution tool downloads and validates every package."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        destination = Path(folder, "downloads")
        one = packages[0]
        config = DOWNLOADS.format(address=airlock.url, destination=destination, **{key: one[key] for key in ("name", "version")})
        Path(folder, "config.yml").write_text(config)
        done = subprocess.run([program, Path(folder, "config.yml")], capture_output=True, text=True)
        last = (done.stdout.strip().splitlines() or [""])[-1]
        files = {file.name for file in destination.iterdir()} if destination.exists() else set()
    expected = {Path(package[path]).name for package in packages for path in ("download", "signature_path")}
    failed = []
    if done.returncode != 0:
        failed.append(f"  it ended with {done.returncode}: {last}{done.stderr.strip()}")
    if files != expected:
        different = sorted(files ^ expected)
        failed.append(f"  {len(different)} files too few or too many, such as {different[0]}")
    return f"{last}, {len(files):,} files", failed


def passes_on(program, airlock, packages):
    """The registry in proxy mode answers as what is behind it does."""
    port = closed_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.yml").write_text("package_paths: []\n")
        options = ["-feature-proxy-mode", "-proxy-allow-insecure", f"-proxy-to={airlock.url}/", f"-address=127.0.0.1:{port}"]
        with open(Path(folder, "log"), "w+") as log:
            registry = subprocess.Popen([program, *options], cwd=folder, stdout=log, stderr=log)
            try:
                wait_for(f"http://127.0.0.1:{port}/health", registry, log)
                paths = [*requests(airlock, packages)]
                failed = [difference(path, airlock.url, f"http://127.0.0.1:{port}") for path in paths]
            finally:
                registry.terminate()
                registry.wait()
    failed = [failure for failure in failed if failure]
    return f"{len(paths) - len(failed):,} of {len(paths):,} answers are those of airlock", failed


def requests(airlock, packages):
    """Yields the paths that are asked of both."""
    yield from (f"/search{query}" for query in SEARCHES)
    yield from (f"/categories{query}" for query in CATEGORIES)
    yield from ABSENT
    for package in packages[::EVERY]:
        document = json.loads(ask(f"{airlock.url}{package['path']}/")[2])
        yield f"{package['path']}/"
        yield package["download"]
        yield package["signature_path"]
        # Its icons and first files; a file that is not there.
        yield from document["assets"][:2]
        yield from (icon["path"] for icon in document.get("icons", []))
        yield f"{package['path']}/none.svg"


def difference(path, ours, theirs):
    """Returns in what the two answers to `path` differ, where they do."""
    expected, got = ask(f"{ours}{path}"), ask(f"{theirs}{path}")
    if expected[0] != got[0]:
        return f"  {path}: status {expected[0]}, by the proxy {got[0]}"
    for header in HEADERS:
        if expected[1].get(header) != got[1].get(header):
            return f"  {path}: {header} {expected[1].get(header)}, by the proxy {got[1].get(header)}"
    ours, theirs = (content(headers, body) for _, headers, body in (expected, got))
    if ours != theirs:
        at = next((n for n, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
        near = [text[max(0, at - 60) : at + 60] for text in (ours, theirs)]
        return f"  {path}: {near[0]!r}, by the proxy {near[1]!r}"
    return None


def content(headers, body):
    """Returns a body as it is compared: of JSON what it says, in its order, of all else the bytes."""
    if headers.get("content-type", "").startswith("application/json"):
        return json.dumps(json.loads(body, parse_float=repr))
    return body


def ask(url):
    """Returns (status, headers, body), redirects followed."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def wait_for(url, process, log, seconds=10):
    for _ in range(10 * seconds):
        try:
            return ask(url)
        except urllib.error.URLError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    log.seek(0)
    raise RuntimeError(f"the registry did not start: {log.read()[-2000:]}")


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kept", type=Path)
    parser.add_argument("--binary", type=Path, required=True, metavar="FILE", help="airlock, a release build")
    for name in ("distribution", "registry"):
        variable = f"AIRLOCK_REFERENCE_{name.upper()}"
        given = os.environ.get(variable)
        parser.add_argument(f"--{name}", type=Path, default=given and Path(given), metavar="PROGRAM", help=f"[{variable}]")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
