# SPDX-License-Identifier: GPL-2.0-or-later
"""One connection through the tunnel behaves as the same connection without it."""
import errno
import time

import pytest

import lab as L
import proc
import services
from traffic import (download, echo, how_it_ends, receive, receive_all, report, reset, upload,
                     works)

NETS = (L.TARGET_NET4, L.TARGET_NET6)
BIG = 64 << 20
BOTH = pytest.mark.parametrize("address", [L.TARGET4, L.TARGET6])


@BOTH
def test_download_arrives_whole(lab, tunnel, address):
    tunnel(*NETS)
    assert download(lab.client, address, BIG) == (BIG, services.pattern_hash(BIG))


@BOTH
def test_upload_arrives_whole(lab, tunnel, address):
    """Half-close by the application: the answer comes after our FIN."""
    tunnel(*NETS)
    assert upload(lab.client, address, BIG) == (BIG, services.pattern_hash(BIG))


def test_half_close_by_the_target(lab, tunnel):
    tunnel(*NETS)
    with lab.client.connect(L.TARGET4, services.CLOSES_FIRST) as sock:
        sock.sendall(b"half\n")
        assert receive_all(sock) == b"bye"
        sock.sendall(b"x" * 100000)
    proc.wait_for(lambda: report(lab.client, L.TARGET4, "half") == "eof after 100000", 5,
                  "the rest at the target")


def test_target_speaks_first(lab, tunnel):
    tunnel(*NETS)
    with lab.client.connect(L.TARGET4, services.GREETING) as sock:
        assert receive(sock, 15) == b"220 greetings\r\n"
        assert echo(sock) == b"ping"


def test_data_sent_at_once_and_closed(lab, tunnel):
    """Data and FIN that are there before the far connection stands."""
    tunnel(*NETS)
    for size in (1, 1000, 60000):
        assert upload(lab.client, L.TARGET4, size) == (size, services.pattern_hash(size))


def test_many_small_writes_keep_their_order(lab, tunnel):
    tunnel(*NETS)
    with lab.client.connect(L.TARGET4, services.ECHO) as sock:
        expected = b""
        for i in range(2000):
            sock.sendall(b"%06d" % i)
            expected += b"%06d" % i
        assert receive(sock, len(expected)) == expected


@pytest.mark.parametrize("address,port,why", [
    (L.TARGET4, services.REFUSED, "refused"), (L.TARGET6, services.REFUSED, "refused"),
    (L.UNREACHABLE4, 80, "unreachable|No route"), (L.UNREACHABLE6, 80, "unreachable|No route"),
    (L.SILENT4, 80, "timed out"), (L.SILENT6, 80, "timed out"),
])
def test_failed_connect_is_a_reset(lab, tunnel, address, port, why):
    running = tunnel(*NETS)
    started = time.monotonic()
    try:
        with lab.client.connect(address, port) as sock:
            assert how_it_ends(sock) == "ECONNRESET"
    except ConnectionResetError:  # so fast that connect() itself reports it
        pass
    assert time.monotonic() - started < 8
    running.wait_log(rf"(?i){why}", timeout=1)


@pytest.mark.parametrize("port", [services.RESET_AT_ONCE, services.RESET_AFTER_BYTE])
def test_reset_by_the_target(lab, tunnel, port):
    tunnel(*NETS)
    try:
        with lab.client.connect(L.TARGET4, port) as sock:
            sock.sendall(b"x")
            assert how_it_ends(sock) == "ECONNRESET"
    except OSError as error:  # it may arrive while we are still connecting or sending
        assert error.errno in (errno.ECONNRESET, errno.EPIPE)


def test_reset_by_the_application(lab, tunnel):
    tunnel(*NETS)
    sock = lab.client.connect(L.TARGET4, services.WATCH)
    sock.sendall(b"app-reset\n")
    assert sock.recv(1) == b"w"
    reset(sock)
    proc.wait_for(lambda: report(lab.client, L.TARGET4, "app-reset") == "reset", 5,
                  "the reset at the target")


def test_clean_close_by_the_application(lab, tunnel):
    tunnel(*NETS)
    with lab.client.connect(L.TARGET4, services.WATCH) as sock:
        sock.sendall(b"app-close\n")
        assert sock.recv(1) == b"w"
        sock.sendall(b"12345")
    proc.wait_for(lambda: report(lab.client, L.TARGET4, "app-close") == "eof after 5", 5,
                  "the end at the target")


def test_open_streams_end_with_the_tunnel(lab, tunnel):
    """Neither side is left waiting when the tunnel stops."""
    running = tunnel(*NETS)
    sock = lab.client.connect(L.TARGET4, services.WATCH)
    sock.sendall(b"tunnel-stops\n")
    assert sock.recv(1) == b"w"
    running.stop()
    assert how_it_ends(sock) in ("eof", "ECONNRESET")
    assert proc.wait_for(lambda: report(lab.server, L.TARGET4, "tunnel-stops") != "open", 5,
                         "the end at the target")
    with pytest.raises(OSError):
        works(lab.client, L.TARGET4)
