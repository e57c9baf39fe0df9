# SPDX-License-Identifier: GPL-2.0-or-later
"""-l, and traffic that the client forwards for others."""
import pytest

import lab as L
import services
from traffic import tunnelled, works

NETS = (L.TARGET_NET4, L.TARGET_NET6)


def test_default_listens_on_loopback_only(lab, tunnel):
    running = tunnel(*NETS)
    port = int(running.wait_log(r"listening on \('127\.0\.0\.1', (\d+)\)").group(1))
    for address in ("10.70.9.1", "fd70:9::1"):
        with pytest.raises(ConnectionRefusedError):
            lab.guest.connect(address, port)


def test_chosen_port(lab, tunnel):
    running = tunnel(L.TARGET_NET4, "-l", "8456")
    running.wait_log(r"listening on \('[^']*', 8456\)", timeout=0)
    assert works(lab.client, L.TARGET4)


def test_chosen_loopback_address(lab, tunnel):
    running = tunnel(L.TARGET_NET4, "-l", "127.0.0.1:8457")
    running.wait_log(r"listening on \('127\.0\.0\.1', 8457\)", timeout=0)
    assert works(lab.client, L.TARGET4)


def test_both_families(lab, tunnel):
    tunnel(*NETS, "-l", "127.0.0.1:8458,[::1]:8459")
    assert works(lab.client, L.TARGET4)
    assert works(lab.client, L.TARGET6)


def test_same_port_again_at_once(lab, tunnel):
    for _ in range(2):
        running = tunnel(L.TARGET_NET4, "-l", "127.0.0.1:8457")
        assert works(lab.client, L.TARGET4)
        running.stop()


def test_forwarded_traffic_is_carried_with_an_open_listener(lab, tunnel):
    tunnel(*NETS, "-l", "0.0.0.0:8460,[::]:8460")
    for address in (L.TARGET4, L.TARGET6):
        assert works(lab.guest, address)
        assert works(lab.client, address)


def test_forwarded_traffic_is_left_alone_by_default(lab, tunnel):
    """Containers on this machine keep their network, also under 0/0."""
    with lab.guest.connect(L.PUBLIC4, services.ECHO) as old:
        tunnel("0/0", "::/0")
        for address in (L.PUBLIC4, L.PUBLIC6):
            assert not tunnelled(lab.guest, address)
        old.sendall(b"still here")
        assert old.recv(100) == b"still here"


def test_direct_connection_to_the_listener_is_closed(lab, tunnel):
    running = tunnel(*NETS)
    port = int(running.wait_log(r"listening on \('127\.0\.0\.1', (\d+)\)").group(1))
    with lab.client.connect("127.0.0.1", port, timeout=2) as sock:
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            pass
    assert works(lab.client, L.TARGET4)


def test_open_listener_needs_the_system_right(lab, tunnel):
    refused = tunnel("--scope=own", L.TARGET_NET4, "-l", "0.0.0.0:8461", wait=False)
    assert refused.wait() == 99
    assert "--scope=system" in refused.log
