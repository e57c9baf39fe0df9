# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job: TCP to the subnets comes out of the server, and nothing else does."""
import pytest

import lab as L
import proc
import services
from traffic import tunnelled, whoami, works

NETS = (L.TARGET_NET4, L.TARGET_NET6)


@pytest.mark.parametrize("user", ["sys", "own", "root"])
def test_both_families(lab, tunnel, user):
    tunnel(*NETS, user=user)
    uid = lab.uid.get(user, 0)
    assert whoami(lab.client, L.TARGET4, uid)["peer"] == L.SERVER_INSIDE4
    assert whoami(lab.client, L.TARGET6, uid)["peer"] == L.SERVER_INSIDE6


def test_the_rest_goes_its_usual_way(lab, tunnel):
    tunnel(*NETS)
    assert not tunnelled(lab.client, L.PUBLIC4)
    assert not tunnelled(lab.client, L.PUBLIC6)


def test_own_scope_takes_only_the_callers_traffic(lab, tunnel):
    tunnel(*NETS, user="own")
    assert works(lab.client, L.TARGET4, lab.uid["own"])
    for uid in (lab.uid["sys"], 0):
        with pytest.raises(OSError):
            works(lab.client, L.TARGET4, uid)


def test_system_scope_takes_everyones_traffic(lab, tunnel):
    tunnel(*NETS, user="sys")
    for user in ("sys", "own", "none"):
        assert works(lab.client, L.TARGET4, lab.uid[user])


def test_http_page(lab, tunnel):
    tunnel(*NETS)
    for url in (f"http://{L.TARGET4}/", f"http://[{L.TARGET6}]/"):
        page = lab.client.run("curl", "-sS", "--max-time", 5, url, user="t-none").stdout
        assert page.encode() == services.PAGE


@pytest.mark.parametrize("only", [L.TARGET_NET4, L.TARGET_NET6])
def test_one_family_alone(lab, tunnel, only):
    tunnel(only)
    with_it, without = (L.TARGET4, L.TARGET6) if only == L.TARGET_NET4 else (L.TARGET6, L.TARGET4)
    assert works(lab.client, with_it)
    with pytest.raises(OSError):
        works(lab.client, without)


@pytest.mark.parametrize("remote", ["server", "server6", L.SERVER4, f"t-tun@{L.SERVER4}",
                                    f"t-tun@{L.SERVER4}:22", f"[{L.SERVER6}]:22", L.SERVER6])
def test_ways_to_name_the_server(lab, tunnel, remote):
    tunnel(*NETS, remote=remote)
    assert works(lab.client, L.TARGET4)


def test_says_connected_without_v(lab, tunnel):
    quiet = tunnel(*NETS, verbose=False, wait=False)
    quiet.wait_log(r"^c : Connected to server\.$")
    proc.wait_for(lambda: "redirect" in lab.client.ruleset() or "dnat" in lab.client.ruleset(),
                  5, "the rules")
    assert quiet.log == "c : Connected to server.\n"


def test_summary_and_accepted_connections(lab, tunnel):
    running = tunnel(*NETS, "-x", "10.77.5.0/24")
    with lab.client.connect(L.TARGET4, services.ECHO) as sock:
        port = sock.getsockname()[1]
        running.wait_log(
            rf"^c : Accept TCP: {L.CLIENT4}:{port} -> {L.TARGET4}:{services.ECHO}\.$")
    for line in (r"Method: nft", r"IPv4: on", r"IPv6: on",
                 r"UDP : off \(not available with nft method\)", r"DNS : off \(",
                 r"User: off \(",
                 r"Subnets to forward through remote host \(type, IP, cidr mask width, "
                 r"startPort, endPort\):", r"\(<AddressFamily\.AF_INET: 2>, '10\.77\.0\.0', 16, 0, 0\)",
                 r"Subnets to exclude from forwarding:", r"'10\.77\.5\.0', 24, 0, 0\)",
                 r"TCP redirector listening on \('127\.0\.0\.1', \d+\)\.",
                 r"TCP redirector listening on \('::1', \d+"):
        running.wait_log(line, timeout=0)
