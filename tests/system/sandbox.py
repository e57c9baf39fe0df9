# SPDX-License-Identifier: GPL-2.0-or-later
"""Private namespaces for everything a test run does, so that nothing can be left behind.

enter() returns in a new process that has its own mount, PID and network namespaces. In them /etc
is a copy, /run is empty and LAB is an empty directory of ours: users, sudoers files, network
namespaces, files and processes that tests make exist only there, do not collide with another
run, and are gone with the last process, even after SIGKILL of the run. What happens inside is
still the real thing: the real sudo, sshd and kernel.

 caller          waits, and exits with the status of the run
   pid 1         reaps orphans; dies with the caller; its death ends every process of the run
     the run     returns from enter()
"""
import ctypes
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile

CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID = 0x00020000, 0x40000000, 0x20000000
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
REPO = pathlib.Path(__file__).resolve().parents[2]
libc = ctypes.CDLL(None, use_errno=True)


def _mount_point():
    """A directory that every Debian has and under which neither we nor our caller live."""
    busy = [str(REPO), os.getcwd(), os.environ.get("TMPDIR", "/tmp")]
    for candidate in ("/mnt", "/media", "/srv", "/opt"):
        if os.path.isdir(candidate) and not any(b.startswith(candidate + "/") for b in busy):
            return pathlib.Path(candidate)
    sys.exit("sandbox: no directory to mount on")


LAB = _mount_point()


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def run(*argv, **kwargs):
    return subprocess.run([str(a) for a in argv], check=True, **kwargs)


def _reap_until(child):
    """What pid 1 does. Returns the exit status of child."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def _wait_as_caller(child):
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _root_to_mount_on():
    """In a chroot "/" is no mount point, and its mounts cannot be made private: a bind mount of it
    that can, removed by a process that stays outside. None where "/" will do."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        if any(line.split()[4] == "/" for line in mounts):
            return None
    root = tempfile.mkdtemp(prefix="sshuttle-root-")
    run("mount", "--rbind", "/", root)
    child = os.fork()
    if child == 0:
        return root
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    _, status = os.waitpid(child, 0)
    run("umount", "--recursive", "--lazy", root)
    os.rmdir(root)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _mounts(root):
    if root:
        run("mount", "--make-rprivate", root)
        here = os.getcwd()
        os.chroot(root)
        os.chdir(here)
    else:
        run("mount", "--make-rprivate", "/")
    run("mount", "-t", "proc", "proc", "/proc")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "lab", LAB)
    run("cp", "-a", "/etc", LAB / "etc")
    run("mount", "--bind", LAB / "etc", "/etc")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "lab", "/run")
    for path in ("/run/netns", "/run/sshd", "/run/lock", "/etc/netns"):
        pathlib.Path(path).mkdir(exist_ok=True)
    for leftover in pathlib.Path("/etc/sudoers.d").iterdir():
        leftover.unlink()


def enter():
    if os.geteuid() != 0:
        sys.exit("the system tests make network namespaces: run them as root")
    sys.stdout.flush()
    sys.stderr.flush()
    root = _root_to_mount_on()
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID), "unshare")
    init = os.fork()
    if init:
        _wait_as_caller(init)
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")
    libc.prctl(PR_SET_NAME, b"lab-init")
    worker = os.fork()
    if worker == 0:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        os.umask(0o022)
        _mounts(root)
        return
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    code = _reap_until(worker)
    os._exit(code if code >= 0 else 128 - code)
