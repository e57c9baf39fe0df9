# SPDX-License-Identifier: GPL-2.0-or-later
"""The helper behind the real sudo and doas, started by an ordinary user."""
import fcntl
import os
import pathlib
import pty
import pwd
import shutil
import subprocess
import termios

import pytest

from fwhelper_client import Helper
from lab import BUILD
from node import Node
from sandbox import LAB, run

USER = "t-fwhelper"
HELPER = LAB / "fwhelper-sudo/sshuttle-fwhelper"
SUDOERS = pathlib.Path("/etc/sudoers.d/sshuttle-fwhelper-test")
DOAS = pathlib.Path("/etc/doas.conf")


@pytest.fixture
def uid():
    run("useradd", "--no-create-home", "--shell", "/bin/sh", USER, stderr=subprocess.DEVNULL)
    HELPER.parent.mkdir(mode=0o755)
    shutil.copy(BUILD / HELPER.name, HELPER)
    HELPER.chmod(0o755)
    yield pwd.getpwnam(USER).pw_uid
    shutil.rmtree(HELPER.parent)
    SUDOERS.unlink(missing_ok=True)
    DOAS.unlink(missing_ok=True)
    run("userdel", USER, stderr=subprocess.DEVNULL)


@pytest.fixture
def node():
    node = Node("fwsudo")
    yield node
    assert node.ruleset() == ""
    node.close()
    run("ip", "netns", "del", node.name)


def allow(*defaults):
    lines = [f"{USER} ALL=(root) NOPASSWD: {HELPER} --scope=own", *defaults]
    SUDOERS.write_text("\n".join(lines) + "\n")
    SUDOERS.chmod(0o440)


def with_terminal(terminal):
    """For preexec_fn: a new session whose terminal this is."""
    def setup():
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    return setup


def start(node, uid, launcher, terminal=None, scope="own"):
    more = {"preexec_fn": with_terminal(terminal)} if terminal is not None else {}
    return Helper(node.argv(*launcher, HELPER, f"--scope={scope}", user=USER), uid=uid, **more)


@pytest.mark.parametrize("terminal", [False, True], ids=["no-tty", "tty"])
@pytest.mark.parametrize("defaults", [(), ("Defaults !use_pty",), ("Defaults log_output",)],
                         ids=["use_pty", "no-use_pty", "log_output"])
def test_sudo(node, uid, defaults, terminal):
    allow("Defaults iolog_dir=/run/sudo-io", *defaults)
    master, slave = pty.openpty()
    helper = start(node, uid, ["sudo", "-n"], slave if terminal else None)
    try:
        helper.hello().net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
        assert helper.caller == uid
        assert f"sshuttle-{uid}-" in node.ruleset()
        assert f"meta skuid {uid}" in node.run("nft", "-n", "list", "ruleset").stdout
        assert helper.close() == 0
    finally:
        helper.stop()
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("option", ["log_input", "log_stdin"])
def test_sudo_that_logs_input(node, uid, option):
    """sudo 1.9.13's log_input covers the terminal only; log_stdin always replaces fd 0."""
    allow("Defaults iolog_dir=/run/sudo-io", f"Defaults {option}")
    helper = start(node, uid, ["sudo", "-n"])
    try:
        assert helper.wait() == 66
        assert b"Defaults!" in helper.process.stderr.read()
    finally:
        helper.stop()
    allow("Defaults iolog_dir=/run/sudo-io", f"Defaults {option}",
          f"Defaults!{HELPER} !log_input, !log_stdin")
    helper = start(node, uid, ["sudo", "-n"])
    try:
        assert helper.hello().close() == 0
    finally:
        helper.stop()


def test_sudo_grants_no_more_than_the_line(node, uid):
    allow()
    helper = start(node, uid, ["sudo", "-n"], scope="system")
    try:
        assert helper.wait() == 1
    finally:
        helper.stop()


def test_socket_of_another_user(node, uid):
    """What SUDO_UID is for: the user passes in a socket that root made."""
    allow()
    helper = start(node, 0, ["sudo", "-n"])
    try:
        assert uid != 0 and helper.wait() == 77
    finally:
        helper.stop()


@pytest.mark.parametrize("maker_is_user", [True, False])
def test_doas(node, uid, maker_is_user):
    DOAS.write_text(f"permit nopass {USER} as root cmd {HELPER} args --scope=own\n")
    DOAS.chmod(0o400)
    helper = start(node, uid if maker_is_user else 0, ["doas", "-n"])
    try:
        if maker_is_user:
            helper.hello().net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
            assert helper.caller == uid
            assert f"sshuttle-{uid}-" in node.ruleset()
            assert helper.close() == 0
        else:
            assert helper.wait() == 77
    finally:
        helper.stop()
