# SPDX-License-Identifier: GPL-2.0-or-later
"""What make install puts in place works from there, and trusts nothing but what it put there."""
import os
import shutil
import subprocess

import pytest

import lab as L
import proc
from sandbox import LAB, REPO
from traffic import works

NETS = (L.TARGET_NET4, L.TARGET_NET6)
PREFIX = LAB / "prefix"
HELPER = PREFIX / "libexec/sshuttle/sshuttle-fwhelper"


@pytest.fixture(scope="module")
def installed(lab):
    subprocess.run(["make", "-s", f"B={LAB}/prefix-build", f"PREFIX={PREFIX}", "CFLAGS=-O1",
                    f"POLKITDIR={PREFIX}/polkit", "install"], cwd=REPO, check=True,
                   env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    yield PREFIX / "bin/sshuttle-proxy"
    shutil.rmtree(PREFIX)
    shutil.rmtree(LAB / "prefix-build")


def test_modes(installed):
    for path in PREFIX.rglob("*"):
        status = path.stat()
        assert status.st_uid == 0 and status.st_mode & 0o7022 == 0, path
    assert str(HELPER) in (PREFIX / "polkit/org.sshuttle.fwhelper.policy").read_text()


def test_it_works_from_there(lab, tunnel, installed):
    running = tunnel(*NETS, user="root", program=installed)
    assert works(lab.client, L.TARGET4)
    assert proc.argv(running.processes()["helper"])[0] == str(HELPER)


@pytest.mark.parametrize("uid,mode", [(0, 0o775), (0, 0o757), (12345, 0o755)])
def test_a_helper_that_others_can_change_is_not_started(tunnel, installed, uid, mode):
    os.chown(HELPER, uid, 0)
    HELPER.chmod(mode)
    try:
        running = tunnel(*NETS, user="root", program=installed, wait=False)
        assert running.wait() == 99
        assert "must belong to root and be writable by root only" in running.log
    finally:
        os.chown(HELPER, 0, 0)
        HELPER.chmod(0o755)


def test_a_helper_beside_the_installed_proxy_is_not_taken(tunnel, installed):
    beside = installed.with_name("sshuttle-fwhelper")
    beside.write_text("#!/bin/sh\nexit 1\n")
    beside.chmod(0o755)
    try:
        tunnel(*NETS, user="root", program=installed)
    finally:
        beside.unlink()
