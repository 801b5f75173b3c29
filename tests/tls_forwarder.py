"""Listens in plain TCP and goes on in TLS: for clients that speak none.

    python3 tests/tls_forwarder.py HOST:PORT CA

Believes the server's certificate by the authority in the file CA alone, and calls it localhost. Prints the port at which it
listens on 127.0.0.1, and ends when it is killed.
"""

import asyncio
import ssl
import sys


async def copied(reader, writer):
    """Hands on what comes until nothing does."""
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass


async def main():
    host, port = sys.argv[1].rsplit(":", 1)
    context = ssl.create_default_context(cafile=sys.argv[2])

    async def forward(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port, ssl=context, server_hostname="localhost")
        except OSError as error:
            print(f"no TLS: {error}", file=sys.stderr, flush=True)
            writer.close()
            return
        there = asyncio.create_task(copied(reader, far_writer))
        # The server's end is the end: what the client had to say it has said.
        await copied(far_reader, writer)
        there.cancel()
        for one in (writer, far_writer):
            one.close()

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
