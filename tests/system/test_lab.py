# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab itself: what the other tests take for granted."""
import os
import socket

import pytest

import lab as L
import services
from traffic import whoami


@pytest.mark.parametrize("address", [L.TARGET4, L.TARGET6])
def test_target_is_reachable_only_from_the_server(lab, address):
    assert whoami(lab.server, address)["node"] == "target"
    with pytest.raises(OSError):
        lab.client.connect(address, services.ECHO)


@pytest.mark.parametrize("address", [L.PUBLIC4, L.PUBLIC6])
def test_public_is_reachable_from_all(lab, address):
    assert whoami(lab.client, address)["peer"] in (L.CLIENT4, L.CLIENT6)
    assert whoami(lab.server, address)["peer"] in (L.SERVER4, L.SERVER6)
    assert whoami(lab.guest, address)["peer"] in (L.GUEST4, L.GUEST6)


@pytest.mark.parametrize("address", [L.UNREACHABLE4, L.UNREACHABLE6])
def test_unreachable(lab, address):
    with pytest.raises(OSError):
        lab.server.connect(address, 80)


@pytest.mark.parametrize("address", [L.SILENT4, L.SILENT6])
def test_silent(lab, address):
    with pytest.raises(TimeoutError):
        lab.server.connect(address, 80, timeout=0.5)


def test_ssh_login(lab):
    for host in ("server", "server6", "behind"):
        result = lab.client.run("ssh", "-F", lab.ssh_config, host, "id -un", user="t-sys")
        assert result.stdout == "t-tun\n"


def test_socket_belongs_to_the_user(lab):
    with lab.client.socket("127.0.0.1", lab.uid["own"]) as sock:
        assert os.fstat(sock.fileno()).st_uid == lab.uid["own"]
    assert socket.socket().fileno() >= 0
