# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways through ssh that are compared. Each is a context manager that stands when entered."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

import lab as L
import proc
import tunnel

LOAD_PORT = 5000
NETS = (L.TARGET_NET4, L.TARGET_NET6)


class Peer:
    """address and port are where the load generator connects; nets are what is redirected."""
    address, port = L.TARGET4, LOAD_PORT
    most_connections = 5000

    def __init__(self, lab, nets=NETS):
        self.lab, self.nets = lab, nets
        self.process = None

    def argv(self):
        raise NotImplementedError

    def stands(self):
        """Whether a connection of the load generator would be carried."""
        with contextlib.suppress(OSError):
            with self.lab.client.connect(self.address, self.port, timeout=1):
                return True
        return False

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


class Sshuttle(Peer):
    name = "sshuttle"
    most_connections = 400  # select() ends at 1024 descriptors

    def argv(self):
        return [shutil.which("sshuttle"), "--method", "nft", "-e", self.lab.ssh, "-r", "server",
                *self.nets]


class SshForward(Peer):
    name = "ssh -L"
    address, port = "127.0.0.1", 5001
    most_connections = 400

    def argv(self):
        return ["ssh", "-F", self.lab.ssh_config, "-N", "-L",
                f"{self.address}:{self.port}:{L.TARGET4}:{LOAD_PORT}", "server"]

    def pids(self):
        return [self.process.pid], [p for p in proc.of_users({self.lab.uid["tun"]})]


@contextlib.contextmanager
def load_server(lab):
    load = pathlib.Path(lab.build, "load")
    process = lab.target.popen(load, "serve", str(LOAD_PORT), nofile="20000:",
                               stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    try:
        yield
    finally:
        process.kill()
        process.wait()


def version(name):
    if name == "sshuttle":
        return subprocess.run(["sshuttle", "--version"], capture_output=True, text=True,
                              check=True).stdout.strip()
    return subprocess.run(["ssh", "-V"], capture_output=True, text=True,
                          check=True).stderr.strip()
