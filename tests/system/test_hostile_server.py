# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that is broken or taken over: a clear end, no crash, nothing left behind."""
import contextlib
import shutil
import sys

import pytest

import hostile
import lab as L
import proc
from traffic import how_it_ends


@pytest.fixture
def against(lab, tunnel):
    """Starts the proxy with hostile.py in the place of ssh."""
    script = L.LAB / "hostile.py"
    shutil.copy2(L.HERE / "hostile.py", script)

    def start(mode):
        return tunnel(L.PUBLIC_NET4, wait=False,
                      ssh=f"{sys.executable} {script} {mode.replace(' ', '_')}")
    return start


def one_fatal_line(running):
    assert running.wait(15) == 99
    assert len(running.fatal()) == 1, running.log
    assert "\x1b" not in running.log.replace("\x1b[31mred", "")  # ssh's own stderr is ssh's


@pytest.mark.parametrize("mode", hostile.BEFORE)
def test_before_the_handshake(against, before, mode):
    one_fatal_line(against(mode))
    before.assert_same()


@pytest.mark.parametrize("mode", hostile.AFTER)
def test_after_the_handshake(against, before, mode):
    one_fatal_line(against(mode))
    before.assert_same()


def clean(running):
    """Either it goes on, or it has ended in the way in which it should."""
    with contextlib.suppress(AssertionError):
        running.wait(0.5)
    assert running.process.poll() in (None, 99), running.log
    assert "bug" not in running.log


@pytest.mark.parametrize("mode", hostile.ON_STREAM)
def test_on_a_stream(lab, against, before, mode):
    running = against(mode).ready()
    with contextlib.suppress(OSError):
        with lab.client.connect(L.PUBLIC4, 33, timeout=1) as sock:
            with contextlib.suppress(TimeoutError):
                how_it_ends(sock)
    clean(running)
    running.stop()
    before.assert_same()


@pytest.mark.parametrize("seed", range(10))
def test_changed_bytes(lab, against, before, seed):
    running = against(f"mutate {seed}")
    with contextlib.suppress(AssertionError):
        running.ready()
    for port in (7, 6, 19):
        with contextlib.suppress(OSError):
            with lab.client.connect(L.PUBLIC4, port, timeout=0.2) as sock:
                sock.sendall(b"100000\n")
                how_it_ends(sock)
    clean(running)
    running.stop()
    before.assert_same()
    assert not [p for p in proc.pids() if proc.name(p).startswith("sshuttle")]
