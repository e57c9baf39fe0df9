# SPDX-License-Identifier: GPL-2.0-or-later
"""One machine of the lab: a network namespace, and what can be done in it.

Sockets made inside `with node.inside(uid)` belong to the node and to the uid for as long as
they live, so the tests' own connections need no process of their own.
"""
import contextlib
import ctypes
import os
import pathlib
import re
import socket
import subprocess

from sandbox import CLONE_NEWNET, check, libc, run

SYSCTLS = {
    "net/ipv4/ip_forward": 0, "net/ipv6/conf/all/forwarding": 0,
    "net/ipv6/conf/all/disable_ipv6": 0, "net/ipv6/conf/default/disable_ipv6": 0,
    "net/ipv6/conf/all/accept_dad": 0, "net/ipv6/conf/default/accept_dad": 0,
    "net/ipv4/conf/all/rp_filter": 0, "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv4/icmp_ratelimit": 0, "net/ipv6/icmp/ratelimit": 0,
    "net/ipv4/tcp_syn_retries": 1,  # a silent address is given up after 3 s
    "net/ipv4/ip_local_port_range": "10000 65000",  # tests choose ports below
}


class Node:
    def __init__(self, name, sysctls=()):
        self.name = name
        run("ip", "netns", "add", name)
        self._ns = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        for key, value in {**SYSCTLS, **dict(sysctls)}.items():
            self.sysctl(key, value)
        self.ip("link set lo up")

    def ip(self, *commands):
        run("ip", "-n", self.name, "-batch", "-", input="\n".join(commands), text=True)

    @contextlib.contextmanager
    def inside(self, uid=0):
        check(libc.setns(self._ns, CLONE_NEWNET), "setns")
        libc.setfsuid(uid)
        try:
            yield
        finally:
            libc.setfsuid(0)
            check(libc.setns(self._home, CLONE_NEWNET), "setns")

    def sysctl(self, key, value=None):
        path = pathlib.Path("/proc/sys", key)
        with self.inside():
            if value is None:
                return path.read_text().strip()
            path.write_text(str(value))
        return None

    def argv(self, *argv, user=None, nofile="1024:"):
        """The command line that runs argv here, as root or as a user with a fresh environment."""
        words = ["ip", "netns", "exec", self.name, "prlimit", f"--nofile={nofile}"]
        if user:
            words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups",
                      "--reset-env"]
        return words + [str(a) for a in argv]

    def run(self, *argv, user=None, **kwargs):
        kwargs = {"check": True, "text": True, "stdout": subprocess.PIPE, **kwargs}
        return subprocess.run(self.argv(*argv, user=user), **kwargs)

    def popen(self, *argv, user=None, nofile="1024:", **kwargs):
        return subprocess.Popen(self.argv(*argv, user=user, nofile=nofile), **kwargs)

    def socket(self, address, uid=0, kind=socket.SOCK_STREAM):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.inside(uid):
            return socket.socket(family, kind)

    def connect(self, address, port, uid=0, timeout=10.0):
        sock = self.socket(address, uid)
        sock.settimeout(timeout)
        try:
            sock.connect((address, port))
        except BaseException:
            sock.close()
            raise
        return sock

    def listen(self, address, port=0, uid=0):
        sock = self.socket(address, uid)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(128)
        return sock

    def ruleset(self):
        text = self.run("nft", "list", "ruleset").stdout
        return re.sub(r"(packets|bytes) \d+", r"\1 N", text)

    def routing(self):
        """Rules and routes, for a comparison of before and after."""
        return "".join(self.run("ip", *family, what, "show", *more).stdout
                       for family in (["-4"], ["-6"])
                       for what, *more in (["rule"], ["route", "table", "all"]))

    def close(self):
        os.close(self._ns)
        os.close(self._home)


def link(a, a_addresses, b, b_addresses):
    """A cable between two nodes; each end is called after the node at the other end."""
    run("ip", "link", "add", f"to-{b.name}", "netns", a.name,
        "type", "veth", "peer", "name", f"to-{a.name}", "netns", b.name)
    for node, other, addresses in ((a, b, a_addresses), (b, a, b_addresses)):
        device = f"to-{other.name}"
        node.ip(*[f"addr add {address} dev {device}" + (" nodad" if ":" in address else "")
                  for address in addresses], f"link set {device} up")


libc.setfsuid.argtypes = [ctypes.c_uint]
