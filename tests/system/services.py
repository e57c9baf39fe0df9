# SPDX-License-Identifier: GPL-2.0-or-later
"""The services of one node of the lab: TCP, IPv4 and IPv6, every address.

services.py NAME prints "ready" when all of them listen. NAME is what whoami answers.
"""
import asyncio
import hashlib
import json
import random
import socket
import struct
import sys

ECHO, SINK, WHOAMI, GREETING, SOURCE = 7, 9, 6, 8, 19
RESET_AT_ONCE, RESET_AFTER_BYTE, NEVER_READS, CLOSES_FIRST = 31, 32, 33, 34
WATCH, REPORT, HTTP, SHORT = 35, 36, 80, 37
WHOAMI_TOO = (8000, 8001, 8002, 9000)  # for tests of port ranges
REFUSED = 38  # nobody listens

PAGE = b"the page that only the server can reach\n"
BLOCK = random.Random(1).randbytes(1 << 20)
ended = {}  # key -> how a watched connection ended


def pattern_hash(size):
    """SHA-256 of the first size bytes of BLOCK repeated."""
    digest = hashlib.sha256()
    while size > 0:
        digest.update(BLOCK[:size])
        size -= len(BLOCK)
    return digest.hexdigest()


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                               struct.pack("ii", 1, 0))
    writer.transport.abort()


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def greeting(reader, writer):
    writer.write(b"220 greetings\r\n")
    await echo(reader, writer)


async def sink(reader, writer):
    """Reads to the end, then answers with size and SHA-256: a half-close server."""
    size, digest = 0, hashlib.sha256()
    while data := await reader.read(1 << 18):
        size += len(data)
        digest.update(data)
    writer.write(f"{size} {digest.hexdigest()}\n".encode())


async def source(reader, writer):
    """Answers the line N with N bytes of the pattern, then closes."""
    size = int(await reader.readline())
    while size > 0:
        writer.write(BLOCK[:size])
        size -= len(BLOCK)
        await writer.drain()


async def short(reader, writer):
    """A request of 100 bytes, an answer of 1000."""
    await reader.readexactly(100)
    writer.write(BLOCK[:1000])


async def whoami(_reader, writer):
    peer = writer.get_extra_info("peername")
    here = writer.get_extra_info("sockname")
    writer.write(json.dumps({"node": sys.argv[1], "peer": peer[0], "peer_port": peer[1],
                             "addr": here[0]}).encode() + b"\n")


async def http(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE)


async def reset_at_once(_reader, writer):
    reset(writer)


async def reset_after_byte(reader, writer):
    await reader.read(1)
    reset(writer)


async def never_reads(_reader, writer):
    writer.transport.pause_reading()
    writer.write(b"r")
    await asyncio.sleep(3600)


async def closes_first(reader, writer):
    """Line KEY; says "bye" and shuts its side, then reads on: the report says how much came."""
    key = (await reader.readline()).decode().strip()
    writer.write(b"bye")
    writer.write_eof()
    rest = await reader.read()
    ended[key] = f"eof after {len(rest)}"


async def watch(reader, writer):
    """Line KEY; the report says how the connection ended."""
    key = (await reader.readline()).decode().strip()
    writer.write(b"w")
    ended[key] = "open"
    try:
        size = len(await reader.read())
        ended[key] = f"eof after {size}"
    except ConnectionError:
        ended[key] = "reset"


async def report(reader, writer):
    key = (await reader.readline()).decode().strip()
    writer.write(ended.get(key, "unknown").encode())


SERVICES = {ECHO: echo, SINK: sink, WHOAMI: whoami, GREETING: greeting, SOURCE: source,
            RESET_AT_ONCE: reset_at_once, RESET_AFTER_BYTE: reset_after_byte,
            NEVER_READS: never_reads, CLOSES_FIRST: closes_first, WATCH: watch, REPORT: report,
            HTTP: http, SHORT: short, **dict.fromkeys(WHOAMI_TOO, whoami)}


def closing(service):
    async def handle(reader, writer):
        try:
            await service(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError,
                ValueError):
            pass
        finally:
            writer.close()
    return handle


async def main():
    for port, service in SERVICES.items():
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            await asyncio.start_server(closing(service), address, port, family=family,
                                       backlog=4096)
    print("ready", flush=True)
    await asyncio.sleep(86400)


if __name__ == "__main__":
    asyncio.run(main())
