# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: five machines, users, a real sshd, real services; all inside sandbox.enter().

 guest ── client ── router ── server ── target
          proxy     jump,     sshd      what only the server can reach: 10.77/16, fd77::/64
                    public

The router refuses to carry anything to the target network. It also is the public network,
10.78/16 and fd78::/64, which client and server both reach: whoami tells which way was taken.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys

import proc
from node import Node, link
from sandbox import LAB, REPO, run

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("SSHUTTLE_BUILD", REPO / "build"))
SANITIZED = bool(os.environ.get("SSHUTTLE_SANITIZED"))
# Looking for leaks needs ptrace, which a sandbox does not give; the unit tests look for them.
SANITIZER_ENV = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
PROGRAMS = ("sshuttle-proxy", "sshuttle-fwhelper", "sshuttle-remote", "sshuttle-hostwatch")

CLIENT4, CLIENT6 = "10.70.1.2", "fd70:1::2"
SERVER4, SERVER6 = "10.70.2.2", "fd70:2::2"
ROUTER4 = "10.70.1.1"
GUEST4, GUEST6 = "10.70.9.2", "fd70:9::2"
TARGET4, TARGET6 = "10.77.0.2", "fd77::2"
TARGET_NET4, TARGET_NET6 = "10.77.0.0/16", "fd77::/64"
SERVER_INSIDE4, SERVER_INSIDE6 = "10.77.0.1", "fd77::1"  # the server as the target sees it
PUBLIC4, PUBLIC6 = "10.78.1.1", "fd78::1:1"
PUBLIC_NET4, PUBLIC_NET6 = "10.78.0.0/16", "fd78::/64"
SILENT4, SILENT6 = "10.77.98.1", "fd77:0:0:0:98::1"  # swallows every packet
UNREACHABLE4, UNREACHABLE6 = "10.77.99.1", "fd77:0:0:0:99::1"

# Users of the client, by the right they have; all can log in at the server.
CLIENT_USERS = {"own": ["own"], "sys": ["own", "system"], "password": [], "none": []}
SERVER_USERS = {"tun": "/bin/sh", "noisy": "/bin/bash", "noshell": "/usr/sbin/nologin"}
PASSWORD = "correct horse"
NOISY_RC = r"""echo Welcome to the noisy server
printf 'a line without end, \000 and \377 and \033[31m'
echo grumble >&2
"""
HOSTS = f"""127.0.0.1 localhost
::1 localhost ip6-localhost
{TARGET4} target4.lab both.lab
{TARGET6} target6.lab both.lab
{PUBLIC4} public.lab
"""

REFUSE_TARGET = f"""table inet lab {{
    chain forward {{
        type filter hook forward priority 0;
        ip daddr {TARGET_NET4} reject with icmp type host-unreachable
        ip6 daddr {TARGET_NET6} reject with icmpv6 type no-route
    }}
}}"""


class Lab:
    def __init__(self):
        self.build = LAB / "build"
        self.keys = LAB / "keys"
        self.uid = {}
        self._started = []
        self._copy_programs()
        self._make_network()
        self._make_users()
        self._make_keys()
        for node in (self.server, self.router):
            self._start_sshd(node)
        self._start_services()

    # The programs must lie where every user can run them and only root can change them.
    def _copy_programs(self):
        self.build.mkdir()
        for name in PROGRAMS:
            if (BUILD / name).exists():
                shutil.copy2(BUILD / name, self.build / name)
                os.chown(self.build / name, 0, 0)
                os.chmod(self.build / name, 0o755)

    def _make_network(self):
        forward = {"net/ipv4/ip_forward": 1, "net/ipv6/conf/all/forwarding": 1}
        self.guest, self.server, self.target = Node("guest"), Node("server"), Node("target")
        self.client, self.router = Node("client", forward), Node("router", forward)
        self.nodes = (self.guest, self.client, self.router, self.server, self.target)
        link(self.guest, [f"{GUEST4}/24", f"{GUEST6}/64"],
             self.client, ["10.70.9.1/24", "fd70:9::1/64"])
        link(self.client, [f"{CLIENT4}/24", f"{CLIENT6}/64"],
             self.router, [f"{ROUTER4}/24", "fd70:1::1/64"])
        link(self.router, ["10.70.2.1/24", "fd70:2::1/64"],
             self.server, [f"{SERVER4}/24", f"{SERVER6}/64"])
        link(self.server, [f"{SERVER_INSIDE4}/16", f"{SERVER_INSIDE6}/64"],
             self.target, [f"{TARGET4}/16", f"{TARGET6}/64"])
        self.guest.ip("route add default via 10.70.9.1", "route add default via fd70:9::1")
        self.client.ip(f"route add default via {ROUTER4}", "route add default via fd70:1::1")
        self.router.ip("route add 10.70.9.0/24 via 10.70.1.2",
                       "route add fd70:9::/64 via fd70:1::2",
                       f"route add {TARGET_NET4} via {SERVER4}",
                       f"route add {TARGET_NET6} via {SERVER6}",
                       f"route add local {PUBLIC_NET4} dev lo",
                       f"route add local {PUBLIC_NET6} dev lo")
        # Not routes of type unreachable: those answer only once a second.
        self.router.run("nft", "-f", "-", input=REFUSE_TARGET)
        self.server.ip("route add default via 10.70.2.1", "route add default via fd70:2::1",
                       "route add 10.77.98.0/24 via 10.77.0.2",
                       "route add fd77:0:0:0:98::/80 via fd77::2",
                       "route add unreachable 10.77.99.0/24",
                       "route add unreachable fd77:0:0:0:99::/80")
        self.target.ip("route add blackhole 10.77.98.0/24", "route add blackhole fd77:0:0:0:98::/80",
                       "route add local 10.77.128.0/17 dev lo",
                       "route add local fd77:0:0:0:8000::/65 dev lo")

    def _make_users(self):
        pathlib.Path("/etc/hosts").write_text(f"{HOSTS}127.0.1.1 {socket.gethostname()}\n")
        resolver = pathlib.Path("/etc/resolv.conf")  # a link into /run on many machines
        resolver.unlink(missing_ok=True)
        resolver.write_text("# nobody here: unknown names fail at once\n")
        (LAB / "home").mkdir()
        for name, shell in [*((n, "/bin/sh") for n in CLIENT_USERS), *SERVER_USERS.items()]:
            run("useradd", "--create-home", "--base-dir", LAB / "home", "--shell", shell,
                "--user-group", "--password", "*", f"t-{name}", stderr=subprocess.DEVNULL)
            self.uid[name] = int(run("id", "-u", f"t-{name}", capture_output=True).stdout)
            runtime = pathlib.Path("/run/user", str(self.uid[name]))
            runtime.mkdir(parents=True, mode=0o700)
            os.chown(runtime, self.uid[name], self.uid[name])
        run("chpasswd", input=f"t-password:{PASSWORD}\n", text=True)
        # bash reads .bashrc when sshd starts it, and the other shells this user's commands start.
        (self.home("noisy") / ".bashrc").write_text(NOISY_RC)
        self.set_sudoers()

    def set_sudoers(self, *extra):
        """The rights the README tells administrators to give, and extra lines."""
        helper = self.build / "sshuttle-fwhelper"
        lines = [f"t-{name} ALL=(root) NOPASSWD: {helper} --scope={scope}"
                 for name, scopes in CLIENT_USERS.items() for scope in scopes]
        lines.append(f"t-password ALL=(root) {helper} --scope=system")
        if SANITIZED:
            lines.append(f'Defaults env_keep += "{" ".join(SANITIZER_ENV)}"')
        path = pathlib.Path("/etc/sudoers.d/sshuttle-lab")
        path.write_text("\n".join([*lines, *extra]) + "\n")
        path.chmod(0o440)

    def _make_keys(self):
        self.keys.mkdir()
        for name in ("id", "host"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.keys / name)
        for user, uid in (("root", 0), *((f"t-{n}", self.uid[n]) for n in CLIENT_USERS)):
            shutil.copy2(self.keys / "id", self.keys / f"id.{user}")
            os.chown(self.keys / f"id.{user}", uid, uid)
        host = (self.keys / "host.pub").read_text()
        (self.keys / "known_hosts").write_text(f"* {host}")
        common = f"""
    User t-tun
    IdentityFile {self.keys}/id.%u
    IdentitiesOnly yes
    UserKnownHostsFile {self.keys}/known_hosts
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 5
    LogLevel ERROR
"""
        self.ssh_config = self.keys / "config"
        self.ssh_config.write_text(f"""
Host server
    HostName {SERVER4}
Host server6
    HostName {SERVER6}
Host jump
    HostName {ROUTER4}
Host behind
    HostName {SERVER4}
    ProxyJump jump
Host nobody
    HostName 10.70.2.77
Host *{common}""")
        self.ssh = f"ssh -F {self.ssh_config}"

    def _start_sshd(self, node):
        config = LAB / f"sshd-{node.name}.conf"
        runtime = self.uid["tun"]
        options = " ".join(f'"{k}={v}"' for k, v in SANITIZER_ENV.items()) if SANITIZED else ""
        config.write_text(f"""
Port 22
HostKey {self.keys}/host
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
AuthorizedKeysFile {self.keys}/id.pub
MaxStartups 200
MaxSessions 100
PrintMotd no
LogLevel ERROR
AllowTcpForwarding yes
{"SetEnv " + options if options else ""}
Match User t-tun
    SetEnv XDG_RUNTIME_DIR=/run/user/{runtime} {options}
""")
        self._start(node, ["/usr/sbin/sshd", "-D", "-e", "-f", config])
        proc.wait_for(lambda: proc.listens(node, 22), 5, f"sshd on {node.name}")

    def _start_services(self):
        starting = [self._start(node, [sys.executable, HERE / "services.py", node.name],
                                nofile="20000:", stdout=subprocess.PIPE) for node in self.nodes]
        for process in starting:
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError("a service did not start")

    def _start(self, node, argv, **kwargs):
        process = node.popen(*argv, **kwargs)
        self._started.append(process)
        return process

    def services_intact(self):
        return all(process.poll() is None for process in self._started)

    def home(self, user):
        return LAB / "home" / f"t-{user}"

    def close(self):
        for process in self._started:
            process.kill()
            process.wait()
        for node in self.nodes:
            node.close()
