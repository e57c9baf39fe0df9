# SPDX-License-Identifier: GPL-2.0-or-later
"""How the helper is started: sudo with and without a terminal, passwords, doas, polkit."""
import os
import pathlib
import xml.etree.ElementTree

import pytest

import lab as L
import proc
from sandbox import REPO
from traffic import works

PROMPT = "assword: "
NETS = (L.TARGET_NET4, L.TARGET_NET6)


@pytest.fixture
def sudoers(lab):
    yield lab.set_sudoers
    lab.set_sudoers()


@pytest.mark.parametrize("tty", [True, False])
@pytest.mark.parametrize("option", ["use_pty", "!use_pty", "requiretty", "!env_reset"])
def test_sudo_options(lab, tunnel, before, sudoers, option, tty):
    if option == "requiretty" and not tty:
        pytest.xfail("sudo itself refuses without a terminal")
    sudoers(f"Defaults {option}")
    running = tunnel(*NETS, tty=tty)
    assert works(lab.client, L.TARGET4)
    if tty:
        os.write(running.tty, b"\x03")
        assert running.wait() == 1
    else:
        running.stop()
    before.assert_same()


@pytest.mark.parametrize("tty", [True, False])
@pytest.mark.parametrize("option", ["log_input", "log_stdin"])
def test_log_input_is_explained(tunnel, before, sudoers, option, tty):
    """With it sudo puts a pipe in the place of the helper's only door."""
    if option == "log_stdin" and sudo_version() < (1, 9, 11):
        option = "log_input"
    sudoers(f"Defaults {option}")
    running = tunnel(*NETS, tty=tty, wait=False)
    assert running.wait() == 99
    assert "log_input" in running.log
    before.assert_same()


def sudo_version():
    text = os.popen("sudo -V").readline().split()[-1]
    return tuple(int(part) for part in text.split("p")[0].split("."))


def type_password(running, word, times=1):
    for number in range(times):
        proc.wait_for(lambda n=number: running.log.count(PROMPT) > n, 10, "a prompt")
        os.write(running.tty, word.encode() + b"\n")


def test_password(lab, tunnel, before):
    running = tunnel(*NETS, user="password", tty=True, wait=False)
    type_password(running, L.PASSWORD)
    running.ready()
    assert L.PASSWORD not in running.log
    assert works(lab.client, L.TARGET4)
    running.stop()
    before.assert_same()


def test_wrong_password(tunnel, before):
    running = tunnel(*NETS, user="password", tty=True, wait=False)
    running.wait_log(PROMPT)
    for _ in range(40):  # sudo asks three times; then doas and pkexec may have a turn
        if running.process.poll() is not None:
            break
        os.write(running.tty, b"wrong\n")
        try:
            running.process.wait(1)
        except Exception:  # pylint: disable=broad-except
            pass
    assert running.wait() == 99
    before.assert_same()


def test_ctrl_c_at_the_password_prompt(tunnel, before):
    running = tunnel(*NETS, user="password", tty=True, wait=False)
    running.wait_log(PROMPT)
    os.write(running.tty, b"\x03")
    assert running.wait() == 1
    before.assert_same()


def test_scope_auto(lab, tunnel):
    """The widest right that needs no password."""
    assert "--scope=own" in " ".join(helper_command(tunnel(*NETS, user="own")))
    assert "--scope=system" in " ".join(helper_command(tunnel(*NETS, user="sys")))
    assert works(lab.client, L.TARGET4)


def test_scope_chosen(tunnel):
    assert "--scope=own" in helper_command(tunnel("--scope=own", *NETS, user="sys"))


def helper_command(running):
    return proc.argv(running.processes()["helper"])


def test_doas(lab, tunnel, before):
    """For a user whom sudo refuses."""
    config = pathlib.Path("/etc/doas.conf")
    config.write_text(f"permit nopass t-none as root cmd {lab.build}/sshuttle-fwhelper "
                      "args --scope=own\n")
    config.chmod(0o600)
    try:
        running = tunnel(*NETS, user="none")
        assert works(lab.client, L.TARGET4, lab.uid["none"])
        running.stop()
        before.assert_same()
    finally:
        config.unlink()


def test_polkit_action():
    """polkitd needs a system bus, which a test run has not; so the file is read."""
    text = (REPO / "packaging" / "org.sshuttle.fwhelper.policy.in").read_text()
    actions = {}
    for action in xml.etree.ElementTree.fromstring(text).iter("action"):
        notes = {note.get("key"): note.text for note in action.iter("annotate")}
        path = notes["org.freedesktop.policykit.exec.path"]
        assert path == "@HELPER@"
        actions[notes["org.freedesktop.policykit.exec.argv1"]] = {
            default.tag: default.text for default in action.find("defaults")}
    assert set(actions) == {"--scope=own", "--scope=system"}
    assert all(answer.startswith("auth_admin") or answer == "no"
               for answer in actions["--scope=system"].values())
