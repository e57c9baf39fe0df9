# SPDX-License-Identifier: GPL-2.0-or-later
"""A second implementation of the helper's protocol (common/fwproto.h), for the tests.

Run as a program it is a proxy that can be killed: it commits one rule in its own namespace, leaves
its socket to a grandchild, prints both pids and waits.
"""
import contextlib
import ipaddress
import os
import socket
import struct
import subprocess
import sys
import time

HELLO, NET, EXCEPT, LISTEN, COMMIT = 1, 2, 3, 4, 5
HEADER, REPLY = struct.Struct("=HHI"), struct.Struct("=HHIiIII")
ALL_PORTS = (0, 65535)
REASONS = ("NONE VERSION METHOD SCOPE_LISTEN FIELD RANGE FULL COUNT LISTENER SYSTEM").split()


def address(text):
    a = ipaddress.ip_address(text)
    return struct.pack("B3x", a.version) + a.packed.ljust(16, b"\0")


def hello_body(version=1, method=1, flags=0):
    return struct.pack("=HBBI", version, method, 0, flags)


def net_body(net, exclude=False, ports=ALL_PORTS):
    net = ipaddress.ip_network(net)
    return address(net.network_address) + struct.pack("=BBHHH", net.prefixlen, exclude, 0, *ports)


def listen_body(where, port):
    return address(where) + struct.pack("=HH", port, 0)


def except_body(src, src_port, dst, dst_port):
    return address(src) + address(dst) + struct.pack("=HH", src_port, dst_port)


class Refused(Exception):
    """(errno, reason)"""


class Gone(Exception):
    """The helper has left."""


@contextlib.contextmanager
def as_uid(uid):
    """A socket pair belongs to whoever makes it."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


class Helper:
    """One helper process and the proxy's end of its door."""

    def __init__(self, argv, uid=0, **popen):
        with as_uid(uid):
            self.sock, door = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(20)
        self.counts = {NET: 0, EXCEPT: 0, LISTEN: 0}
        self.seq, self.listeners, self.caller, self.scope = 1, [], None, None
        self.values = ()
        popen.setdefault("stderr", subprocess.PIPE)
        self.process = subprocess.Popen([str(a) for a in argv], stdin=door, **popen)
        self.pid = self.process.pid
        door.close()

    def raw(self, record, fds=()):
        with contextlib.suppress(BrokenPipeError):
            socket.send_fds(self.sock, [record], list(fds))

    def answer(self):
        try:
            data, fds, _, _ = socket.recv_fds(self.sock, 64, 1)
        except ConnectionResetError:
            data, fds = b"", []
        if not data:
            raise Gone
        _, zero, seq, error, why, *self.values = REPLY.unpack(data)
        assert (zero, seq) == (0, self.seq - 1)
        if error:
            raise Refused(error, REASONS[why])
        return fds

    def ask(self, op, body):
        self.raw(HEADER.pack(op, 0, self.seq) + body)
        self.seq += 1
        fds = self.answer()
        if op in self.counts:
            self.counts[op] += 1
        return fds

    def hello(self, **kwargs):
        self.ask(HELLO, hello_body(**kwargs))
        self.caller, self.scope = self.values
        return self

    def net(self, *nets, exclude=False, ports=ALL_PORTS):
        for net in nets:
            self.ask(NET, net_body(net, exclude, ports))
        return self

    def exclude(self, *nets, ports=ALL_PORTS):
        return self.net(*nets, exclude=True, ports=ports)

    def listen(self, where, port):
        fds = self.ask(LISTEN, listen_body(where, port))
        self.listeners.append(socket.socket(fileno=fds[0]))
        return self

    def leave_alone(self, *tuple4):
        self.ask(EXCEPT, except_body(*tuple4))
        return self

    def commit(self):
        self.ask(COMMIT, struct.pack("=III", *self.counts.values()))
        return self

    def close(self):
        """EOF; returns the exit status."""
        self.sock.close()
        return self.wait()

    def wait(self, timeout=10):
        return self.process.wait(timeout)

    def stop(self):
        """Whatever happened in the test: no process, no descriptor is left."""
        self.sock.close()
        for each in self.listeners:
            each.close()
        try:
            self.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
        if self.process.stderr:
            self.process.stderr.close()


def main():
    helper = Helper([sys.argv[1], "--scope=own"]).hello().net("10.0.0.0/8")
    helper.listen("127.0.0.1", 12300).commit()
    os.set_inheritable(helper.sock.fileno(), True)
    grandchild = subprocess.Popen(["sleep", "30"], close_fds=False, stdout=subprocess.DEVNULL)
    print(helper.pid, grandchild.pid, flush=True)
    time.sleep(30)


if __name__ == "__main__":
    main()
