#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in for ssh (-e "hostile.py MODE"): a server that does not keep to the protocol.

Modes in BEFORE never start the remote program. All others start it here, let the handshake pass,
and then put bytes of their own into what the server says.
"""
import os
import random
import select
import signal
import struct
import subprocess
import sys
import time

SYNC = b"\0\0SSHUTTLE-C"
NONCE = 16
HELLO, OPEN, OPENED, DATA, EOF, RESET, CREDIT, ACK = range(1, 9)
HEADER = 12
SAID = len(SYNC) + NONCE + HEADER + 32  # sync, nonce and the server's HELLO


def frame(kind, stream=0, payload=b"", length=None):
    length = len(payload) if length is None else length
    return struct.pack(">BBHII", kind, length >> 16, length & 0xffff, stream, 0) + payload


def u64(value):
    return struct.pack(">Q", value)


def say(data):
    while data:
        data = data[os.write(1, data):]


def noise(rng, size=65536):
    return rng.randbytes(size).replace(b"\0\0S", b"xxx")


def endless():
    rng = random.Random(3)
    while True:
        say(noise(rng))


def garbage():
    say(noise(random.Random(4), 2048))
    sys.exit(0)


def escapes():
    say(b"\x1b]0;pwned\x07\x1b[2J\r\n" * 20)
    sys.stderr.write("\x1b[31mred\n")
    sys.exit(1)


BEFORE = {
    "nothing": lambda: sys.exit(0),
    "exit 3": lambda: sys.exit(3),
    "garbage": garbage,
    "endless noise": endless,
    "escapes": escapes,
    "no line end": lambda: say(b"x" * 10_000_000) or time.sleep(60),
    "wrong nonce": lambda: say(SYNC + b"0123456789abcdef" + frame(HELLO, 0, bytes(32))),
    "sync and end": lambda: say(SYNC) or sys.exit(0),
}

# What must end the session, said right after the handshake.
AFTER = {
    "second hello": None,  # the server's own, again
    "frame type 0": frame(0),
    "frame type 9": frame(9, 1, b"x" * 8),
    "frame type 255": frame(255, 0, b"x" * 100),
    "oversized data": frame(DATA, 1, b"", 0xffffff),
    "oversized hello": frame(HELLO, 0, b"x" * 33),
    "short hello": frame(HELLO, 0, b"x" * 31),
    "empty data": frame(DATA, 1, u64(0)),
    "short eof": frame(EOF, 1, b"xxx"),
    "long reset": frame(RESET, 1, b"x" * 5),
    "open from the server": frame(OPEN, 2, bytes(20)),
    "ack on a stream": frame(ACK, 5, bytes(16)),
    "data on stream 0": frame(DATA, 0, u64(0) + b"x"),
    "ack of what was never sent": frame(ACK, 0, u64(1 << 60) + bytes(8)),
    "random bytes": random.Random(5).randbytes(100_000),
}

# The same, once a stream is open; %s is its number.
ON_STREAM = {
    "data beyond the credit": lambda s: b"".join(
        frame(DATA, s, u64(i << 18) + bytes(1 << 18)) for i in range(64)),
    "data with a gap": lambda s: frame(DATA, s, u64(5000) + b"x"),
    "data far away": lambda s: frame(DATA, s, u64((1 << 64) - 1) + b"x"),
    "data after eof": lambda s: frame(EOF, s, u64(0)) + frame(DATA, s, u64(0) + b"x"),
    "two ends": lambda s: frame(EOF, s, u64(0)) + frame(EOF, s, u64(7)),
    "opened twice": lambda s: frame(OPENED, s) * 2,
    "credit that shrinks": lambda s: frame(CREDIT, s, u64(1)),
    "endless credit": lambda s: frame(CREDIT, s, u64((1 << 64) - 1)),
    "reset twice": lambda s: frame(RESET, s, bytes(4)) * 2,
    "reset with an unknown reason": lambda s: frame(RESET, s, b"\xff" * 4),
    "data on a stranger": lambda s: frame(DATA, s + 4242, u64(0) + b"x"),
    "opened on a stranger": lambda s: frame(OPENED, s + 4242),
}

class Relay:
    """Passes bytes between the proxy and the remote program that it has started here."""

    def __init__(self, command):
        self.child = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, bufsize=0)
        self.there = self.child.stdout.fileno()
        self.up = b""

    def once(self, seconds=60.0):
        """Moves what is there; returns what the server said (not passed on), b'' if nothing."""
        ready, _, _ = select.select([0, self.there], [], [], seconds)
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                sys.exit(0)
            self.up = (self.up + data)[-1 << 16:]
            self.child.stdin.write(data)
        if self.there in ready:
            data = os.read(self.there, 65536)
            if not data:
                sys.exit(self.child.wait())
            return data
        return b""

    def handshake(self):
        """Passes sync, nonce and HELLO on; returns (HELLO, what came behind it)."""
        said = b""
        while SYNC not in said or len(said) - said.index(SYNC) < SAID:
            said += self.once()
        end = said.index(SYNC) + SAID
        self.up = b""
        say(said[:end])
        return said[end - HEADER - 32:end], said[end:]

    def opened(self):
        """Waits for an OPEN of the client; returns its stream."""
        while True:
            say(self.once())
            at = self.up.find(struct.pack(">BBH", OPEN, 0, 20))
            if at >= 0 and len(self.up) >= at + 8:
                return struct.unpack(">I", self.up[at + 4:at + 8])[0]

    def for_ever(self, change=lambda data: data):
        while True:
            say(change(self.once()))


def live_on(ms):
    """Nothing more is said, but ssh does not end."""
    time.sleep(ms / 1000)
    os.close(1)
    time.sleep(60)


def mutate(seed):
    """Changes bytes here and there, more and more of them."""
    rng = random.Random(seed)

    def change(data):
        data = bytearray(data)
        for _ in range(rng.choice((0, 0, 1, 1, 4))):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        if data and rng.random() < 0.1:
            del data[rng.randrange(len(data)):]
        return bytes(data)
    return change


def main():
    mode, command = sys.argv[1].replace("_", " "), sys.argv[-1]
    if mode in BEFORE:
        BEFORE[mode]()
        return
    relay = Relay(command)
    hello, rest = relay.handshake()
    if mode.startswith("closes after"):
        say(rest)
        live_on(int(mode.split()[2]))
    if mode == "closes on open":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say(rest)
        relay.opened()
        live_on(0)
    if mode in AFTER:
        say(AFTER[mode] or hello)
    say(rest)
    if mode in ON_STREAM:
        say(ON_STREAM[mode](relay.opened()))
    elif mode.startswith("mutate"):
        relay.for_ever(mutate(int(mode.split()[1])))
    relay.for_ever()


if __name__ == "__main__":
    main()
