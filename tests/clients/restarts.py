"""Five hundred requests a second while the server is started anew and its binary exchanged, at a socket that outlives it.

    python3 tests/clients/restarts.py PACKAGE-STORAGE-8.5.0 --binary target/release/airlock [--upgrade OTHER] [--seconds 60]

The snapshot is a .tar.zst. This script is what systemd is on a host: it holds the listening socket, hands it over
(`LISTEN_FDS`), waits for `READY=1` and ends the server with SIGTERM, every two seconds; every other time the binary is the other
one. A client asks once more, on a new connection, what it asked on a kept one that was closed before the first byte of an answer
(RFC 9110, 9.2.2); every other failure counts, and so does an answer that differs. Ends with 1 where one did. Where there is
`systemd-socket-activate`, it starts the first server, so that what is handed over is what systemd hands over.
"""

import argparse
import atexit
import hashlib
import itertools
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benches/figures"))
from airlock import QUIET
from clients import FORK, Client, closed_port, percentile

PER_SECOND = 500
CLIENTS = 5
PAUSE_SECONDS = 2
HAND_OVER = 'exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=api; exec "$@"'


def main():
    arguments = parsed()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        store = Path(folder, "data")
        run = [arguments.binary, "--data-dir", store, "--quiet", "import", arguments.source, "--yes"]
        subprocess.run(run, check=True, env=QUIET)
        if not by_systemd_socket_activate(arguments, store):
            return 1
        with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
            return under_restarts(arguments, Path(folder), store, listener)


def by_systemd_socket_activate(arguments, store):
    """Tells whether the server answers at a socket of systemd's own program; true, too, where that is not there."""
    program = shutil.which("systemd-socket-activate")
    if program is None:
        print("left out: no systemd-socket-activate (apt-get install systemd)")
        return True
    address = ("127.0.0.1", closed_port())
    command = [program, "--listen", f"{address[0]}:{address[1]}", "--fdname", "api"]
    process = subprocess.Popen([*command, arguments.binary, "--data-dir", store, "serve"], env=QUIET, stderr=subprocess.DEVNULL)
    try:
        for _ in range(500):
            try:
                with Client(address) as client:
                    found = json.loads(client.get("/search"))
                print(f"systemd-socket-activate: {len(found)} packages found")
                return bool(found)
            except ConnectionRefusedError:
                time.sleep(0.02)
        print("systemd-socket-activate: no answer")
        return False
    finally:
        process.terminate()
        process.wait()


def under_restarts(arguments, folder, store, listener):
    address = listener.getsockname()
    binaries = itertools.cycle([arguments.binary, arguments.upgrade or arguments.binary])
    server = Handed(next(binaries), store, listener, folder / "notify")
    with Client(address) as client:
        newest = json.loads(client.get("/search?package=nginx"))[0]
        document = json.loads(client.get(f"{newest['path']}/"))
        paths = ["/search", "/search?kibana.version=8.5.0", "/categories", f"{newest['path']}/", newest["download"], document["assets"][0]]
        expected = {path: digest(client.get(path)) for path in paths}
    clients = [Asking(address, expected, PER_SECOND / CLIENTS, number) for number in range(CLIENTS)]
    until, restarts, gaps = time.monotonic() + arguments.seconds, 0, []
    while time.monotonic() < until:
        time.sleep(PAUSE_SECONDS)
        begun = time.monotonic()
        server.stop()
        server = Handed(next(binaries), store, listener, folder / "notify")
        gaps.append(time.monotonic() - begun)
        restarts += 1
    samples, failures, again = [], [], 0
    for client in clients:
        took, failed, asked_again = client.finish()
        samples += took
        failures += failed
        again += asked_again
    server.stop()
    rate = len(samples) / arguments.seconds
    print(f"{len(samples):,} answers, {rate:.0f} a second, beside {restarts} restarts of {percentile(gaps, 0.5):.2f} s, {max(gaps):.2f} s at most")
    print(f"99 of 100 within {1000 * percentile(samples, 0.99):.0f} ms, all within {1000 * max(samples):.0f} ms; {again} asked again")
    print("\n".join([f"{len(failures)} failed or differ", *failures[:10]]))
    return 1 if failures or restarts == 0 or rate < 0.9 * PER_SECOND else 0


class Handed:
    """A server at a socket that this process holds, from `READY=1` to its end."""

    def __init__(self, binary, store, listener, notify):
        notify.unlink(missing_ok=True)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(notify))
        self.manager.settimeout(30)
        environment = {**QUIET, "NOTIFY_SOCKET": str(notify)}
        command = ["sh", "-c", HAND_OVER, "sh", binary, "--data-dir", store, "serve"]
        self.process = subprocess.Popen(command, stdin=listener, env=environment)
        # None is left behind, whatever fails here.
        atexit.register(self.process.kill)
        while b"READY=1" not in self.manager.recv(4096):
            pass

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait() != 0:
            raise RuntimeError(f"the server ended with {self.process.returncode}")
        self.manager.close()


class Asking:
    """A client in a process of its own that keeps to its schedule, and says what was wrong."""

    def __init__(self, address, expected, per_second, number):
        self.stop = FORK.Event()
        self.receiver, sender = FORK.Pipe(duplex=False)
        self.process = FORK.Process(target=self._run, args=(address, expected, 1 / per_second, number, sender), daemon=True)
        self.process.start()

    def _run(self, address, expected, interval, number, sender):
        samples, failures, again = [], [], 0
        paths = itertools.islice(itertools.cycle(expected), number, None)
        kept = None
        due = time.monotonic() + interval * number / CLIENTS
        while not self.stop.is_set():
            time.sleep(max(0.0, due - time.monotonic()))
            path = next(paths)
            try:
                try:
                    kept, body = exchange(kept, address, path)
                except ClosedBeforeAnswer:
                    again += 1
                    kept, body = exchange(None, address, path)
                if digest(body) != expected[path]:
                    failures.append(f"  {path}: another answer, {len(body)} bytes")
            except (OSError, RuntimeError) as error:
                failures.append(f"  {path}: {error!r}")
                kept = None
            samples.append(time.monotonic() - due)
            due += interval
        sender.send((samples, failures, again))

    def finish(self):
        self.stop.set()
        try:
            return self.receiver.recv()
        finally:
            self.process.join()


class ClosedBeforeAnswer(Exception):
    """A kept connection was closed before the first byte of an answer."""


def exchange(kept, address, path):
    """Asks on `kept`, or on a new connection; returns what to keep, and the body."""
    stream = kept or socket.create_connection(address, timeout=60)
    head = b""
    try:
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: restarts\r\n\r\n".encode())
        head = stream.recv(1 << 16)
    except (ConnectionResetError, BrokenPipeError):
        if kept is None:
            raise
    if not head:
        stream.close()
        raise ClosedBeforeAnswer if kept else ConnectionError("a new connection was closed before its answer")
    while b"\r\n\r\n" not in head:
        head += more(stream)
    head, body = head.split(b"\r\n\r\n", 1)
    head = head.lower()
    if not head.startswith(b"http/1.1 200 "):
        raise RuntimeError(head.decode("latin-1"))
    length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    pieces, received = [body], len(body)
    while received < length:
        pieces.append(more(stream))
        received += len(pieces[-1])
    if b"connection: close" in head:
        stream.close()
        stream = None
    return stream, b"".join(pieces)


def more(stream):
    received = stream.recv(1 << 18)
    if not received:
        raise ConnectionError("the server closed the connection in an answer")
    return received


def digest(body):
    return hashlib.blake2b(body, digest_size=16).digest()


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--binary", type=Path, required=True, metavar="FILE", help="airlock, a release build")
    parser.add_argument("--upgrade", type=Path, metavar="FILE", help="another build, in turn with it")
    parser.add_argument("--seconds", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
