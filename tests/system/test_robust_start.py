# SPDX-License-Identifier: GPL-2.0-or-later
"""It starts, or says why not, where something around it is unusual."""
import contextlib
import os
import shutil
import signal
import socket
import struct
import sys
import threading
import time

import pytest

import lab as L
import proc
from fwhelper_client import Helper
from node import Node, link
from sandbox import run
from traffic import works

NETS = (L.TARGET_NET4, L.TARGET_NET6)
PROMPT = "assword: "


@pytest.mark.parametrize("listen", [
    "[::1]:8500,[::1]:8540,[::1]:8580,[::1]:8620,[::1]:8660",
    "[::1]:8510,[::1]:8509", "[::1]:8509,[::1]:8510",
])
def test_many_listeners(lab, tunnel, listen):
    """What the rules would like to have besides does not take what was asked for."""
    tunnel(L.TARGET_NET6, "-l", listen)
    assert works(lab.client, L.TARGET6)


def nft_message(kind, flags, family, subsystem, attributes=b""):
    return struct.pack("=IHHIIBBH", 20 + len(attributes), kind, 1 | flags, 0, 0, family, 0,
                       socket.htons(subsystem)) + attributes


def nft_batch(kind, flags=0):
    """One transaction that adds or deletes a table."""
    name = struct.pack("=HH7sx", 4 + 7, 1, b"hammer\0")
    return (nft_message(0x10, 0, 0, 10) + nft_message(10 << 8 | kind, flags, 1, 0, name) +
            nft_message(0x11, 0, 0, 10))


@contextlib.contextmanager
def nft_hammered(node):
    """Another program that changes nftables in long bursts."""
    with node.inside():
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
    stop, done = threading.Event(), []

    def hammer():
        while not stop.is_set():
            for _ in range(150):
                sock.send(nft_batch(0, 0x400))  # NFT_MSG_NEWTABLE, NLM_F_CREATE
                sock.send(nft_batch(2))  # NFT_MSG_DELTABLE
                done.append(1)
            time.sleep(0.005)

    thread = threading.Thread(target=hammer)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()
        sock.close()


def test_others_change_nftables(lab, before):
    with nft_hammered(lab.client) as changes:
        for number in range(20):
            helper = Helper(lab.client.argv(lab.build / "sshuttle-fwhelper", "--scope=system"))
            try:
                helper.hello().net(*[f"10.77.{i}.0/24" for i in range(20)])
                helper.listen("127.0.0.1", 8700).commit()
                assert helper.close() == 0, number
            finally:
                helper.stop()
    assert len(changes) > 100
    before.assert_same()


@pytest.fixture(scope="module")
def no_v6(lab):
    """A client on which IPv6 is switched off."""
    node = Node("nov6", {"net/ipv6/conf/all/disable_ipv6": 1, "net/ipv6/conf/lo/disable_ipv6": 1,
                         "net/ipv6/conf/default/disable_ipv6": 1})
    link(node, ["10.70.8.2/24"], lab.router, ["10.70.8.1/24"])
    node.ip("route add default via 10.70.8.1")
    yield node
    lab.router.ip("link del to-nov6")
    assert node.ruleset() == ""
    node.close()
    run("ip", "netns", "del", node.name)


@pytest.mark.parametrize("subnets", [NETS, ("both.lab",), ("0/0", "::/0")])
def test_client_without_ipv6(tunnel, no_v6, subnets):
    running = tunnel(*subnets, node=no_v6)
    running.wait_log(r"^c : warning: .*IPv6", timeout=0)
    assert works(no_v6, L.TARGET4)


def test_only_ipv6_on_a_client_without_it(tunnel, no_v6):
    running = tunnel(L.TARGET_NET6, node=no_v6, wait=False)
    assert running.wait() == 99
    assert "IPv6" in running.fatal()[0]


@pytest.mark.parametrize("ignored", [(), ("CHLD",)])
def test_status_of_ssh(tunnel, before, ignored):
    """Also where the one who started us ignored the end of children."""
    script = L.LAB / "hostile.py"
    shutil.copy2(L.HERE / "hostile.py", script)
    running = tunnel(L.TARGET_NET4, ssh=f"{sys.executable} {script} exit_3", wait=False,
                     ignored=ignored)
    assert running.wait() == 99
    assert "3" in running.fatal()[0]
    before.assert_same()


def test_nohup(lab, tunnel):
    """A shell that ends sends the signal to the whole job."""
    running = tunnel(*NETS, ignored=("HUP",), tty=True)
    os.killpg(running.pid, signal.SIGHUP)
    time.sleep(0.3)
    assert running.process.poll() is None
    assert works(lab.client, L.TARGET4)


@pytest.mark.parametrize("when", ["config", "option"])
def test_ssh_that_wants_a_terminal(lab, tunnel, when):
    config = L.LAB / "config-tty"
    config.write_text(lab.ssh_config.read_text() + "    RequestTTY force\n")
    tunnel(*NETS, ssh=f"ssh -F {config}" if when == "config" else f"{lab.ssh} -o RequestTTY=force")
    assert works(lab.client, L.TARGET4)


@pytest.fixture
def only_sudo(lab):
    """An environment in which there is neither doas nor pkexec."""
    directory = L.LAB / "only-sudo"
    directory.mkdir(exist_ok=True)
    for name in ("sudo", "ssh", "env", "sh"):
        with contextlib.suppress(FileExistsError):
            (directory / name).symlink_to(shutil.which(name))
    return {"PATH": str(directory)}


@pytest.mark.parametrize("word,scope", [("wrong", "system"), (L.PASSWORD, "own")])
def test_sudo_refuses(tunnel, before, only_sudo, word, scope):
    """A wrong password, and the right one for something else than what sudoers grants."""
    running = tunnel(f"--scope={scope}", L.TARGET_NET4, user="password", tty=True, wait=False,
                     env=only_sudo)
    for number in range(1 if word == L.PASSWORD else 3):
        proc.wait_for(lambda n=number: running.log.count(PROMPT) > n, 10, "a prompt")
        os.write(running.tty, word.encode() + b"\n")
    assert running.wait() == 99
    assert "sudo did not allow it" in running.log.splitlines()[-1], running.log
    assert len(running.fatal()) == 1
    before.assert_same()


def test_root_through_sudo(lab, tunnel, before):
    """sudo sshuttle-proxy: what sudo leaves in the environment does not make the helper refuse."""
    uid = lab.uid["none"]
    running = tunnel(*NETS, user="root", env={"SUDO_UID": uid, "SUDO_GID": uid,
                                              "SUDO_USER": "t-none", "SUDO_COMMAND": "x"})
    for who in (0, uid):
        assert works(lab.client, L.TARGET4, who)
    running.stop()
    before.assert_same()
