"""Five hundred requests a second over TLS while the certificate changes.

    python3 tests/clients/certificates.py PACKAGE-STORAGE-7.9.0 --binary target/release/airlock [--seconds 60]

Every second or two another certificate of the same authority is put in place: as a whole, as one file after the other, as half
a pair, and as junk. Clients keep their connection for twenty requests each. No request may
fail: one on a kept connection that is closed before the first byte may be asked once more (RFC 9110, 9.2.2). Ends with 1
where one does, or where the certificate did not change.
"""

import argparse
import itertools
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benches/figures"))
from airlock import Certificate, Server, import_source
from clients import FORK, Client, percentile

PER_SECOND = 500
CLIENTS = 5
KEPT_FOR = 20
PATHS = ("/search", "/search?package=nginx", "/categories", "/search?kibana.version=7.9.0")


def main():
    arguments = parsed()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        store = Path(folder, "data")
        import_source(arguments.binary, store, arguments.source)
        tls = Path(folder, "tls")
        tls.mkdir()
        certificate = Certificate(arguments.binary, tls)
        spare = Path(folder, "spare")
        with Server(arguments.binary, store, tls=certificate) as server:
            with server.client() as client:
                expected = {path: client.get(path) for path in PATHS}
            clients = [Asking(server, expected, number) for number in range(CLIENTS)]
            seen, steps = set(), itertools.cycle((renewed, found, halved, junk))
            begun = time.monotonic()
            while time.monotonic() < begun + arguments.seconds:
                next(steps)(certificate, tls, spare)
                time.sleep(1)
                with server.client() as client:
                    seen.add(client.socket.getpeercert()["serialNumber"])
            seconds = time.monotonic() - begun
            samples, failures = [], []
            for client in clients:
                took, failed = client.finish()
                samples += took
                failures += failed
    print(f"{len(samples):,} answers, {len(samples) / seconds:.0f} a second, by {len(seen)} certificates")
    print(f"half of them within {1000 * percentile(samples, 0.5):.1f} ms, 99 of 100 within {1000 * percentile(samples, 0.99):.1f} ms")
    print("\n".join([f"{len(failures)} failed", *failures[:10]]))
    return 1 if failures or len(seen) < arguments.seconds // 8 else 0


def renewed(certificate, tls, spare):
    certificate.renew()


def found(certificate, tls, spare):
    """As another tool does: the two files one after the other, not as a whole."""
    shutil.rmtree(spare, ignore_errors=True)
    shutil.copytree(tls, spare)
    certificate.renew()
    for name in ("certificate.pem", "key.pem"):
        new = (tls / name).read_bytes()
        (tls / name).write_bytes((spare / name).read_bytes())
        time.sleep(0.2)
        (tls / name).write_bytes(new)


def halved(certificate, tls, spare):
    whole = (tls / "key.pem").read_bytes()
    (tls / "key.pem").write_bytes((spare / "key.pem").read_bytes())
    time.sleep(2.5)
    (tls / "key.pem").write_bytes(whole)


def junk(certificate, tls, spare):
    whole = (tls / "certificate.pem").read_bytes()
    (tls / "certificate.pem").write_text("junk")
    time.sleep(2.5)
    (tls / "certificate.pem").write_bytes(whole)


class Asking:
    """A client in a process of its own that keeps to its schedule and says what failed."""

    def __init__(self, server, expected, number):
        self.stop = FORK.Event()
        self.receiver, sender = FORK.Pipe(duplex=False)
        arguments = (server.address, server.tls.context, expected, number, sender)
        self.process = FORK.Process(target=self._run, args=arguments, daemon=True)
        self.process.start()

    def _run(self, address, context, expected, number, sender):
        samples, failures = [], []
        interval, paths, client = CLIENTS / PER_SECOND, itertools.cycle(expected), None
        due = time.monotonic() + interval * number / CLIENTS
        for count in itertools.count():
            if self.stop.is_set():
                break
            time.sleep(max(0.0, due - time.monotonic()))
            path = next(paths)
            if count % KEPT_FOR == 0 and client:
                client.socket.close()
                client = None
            for is_last in (False, True):
                is_kept = client is not None
                try:
                    client = client or Client(address, tls=context)
                    if client.get(path) != expected[path]:
                        failures.append(f"  {path}: another answer")
                    break
                except (OSError, RuntimeError) as error:
                    client = None
                    if is_last or not is_kept:
                        failures.append(f"  {path}: {error}")
                        break
            samples.append(time.monotonic() - due)
            due += interval
        sender.send((samples, failures))

    def finish(self):
        self.stop.set()
        try:
            return self.receiver.recv()
        finally:
            self.process.join()


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--binary", type=Path, required=True, metavar="FILE", help="airlock, a release build")
    parser.add_argument("--seconds", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
