"""Starting, memory, and repeated answers beside nginx."""

import json
import time

from airlock import MIB, Server, import_source
from nginx import Nginx
from rows import row
from stand import CHECKOUT
from table import Figure, at_least, at_most, ratio_at_least
from wrk import listed, load, numbered

CANONICAL_ZIP_BYTES = 2_000_000


@row("start")
def start(stand):
    """From the start of the process to the last byte of the first `/search`, by a client that tries to connect every
    half millisecond; the store is in the page cache."""
    stand.store.joinpath("airlock.db").read_bytes()
    milliseconds = []
    for _ in range(stand.rounds):
        with Server(stand.binary, stand.store) as server:
            milliseconds.append(server.seconds_to_first_search * 1000)
    yield Figure.of("start to first answered `/search`", "ms", milliseconds, must=at_most(150), goal=at_most(60))


@row("memory")
def resident(stand):
    """`VmRSS` a second after the start; then the kernel's `VmHWM` over a load of 32 connections that asks in turn for
    searches, categories, documents, icons and the zips of all packages."""
    idle, loaded = [], []
    for _ in range(stand.rounds):
        with Server(stand.binary, stand.store) as server:
            time.sleep(1)
            idle.append(server.resident_bytes() / MIB)
            mix = stand.folder / "mix"
            mix.write_text("\n".join(mixed_paths(server)))
            server.forget_peak()
            load(server.url, stand.seconds, connections=32, script=listed(mix))
            load(server.url, stand.seconds, connections=32, script=listed(mix), gzip=True)
            loaded.append(server.peak_bytes() / MIB)
    yield Figure.of("resident, idle", "MiB", idle, must=at_most(40), goal=at_most(25))
    yield Figure("resident, under load", "MiB", max(loaded), must=at_most(100), goal=at_most(60))


def mixed_paths(server):
    """Yields paths of every kind, those of each package in turn."""
    with server.client() as client:
        packages = json.loads(client.get("/search"))
    for package in packages:
        yield f"/search?package={package['name']}"
        yield package["path"] + "/"
        yield from (icon["path"] for icon in package.get("icons", [])[:1])
        yield "/search?kibana.version=8.5.0"
        yield package["download"]
        yield "/categories"


@row("answers")
def repeated_answers(stand):
    """`wrk -t2 -c16`, ours and nginx's in turn, of the same bytes: nginx has our answer as a file, for the rows with
    gzip our gzip answer beside it, for `gzip_static`; sendfile and open_file_cache are on, two workers."""
    lists = {"must": ratio_at_least(0.65), "goal": ratio_at_least(0.85)}
    lists_as_gzip = {"must": ratio_at_least(0.8), "goal": ratio_at_least(1)}
    others = {"must": ratio_at_least(0.7), "goal": ratio_at_least(0.9)}
    with Server(stand.binary, stand.store) as server, Nginx(stand.fresh("nginx")) as nginx:
        icon = icon_of(server, "nginx")
        for path, is_gzip, bounds in (
            ("/search", False, lists),
            ("/search", True, lists_as_gzip),
            ("/search?kibana.version=8.5.0", False, lists),
            ("/search?kibana.version=8.5.0", True, lists_as_gzip),
            ("/search?package=nginx", False, others),
            ("/search?package=nginx", True, others),
            ("/categories", False, others),
            ("/categories?kibana.version=8.5.0", False, others),
            ("/package/nginx/1.5.0/", False, others),
            ("/package/nginx/1.5.0/", True, others),
            (icon, False, others),
        ):
            what = f"`{path}`" + (", gzip" if is_gzip else "")
            yield beside_nginx(stand, server, nginx, what, path, is_gzip, bounds)


@row("zip")
def canonical_zip(stand):
    """As the answers, of the package whose canonical zip is nearest to 2 MB."""
    with Server(stand.binary, stand.store) as server, Nginx(stand.fresh("nginx")) as nginx:
        path, size = zip_of_about(server, CANONICAL_ZIP_BYTES)
        bounds = {"must": ratio_at_least(0.25), "goal": ratio_at_least(0.5)}
        what = f"a zip of {size / 1e6:.1f} MB, `{path}`"
        yield beside_nginx(stand, server, nginx, what, path, False, bounds)


def beside_nginx(stand, server, nginx, what, path, is_gzip, bounds):
    """Returns the figure of one answer, in rounds that alternate."""
    file = nginx.put(server, path)
    pairs = []
    for _ in range(stand.rounds):
        ours = load(server.url + path, stand.seconds, gzip=is_gzip)
        theirs = load(nginx.url + file, stand.seconds, gzip=is_gzip)
        pairs.append((ours.per_second, theirs.per_second))
    return Figure.in_pairs(what, "/s", pairs, **bounds)


def icon_of(server, package):
    with server.client() as client:
        return json.loads(client.get(f"/search?package={package}"))[0]["icons"][0]["path"]


def zip_of_about(server, size):
    """Returns path and size of the zip nearest to `size`."""
    with server.client() as client:
        packages = json.loads(client.get("/search?all=true&prerelease=true"))
        sizes = {package["download"]: client.content_length(package["download"]) for package in packages}
    path = min(sizes, key=lambda path: (abs(sizes[path] - size), path))
    return path, sizes[path]


@row("first-answers")
def first_answers(stand):
    """As `/search` above, but no answer is one that was kept: each request asks by another `spec.max`, which makes it
    another question with the same answer. Then, to compare, the first `/search` after each of 20 changes of what is
    active, asked by one client."""
    path = "/search?spec.max=99."
    with Server(stand.binary, stand.store) as server, Nginx(stand.fresh("nginx")) as nginx:
        with server.client() as client:
            if client.get("/search") != client.get(path + "0"):
                raise RuntimeError(f"{path}0 is not answered as /search is")
        file = nginx.put(server, "/search")
        pairs, gzip = [], []
        for number in range(stand.rounds):
            script = numbered(path, 1 + 4_000_000 * number)
            ours = load(server.url, stand.seconds, script=script)
            pairs.append((ours.per_second, load(nginx.url + file, stand.seconds).per_second))
            script = numbered(path, 2_000_000 + 4_000_000 * number)
            gzip.append(load(server.url, stand.seconds, gzip=True, script=script).per_second)
        bounds = {"must": ratio_at_least(0.3), "goal": ratio_at_least(0.5)}
        yield Figure.in_pairs("`/search`, nothing kept, against nginx's file", "/s", pairs, **bounds)
        bounds = {"must": at_least(500), "goal": at_least(2000)}
        yield Figure.of("`/search`, nothing kept, gzip", "/s", gzip, **bounds)
    yield from after_a_change(stand)


def after_a_change(stand):
    """Yields how long the first `/search` takes after a change."""
    store = stand.new_store("of-two", stand.snapshot("8.5.0"))
    import_source(stand.binary, store, CHECKOUT / "sample", "--release", "1.0.0")
    with Server(stand.binary, store) as server:
        for is_gzip in (False, True):
            milliseconds = []
            with server.client(gzip=is_gzip) as client:
                for _ in range(20):
                    server.activate("1.0.0")
                    server.activate("8.5.0")
                    begun = time.monotonic()
                    client.get("/search")
                    milliseconds.append((time.monotonic() - begun) * 1000)
            what = "first `/search` after a change" + (", gzip" if is_gzip else "")
            yield Figure.of(what, "ms", milliseconds)
