"""The yardstick: nginx serving the bytes of our answers as files, set up as one would who wants it fast."""

import os
import subprocess
import time

from clients import Client, closed_port

CONFIGURATION = """
{user}
daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    gzip_static on;
    open_file_cache max=1000;
    keepalive_requests 1000000000;
    default_type application/json;
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
    server {{ listen 127.0.0.1:{port}{tls}; root {folder}/files; }}
}}
"""


class Nginx:
    """A running nginx whose files are put in while it runs."""

    def __init__(self, folder, tls=None):
        """`tls` is the certificate to serve by, as `airlock.Certificate`; without, plain HTTP is spoken."""
        self.files = folder / "files"
        self.files.mkdir(parents=True)
        self.address = ("127.0.0.1", closed_port())
        self.tls = tls
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.address[1]}"
        # Of root's, the workers would become another user, who cannot look into the run's folder.
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = folder / "nginx.conf"
        spoken = f" ssl; ssl_protocols TLSv1.3; ssl_certificate {tls.certificate}; ssl_certificate_key {tls.key}" if tls else ""
        configuration.write_text(CONFIGURATION.format(user=user, folder=folder, port=self.address[1], tls=spoken))
        self.process = subprocess.Popen(["nginx", "-p", folder, "-c", configuration, "-e", folder / "error.log"])
        self._wait()

    def _wait(self):
        while self.process.poll() is None:
            try:
                self._client().socket.close()
                return
            except ConnectionRefusedError:
                time.sleep(0.01)
        raise RuntimeError("nginx ended at once")

    def _client(self, **headers):
        return Client(self.address, tls=self.tls.context if self.tls else None, **headers)

    def put(self, server, path):
        """Makes nginx serve what `server` answers at `path`, plain and as gzip if it can be had; returns its path."""
        number = len(list(self.files.iterdir()))
        with server.client() as client:
            plain = client.get(path)
        with server.client(gzip=True) as client:
            gzip = client.get(path)
        (self.files / str(number)).write_bytes(plain)
        if gzip.startswith(b"\x1f\x8b"):
            (self.files / f"{number}.gz").write_bytes(gzip)
        for is_gzip, expected in ((False, plain), (True, gzip)):
            with self._client(gzip=is_gzip) as client:
                if client.get(f"/{number}") != expected:
                    raise RuntimeError(f"nginx does not serve the bytes of {path}")
        return f"/{number}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
