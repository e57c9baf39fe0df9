# SPDX-License-Identifier: GPL-2.0-or-later
"""It ends when it is told to, though a terminal, a pipe, sudo or ssh does not help."""
import contextlib
import fcntl
import os
import shutil
import signal
import sys
import time

import pytest

import lab as L
import proc
import services
from traffic import echo, works
from tunnel import SECOND, SLOW

NETS = (L.TARGET_NET4, L.TARGET_NET6)
PROMPT = "assword: "
LISTENING = r"listening on \('127\.0\.0\.1', (\d+)\)"
# As ssh: runs the command here, and goes on when that has ended. Answers no question (ssh -G).
STUBBORN = """#!/bin/sh
[ "$1" = -G ] && exit 1
trap '' HUP INT TERM
for command; do :; done
/bin/sh -c "$command"
exec sleep 1000
"""


def has_rules(lab):
    return "flags owner" in lab.client.ruleset()


@pytest.mark.parametrize("what", ["pipe", "stopped terminal", "unread terminal"])
def test_nobody_reads_stderr(lab, tunnel, before, what):
    """Neither the connections nor the end wait for a reader that has stopped."""
    running = tunnel(*NETS, tty=what != "pipe")
    if what == "pipe":
        fcntl.fcntl(running.process.stdout, fcntl.F_SETPIPE_SZ, 4096)
    elif what == "stopped terminal":
        os.write(running.tty, b"\x13")  # Ctrl-S
    running.stop_reading()
    with lab.client.connect(L.TARGET4, services.ECHO, timeout=5) as sock:
        for _ in range(400):  # lines: more than a pipe or a terminal holds
            assert works(lab.client, L.TARGET4)
        assert echo(sock) == b"ping"
        running.process.terminate()
        assert running.wait(SECOND) == 143
    before.assert_same(within=SECOND)


# A shell that the terminal belongs to, so that the end of the proxy does not end the terminal.
SHELL = """#!/bin/sh
%s/sshuttle-proxy "$@"
code=$?
read -r _
exit $code
"""


def test_ended_at_the_password_prompt(lab, tunnel, before):
    """What asked leaves the terminal, too."""
    shell = L.LAB / "shell"
    shell.write_text(SHELL % lab.build)
    shell.chmod(0o755)
    running = tunnel(*NETS, user="password", tty=True, wait=False, program=shell)
    running.wait_log(PROMPT)
    pids = {proc.name(pid): pid for pid in proc.tree(running.pid)}
    os.kill(pids["sshuttle-proxy"], signal.SIGTERM)
    for name, pid in pids.items():
        if pid != running.pid:
            proc.wait_for(lambda p=pid: not proc.alive(p), 2 * SLOW, f"the end of {name}")
    os.write(running.tty, b"\n")
    assert running.wait() == 143
    before.assert_same()


@pytest.mark.parametrize("standing", [True, False])
def test_ssh_that_cannot_be_ended(lab, tunnel, before, standing):
    """-e has become another user's process: the tunnel ends without it, and says so."""
    script = L.LAB / "stubborn"
    script.write_text(STUBBORN if standing else STUBBORN.replace("/bin/sh -c", ": "))
    script.chmod(0o755)
    lab.set_sudoers(f"t-sys ALL=(t-none) NOPASSWD: {script}",  # sudo is replaced by it:
                    f"Defaults!{script} !use_pty, !pam_session, !pam_setcred")
    try:
        running = tunnel(L.PUBLIC_NET4, ssh=f"sudo -n -u t-none {script}", wait=standing)
        proc.wait_for(lambda: proc.of_users({lab.uid["none"]}), 5, "the command of -e")
        running.process.terminate()
        assert running.process.wait(4 * SLOW) == 143
        assert not has_rules(lab)
        pid = int(running.wait_log(r"^c : warning: .*process (\d+)", timeout=1)[1])
        assert proc.alive(pid) and proc.uid(pid) != lab.uid["sys"]
    finally:
        lab.set_sudoers()
        for pid in proc.of_users({lab.uid["none"]}):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    before.assert_same()


@pytest.fixture
def lives_on(tunnel):
    """Starts the proxy with an ssh that closes its output and does not end."""
    script = L.LAB / "hostile.py"
    shutil.copy2(L.HERE / "hostile.py", script)

    def start(when):
        mode = f"closes {when}".replace(" ", "_")
        return tunnel(L.PUBLIC_NET4, ssh=f"{sys.executable} {script} {mode}", wait=False)
    return start


def take_over(lab, port):
    """Whether somebody else can listen where the rules send traffic to."""
    try:
        lab.client.listen("127.0.0.1", port, lab.uid["none"]).close()
    except OSError:
        return False
    return has_rules(lab)


def test_rules_do_not_wait_for_ssh(lab, lives_on, before):
    """They go at once, and until then nobody else gets the port."""
    running = lives_on("on open").ready()
    port = int(running.wait_log(LISTENING).group(1))
    with lab.client.socket(L.PUBLIC4) as sock:
        sock.setblocking(False)
        sock.connect_ex((L.PUBLIC4, services.ECHO))
        ended = time.monotonic()
        while has_rules(lab):
            assert time.monotonic() - ended < SECOND
            for _ in range(200):
                assert not take_over(lab, port)
    assert running.wait() == 99
    assert "connection to the server is closed" in running.fatal()[0]
    before.assert_same()


def test_end_while_the_rules_are_made(lab, lives_on, before):
    """Connections that nobody will take do not keep a process busy."""
    for ms in (0, 1, 3, 6, 10):
        running, waiting, used = lives_on(f"after {ms}"), [], 0.0
        try:
            while running.process.poll() is None:
                waiting.append(lab.client.socket(L.PUBLIC4))
                waiting[-1].setblocking(False)
                waiting[-1].connect_ex((L.PUBLIC4, services.ECHO))
                with contextlib.suppress(OSError, KeyError):
                    used = max(used, proc.cpu(running.processes()["engine"]))
                time.sleep(0.02)
        finally:
            for sock in waiting:
                sock.close()
        assert running.wait() == 99
        assert used < 0.2 * SLOW
        before.assert_same()
