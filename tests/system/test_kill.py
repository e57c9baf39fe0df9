# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGKILL to any process at any moment: within a second everything is as it was."""
import os
import signal
import time

import pytest

import lab as L
import proc
import services
from traffic import tunnelled, works
from tunnel import SLOW

NETS = (L.TARGET_NET4, L.TARGET_NET6, L.PUBLIC_NET4)
ROLES = ("supervisor", "engine", "helper", "sudo", "ssh", "remote")


def as_before(lab, running, before):
    before.assert_same()
    running.wait(2)
    assert not tunnelled(lab.client, L.PUBLIC4)
    with pytest.raises(OSError):
        works(lab.client, L.TARGET4)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


@pytest.mark.parametrize("role", ROLES)
def test_in_a_running_tunnel(lab, tunnel, before, role):
    running = tunnel(*NETS)
    assert works(lab.client, L.TARGET4)
    kill(running.processes()[role])
    as_before(lab, running, before)
    if role != "supervisor":
        assert running.process.returncode == 99
        assert len(running.fatal()) == 1


@pytest.mark.parametrize("role", ROLES)
def test_with_traffic(lab, tunnel, before, role):
    """While a download runs and with a terminal, where sudo has a process more."""
    running = tunnel(*NETS, tty=True)
    sock = lab.client.connect(L.TARGET4, services.SOURCE, timeout=1)
    sock.sendall(b"100000000000\n")
    assert sock.recv(100000)
    kill(running.processes()[role])
    try:
        while sock.recv(1 << 20):
            pass
    except OSError:
        pass
    sock.close()
    as_before(lab, running, before)


@pytest.mark.parametrize("role", ROLES)
def test_during_the_start(lab, tunnel, before, role):
    """As soon as the process exists, and at some moments after that."""
    for delay in (0, 0.005, 0.02, 0.05, 0.1, 0.2):
        running = tunnel(*NETS, wait=False)
        deadline = time.monotonic() + 10 * SLOW
        while role not in (roles := running.processes()) and running.process.poll() is None:
            assert time.monotonic() < deadline
        time.sleep(delay)
        if role in roles:
            kill(roles[role])
        try:
            before.assert_same()
        except AssertionError:
            # What was killed was a probe, and the start went another way. Then it must work.
            assert running.process.poll() is None
            running.ready()
            assert works(lab.client, L.TARGET4, lab.uid["sys"])
            running.stop()
            before.assert_same()
        running.wait(2)


def test_all_of_sudo(lab, tunnel, before):
    running = tunnel(*NETS, tty=True)
    for pid in [p for p in proc.tree(running.pid) if proc.name(p) == "sudo"]:
        kill(pid)
    as_before(lab, running, before)


def test_the_tunnel_starts_again_after_a_kill(lab, tunnel, before):
    running = tunnel(*NETS)
    kill(running.pid)
    before.assert_same()
    tunnel(*NETS)
    assert works(lab.client, L.TARGET4)
