# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input: an exit code and one line that names the thing. Nothing is started."""
import pytest

import lab as L

# arguments, exit code, what the line must contain
USAGE = {
    "prefix too long": (["10.0.0.0/33"], "/33"),
    "prefix too long, ipv6": (["fc00::/129"], "/129"),
    "prefix not a number": (["10.0.0.0/x"], "10.0.0.0/x"),
    "negative prefix": (["10.0.0.0/-1"], "10.0.0.0/-1"),
    "no address": (["10.256.0.0"], "10.256.0.0"),
    "blank inside": (["10.0.0.0 /8"], "10.0.0.0 /8"),
    "empty": ([""], "''"),
    "port zero": (["10.0.0.0/8:0"], ":0"),
    "port too big": (["10.0.0.0/8:65536"], "65536"),
    "range backwards": (["10.0.0.0/8:9000-8000"], "9000-8000"),
    "port not a number": (["10.0.0.0/8:http"], "http"),
    "bracket not closed": (["[fc00::/7"], "[fc00::/7"),
    "bracket not opened": (["fc00::1]"], "fc00::1]"),
    "zone": (["fe80::1%eth0"], "fe80::1%eth0"),
    "exclude": (["10.0.0.0/8", "-x", "10.0.0.0/40"], "/40"),
    "no subnets": ([], "subnet"),
    "unknown option": (["--no-such-option", "10.0.0.0/8"], "--no-such-option"),
    "option without value": (["10.0.0.0/8", "-x"], "x'"),
    "listen port": (["-l", "70000", "10.0.0.0/8"], "70000"),
    "listen address": (["-l", "1.2.3:x", "10.0.0.0/8"], "1.2.3:x"),
    "method": (["--method", "magic", "10.0.0.0/8"], "magic"),
    "scope": (["--scope=world", "10.0.0.0/8"], "world"),
    "quote in -e": (["-e", "ssh 'x", "10.0.0.0/8"], "ssh 'x"),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage(lab, tunnel, name):
    arguments, word = USAGE[name]
    running = tunnel(*arguments, wait=False, user="none")
    assert running.wait(3) == 2
    assert word in running.log
    assert "Connected" not in running.log


@pytest.mark.parametrize("remote", ["-oProxyCommand=touch /tmp/sshuttle-pwned", "-lroot",
                                    "user@-oProxyCommand=x", "host:0", "host:99999", "host:x",
                                    "[fd00::1", "h\nh"])
def test_bad_remote(lab, tunnel, remote):
    running = tunnel("-r", remote, L.TARGET_NET4, wait=False, remote=None)
    assert running.wait(3) == 2
    assert "-r" in running.log or "remote" in running.log


@pytest.mark.parametrize("name", ["no-such-name.lab", "-x.lab", "a" * 300])
def test_unknown_name(lab, tunnel, name):
    running = tunnel("--", name, wait=False) if name[0] == "-" else tunnel(name, wait=False)
    assert running.wait() == 2
    assert name[:40] in running.log


def test_missing_ssh(lab, tunnel):
    running = tunnel(L.TARGET_NET4, ssh="/no/such/ssh -v", wait=False)
    assert running.wait() == 99
    assert "/no/such/ssh" in running.log


def test_missing_ssh_in_path(lab, tunnel):
    running = tunnel(L.TARGET_NET4, ssh="no-such-ssh", wait=False)
    assert running.wait() == 99
    assert "no-such-ssh" in running.log


def test_listener_that_is_taken(lab, tunnel):
    with lab.client.listen("127.0.0.1", 8468):
        running = tunnel(L.TARGET_NET4, "-l", "127.0.0.1:8468", wait=False)
        assert running.wait() == 99
        assert "8468" in running.log


def test_right_refused(lab, tunnel):
    """No right at all, and no terminal to ask for a password."""
    running = tunnel(L.TARGET_NET4, user="none", wait=False)
    assert running.wait() == 99
    assert any(word in running.log for word in ("sudo", "doas", "pkexec"))


def test_scope_refused(lab, tunnel):
    running = tunnel("--scope=system", L.TARGET_NET4, user="own", wait=False)
    assert running.wait() == 99
