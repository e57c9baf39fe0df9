# SPDX-License-Identifier: GPL-2.0-or-later
"""Conversations with the services of the lab, held by sockets on a node."""
import errno
import hashlib
import json
import socket
import struct

import lab as L
import services

VIA_SERVER = {L.SERVER4, L.SERVER6, L.SERVER_INSIDE4, L.SERVER_INSIDE6}


def whoami(node, address, uid=0, port=services.WHOAMI):
    with node.connect(address, port, uid) as sock:
        return json.loads(sock.makefile().readline())


def tunnelled(node, address, port=services.WHOAMI, uid=0):
    """Whether a connection to a reachable whoami service comes out of the server."""
    return whoami(node, address, uid, port)["peer"] in VIA_SERVER


def echo(sock, data=b"ping"):
    sock.sendall(data)
    return receive(sock, len(data))


def receive(sock, size):
    data = bytearray()
    while len(data) < size:
        more = sock.recv(min(size - len(data), 1 << 18))
        if not more:
            raise EOFError(f"the stream ended after {len(data)} of {size} bytes")
        data += more
    return bytes(data)


def receive_all(sock):
    data = bytearray()
    while more := sock.recv(1 << 18):
        data += more
    return bytes(data)


def works(node, address, uid=0):
    """An echo through a new connection."""
    with node.connect(address, services.ECHO, uid) as sock:
        return echo(sock) == b"ping"


def download(node, address, size, uid=0):
    """SHA-256 of size bytes of the source service."""
    digest, got = hashlib.sha256(), 0
    with node.connect(address, services.SOURCE, uid, timeout=30) as sock:
        sock.sendall(b"%d\n" % size)
        while data := sock.recv(1 << 18):
            digest.update(data)
            got += len(data)
    return got, digest.hexdigest()


def upload(node, address, size, uid=0):
    """What the sink service says it got."""
    with node.connect(address, services.SINK, uid, timeout=30) as sock:
        left = size
        while left > 0:
            block = services.BLOCK[:left]
            sock.sendall(block)
            left -= len(block)
        sock.shutdown(socket.SHUT_WR)
        got, digest = receive_all(sock).decode().split()
    return int(got), digest


def reset(sock):
    """Ends the connection with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def how_it_ends(sock):
    """'eof' or the name of the errno."""
    try:
        receive_all(sock)
        return "eof"
    except OSError as error:
        return errno.errorcode.get(error.errno, repr(error))


def report(node, address, key):
    """What the far service has seen of the connection that called itself key."""
    with node.connect(address, services.REPORT) as sock:
        sock.sendall(key.encode() + b"\n")
        return receive_all(sock).decode()
