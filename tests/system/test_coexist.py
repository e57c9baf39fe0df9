# SPDX-License-Identifier: GPL-2.0-or-later
"""What was there before, and what runs beside: connections, other tunnels, other tables."""
import subprocess

import lab as L
import services
from traffic import echo, tunnelled, whoami, works

EVERYTHING = ("0/0", "::/0")


def test_older_connections_survive_start_and_stop(lab, tunnel):
    old = [lab.client.connect(L.PUBLIC4, services.ECHO), lab.client.connect(L.PUBLIC6,
                                                                            services.ECHO)]
    running = tunnel(*EVERYTHING)
    assert [echo(sock) for sock in old] == [b"ping", b"ping"]
    assert tunnelled(lab.client, L.PUBLIC4)
    running.stop()
    assert [echo(sock) for sock in old] == [b"ping", b"ping"]
    for sock in old:
        sock.close()


def test_older_ssh_sessions_survive(lab, tunnel):
    """One out of the client, and the administrator's login into it."""
    command = ["ssh", "-F", lab.ssh_config]
    out = lab.client.popen(*command, "server", "cat", user="t-own", stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, bufsize=0)
    out.stdin.write(b"a\n")
    assert out.stdout.readline() == b"a\n"
    inbound = lab.client.listen(L.CLIENT4)
    caller = lab.router.connect(*inbound.getsockname())
    callee, _ = inbound.accept()
    running = tunnel(*EVERYTHING)
    for step in (b"b", b"c"):
        out.stdin.write(step + b"\n")
        assert out.stdout.readline() == step + b"\n"
        caller.sendall(step)
        assert callee.recv(1) == step
        callee.sendall(step)
        assert caller.recv(1) == step
        running.stop()
    out.stdin.close()
    assert out.wait(5) == 0
    for sock in (caller, callee, inbound):
        sock.close()


def test_new_inbound_connections_work_meanwhile(lab, tunnel):
    tunnel(*EVERYTHING)
    for address in (L.CLIENT4, L.CLIENT6):
        with lab.router.connect(address, services.ECHO) as sock:
            assert echo(sock) == b"ping"


def test_two_tunnels_with_different_subnets(lab, tunnel):
    first = tunnel("10.77.0.0/24")
    second = tunnel("fd77::/64", user="root")
    assert works(lab.client, L.TARGET4) and works(lab.client, L.TARGET6)
    first.stop()
    assert works(lab.client, L.TARGET6)
    second.stop()


def test_the_newest_wins_where_subnets_overlap(lab, tunnel):
    def way():
        return whoami(lab.client, L.PUBLIC4)["peer"]

    tunnel("10.78.0.0/16", remote="jump")  # ends at the public network itself
    assert way() == L.PUBLIC4
    newer = tunnel("10.78.0.0/15")
    assert way() == L.SERVER4
    newer.stop()
    assert way() == L.PUBLIC4


def test_foreign_tables_are_not_touched(lab, tunnel, before):
    lab.client.run("nft", "-f", "-", input="""
        table inet foreign {
            set blocked { type ipv4_addr; elements = { 10.78.7.7 } }
            chain out { type filter hook output priority 0; ip daddr @blocked reject; }
        }""")
    try:
        foreign = lab.client.run("nft", "list", "table", "inet", "foreign").stdout
        running = tunnel(*EVERYTHING)
        assert works(lab.client, L.TARGET4)
        assert lab.client.run("nft", "list", "table", "inet", "foreign").stdout == foreign
        running.stop()
        assert lab.client.run("nft", "list", "table", "inet", "foreign").stdout == foreign
    finally:
        lab.client.run("nft", "delete", "table", "inet", "foreign")


def test_flush_ruleset_does_not_break_the_tunnel(lab, tunnel):
    tunnel(L.TARGET_NET4)
    lab.client.run("nft", "flush", "ruleset")
    assert works(lab.client, L.TARGET4)
