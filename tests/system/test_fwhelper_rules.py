# SPDX-License-Identifier: GPL-2.0-or-later
"""The helper's rules: what they look like, where real packets go, when they disappear."""
import itertools
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import pytest

import fwhelper_client
import proc
from fwhelper_client import Helper, Refused
from lab import BUILD
from node import Node, link
from sandbox import LAB, REPO, run

HELPER = BUILD / "sshuttle-fwhelper"
GOLDEN = REPO / "tests/data/golden"
USER, OTHER = 4242, 4243
PORTS = (22, 80, 85, 443, 8080)
SO_ORIGINAL_DST = 80
NUMBER = itertools.count()


class World:
    """A client and, behind it, a target that answers on every address."""

    def __init__(self):
        n = next(NUMBER)
        forward = {"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1}
        self.client, self.target = Node(f"fwc{n}", forward), Node(f"fwt{n}")
        self.nodes = [self.client, self.target]
        link(self.client, ["192.0.2.1/24", "2001:db8::1/64"],
             self.target, ["192.0.2.2/24", "2001:db8::2/64"])
        self.client.ip("route add default via 192.0.2.2", "route add default via 2001:db8::2")
        self.target.ip("route add local 10.0.0.0/8 dev lo", "route add local fd00::/8 dev lo",
                       "route add 198.51.100.0/24 via 192.0.2.1",
                       "route add 2001:db8:1::/64 via 2001:db8::1")
        self.services = {p: [self.target.listen("0.0.0.0", p)] for p in PORTS}
        for port, socks in self.services.items():
            six = self.target.socket("::")
            six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            six.bind(("::", port))
            six.listen()
            socks.append(six)
        self.helpers = []

    def add_guest(self):
        guest = Node(f"fwg{next(NUMBER)}")
        self.nodes.append(guest)
        link(guest, ["198.51.100.2/24", "2001:db8:1::2/64"],
             self.client, ["198.51.100.1/24", "2001:db8:1::1/64"])
        guest.ip("route add default via 198.51.100.1", "route add default via 2001:db8:1::1")
        return guest

    def helper(self, scope="own", uid=USER, program=HELPER):
        helper = Helper(self.client.argv(program, f"--scope={scope}"), uid=uid)
        self.helpers.append(helper)
        return helper.hello()

    def tables(self):
        return self.client.run("nft", "list", "tables").stdout

    def way(self, destination, port, uid=USER, node=None):
        """'direct', or the number of the helper whose listener the connection came to."""
        with (node or self.client).connect(destination, port, uid, timeout=3):
            for number, helper in enumerate(self.helpers):
                for listener in helper.listeners:
                    if self.accepted(listener, destination, port):
                        return number
            for service in self.services.get(port, []):
                service.setblocking(False)
                try:
                    service.accept()[0].close()
                    return "direct"
                except BlockingIOError:
                    pass
        return "elsewhere"

    @staticmethod
    def accepted(listener, destination, port):
        """Takes a waiting connection; the kernel must know where it was meant to go."""
        try:
            listener.setblocking(False)
            sock = listener.accept()[0]
        except (OSError, BlockingIOError):
            return False
        with sock:
            if ":" in destination:
                raw = sock.getsockopt(socket.IPPROTO_IPV6, SO_ORIGINAL_DST, 28)
                got = struct.unpack_from("!H", raw, 2)[0], socket.inet_ntop(10, raw[8:24])
            else:
                raw = sock.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
                got = struct.unpack_from("!H", raw, 2)[0], socket.inet_ntop(2, raw[4:8])
        assert got == (port, destination)
        return True

    def close(self):
        for helper in self.helpers:
            helper.stop()
        for sock in itertools.chain(*self.services.values()):
            sock.close()
        for node in self.nodes:
            node.close()
            run("ip", "netns", "del", node.name)


@pytest.fixture
def world():
    world = World()
    yield world
    world.close()


@pytest.fixture(scope="session")
def unowned():
    """The helper as it is on a kernel before 5.12."""
    run("make", "-s", "-C", REPO, f"B={LAB}/unowned", "CFLAGS=-O1 -DFW_TRY_OWNER=0",
        f"{LAB}/unowned/sshuttle-fwhelper", stdout=subprocess.DEVNULL)
    return pathlib.Path(f"{LAB}/unowned/sshuttle-fwhelper")


# What the rules look like

def plan_own(h):
    h.net("10.0.0.0/8", "10.9.0.0/16", "172.16.0.0/12").exclude("10.1.0.0/16")
    h.listen("127.0.0.1", 12300)


def plan_everything(h):
    h.net("0.0.0.0/0", "::/0").exclude("192.0.2.0/24", "2001:db8::/64")
    h.listen("127.0.0.1", 12300).listen("::1", 12300)
    h.leave_alone("192.0.2.1", 40000, "192.0.2.2", 22)
    h.leave_alone("2001:db8::1", 40000, "2001:db8::2", 22)


def plan_ports(h):
    h.net("10.0.0.0/8", ports=(80, 89)).net("10.0.0.0/8", ports=(443, 443))
    h.net("10.1.0.0/16").exclude("0.0.0.0/0", ports=(22, 22))
    h.listen("127.0.0.1", 12300)


def plan_loopback(h):
    h.net("127.0.0.1/32", "::1/128", "10.0.0.0/8").exclude("0.0.0.0/0", ports=(22, 22))
    h.listen("127.0.0.1", 12300)
    for port in range(12300, 12304):
        h.listen("::1", port)


def plan_forwarded(h):
    h.net("10.0.0.0/8", "fd00::/8")
    h.listen("0.0.0.0", 12300).listen("2001:db8::1", 12300).listen("2001:db8::1", 12301)


def plan_both(h):
    h.net("10.0.0.0/8", "fd00::/8", "127.0.0.1/32")
    h.listen("127.0.0.1", 12300).listen("::1", 12300).listen("192.0.2.1", 12301)


PLANS = [("own", 0, plan_own), ("own", 0, plan_everything), ("own", 0, plan_ports),
         ("own", 0, plan_loopback), ("own", 1, plan_own), ("system", 0, plan_own),
         ("system", 1, plan_everything), ("system", 0, plan_forwarded), ("system", 0, plan_both)]


@pytest.mark.parametrize("scope,flags,plan", PLANS)
def test_golden(world, scope, flags, plan):
    """FW_GOLDEN=write makes the files; look at the difference before committing it."""
    helper = Helper(world.client.argv(HELPER, f"--scope={scope}"), uid=USER)
    world.helpers.append(helper)
    helper.hello(flags=flags)
    plan(helper)
    helper.commit()
    text = re.sub(r"sshuttle-(\d+)-[0-9a-f]{8}( {) *#.*", r"sshuttle-\1-X\2",
                  world.client.ruleset())
    path = GOLDEN / f"{scope}{'-local' if flags else ''}-{plan.__name__[5:]}.nft"
    if os.environ.get("FW_GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("count", [1000, 16384])
def test_many_nets(world, count):
    helper = world.helper()
    start = time.monotonic()
    for i in range(count):
        helper.net(f"10.{i >> 8}.{i & 255}.0/24")
    helper.listen("127.0.0.1", 12300)
    middle = time.monotonic()
    helper.commit()
    print(f"\n{count} nets: {middle - start:.3f} s asked, {time.monotonic() - middle:.3f} s commit")
    listing = world.client.ruleset()
    assert len(re.findall(r"\b10\.\d+\.\d+\.0\b", listing)) == count
    assert listing.count("goto to4") == 1
    assert world.way("10.3.231.9", 80) == 0
    assert world.way("10.0.0.9", 80) == 0
    assert world.way("10.200.0.9", 80) == "direct"


def test_too_many(world):
    helper = world.helper()
    for i in range(16384):
        helper.net(f"10.{i >> 8}.{i & 255}.0/24", exclude=i % 2)
    with pytest.raises(Refused, match="FULL"):
        helper.net("10.64.0.0/24")


def test_rules_are_limited(world):
    """Sets are fast, but each port range is a rule of its own that every SYN has to pass."""
    helper = world.helper().listen("127.0.0.1", 12300)
    for port in range(1, 1025):
        helper.net("10.0.0.0/8", ports=(port, port))
    start = time.monotonic()
    helper.commit()
    print(f"\n1024 tiers: {time.monotonic() - start:.3f} s commit")
    assert (world.way("10.1.2.3", 443), world.way("10.1.2.3", 8080)) == (0, "direct")
    helper = world.helper().listen("127.0.0.1", 12301)
    for port in range(1, 1026):
        helper.net("10.0.0.0/8", ports=(port, port))
    with pytest.raises(Refused, match="FULL"):
        helper.commit()


# Where packets go

def test_own_scope_is_one_uid(world):
    world.helper().net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    assert world.way("10.1.2.3", 80) == 0
    assert world.way("10.1.2.3", 80, uid=OTHER) == "direct"
    assert world.way("10.1.2.3", 80, uid=0) == "direct"
    assert world.way("192.0.2.2", 80) == "direct"


def test_own_scope_is_not_forwarded(world):
    guest = world.add_guest()
    world.helper().net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    assert world.way("10.1.2.3", 80, node=guest) == "direct"


def test_system_scope(world):
    guest = world.add_guest()
    helper = world.helper("system").net("10.0.0.0/8", "fd00::/8").listen("127.0.0.1", 12300)
    helper.listen("0.0.0.0", 12301).listen("::1", 12300).listen("2001:db8::1", 12302).commit()
    for uid in (0, USER, OTHER):
        assert world.way("10.1.2.3", 80, uid=uid) == 0
        assert world.way("fd00::5", 80, uid=uid) == 0
    assert world.way("10.1.2.3", 80, node=guest) == 0
    assert world.way("fd00::5", 80, node=guest) == 0
    assert world.way("192.0.2.2", 80, node=guest) == "direct"


def test_ipv6_port_range(world):
    helper = world.helper().net("fd00::/8")
    for port in range(12300, 12308):
        helper.listen("::1", port)
    helper.commit()
    for last in range(1, 20):
        assert world.way(f"fd00::{last}", 443) == 0


PRECEDENCE = [
    ("10.1.2.3", 80, "direct"),   # the longer exclude
    ("10.1.2.4", 80, 0),          # the /8
    ("10.2.2.2", 80, "direct"),   # same length: the exclude
    ("10.3.3.3", 443, "direct"),  # one port beats every prefix
    ("10.3.3.3", 80, 0),
    ("10.4.4.4", 85, 0),          # a port range beats the longer exclude
    ("10.4.4.4", 8080, "direct"),
]


def test_precedence(world):
    helper = world.helper().net("10.0.0.0/8", "10.2.0.0/16", "10.3.3.3/32")
    helper.exclude("10.1.2.3/32", "10.2.0.0/16", "10.4.4.4/32")
    helper.exclude("0.0.0.0/0", ports=(443, 443)).net("10.0.0.0/8", ports=(82, 89))
    helper.listen("127.0.0.1", 12300).commit()
    assert [(a, p, world.way(a, p)) for a, p, _ in PRECEDENCE] == PRECEDENCE


def test_local_destinations(world):
    """0/0 leaves the machine's own services alone; an address included by name is captured."""
    services = [world.client.listen(a, 8080) for a in ("127.0.0.1", "127.0.0.2", "192.0.2.1")]
    helper = world.helper().net("0.0.0.0/0", "127.0.0.2/32").listen("127.0.0.1", 12300).commit()
    assert world.way("127.0.0.2", 8080) == 0
    assert world.way("127.0.0.1", 8080) == "elsewhere"
    assert world.way("192.0.2.1", 8080) == "elsewhere"
    assert world.way("127.0.0.2", 8080, uid=OTHER) == "elsewhere"
    assert world.way("10.1.1.1", 80) == 0
    with world.client.connect("127.0.0.2", 12300, USER):  # the listener itself
        sock, peer = helper.listeners[0].accept()
        assert peer[0].startswith("127.") and sock.getsockname() == ("127.0.0.2", 12300)
        sock.close()
    for each in services:
        each.close()


def test_exclude_beats_loopback(world):
    service = world.client.listen("127.0.0.1", 443)
    helper = world.helper().net("127.0.0.1/32").exclude("0.0.0.0/0", ports=(443, 443))
    helper.listen("127.0.0.1", 12300).commit()
    assert world.way("127.0.0.1", 443) == "elsewhere"
    assert world.way("127.0.0.1", 444) == 0
    service.close()


def test_live_connections_survive(world):
    with world.client.connect("10.1.2.3", 80, USER) as live:
        far = world.services[80][0].accept()[0]
        world.helper().net("0.0.0.0/0").listen("127.0.0.1", 12300).commit()
        live.sendall(b"still here")
        assert far.recv(64) == b"still here"
        far.sendall(b"me too")
        assert live.recv(64) == b"me too"
        far.close()


def test_except(world):
    helper = world.helper().net("10.0.0.0/8").listen("127.0.0.1", 12300)
    helper.leave_alone("192.0.2.1", 40001, "10.1.2.3", 80).commit()
    for port, captured in ((40001, False), (40002, True)):
        with world.client.socket("10.1.2.3", USER) as sock:
            sock.bind(("192.0.2.1", port))
            sock.connect(("10.1.2.3", 80))
            assert world.accepted(helper.listeners[0], "10.1.2.3", 80) == captured


def test_local_session_lets_the_remote_side_out(world):
    helper = Helper(world.client.argv(HELPER, "--scope=own"), uid=USER)
    world.helpers.append(helper)
    helper.hello(flags=1).net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    for ttl, captured in ((63, False), (64, True)):
        with world.client.socket("10.1.2.3", USER) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            sock.connect(("10.1.2.3", 80))
            assert world.accepted(helper.listeners[0], "10.1.2.3", 80) == captured


def test_many_destinations_from_one_port(world):
    """With one target address these would be one tuple, and the second SYN would vanish."""
    world.helper().net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    socks = []
    for last in range(1, 40):
        sock = world.client.socket("10.1.2.3", USER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("192.0.2.1", 40000))
        sock.settimeout(1)
        sock.connect((f"10.1.2.{last}", 80))
        socks.append(sock)
    for sock in socks:
        sock.close()


# When the rules go, and whose they are

def test_newest_wins(world):
    world.helper().net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    world.helper().net("10.1.0.0/16").listen("127.0.0.1", 12301).commit()
    assert (world.way("10.1.2.3", 80), world.way("10.2.2.3", 80)) == (1, 0)
    assert world.helpers[1].close() == 0
    assert (world.way("10.1.2.3", 80), world.way("10.2.2.3", 80)) == (0, 0)


@pytest.mark.parametrize("end", ["eof", "TERM", "KILL", "SEGV"])
def test_rules_go_with_the_helper(world, end):
    helper = world.helper().net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    assert "sshuttle-4242-" in world.tables()
    if end == "eof":
        assert helper.close() == 0
    else:
        number = getattr(signal, "SIG" + end)
        os.kill(helper.pid, number)
        assert helper.wait() == (0 if end == "TERM" else -number)
    assert world.tables() == ""
    for each in helper.listeners:
        each.close()
    assert world.way("10.1.2.3", 80) == "direct"


def test_peer_exit_ends_it(world):
    """A grandchild that still holds the socket does not keep the rules."""
    proxy = world.client.popen(sys.executable, fwhelper_client.__file__, HELPER,
                               stdout=subprocess.PIPE, text=True)
    helper, grandchild = map(int, proxy.stdout.readline().split())
    try:
        assert "sshuttle-0-" in world.tables()
        proxy.kill()
        proxy.wait()
        proc.wait_for(lambda: not proc.alive(helper), 1, "the helper's end")
        assert world.tables() == ""
        assert proc.alive(grandchild)
    finally:
        os.kill(grandchild, signal.SIGKILL)
        proxy.stdout.close()


def test_nobody_takes_the_port(world):
    helper = world.helper().net("10.0.0.0/8", "fd00::/8").listen("127.0.0.1", 12300)
    helper.listen("::1", 12300).commit()
    for each in helper.listeners:
        each.close()
    for where in ("127.0.0.1", "127.0.0.77", "0.0.0.0", "::1", "::"):
        with pytest.raises(OSError, match="in use"):
            world.client.listen(where, 12300, OTHER)
    with pytest.raises(Refused, match=r"98.*SYSTEM"):
        world.helper(uid=OTHER).listen("127.0.0.1", 12300)
    assert helper.close() == 0
    world.client.listen("127.0.0.1", 12300, OTHER).close()


def test_status_after_commit(world):
    """Nothing but CAP_NET_ADMIN until the rules are in, and nothing at all after it."""
    helper = world.helper().net("10.0.0.0/8").listen("127.0.0.1", 12300)
    for caps in (1 << 12, 0):
        text = pathlib.Path(f"/proc/{helper.pid}/status").read_text()
        status = proc.status(helper.pid)
        assert status["Uid"].split() == status["Gid"].split() == ["65528"] * 4
        assert re.search(r"^Groups:\s*$", text, re.M)
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == caps
        assert {int(status[f"Cap{s}"], 16) for s in ("Inh", "Bnd", "Amb")} == {0}
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        if caps:
            helper.commit()


# Kernels without the owner flag

def test_unowned_exit_undoes(world, unowned):
    helper = world.helper(program=unowned).net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    assert "flags owner" not in world.client.ruleset()
    assert world.way("10.1.2.3", 80) == 0
    assert int(proc.status(helper.pid)["CapEff"], 16) == 1 << 12
    assert helper.close() == 0
    assert world.tables() == ""


def test_unowned_violation_undoes(world, unowned):
    helper = world.helper(program=unowned).net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    helper.raw(b"nonsense")
    assert helper.wait() == 65
    assert world.tables() == ""


@pytest.mark.parametrize("healer", ["owned", "unowned"])
def test_unowned_kill_is_healed(world, unowned, healer):
    live = world.helper(program=unowned).net("10.2.0.0/16").listen("127.0.0.1", 12301).commit()
    dead = world.helper(program=unowned).net("10.1.0.0/16").listen("127.0.0.1", 12300).commit()
    foreign = "sshuttle-1-abcdefgh", "sshuttle--12345678", "other"
    for name in foreign:
        world.client.run("nft", "add", "table", "inet", name)
    os.kill(dead.pid, signal.SIGKILL)
    dead.wait()
    assert world.tables().count("sshuttle-4242-") == 2
    program = unowned if healer == "unowned" else HELPER
    assert world.helper(program=program).close() == 0
    assert world.tables().count("sshuttle-4242-") == 1
    for name in foreign:
        assert f"inet {name}\n" in world.tables()
    assert world.way("10.2.2.2", 80) == 0
    assert live.close() == 0
