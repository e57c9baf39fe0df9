# SPDX-License-Identifier: GPL-2.0-or-later
"""Many connections, few descriptors, readers that stop."""
import socket
import time

import pytest

import lab as L
import proc
import services
from traffic import download, echo, receive, works
from tunnel import SLOW

NETS = (L.TARGET_NET4, L.TARGET_NET6)
OURS = ("supervisor", "engine", "helper", "remote")


def pids(running):
    roles = running.processes()
    return {role: roles[role] for role in OURS}


def rss(running):
    return {role: proc.rss(pid) for role, pid in pids(running).items()}


def open_many(lab, count):
    """Connections opened as fast as the kernel takes them, then proven one by one."""
    socks = []
    for i in range(count):
        sock = lab.client.socket(L.TARGET4)
        sock.setblocking(False)
        sock.connect_ex((L.TARGET4, services.ECHO))
        socks.append(sock)
        if i % 500 == 499:
            time.sleep(0.05)
    return socks


def prove(socks):
    for sock in socks:
        sock.settimeout(30)
    for number, sock in enumerate(socks):
        proc.wait_for(lambda s=sock: s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0, 1, "")
        sock.sendall(b"%08d" % number)
    for number, sock in enumerate(socks):
        assert receive(sock, 8) == b"%08d" % number


@pytest.mark.parametrize("count", [2000, 10000])
def test_connections_at_once(lab, tunnel, count):
    running = tunnel(*NETS, verbose=False, wait=False)
    proc.wait_for(lambda: "flags owner" in lab.client.ruleset(), 10, "rules")
    empty = rss(running)
    socks = open_many(lab, count)
    try:
        prove(socks)
        full = rss(running)
    finally:
        for sock in socks:
            sock.close()
    for role in ("engine", "remote"):
        assert full[role] - empty[role] <= count * 4096 * (100 if SLOW > 1 else 1), role
    assert works(lab.client, L.TARGET4)



def test_idle_costs_no_processor_time(lab, tunnel):
    running = tunnel(*NETS)
    assert works(lab.client, L.TARGET4)
    time.sleep(0.5)
    before = {role: proc.cpu(pid) for role, pid in pids(running).items()}
    time.sleep(3)
    used = {role: proc.cpu(pid) - before[role] for role, pid in pids(running).items()}
    assert all(seconds <= 0.01 for seconds in used.values()), used


def fill(sock):
    """Sends until nothing more is taken for a while; how much went in."""
    sent = 0
    sock.settimeout(1.0)
    try:
        while True:
            sent += sock.send(services.BLOCK)
    except TimeoutError:
        return sent



def test_a_stalled_reader_gets_everything_once_it_reads(lab, tunnel):
    tunnel(*NETS)
    with lab.client.connect(L.TARGET4, services.SOURCE, timeout=30) as sock:
        sock.sendall(b"%d\n" % (32 << 20))
        time.sleep(1)
        data = receive(sock, 32 << 20)
    assert data == services.BLOCK * 32
