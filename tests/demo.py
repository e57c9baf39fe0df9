#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make demo: a tour of the main job, in machines that exist only as long as it runs."""
import pathlib
import signal
import subprocess
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "system"))

import sandbox  # noqa: E402

STEP = 0
SECCOMP = {"0": "none", "1": "strict", "2": "filter"}


def step(text):
    global STEP
    STEP += 1
    print(f"\n\033[1m{STEP}. {text}\033[0m" if sys.stdout.isatty() else f"\n{STEP}. {text}",
          flush=True)


def show(text):
    print(textwrap.indent(text.rstrip("\n"), "     "), flush=True)


def check(true, what):
    if not true:
        print(f"\nFAILED: {what}", flush=True)
        sys.exit(1)


def fetch(lab, url):
    """curl as an ordinary user of the client; shows the command and what came."""
    show(f"$ curl {url}")
    done = lab.client.run("curl", "-sS", "--max-time", 5, url, user="t-none", check=False,
                          stderr=subprocess.STDOUT)
    show(done.stdout)
    return done.returncode, done.stdout


def show_processes(running):
    import proc
    rows = [("process", "user", "capabilities", "no new privileges", "seccomp")]
    for role, pid in running.processes().items():
        status = proc.status(pid)
        uid = status["Uid"].split()[1]
        user = subprocess.run(["id", "-un", uid], capture_output=True, text=True,
                              check=False).stdout.strip() or uid
        caps = int(status["CapEff"], 16)
        rows.append((f"{role} ({status['Name']})", user, f"{caps:x}" if caps else "none",
                     "yes" if status["NoNewPrivs"] == "1" else "no", SECCOMP[status["Seccomp"]]))
    widths = [max(map(len, column)) for column in zip(*rows)]
    show("\n".join("  ".join(word.ljust(width) for word, width in zip(row, widths))
                   for row in rows))
    return [row[0].split()[0] for row in rows[1:]]


def tour(lab, L, Tunnel, Before, PAGE):
    urls = (f"http://{L.TARGET4}/", f"http://[{L.TARGET6}]/")
    before = Before(lab)

    step("Five machines, made of network namespaces and virtual cables. The web server at the\n"
         "   right end has no route to the left, and the router refuses to carry its addresses.")
    show(f"guest -- client -- router -- server -- web server\n"
         f"        {L.CLIENT4}         {L.SERVER4}   {L.TARGET4}, {L.TARGET6}")

    step("Without a tunnel the client cannot reach the page.")
    for url in urls:
        code, _ = fetch(lab, url)
        check(code != 0, "the page was reachable without the tunnel")

    step("An ordinary user of the client starts the tunnel. ssh logs in to an ordinary account of\n"
         "   the server, where nothing is installed; sudo may start the helper and nothing else.")
    show(pathlib.Path("/etc/sudoers.d/sshuttle-lab").read_text().splitlines()[1])
    show(f"$ sshuttle-proxy -v -r t-tun@server {L.TARGET_NET4} {L.TARGET_NET6}")
    running = Tunnel(lab, L.TARGET_NET4, L.TARGET_NET6, user="sys", tty=True)
    try:
        running.ready()
        show(running.log)

        step("Now any user of the client gets the page, over IPv4 and IPv6.")
        for url in urls:
            code, page = fetch(lab, url)
            check(code == 0 and page.encode() == PAGE, f"{url} did not give the page")

        step("These processes do it. Each has only what its part of the work needs.")
        roles = show_processes(running)
        for role in ("supervisor", "engine", "helper", "sudo", "ssh", "remote"):
            check(role in roles, f"there is no process '{role}'")

        step("These rules redirect the traffic. They belong to the helper: the kernel removes\n"
             "   them when it ends, however it ends.")
        rules = lab.client.ruleset()
        show(rules)
        check("owner" in rules, "the table has no owner")

        step("The user presses Ctrl-C. Within a second nothing is left, on either machine.")
        code = running.stop(signal.SIGINT)
        check(code == 1, f"exit code {code}")
    finally:
        running.kill()
    before.assert_same()
    code, _ = fetch(lab, urls[0])
    check(code != 0, "the page is still reachable")
    show("rules, routes, processes and files: as before")


def main():
    print("A transparent proxy over ssh, shown in private namespaces: this machine's network, users\n"
          "and files are not touched.", flush=True)
    sandbox.enter()
    import lab as L
    import services
    from tunnel import Before, Tunnel
    lab = L.Lab()
    try:
        tour(lab, L, Tunnel, Before, services.PAGE)
    finally:
        lab.close()
    print("\nThat was all of it. Every step did what it said.", flush=True)


if __name__ == "__main__":
    main()
