# SPDX-License-Identifier: GPL-2.0-or-later
"""Loopback, the machine's own addresses, 0/0, and the mode without a server."""
import pytest

import lab as L
import services
from traffic import tunnelled, whoami, works

EVERYTHING = ("0/0", "::/0")


def test_everything_needs_no_exclude(lab, tunnel):
    tunnel(*EVERYTHING)
    for address in (L.TARGET4, L.TARGET6, L.PUBLIC4, L.PUBLIC6):
        assert tunnelled(lab.client, address)


@pytest.mark.parametrize("remote", ["server", "server6", "behind"])
def test_everything_and_the_ssh_connection(lab, tunnel, remote):
    """The rules name the live ssh connection's own tuple, whichever way it goes."""
    tunnel(*EVERYTHING, remote=remote)
    peer, here = {"server": (L.SERVER4, L.CLIENT4), "server6": (L.SERVER6, L.CLIENT6),
                  "behind": (L.ROUTER4, L.CLIENT4)}[remote]
    rules = lab.client.ruleset()
    assert peer in rules and here in rules
    assert works(lab.client, L.TARGET4)
    # Only that connection is left alone: the server's other ports are carried.
    if remote == "server":
        assert whoami(lab.client, L.SERVER4)["peer"] in (L.SERVER4, "127.0.0.1")


def test_own_addresses_stay_local(lab, tunnel):
    tunnel(*EVERYTHING)
    for address in ("127.0.0.1", "127.3.2.1", "::1", L.CLIENT4, L.CLIENT6, "10.70.9.1"):
        assert whoami(lab.client, address)["node"] == "client"


def test_explicit_loopback_target_is_the_servers(lab, tunnel):
    tunnel("127.0.0.1:8000", "[::1]:8000", "0/0")
    for address in ("127.0.0.1", "::1"):
        assert whoami(lab.client, address, port=8000)["node"] == "server"
        assert whoami(lab.client, address, port=8001)["node"] == "client"
    assert whoami(lab.client, "127.0.0.2", port=8000)["node"] == "client"


def test_inbound_connections_stay(lab, tunnel):
    tunnel(*EVERYTHING)
    assert whoami(lab.guest, "10.70.9.1")["node"] == "client"
    assert whoami(lab.router, L.CLIENT4)["node"] == "client"


@pytest.mark.parametrize("subnets", [("10.78.0.0/16", "fd78::/64"), EVERYTHING])
@pytest.mark.parametrize("user", ["sys", "own"])
def test_without_a_server(lab, tunnel, subnets, user):
    """Client and remote side on this machine: the traffic arrives, and does not loop."""
    running = tunnel(*subnets, remote=None, user=user)
    for address in (L.PUBLIC4, L.PUBLIC6):
        assert whoami(lab.client, address, lab.uid[user])["node"] == "router"
        running.wait_log(r"Accept TCP: .*" + address.replace(".", r"\.") + ".*:6")
    with lab.client.connect(L.PUBLIC4, services.ECHO, lab.uid[user]):
        pass
    running.wait_log(r"Accept TCP: .*:7\.$")
    assert running.log.count("Accept TCP") == 3
