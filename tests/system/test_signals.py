# SPDX-License-Identifier: GPL-2.0-or-later
"""How it ends: Ctrl-C, SIGTERM, the terminal going away; the exit code of each."""
import os
import signal

import pytest

import lab as L
import proc
from traffic import works

NETS = (L.TARGET_NET4, L.TARGET_NET6)


def gone(lab):
    with pytest.raises(OSError):
        works(lab.client, L.TARGET4)


@pytest.mark.parametrize("number,code", [(signal.SIGINT, 1), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("user", ["sys", "root"])
def test_signal(lab, tunnel, before, number, code, user):
    running = tunnel(*NETS, user=user)
    assert works(lab.client, L.TARGET4)
    got = running.stop(number)
    assert got % 256 == code or (number == signal.SIGTERM and got == -number)
    before.assert_same()
    gone(lab)


@pytest.mark.parametrize("user", ["sys", "root"])
def test_ctrl_c_on_the_terminal(lab, tunnel, before, user):
    running = tunnel(*NETS, user=user, tty=True)
    os.write(running.tty, b"\x03")
    assert running.wait() == 1
    assert "fatal" not in running.log
    before.assert_same()


def test_terminal_goes_away(lab, tunnel, before):
    running = tunnel(*NETS, tty=True)
    running.hang_up()
    assert running.wait() != 0
    before.assert_same()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_before_the_server_has_answered(lab, tunnel, before, number):
    script = L.LAB / "silent-ssh"
    script.write_text("#!/bin/sh\nexec sleep 1000\n")
    script.chmod(0o755)
    running = tunnel(*NETS, ssh=str(script), wait=False)
    proc.wait_for(lambda: "ssh" in running.processes() or
                  any(proc.name(p) == "sleep" for p in proc.tree(running.pid)), 5, "the fake ssh")
    assert "flags owner" not in lab.client.ruleset()
    assert running.stop(number) % 256 in (1, 143, 256 - number)
    before.assert_same()


def test_stop_and_start_again(lab, tunnel, before):
    for _ in range(5):
        running = tunnel(*NETS)
        assert works(lab.client, L.TARGET4)
        running.stop()
        before.assert_same()
