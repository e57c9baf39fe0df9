# SPDX-License-Identifier: GPL-2.0-or-later
"""What /proc says about processes. Inside the sandbox it shows only those of this run."""
import os
import pathlib
import re
import time

STATUS = re.compile(r"^(\w+):\s*(.*)$", re.M)


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def status(pid):
    """The fields of /proc/PID/status, or {} when the process is gone."""
    try:
        return dict(STATUS.findall(pathlib.Path(f"/proc/{pid}/status").read_text()))
    except (FileNotFoundError, ProcessLookupError):
        return {}


def alive(pid):
    return status(pid).get("State", "Z")[0] not in "ZX"


def name(pid):
    return status(pid).get("Name", "")


def argv(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def uid(pid):
    return int(status(pid).get("Uid", "-1").split()[0])


def rss(pid):
    """Resident memory in bytes, shared pages not counted."""
    fields = status(pid)
    return 1024 * int(fields.get("RssAnon", "0 kB").split()[0])


def cpu(pid):
    """Seconds of processor time used so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid):
    return [p for p in pids() if status(p).get("PPid") == str(pid)]


def tree(pid):
    """pid and everything below it."""
    found = [pid]
    for parent in found:
        found += children(parent)
    return found


def of_users(uids):
    return [p for p in pids() if alive(p) and uid(p) in uids]


def wait_for(condition, timeout, what, step=0.01):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout} s still waiting for: {what}")
        time.sleep(step)


def listens(node, port):
    with node.inside():
        text = pathlib.Path("/proc/thread-self/net/tcp").read_text()
    return f":{port:04X} 00000000:0000 0A" in text
