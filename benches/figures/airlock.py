"""airlock as a process: imports, a server and its memory, the control socket."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from clients import Client, closed_port

# The request log is one line a request at the level `info`; the yardstick's access log is off too.
QUIET = {**os.environ, "RUST_LOG": "warn"}
MIB = 1 << 20


def import_source(binary, store, source, *options, stdin=None):
    """Imports into `store` and returns (seconds, peak bytes), from the start until everything is on the disk.

    The peak is the kernel's mark `VmHWM`, looked at all the time: it can only rise, so nothing is missed but the last
    milliseconds. `ru_maxrss`, which needs no looking, would begin at this script's peak: a child starts as its copy.
    """
    command = [binary, "--data-dir", store, "--quiet", "import", source, "--yes", *options]
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=stdin, env=QUIET, stdout=subprocess.DEVNULL)
    if stdin is not None:
        stdin.close()
    peak_bytes = 0
    while process.poll() is None:
        peak_bytes = max(peak_bytes, memory_bytes(process.pid, "VmHWM"))
        time.sleep(0.005)
    os.sync()
    seconds = time.monotonic() - begun
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
    return seconds, peak_bytes


def memory_bytes(pid, field):
    """Returns a field of a process's `/proc/…/status`; 0 when it has just ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


class Certificate:
    """A certificate for localhost by an authority of its own, and what it takes to serve and to believe it."""

    def __init__(self, binary, folder):
        self.certificate, self.key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        self.settings = {"AIRLOCK_TLS_CERTIFICATE": str(self.certificate), "AIRLOCK_TLS_KEY": str(self.key)}
        self.command = [binary, "--data-dir", folder, "--quiet", "tls", "init", "--name", "localhost"]
        self.renew()
        self.context = ssl.create_default_context(cafile=Path(folder, "ca.pem"))

    def renew(self):
        """Puts another certificate by the same authority in its place."""
        subprocess.run(self.command, env={**QUIET, **self.settings}, check=True)


class Server:
    """A server, from the start of its process to its clean end."""

    def __init__(self, binary, store, tls=None):
        """`tls` is the [`Certificate`] to serve by; without, plain HTTP is spoken."""
        self.store = Path(store)
        self.address = ("127.0.0.1", closed_port())
        self.tls = tls
        listen = f"{self.address[0]}:{self.address[1]}"
        self.url = f"http{'s' if tls else ''}://{listen}"
        begun = time.monotonic()
        # A file: a pipe that nobody reads would stop the server once it is full.
        self.log = tempfile.TemporaryFile()
        command = [binary, "--data-dir", store, "serve", "--listen", listen]
        self.process = subprocess.Popen(command, env={**QUIET, **(tls.settings if tls else {})}, stderr=self.log)
        self._wait_for_first_answer()
        self.seconds_to_first_search = time.monotonic() - begun

    def _wait_for_first_answer(self):
        while True:
            if self.process.poll() is not None:
                self.log.seek(0)
                raise RuntimeError(f"the server ended: {self.log.read().decode()}")
            try:
                with self.client() as client:
                    client.get("/search")
                    return
            except ConnectionRefusedError:
                time.sleep(0.0005)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def client(self, **headers):
        return Client(self.address, tls=self.tls.context if self.tls else None, **headers)

    def resident_bytes(self):
        return memory_bytes(self.process.pid, "VmRSS")

    def peak_bytes(self):
        """Returns the most that was resident since `forget_peak`: the kernel's mark, not a sample."""
        return memory_bytes(self.process.pid, "VmHWM")

    def forget_peak(self):
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def wal_bytes(self):
        wal = self.store / "airlock.db-wal"
        return wal.stat().st_size if wal.exists() else 0

    def activate(self, branch):
        """Makes a branch what answers at `/`."""
        ControlSocket(self.store).ask("PUT", f"/admin/api/v1/distributions/default/{branch}")


class ControlSocket(http.client.HTTPConnection):
    """The operator's JSON API on `control.sock`."""

    def __init__(self, store):
        super().__init__("localhost")
        self.path = str(store / "control.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        """Returns the answer's JSON; anything but a success raises."""
        self.request(method, path, body and json.dumps(body), {"content-type": "application/json"})
        response = self.getresponse()
        text = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {text.decode()}")
        return json.loads(text)
