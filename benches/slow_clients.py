#!/usr/bin/env python3
"""Holds many slow connections against a server, prints "open" once all are open, and goes on until it is killed.

    slow_clients.py ADDRESS COUNT KIND [PATH]

KIND is what each connection does:
    idle     connects and says nothing
    kept     asks for PATH once, reads the answer and says nothing more
    head     sends a request head for PATH that never ends, a byte every PAUSE
    body     asks for PATH with a body of a terabyte that comes a byte every PAUSE
    reader   asks for PATH and reads a little of the answer every PAUSE, through the smallest receive buffer

What the server closes is opened anew after a PAUSE: who is not slow about that is a flood. Pauses are between nothing
and twice PAUSE, so that not all speak at once. Needs a file limit above COUNT, and raises its own to the hard one.
"""

import errno
import heapq
import random
import resource
import select
import socket
import sys
import time

KINDS = ("idle", "kept", "head", "body", "reader")
PAUSE = 10.0
READ_BYTES = 2048
OPEN_AT_ONCE = 256


def a_pause_from_now():
    return time.monotonic() + random.uniform(0, 2 * PAUSE)


class SlowClients:
    def __init__(self, address, count, kind, path):
        host, port = address.rsplit(":", 1)
        self.peer = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        self.count, self.kind = count, kind
        request = f"GET {path} HTTP/1.1\r\nhost: {address}\r\n"
        self.hello = {
            "idle": "",
            "kept": request + "\r\n",
            "head": request + "x-slow: ",
            "body": request + f"content-length: {1 << 40}\r\n\r\n",
            "reader": request + "\r\n",
        }[kind].encode()
        self.poll = select.epoll()
        self.connecting, self.open = {}, {}
        self.due = []
        self.to_open_at = []

    def begin(self):
        family, kind, protocol, _, address = self.peer
        client = socket.socket(family, kind, protocol)
        if self.kind == "reader":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.setblocking(False)
        error = client.connect_ex(address)
        if error not in (0, errno.EINPROGRESS):
            raise OSError(error, f"cannot connect: {errno.errorcode.get(error, error)}")
        self.connecting[client.fileno()] = client
        self.poll.register(client, select.EPOLLOUT)

    def drop(self, fd):
        client = self.connecting.pop(fd, None) or self.open.pop(fd, None)
        self.poll.unregister(fd)
        client.close()
        heapq.heappush(self.to_open_at, a_pause_from_now())

    def connected(self, fd):
        client = self.connecting[fd]
        if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return self.drop(fd)
        client.send(self.hello)
        self.open[fd] = self.connecting.pop(fd)
        # A slow reader is not told that there is more: it reads in its own time.
        self.poll.modify(fd, select.EPOLLRDHUP if self.kind == "reader" else select.EPOLLIN)
        if self.kind not in ("idle", "kept"):
            heapq.heappush(self.due, (a_pause_from_now(), fd, id(client)))

    def go_on(self, fd):
        """Does the little that keeps the connection alive; tells whether it is."""
        try:
            if self.kind == "reader":
                return bool(self.open[fd].recv(READ_BYTES))
            return self.open[fd].send(b"x") > 0
        except BlockingIOError:
            return True
        except OSError:
            return False

    def answered(self, fd):
        """Reads what has come; tells whether the connection goes on."""
        try:
            return bool(self.open[fd].recv(65536))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def handle(self, fd, event):
        if fd in self.connecting:
            self.connected(fd)
        elif event & select.EPOLLIN:
            if not self.answered(fd):
                self.drop(fd)
        elif event & (select.EPOLLHUP | select.EPOLLERR):
            self.drop(fd)
        else:
            # The server has said all: what is left is read as slowly as the rest.
            self.poll.modify(fd, 0)

    def run(self):
        was_open = False
        while True:
            while self.to_open_at and self.to_open_at[0] <= time.monotonic():
                heapq.heappop(self.to_open_at)
            missing = self.count - len(self.open) - len(self.connecting) - len(self.to_open_at)
            for _ in range(min(missing, OPEN_AT_ONCE - len(self.connecting))):
                self.begin()
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else 1.0
            for fd, event in self.poll.poll(min(wait, 1.0), 512):
                self.handle(fd, event)
            while self.due and self.due[0][0] <= time.monotonic():
                _, fd, identity = heapq.heappop(self.due)
                if id(self.open.get(fd)) != identity:
                    continue
                if self.go_on(fd):
                    heapq.heappush(self.due, (a_pause_from_now(), fd, identity))
                else:
                    self.drop(fd)
            if not was_open and len(self.open) + len(self.to_open_at) == self.count:
                was_open = True
                print("open", flush=True)


def main():
    if len(sys.argv) not in (4, 5) or sys.argv[3] not in KINDS:
        sys.exit(__doc__)
    address, count, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if count + 64 > hard:
        sys.exit(f"{count} connections need a file limit of {count + 64}; the hard limit is {hard}")
    try:
        SlowClients(address, count, kind, sys.argv[4] if len(sys.argv) == 5 else "/").run()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
