# SPDX-License-Identifier: GPL-2.0-or-later
"""A running sshuttle-proxy: started as a user on the client, watched, stopped."""
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import threading
import time

import proc
from lab import SANITIZED, SANITIZER_ENV
from sandbox import LAB

FATAL = r"^c : fatal: "
READY = r"fw: rules are in"
SANITIZER_REPORT = re.compile(r"Sanitizer|runtime error:")
SLOW = 3 if SANITIZED else 1  # sanitizers start slowly
SECOND = 1.0 * SLOW  # the time in which everything of ours must be gone
ROLES = {"sshuttle-engine": "engine", "sshuttle-fwhelp": "helper", "sudo": "sudo", "ssh": "ssh",
         "sshuttle-remote": "remote"}  # by the name in /proc, which has 15 characters
SHARED_DIRS = ("/tmp", "/var/tmp", "/dev/shm", "/run")


class Tunnel:
    """Use as a context manager, or call stop(). log is everything said on stderr so far."""

    def __init__(self, lab, *args, user="sys", node=None, remote="server", ssh=None, tty=False,
                 verbose=True, nofile="1024:", env=(), program=None, ignored=()):
        self.lab, self.node = lab, node or lab.client
        argv = [program or lab.build / "sshuttle-proxy", *(["-v"] if verbose else [])]
        if remote:
            argv += ["-e", ssh or lab.ssh, "-r", remote]
        env = {**(SANITIZER_ENV if SANITIZED else {}), **dict(env)}
        argv = ["env", *[f"--ignore-signal={name}" for name in ignored],
                *[f"{k}={v}" for k, v in env.items()], *argv, *args]
        self._bytes = bytearray()
        self._hung_up = False
        self.tty = None
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.STDOUT}
        if tty:
            self.tty, there = pty.openpty()
            os.fchown(there, lab.uid.get(user, 0), -1)  # as login(1) does
            streams = dict.fromkeys(streams, there)
            argv = ["setsid", "--ctty", *argv]
        account = f"t-{user}" if user != "root" else None
        self.process = self.node.popen(*argv, user=account, nofile=nofile, **streams)
        if tty:
            os.close(there)
        self._from = self.tty if tty else self.process.stdout.fileno()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        try:
            while not self._hung_up:
                if select.select([self._from], [], [], 0.1)[0]:
                    data = os.read(self._from, 65536)
                    if not data:
                        return
                    self._bytes += data
        except OSError:  # EIO: the terminal's last process has gone
            pass

    def stop_reading(self):
        """From now on nobody takes what it says."""
        self._hung_up = True
        self._reader.join()

    def hang_up(self):
        """Closes the terminal, as if its window were closed."""
        self.stop_reading()
        os.close(self.tty)
        self.tty = None

    @property
    def log(self):
        return self._bytes.decode(errors="backslashreplace").replace("\r\n", "\n")

    def fatal(self):
        """The lines that say why it ended."""
        return [line for line in self.log.splitlines() if re.match(FATAL, line)]

    @property
    def pid(self):
        return self.process.pid

    def wait_log(self, pattern, timeout=10.0 * SLOW):
        """Waits until the log matches; fails at once when the program ends without it."""
        def found():
            ended = self.process.poll() is not None
            if ended:
                self._reader.join(1)
            match = re.search(pattern, self.log, re.M)
            if ended and not match:
                raise AssertionError(f"ended with {self.process.returncode} without "
                                     f"{pattern!r}:\n{self.log}")
            return match
        try:
            return proc.wait_for(found, timeout, pattern)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.log}") from None

    def ready(self):
        self.wait_log(READY)
        return self

    def wait(self, timeout=10.0 * SLOW):
        """The exit code once it has ended by itself."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s:\n{self.log}") from None
        self._reader.join(1)
        assert not SANITIZER_REPORT.search(self.log), self.log
        return code

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.wait(5 * SLOW)
        finally:
            self.kill()

    def kill(self):
        """Last resort, after a failure: the test is lost, the next ones must not be."""
        for pid in proc.tree(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        if self.tty is not None:
            self.hang_up()

    def __enter__(self):
        return self.ready()

    def __exit__(self, kind, *_):
        code = self.stop()
        if kind is None and code not in (0, 1, -signal.SIGTERM, 143):
            raise AssertionError(f"exit code {code}:\n{self.log}")

    # The processes by what they are; names as in SECURITY.md.
    def processes(self):
        """Role -> pid. Local roles are found below the supervisor, remote ones by their user."""
        roles = {"supervisor": self.pid}
        for pid in proc.tree(self.pid)[1:] + proc.of_users({self.lab.uid["tun"]}):
            role = ROLES.get(proc.name(pid))
            if role:
                roles.setdefault(role, pid)
        return roles


def _candidates():
    """Where something of ours could lie: shared directories (other people's are big), and homes."""
    for top in SHARED_DIRS:
        yield from pathlib.Path(top).glob("*")
    for top in ("/run/user", LAB / "home"):
        yield from pathlib.Path(top).rglob("*")


class Before:
    """What the machines looked like; same() says what is different now."""

    def __init__(self, lab):
        self.lab = lab
        self.then = self._look()

    def _look(self):
        uids = set(self.lab.uid.values())
        seen = {"processes": {(p, " ".join(proc.argv(p))) for p in proc.of_users(uids)} |
                {(p, proc.name(p)) for p in proc.pids()
                 if proc.name(p).startswith(("sshuttle", "sudo")) and proc.alive(p)}}
        for node in (self.lab.client, self.lab.server):
            seen[f"nft on {node.name}"] = node.ruleset()
            seen[f"routing on {node.name}"] = node.routing()
        seen["/etc/hosts"] = pathlib.Path("/etc/hosts").read_bytes()
        seen["files"] = {str(path) for path in _candidates() if self._ours(path, uids)}
        return seen

    @staticmethod
    def _ours(path, uids):
        try:
            return path.lstat().st_uid in uids
        except OSError:
            return False

    def differences(self):
        now = self._look()
        self.then["processes"] &= now["processes"]  # some of the last test were still ending
        return {key: {"before": self.then[key], "now": now[key]}
                for key in now if now[key] != self.then[key]}

    def assert_same(self, within=SECOND):
        deadline = time.monotonic() + within
        while left := self.differences():
            if time.monotonic() > deadline:
                raise AssertionError(f"left behind after {within} s: {left}")
            time.sleep(0.02)
