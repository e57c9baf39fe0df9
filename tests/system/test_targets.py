# SPDX-License-Identifier: GPL-2.0-or-later
"""What is carried and what is not: ports, names, excludes and their precedence."""
import pytest

import lab as L
from traffic import tunnelled, works


@pytest.mark.parametrize("spec,inside,outside", [
    ("10.78.0.0/16:8001", [8001], [8000, 8002]),
    ("10.78.0.0/16:8000-8001", [8000, 8001], [8002, 9000]),
    ("10.78.0.0/16:8000-9000", [8000, 8002, 9000], [6]),
])
def test_ports(lab, tunnel, spec, inside, outside):
    tunnel(spec)
    assert all(tunnelled(lab.client, L.PUBLIC4, port) for port in inside)
    assert not any(tunnelled(lab.client, L.PUBLIC4, port) for port in outside)


@pytest.mark.parametrize("spec", ["[fd78::/64]:8000-8001", "fd78::/64:8000-8001"])
def test_ports_with_ipv6(lab, tunnel, spec):
    tunnel(spec)
    assert tunnelled(lab.client, L.PUBLIC6, 8001)
    assert not tunnelled(lab.client, L.PUBLIC6, 8002)


def test_name_with_one_family(lab, tunnel):
    tunnel("public.lab")
    assert tunnelled(lab.client, L.PUBLIC4)
    assert not tunnelled(lab.client, "10.78.1.2")


def test_name_with_both_families(lab, tunnel):
    tunnel("both.lab")
    assert works(lab.client, L.TARGET4)
    assert works(lab.client, L.TARGET6)


def test_name_with_port(lab, tunnel):
    tunnel("public.lab:8000-8001")
    assert tunnelled(lab.client, L.PUBLIC4, 8001)
    assert not tunnelled(lab.client, L.PUBLIC4, 8002)


def test_host_bits_are_ignored(lab, tunnel):
    tunnel("10.78.200.7/16")
    assert tunnelled(lab.client, L.PUBLIC4)


def test_one_unknown_name_among_several_is_a_warning(lab, tunnel):
    running = tunnel("no-such-name.lab", L.TARGET_NET4)
    assert "no-such-name.lab" in running.log
    assert works(lab.client, L.TARGET4)


# arguments, then (address, port, is it carried?); addresses in 10.78/16 are reachable both ways
PRECEDENCE = {
    "exclude inside": (["10.78.0.0/16", "-x", "10.78.2.0/24"],
                       [("10.78.1.1", 6, True), ("10.78.2.1", 6, False)]),
    "exclude first": (["-x", "10.78.2.0/24", "10.78.0.0/16"],
                      [("10.78.1.1", 6, True), ("10.78.2.1", 6, False)]),
    "include inside exclude": (["10.78.0.0/16", "10.78.2.9", "-x", "10.78.2.0/24"],
                               [("10.78.2.9", 6, True), ("10.78.2.8", 6, False)]),
    "same net twice": (["10.78.2.0/24", "-x", "10.78.2.0/24"], [("10.78.2.1", 6, False)]),
    "ports before prefix": (["10.78.0.0/16:8000-8001", "-x", "10.78.2.0/24"],
                            [("10.78.2.1", 8000, True), ("10.78.2.1", 8002, False)]),
    "excluded port everywhere": (["10.78.0.0/16", "-x", "0/0:8001"],
                                 [("10.78.1.1", 8001, False), ("10.78.1.1", 8000, True)]),
    "single port in a range": (["10.78.0.0/16:8000-8002", "-x", "10.0.0.0/8:8001"],
                               [("10.78.1.1", 8001, False), ("10.78.1.1", 8002, True)]),
    "overlapping ranges": (["10.78.0.0/16:8000-9000", "-x", "10.78.1.0/24:8001-8002",
                            "10.78.1.1:8002"],
                           [("10.78.1.1", 8001, False), ("10.78.1.1", 8002, True),
                            ("10.78.1.2", 8002, False), ("10.78.1.2", 9000, True)]),
    "everything but": (["0/0", "-x", "10.78.0.0/17"],
                       [("10.78.1.1", 6, False), ("10.78.200.1", 6, True)]),
    "ipv6": (["fd78::/64", "-x", "fd78::2:0/112", "fd78::2:9"],
             [("fd78::1:1", 6, True), ("fd78::2:1", 6, False), ("fd78::2:9", 6, True)]),
}


@pytest.mark.parametrize("name", PRECEDENCE)
def test_precedence(lab, tunnel, name):
    arguments, expected = PRECEDENCE[name]
    tunnel(*arguments)
    assert [(a, p, tunnelled(lab.client, a, p)) for a, p, _ in expected] == expected
