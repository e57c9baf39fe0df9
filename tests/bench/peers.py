# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways through ssh that are compared. Each is a context manager that stands when entered."""
import contextlib
import itertools
import os
import shutil
import signal
import subprocess

import lab as L
import proc
import tunnel

NETS = (L.TARGET_NET4, L.TARGET_NET6)


class Peer:
    """address and port are where the load generator connects; nets are what is redirected.

    Every session has its own server on its own port: conntrack remembers for minutes where a
    connection of an earlier session went, and would send one with the same ports there again.
    """
    address = L.TARGET4
    most_connections = 5000
    _ports = itertools.count(5000)

    def __init__(self, lab, nets=NETS):
        self.lab, self.nets = lab, nets
        self.port = self.server_port = next(self._ports)
        self.process, self.node = None, lab.client  # node: where the load comes from
        self._probe = 0
        self._server = lab.target.popen(lab.build / "load", "serve", str(self.port),
                                        nofile="20000:", stdout=subprocess.PIPE)
        if self._server.stdout.readline() != b"ready\n":
            raise RuntimeError("the load server did not start")

    def argv(self):
        raise NotImplementedError

    def stands(self):
        """Whether a connection is carried. From a source port that no measurement uses."""
        self._probe = 2000 + (self._probe + 1) % 8000
        with self.lab.client.socket(self.address) as sock, contextlib.suppress(OSError):
            sock.bind(("", self._probe))
            sock.settimeout(1)
            sock.connect((self.address, self.port))
            return True
        return False

    def close_server(self):
        self._server.kill()
        self._server.wait()

    def __enter__(self):
        self.process = self.lab.client.popen(*self.argv(), stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, nofile="20000:",
                                             stderr=subprocess.DEVNULL, start_new_session=True)
        proc.wait_for(self.stands, 300, f"{self.name} to carry a connection")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.close_server()

    def pids(self):
        """(of the program on this side, of the program on the server); ssh itself not counted."""
        here = [p for p in proc.tree(self.process.pid) if proc.name(p) not in ("ssh", "sudo")]
        there = [p for p in proc.of_users({self.lab.uid["tun"]})
                 if not proc.name(p).startswith("sshd")]
        return here, there


class Ours(Peer):
    name = "sshuttle-proxy"

    def __enter__(self):
        self.process = tunnel.Tunnel(self.lab, *self.nets, user="sys", verbose=False,
                                     nofile="20000:")
        proc.wait_for(self.stands, 30, f"{self.name} to carry a connection")
        return self

    def __exit__(self, *_):
        self.process.stop()
        self.close_server()


class Sshuttle(Peer):
    name = "sshuttle"
    most_connections = 400  # select() ends at 1024 descriptors

    def argv(self):
        return [shutil.which("sshuttle"), "--method", "nft", "-e", self.lab.ssh, "-r", "server",
                *self.nets]


class SshForward(Peer):
    name = "ssh -L"
    address = "127.0.0.1"
    most_connections = 400

    def __init__(self, lab, nets=NETS):
        super().__init__(lab, nets)
        self.port += 1000  # of ssh's own listener

    def argv(self):
        return ["ssh", "-F", self.lab.ssh_config, "-N", "-L",
                f"{self.address}:{self.port}:{L.TARGET4}:{self.server_port}", "server"]

    def pids(self):
        return [self.process.pid], [p for p in proc.of_users({self.lab.uid["tun"]})]


class Direct(Peer):
    """No relay: the server itself connects to the target. The limit, not a competitor."""
    name = "direct"

    def __enter__(self):
        self.node = self.lab.server
        return self

    def __exit__(self, *_):
        self.close_server()


def version(name):
    if name == "sshuttle":
        return subprocess.run(["sshuttle", "--version"], capture_output=True, text=True,
                              check=True).stdout.strip()
    return subprocess.run(["ssh", "-V"], capture_output=True, text=True,
                          check=True).stderr.strip()
