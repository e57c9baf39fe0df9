# SPDX-License-Identifier: GPL-2.0-or-later
"""/proc of every process, compared with the table in SECURITY.md."""
import pathlib

import pytest

import lab as L
import proc
from sandbox import REPO
from traffic import works

NETS = (L.TARGET_NET4, L.TARGET_NET6)
PROCESSES = {"supervisor": "supervisor", "engine": "engine", "fwhelper": "helper", "ssh": "ssh",
             "sshuttle-remote": "remote"}  # SECURITY.md's name -> ours
COLUMNS = ("uid", "CapEff", "NoNewPrivs", "Seccomp")


def documented():
    """Process -> column -> text, from between the marks in SECURITY.md."""
    text = (REPO / "SECURITY.md").read_text()
    table = text.split("<!-- processes:begin -->")[1].split("<!-- processes:end -->")[0]
    rows = [[cell.strip(" `") for cell in line.strip().strip("|").split("|")]
            for line in table.strip().splitlines()]
    return {row[0]: dict(zip(rows[0][1:], row[1:])) for row in rows[2:]}


def measured(pid, column):
    status = proc.status(pid)
    if column == "uid":
        uids = set(status["Uid"].split())
        assert len(uids) == 1, f"uids differ: {uids}"
        return uids.pop()
    return status[column]


def expected(lab, text, column):
    if column == "uid":
        return str({"caller": lab.uid["sys"], "ssh user": lab.uid["tun"]}.get(text, text))
    return text


def test_every_process_is_as_documented(lab, tunnel):
    running = tunnel(*NETS)
    assert works(lab.client, L.TARGET4)
    roles, table = running.processes(), documented()
    for name, role in PROCESSES.items():
        for column in COLUMNS:
            assert measured(roles[role], column) == expected(lab, table[name][column], column), \
                f"{name}: {column}"


def test_no_capability_anywhere(lab, tunnel):
    """Nothing changes in this session, so the helper too has dropped everything."""
    running = tunnel(*NETS)
    assert works(lab.client, L.TARGET4)
    roles = running.processes()
    for role in ("supervisor", "engine", "helper", "remote"):
        status = proc.status(roles[role])
        assert {status[c] for c in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {"0" * 16}, role
    for role in ("engine", "helper", "remote"):
        assert proc.status(roles[role])["NoNewPrivs"] == "1", role
        assert proc.status(roles[role])["Seccomp"] == "2", role


@pytest.mark.parametrize("role", ["engine", "helper", "remote"])
def test_descriptors_are_few(lab, tunnel, role):
    """Nothing but 0-2, pipes, sockets and what an event loop needs."""
    running = tunnel(*NETS)
    assert works(lab.client, L.TARGET4)
    links = [str(fd.readlink()) for fd in
             pathlib.Path(f"/proc/{running.processes()[role]}/fd").iterdir()]
    kinds = ("pipe:", "socket:", "anon_inode:", "/dev/pts/", "/dev/ptmx", "pidfd:")
    assert not [link for link in links
                if not link.startswith(kinds) and not link.endswith("/dev/null")]
    assert len(links) < 32
