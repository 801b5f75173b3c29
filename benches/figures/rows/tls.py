"""The same bytes over TLS, beside nginx that speaks it with the same certificate; and what a connection that idles takes."""

import time

from airlock import Certificate, Server
from nginx import Nginx
from rows import row
from rows.serving import CANONICAL_ZIP_BYTES, beside_nginx, icon_of, zip_of_about
from table import Figure, at_most, ratio_at_least

IDLE = 1000


@row("tls")
def over_tls(stand):
    """As the answers and the zip, over TLS 1.3 on connections that are kept, with one certificate (ECDSA P-256) on both
    sides. Then what is resident more with 1,000 connections that had their handshake and one answer, each."""
    folder = stand.fresh("tls")
    folder.mkdir()
    certificate = Certificate(stand.binary, folder)
    with Server(stand.binary, stand.store, tls=certificate) as server, Nginx(stand.fresh("nginx"), tls=certificate) as nginx:
        small = {"must": ratio_at_least(0.5), "goal": ratio_at_least(0.8)}
        for path, is_gzip in ((icon_of(server, "nginx"), False), ("/search?package=nginx", False), ("/search", True)):
            what = f"TLS: `{path}`" + (", gzip" if is_gzip else "")
            yield beside_nginx(stand, server, nginx, what, path, is_gzip, small)
        path, size = zip_of_about(server, CANONICAL_ZIP_BYTES)
        large = {"must": ratio_at_least(0.25), "goal": ratio_at_least(0.5)}
        yield beside_nginx(stand, server, nginx, f"TLS: a zip of {size / 1e6:.1f} MB, `{path}`", path, False, large)
    yield idle_connections(stand, certificate)


def idle_connections(stand, certificate):
    with Server(stand.binary, stand.store, tls=certificate) as server:
        with server.client() as client:
            client.get("/search?package=nginx")
        time.sleep(1)
        before = server.resident_bytes()
        clients = [server.client() for _ in range(IDLE)]
        for client in clients:
            client.get("/search?package=nginx")
        time.sleep(1)
        each = (server.resident_bytes() - before) / IDLE / 1024
        for client in clients:
            client.socket.close()
    return Figure("resident for each idle TLS connection", "KiB", each, must=at_most(48), goal=at_most(24))
