# SPDX-License-Identifier: GPL-2.0-or-later
"""Many connections, few descriptors, readers that stop."""
import socket
import time

import pytest

import lab as L
import proc
import services
from traffic import download, echo, receive, reset, works
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


def test_few_descriptors(lab, tunnel):
    """With descriptors for a handful it serves that handful, queues the rest and does not spin."""
    running = tunnel(*NETS, "-l", "127.0.0.1:8400,[::1]:8400", nofile="64:64", verbose=True)
    socks = open_many(lab, 200)
    try:
        socks[0].settimeout(10)
        assert echo(socks[0], b"12345678") == b"12345678"
        time.sleep(0.5)
        before = {role: proc.cpu(pid) for role, pid in pids(running).items()}
        time.sleep(2)
        used = {role: proc.cpu(pid) - before[role] for role, pid in pids(running).items()}
        assert all(seconds < 0.2 for seconds in used.values()), used
        while len(socks) > 1:  # every closed one makes room for a waiting one
            socks.pop(0).close()
        socks[0].settimeout(10)
        assert echo(socks[0], b"12345678") == b"12345678"
    finally:
        for sock in socks:
            sock.close()
    assert works(lab.client, L.TARGET4)


@pytest.fixture
def poor_server(lab):
    """A server whose login shell leaves few descriptors: the name of an account on it."""
    rc = lab.home("noisy") / ".bashrc"
    was = rc.read_text()
    rc.write_text(was + "ulimit -n 64\n")
    yield "t-noisy@server"
    rc.write_text(was)


@pytest.mark.parametrize("end", [socket.socket.close, reset], ids=["close", "reset"])
def test_few_descriptors_at_the_server(lab, tunnel, poor_server, end):
    """Connections wait for a place, and none is refused: a place is free when it is said to be."""
    tunnel(*NETS, remote=poor_server, verbose=False, wait=False).wait_log("Connected")
    proc.wait_for(lambda: "flags owner" in lab.client.ruleset(), 10, "rules")
    for _ in range(3):
        socks = open_many(lab, 200)
        try:
            for number, sock in enumerate(socks):
                sock.settimeout(10)
                assert echo(sock, b"%08d" % number) == b"%08d" % number
                sock.sendall(b"more, and nobody reads the answer")
                end(sock)
        finally:
            for sock in socks:
                sock.close()
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


@pytest.mark.parametrize("who", ["application", "target"])
def test_a_reader_that_stops_stops_only_itself(lab, tunnel, who):
    running = tunnel(*NETS)
    assert works(lab.client, L.TARGET4)
    before = rss(running)
    if who == "application":
        stalled = lab.client.connect(L.TARGET4, services.SOURCE)
        stalled.sendall(b"1000000000\n")
        time.sleep(2)
    else:
        stalled = lab.client.connect(L.TARGET4, services.NEVER_READS)
        assert fill(stalled) < 64 << 20
    growth = {role: size - before[role] for role, size in rss(running).items()}
    started = time.monotonic()
    size = 16 << 20
    assert download(lab.client, L.TARGET4, size) == (size, services.pattern_hash(size))
    assert time.monotonic() - started < 5 * SLOW
    assert works(lab.client, L.TARGET6)
    stalled.close()
    if SLOW == 1:
        assert all(extra <= 1 << 20 for extra in growth.values()), growth


def test_a_stalled_reader_gets_everything_once_it_reads(lab, tunnel):
    tunnel(*NETS)
    with lab.client.connect(L.TARGET4, services.SOURCE, timeout=30) as sock:
        sock.sendall(b"%d\n" % (32 << 20))
        time.sleep(1)
        data = receive(sock, 32 << 20)
    assert data == services.BLOCK * 32
