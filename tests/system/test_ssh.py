# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways of ssh: a jump host, a shared connection, noisy and useless shells, other commands."""
import os

import pytest

import lab as L
from sandbox import LAB
from traffic import works

NETS = (L.TARGET_NET4, L.TARGET_NET6)


def test_jump_host(lab, tunnel):
    tunnel(*NETS, remote="behind")
    assert works(lab.client, L.TARGET4)


@pytest.mark.parametrize("subnets", [NETS, ("0/0", "::/0")])
def test_shared_connection(lab, tunnel, subnets):
    """With ControlMaster our ssh has no connection of its own: the master has it."""
    path = lab.home("sys") / "control"
    ssh = ["ssh", "-F", str(lab.ssh_config), "-o", f"ControlPath={path}"]
    lab.client.run(*ssh, "-o", "ControlMaster=yes", "-fN", "server", user="t-sys")
    try:
        tunnel(*subnets, ssh=" ".join(ssh)).wait_log("Connected to server")
        assert works(lab.client, L.TARGET4)
        lab.client.run(*ssh, "-O", "check", "server", user="t-sys")
    finally:
        lab.client.run(*ssh, "-O", "exit", "server", user="t-sys")


def test_quoting_in_e(lab, tunnel):
    config = LAB / "with blank.config"
    config.write_text(lab.ssh_config.read_text())
    tunnel(*NETS, ssh=f"ssh -F '{config}'")
    assert works(lab.client, L.TARGET4)


def test_noisy_login(lab, tunnel):
    running = tunnel(*NETS, remote="t-noisy@server")
    assert works(lab.client, L.TARGET4)
    assert "\x1b" not in running.log


def test_account_without_a_shell(lab, tunnel):
    running = tunnel(*NETS, remote="t-noshell@server", wait=False)
    assert running.wait() == 99
    assert len(running.fatal()) == 1


def test_wrong_key(lab, tunnel):
    running = tunnel(*NETS, wait=False, ssh=f"{lab.ssh} -o IdentityFile=/dev/null "
                     "-o IdentitiesOnly=yes -o PubkeyAuthentication=no")
    assert running.wait() == 99
    assert "Permission denied" in running.log


def test_server_that_does_not_answer(lab, tunnel):
    running = tunnel(*NETS, remote="nobody", wait=False)
    assert running.wait(15) == 99


def test_port_option(lab, tunnel):
    running = tunnel(*NETS, remote=f"t-tun@{L.SERVER4}:23", wait=False)
    assert running.wait() == 99
    assert "port 23" in running.log


def test_server_that_has_gone(lab, tunnel):
    """ssh ends by itself while the tunnel runs."""
    running = tunnel(*NETS)
    running.process.poll()
    os.kill(running.processes()["ssh"], 15)
    assert running.wait() == 99
    assert "ssh" in running.fatal()[0]
