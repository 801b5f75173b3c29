"""HTTP clients of our own: one that costs little, one that keeps to a schedule, one that reads slowly."""

import multiprocessing
import socket
import time

# A child shares what its parent has loaded, and starts in a millisecond.
FORK = multiprocessing.get_context("fork")


def closed_port():
    """Returns a port at which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def percentile(samples, share):
    """Returns the value that `share` of the samples do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Client:
    """One kept connection. Python's own client spends more on an answer's headers than some servers on the answer."""

    def __init__(self, address, gzip=False, tls=None):
        """`tls` is the `SSLContext` to speak TLS by; the server is called localhost."""
        self.socket = socket.create_connection(address, timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.headers = "Host: figures\r\n" + ("Accept-Encoding: gzip\r\n" if gzip else "")
        self.buffer = bytearray(1 << 16)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def get(self, path):
        """Returns the body of a 200; anything else raises."""
        return self._ask("GET", path)[1]

    def content_length(self, path):
        return self._ask("HEAD", path)[0]

    def _ask(self, method, path):
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\n{self.headers}\r\n".encode())
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        head = bytes(received[:end]).lower()
        if not head.startswith(b"http/1.1 200 "):
            raise RuntimeError(f"{method} {path}: {head.decode('latin-1')}")
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = received[end + 4 :]
        while method == "GET" and len(body) < length:
            body += self._receive()
        return length, bytes(body)

    def _receive(self):
        count = self.socket.recv_into(self.buffer)
        if count == 0:
            raise ConnectionError("the server closed the connection in an answer")
        return memoryview(self.buffer)[:count]


class Paced:
    """Something done so many times a second, in a process of its own, until it is told to stop.

    Each time counts from when it was due, not from when it was begun: what is late because the one before it was slow
    is late for its client too. `begin` is called in the process and returns what is done each time.
    """

    def __init__(self, per_second, begin):
        self.stop = FORK.Event()
        self.receiver, sender = FORK.Pipe(duplex=False)
        self.process = FORK.Process(target=self._run, args=(1 / per_second, begin, sender), daemon=True)
        self.process.start()

    def _run(self, interval, begin, sender):
        act = begin()
        samples = []
        due = time.monotonic()
        while not self.stop.is_set():
            act()
            samples.append(time.monotonic() - due)
            due += interval
            time.sleep(max(0.0, due - time.monotonic()))
        sender.send(samples)

    def finish(self):
        """Stops it and returns the seconds of each time."""
        self.stop.set()
        try:
            return self.receiver.recv()
        except EOFError:
            raise RuntimeError("a client failed, see above") from None
        finally:
            self.process.join()


class SlowReader:
    """A client that reads an answer at so many bytes a second, and begins again when it has all of it."""

    def __init__(self, address, path, bytes_per_second):
        self.process = FORK.Process(target=self._run, args=(address, path, bytes_per_second), daemon=True)
        self.process.start()

    def _run(self, address, path, bytes_per_second):
        while True:
            with socket.socket() as connection:
                # Else the kernel takes in megabytes at once for a reader that is not there.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.connect(address)
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: figures\r\nConnection: close\r\n\r\n".encode())
                while connection.recv(bytes_per_second // 10):
                    time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()
