# SPDX-License-Identifier: GPL-2.0-or-later
"""The helper's door: who is let in; what a hostile launcher or proxy achieves (nothing)."""
import os
import pathlib
import pty
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import time

import pytest

import proc
from fwhelper_client import (COMMIT, EXCEPT, HEADER, HELLO, LISTEN, NET, Gone, Helper, Refused,
                             except_body, hello_body, listen_body, net_body)
from lab import BUILD
from node import Node
from sandbox import LAB, run
from tunnel import SLOW

HELPER = BUILD / "sshuttle-fwhelper"
SCOPE = "--scope=own"
USER = 4242
ROUNDS = 2000 // SLOW
FILES = 3 if SLOW == 1 else 300  # the sanitizer hangs without spare ones
CAN_RAISE_LIMITS = int(proc.status("self")["CapEff"], 16) >> 24 & 1  # CAP_SYS_RESOURCE


@pytest.fixture
def node():
    """A machine of its own; everything in the test happens inside it."""
    node = Node("fwdoor")
    with node.inside():
        yield node
    node.close()
    run("ip", "netns", "del", node.name)


@pytest.fixture
def start(node):
    """start(...) starts a helper; all are stopped in the end, and none leaves a table."""
    helpers = []

    def start(argv=(HELPER, SCOPE), **kwargs):
        helpers.append(Helper(argv, **kwargs))
        return helpers[-1]

    yield start
    for each in helpers:
        each.stop()
    assert node.ruleset() == ""


def finish(argv, **kwargs):
    """Runs a helper that is expected to leave at once; its exit status and what it said."""
    done = subprocess.run([str(a) for a in argv], timeout=10, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, **kwargs)
    return done.returncode, done.stdout + done.stderr


# The command line

@pytest.mark.parametrize("args", [
    [], [""], ["--scope=all"], ["--scope=own "], ["--scope"], ["-h"], ["--scope=own", ""],
    ["--scope=own", "--scope=system"], ["--scope=own", "--scope=own"], ["--help", "--version"]])
def test_bad_arguments(args):
    usage = "usage: sshuttle-fwhelper --scope=own | --scope=system\n"
    assert finish([HELPER, *args]) == (64, usage)


def test_help_and_version():
    assert finish([HELPER, "--version"])[0] == 0
    code, text = finish([HELPER, "--help"])
    assert code == 0 and text.startswith("usage: ")


def test_no_arguments_at_all():
    code = "import ctypes,sys; ctypes.CDLL(None).execv(sys.argv[1].encode(), None)"
    assert finish(["python3", "-c", code, HELPER])[0] == 64


# What fd 0 may be

def test_door_of_another_kind(node, tmp_path):
    (tmp_path / "file").write_text("x")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    _, terminal = pty.openpty()
    reader, _ = os.pipe()
    doors = {"a pipe": reader, "a file": os.open(tmp_path / "file", os.O_RDONLY),
             "a terminal": terminal, "a socket of another kind": theirs.fileno(),
             "another device": subprocess.DEVNULL}
    with ours, theirs, socket.socket() as tcp:
        for kind, door in [*doors.items(), ("a socket of another kind", tcp.fileno())]:
            code, text = finish([HELPER, SCOPE], stdin=door)
            assert code == 66 and text.count("\n") == 1
            assert kind in text and "!log_input" in text
    assert node.ruleset() == ""


def test_closed_door():
    code, text = finish(["sh", "-c", f"exec {HELPER} {SCOPE} <&-"])
    assert code == 66 and "device" in text


# Who may enter

def test_identity_is_the_makers(start):
    helper = start(uid=USER).hello()
    assert (helper.caller, helper.scope) == (USER, ord("o"))
    helper = start([HELPER, "--scope=system"], uid=0).hello()
    assert (helper.caller, helper.scope) == (0, ord("s"))


@pytest.mark.parametrize("variable,value,uid,code", [
    ("SUDO_UID", "4242", USER, 0), ("SUDO_UID", "4243", USER, 77), ("SUDO_UID", "4242", 0, 77),
    ("SUDO_UID", "", USER, 77), ("SUDO_UID", " 4242", USER, 77), ("SUDO_UID", "04242", USER, 77),
    ("SUDO_UID", "4242" * 100, USER, 77), ("SUDO_UID", "0", 0, 0),
    ("PKEXEC_UID", "4242", USER, 0), ("PKEXEC_UID", "4242", 0, 77), ("PKEXEC_UID", "0", USER, 77),
    ("DOAS_USER", "somebody", USER, 0), ("DOAS_USER", "somebody", 0, 77),
    ("DOAS_USER", "root", 0, 0), ("DOAS_USER", "root" * 100, 0, 77)])
def test_launcher_and_maker_must_agree(start, variable, value, uid, code):
    helper = start(uid=uid, env={variable: value})
    if code == 0:
        assert helper.hello().close() == 0
    else:
        assert helper.wait() == code
        assert b"another user" in helper.process.stderr.read()


def test_not_root(start):
    assert start(user=USER).wait() == 77


# What the system log gets

@pytest.fixture
def system_log():
    """A /dev with nothing but our own log in it; yields the socket and how to start in there."""
    directory = LAB / "fwhelper-dev"
    directory.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(directory / "log"))
        yield log, ["unshare", "-m", "sh", "-c", f'mount --bind {directory} /dev && exec "$@"', "-"]
    (directory / "log").unlink()
    directory.rmdir()


def test_audit_lines(start, system_log):
    log, launcher = system_log
    helper = start([*launcher, HELPER, SCOPE], uid=USER).hello().net("10.0.0.0/8")
    with pytest.raises(Refused):
        helper.listen("0.0.0.0", 12300)
    helper.listen("127.0.0.1", 12300).commit().close()
    assert start([*launcher, HELPER, SCOPE], uid=USER, env={"SUDO_UID": "0"}).wait() == 77
    log.settimeout(1)
    lines = [log.recv(1000).decode() for _ in range(5)]
    head = f"<85>sshuttle-fwhelper[{helper.pid}]: uid=4242 scope=own ev="
    assert lines[0] == head + f"start pid={os.getpid()}"
    assert lines[1] == head + "deny what=listen why=3"
    assert re.fullmatch(re.escape(head) + r"commit table=sshuttle-4242-[0-9a-f]{8} owned=1 "
                        "nets=1 includes=1 excepts=0 listeners=1", lines[2])
    assert lines[3] == head + "end cause=eof denials=1"
    assert lines[4].endswith("uid=4242 scope=own ev=deny what=launcher why=0")


# A hostile launcher

def hostile_launcher():
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    os.nice(19)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.chdir("/tmp")
    os.umask(0)
    for _ in range(200):
        os.set_inheritable(os.open("/etc/shadow", os.O_RDONLY), True)
    os.close(1)
    os.close(2)
    for limit, value in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, FILES),
                         (resource.RLIMIT_CPU, 1), (resource.RLIMIT_CORE, 1 << 20)):
        # Where root itself may not raise a hard limit, neither can the helper.
        hard = value if CAN_RAISE_LIMITS else resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (value, hard))


def test_hostile_launcher(start):
    env = {f"LD_{n}": "x" * 1000 for n in range(500)} | {"TZ": "../../x", "LC_ALL": "xx"}
    helper = start(env=env, preexec_fn=hostile_launcher, close_fds=False, uid=USER)
    helper.hello().net("10.0.0.0/8").listen("127.0.0.1", 12300)
    base = pathlib.Path("/proc", str(helper.pid))
    status, limits = proc.status(helper.pid), (base / "limits").read_text().splitlines()
    wanted = sum(1 << (getattr(signal, "SIG" + s) - 1)
                 for s in "INT QUIT TSTP TTIN TTOU HUP PIPE XFSZ".split())
    assert int(status["SigIgn"], 16) == wanted
    assert int(status["SigBlk"], 16) == 1 << (signal.SIGTERM - 1)
    assert status["Umask"] == "0077"
    assert os.getpriority(os.PRIO_PROCESS, helper.pid) == 0
    assert os.sched_getscheduler(helper.pid) == os.SCHED_OTHER
    assert os.readlink(base / "cwd") == "/"
    found = {line[:25].strip(): line[25:].split()[:2] for line in limits}
    for name, limit in {"cpu time": "unlimited", "file size": "unlimited", "core file size": "0",
                        "processes": "0", "open files": "96"}.items():
        assert found["Max " + name] == [limit, limit]
    targets = [os.readlink(base / "fd" / fd) for fd in os.listdir(base / "fd")]
    assert targets.count("/dev/null") == 2
    assert not [t for t in targets if t.startswith("/") and t != "/dev/null"]
    time.sleep(0.6)
    helper.commit()
    os.kill(helper.pid, signal.SIGTERM)
    assert helper.wait() == 0


def test_sixty_four_listeners(start):
    """The limit of descriptors is enough for the limit of the protocol."""
    helper = start(uid=USER).hello().net("10.0.0.0/8")
    for port in range(13000, 13064):
        helper.listen("127.0.0.1", port)
    with pytest.raises(Refused, match="FULL"):
        helper.listen("127.0.0.1", 13064)
    assert helper.commit().close() == 0


def test_terminal_signals_change_nothing(start):
    helper = start(uid=USER).hello().net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    for name in "INT QUIT HUP TSTP TTIN TTOU PIPE".split():
        os.kill(helper.pid, getattr(signal, "SIG" + name))
    os.kill(helper.pid, signal.SIGSTOP)
    time.sleep(0.05)
    os.kill(helper.pid, signal.SIGCONT)
    time.sleep(0.05)
    assert helper.process.poll() is None
    assert helper.close() == 0


# A hostile proxy

def record(op, seq, body, zero=0):
    return HEADER.pack(op, zero, seq) + body


HELLO_OK = record(HELLO, 1, hello_body())
NET_OK = net_body("10.0.0.0/8")


def patched(body, offset, value=1):
    return body[:offset] + bytes([value]) + body[offset + 1:]


VIOLATIONS = {
    "short": [b"\1"],
    "header only": [HEADER.pack(HELLO, 0, 1)],
    "one byte less": [HELLO_OK[:-1]],
    "one byte more": [HELLO_OK + b"\0"],
    "too long": [b"\0" * 65],
    "much too long": [b"\0" * 60000],
    "operation 0": [record(0, 1, hello_body())],
    "operation 6": [record(6, 1, hello_body())],
    "operation 65535": [record(65535, 1, hello_body())],
    "sequence 0": [record(HELLO, 0, hello_body())],
    "sequence 2": [record(HELLO, 2, hello_body())],
    "header not zero": [record(HELLO, 1, hello_body(), zero=1)],
    "net before hello": [record(NET, 1, NET_OK)],
    "commit before hello": [record(COMMIT, 1, bytes(12))],
    "two hellos": [HELLO_OK, record(HELLO, 2, hello_body())],
    "sequence repeated": [HELLO_OK, record(NET, 1, NET_OK)],
    "hello: zero": [record(HELLO, 1, patched(hello_body(), 3))],
    "hello: flag": [record(HELLO, 1, hello_body(flags=0x80000000))],
    "net: family": [HELLO_OK, record(NET, 2, patched(NET_OK, 0, 5))],
    "net: tail": [HELLO_OK, record(NET, 2, patched(NET_OK, 19))],
    "net: address zero": [HELLO_OK, record(NET, 2, patched(NET_OK, 2))],
    "net: exclude": [HELLO_OK, record(NET, 2, patched(NET_OK, 21, 2))],
    "net: zero": [HELLO_OK, record(NET, 2, patched(NET_OK, 22))],
    "listen: zero": [HELLO_OK, record(LISTEN, 2, patched(listen_body("::1", 2000), 23))],
    "except: tail": [HELLO_OK, record(EXCEPT, 2, patched(
        except_body("1.2.3.4", 1, "1.2.3.4", 1), 39))],
}


@pytest.mark.parametrize("records", VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_violation(start, records):
    helper = start()
    for each in records:
        helper.raw(each)
    assert helper.wait() == 65
    assert b"broke the protocol" in helper.process.stderr.read()


@pytest.mark.parametrize("count", [1, 2, 50])
def test_descriptors_are_not_taken(start, count):
    helper = start()
    helper.raw(HELLO_OK, fds=[2] * count)
    assert helper.wait() == 65


@pytest.mark.parametrize("op,body", [(NET, NET_OK), (HELLO, hello_body()), (COMMIT, bytes(12)),
                                     (LISTEN, listen_body("127.0.0.1", 12301))])
def test_nothing_is_legal_after_commit(start, node, op, body):
    helper = start().hello().net("10.0.0.0/8").listen("127.0.0.1", 12300).commit()
    assert node.ruleset() != ""
    with pytest.raises(Gone):
        helper.ask(op, body)
    assert helper.wait() == 65


def test_refusals_are_not_the_end(start):
    helper = start(uid=USER).hello()
    for ask, reason in [(lambda: helper.net("127.0.0.0/8"), "RANGE"),
                        (lambda: helper.net("10.0.0.0/8", ports=(2, 1)), "FIELD"),
                        (lambda: helper.listen("0.0.0.0", 12300), "SCOPE_LISTEN"),
                        (lambda: helper.listen("127.0.0.1", 80), "FIELD"),
                        (helper.commit, "COUNT"),
                        (lambda: helper.net("fd00::/8").listen("127.0.0.1", 12300).commit(),
                         "LISTENER")]:
        with pytest.raises(Refused, match=reason):
            ask()
    helper.listen("::1", 12300).commit()


@pytest.mark.parametrize("kwargs,reason,code", [({"version": 2}, "VERSION", 65),
                                                ({"method": 2}, "METHOD", 69)])
def test_hello_refused(start, kwargs, reason, code):
    helper = start()
    with pytest.raises(Refused, match=reason):
        helper.hello(**kwargs)
    assert helper.wait() == code


def test_replies_must_be_read(start):
    helper = start().hello()
    helper.sock.settimeout(5)
    try:
        while True:
            helper.sock.send(record(NET, helper.seq, net_body("10.0.0.0/8", True)))
            helper.seq += 1
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert helper.wait() == 65


@pytest.mark.seconds(40)
def test_hello_timeout(start):
    helper = start()
    began = time.monotonic()
    assert helper.wait(15) == 62
    assert 9 < time.monotonic() - began < 12


SESSION = [HELLO_OK, record(NET, 2, NET_OK), record(LISTEN, 3, listen_body("127.0.0.1", 12300)),
           record(EXCEPT, 4, except_body("1.2.3.4", 5, "1.2.3.4", 6)),
           record(COMMIT, 5, struct.pack("=III", 1, 1, 1)), record(NET, 6, NET_OK)]


def random_records(rng):
    """Some correct requests, then one with a few bytes changed, or one of noise."""
    good = rng.randrange(len(SESSION))
    last = bytearray(SESSION[good])
    if rng.random() < 0.5:
        last = bytearray(rng.randbytes(rng.randrange(1, 80)))
    for _ in range(rng.randrange(1, 4)):
        last[rng.randrange(len(last))] = rng.randrange(256)
    return [*SESSION[:good], bytes(last)]


@pytest.mark.seconds(120)
def test_random_bytes(node):
    rng, codes = random.Random(1), set()
    for _ in range(ROUNDS):
        helper = Helper([HELPER, SCOPE], stderr=subprocess.DEVNULL)
        for each in random_records(rng):
            helper.raw(each)
        helper.sock.close()
        codes.add(helper.wait())
    assert codes <= {0, 65, 69}
    assert node.ruleset() == ""
