# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections from one local port to different services at once.

What redirects them maps many destinations to few: were it one, the second connection would become
the same tuple as the first in the kernel's NAT table, and its SYN would vanish without a trace.
"""
import socket

import pytest

import lab as L
import services
from traffic import echo

NETS = (L.TARGET_NET4, L.TARGET_NET6)
PORTS = (services.WHOAMI, *services.WHOAMI_TOO)
LOCAL_PORT = 7777


@pytest.mark.parametrize("address", [L.TARGET4, L.TARGET6])
def test_one_local_port_many_services(lab, tunnel, address):
    tunnel(*NETS)
    kept = []
    try:
        for port in (services.ECHO, *PORTS):
            sock = lab.client.socket(address)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.settimeout(2)
            sock.bind(("", LOCAL_PORT))
            sock.connect((address, port))
            kept.append(sock)
        assert echo(kept[0]) == b"ping"
        for sock in kept[1:]:
            assert sock.recv(1)
    finally:
        for sock in kept:
            sock.close()
