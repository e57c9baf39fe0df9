# SPDX-License-Identifier: GPL-2.0-or-later
"""One function per measurement: a standing peer in, a number out."""
import subprocess
import time

import proc

SHORT_AT_ONCE = 32


def _load(peer, *args):
    lab = peer.lab
    done = peer.node.run(lab.build / "load", args[0], peer.address, peer.port, *args[1:],
                         timeout=60)
    return float(done.stdout)


def down(peer, seconds):
    """Bytes per second of one stream from the target."""
    return _load(peer, "down", seconds)


def up(peer, seconds):
    return _load(peer, "up", seconds)


def short(peer, seconds):
    """Connections per second: connect, 100 bytes, 1000 bytes back, close; 32 at a time."""
    return _load(peer, "short", seconds, SHORT_AT_ONCE)


def idle_memory(peer):
    """Bytes per idle connection (here, there)."""
    count = peer.most_connections
    sizes = [sum(map(proc.rss, side)) for side in peer.pids()]
    lab = peer.lab
    holder = lab.client.popen(lab.build / "load", "hold", peer.address, peer.port, count,
                              nofile="20000:", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        stand = int(holder.stdout.readline())
        if stand != count:
            raise RuntimeError(f"{peer.name}: only {stand} of {count} connections stand")
        return tuple((sum(map(proc.rss, side)) - size) / count
                     for side, size in zip(peer.pids(), sizes))
    finally:
        holder.stdin.close()
        holder.wait(30)


def idle_cpu(peer, seconds):
    """Seconds of processor time (here, there) while nothing happens."""
    time.sleep(1)
    pids = peer.pids()
    before = [sum(map(proc.cpu, side)) for side in pids]
    time.sleep(seconds)
    return tuple(sum(map(proc.cpu, side)) - size for side, size in zip(pids, before))


def start_time(kind, lab, nets):
    """Seconds from the start to the first connection that is carried."""
    started = time.monotonic()
    with kind(lab, nets):
        return time.monotonic() - started
