#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make bench: this program beside what a user would take instead, in one run.

The machines are namespaces on this one, the links unshaped: every figure is a figure of processor
time. The peers take turns within each round, and medians over the rounds are compared, so that
other work on the machine harms all alike. Exits 1 when a goal is missed.
"""
import argparse
import pathlib
import shutil
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import sandbox  # noqa: E402

OURS, THEIRS, FORWARD = "sshuttle-proxy", "sshuttle", "ssh -L"
DIRECT = "direct"
MANY_NETS = 1000
# measure -> (peer compared with, our figure at least this many times theirs)
GOALS = {"down": [(THEIRS, 5), (FORWARD, 0.8)], "up": [(THEIRS, 5), (FORWARD, 0.8)],
         "short": [(THEIRS, 5)]}
MOST_MEMORY, MOST_RULES_SECONDS = 4096, 0.2
UNITS = {"down": ("Mbit/s", 8e-6), "up": ("Mbit/s", 8e-6), "short": ("conn/s", 1)}
missed = []


def say(text=""):
    print(text, flush=True)


def goal(met, text):
    if not met:
        missed.append(text)
    return f"{text}  {'ok' if met else 'MISSED'}"


def speed(lab, kinds, args):
    """Rounds of every speed measure with every peer; the medians."""
    import measures
    results = {name: {kind.name: [] for kind in kinds} for name in GOALS}
    for number in range(args.rounds):
        for kind in kinds:
            with kind(lab) as peer:
                for name in GOALS:
                    results[name][kind.name].append(getattr(measures, name)(peer, args.seconds))
            say(f"  round {number + 1}: {kind.name:15}" + "".join(
                f"{name} {results[name][kind.name][-1] * UNITS[name][1]:.0f} {UNITS[name][0]}   "
                for name in GOALS))
    return {name: {kind: statistics.median(values) for kind, values in per_kind.items()}
            for name, per_kind in results.items()}


def print_speed(medians):
    for name, values in medians.items():
        unit, factor = UNITS[name]
        say(f"\n{name:6}" + "".join(f"  {kind} {value * factor:.0f} {unit}"
                                    for kind, value in values.items()))
        if name == "short":
            say(f"      limit here: {values[DIRECT] / 2:.0f}; a relay makes two connections of "
                f"one, so half of direct; ours is {2 * values[OURS] / values[DIRECT]:.2f} of it")
        for peer, least in GOALS[name]:
            ratio = values[OURS] / values[peer]
            say("      " + goal(ratio >= least, f"{name}: {ratio:.2f} x {peer} (goal {least})"))


def memory(lab, kinds):
    import measures
    say("\nmemory per idle connection, bytes (client, server; ssh itself counts only for ssh -L)")
    for kind in kinds:
        with kind(lab) as peer:
            sizes = measures.idle_memory(peer)
        text = f"{kind.name:15} {sizes[0]:.0f}, {sizes[1]:.0f} with {kind.most_connections}"
        if kind.name == OURS:
            text = goal(max(sizes) <= MOST_MEMORY, f"{text} (goal {MOST_MEMORY})")
        say("  " + text)


def idle(lab, kinds, seconds):
    import measures
    say(f"\nprocessor time of an idle tunnel, ms in {seconds} s (client, server)")
    for kind in kinds:
        with kind(lab) as peer:
            used = [1000 * side for side in measures.idle_cpu(peer, seconds)]
        text = f"{kind.name:15} {used[0]:.0f}, {used[1]:.0f}"
        if kind.name == OURS:
            text = goal(max(used) == 0, f"{text} (goal 0)")
        say("  " + text)


def rules(lab, kinds, rounds):
    import measures
    from peers import NETS
    say(f"\nseconds that {MANY_NETS} subnets more add to the start")
    many = NETS + tuple(f"10.{100 + i // 250}.{i % 250}.0/24" for i in range(MANY_NETS))
    for kind in kinds:
        if kind.name == FORWARD:
            continue
        turns = rounds if kind.name == OURS else 1
        times = {nets: statistics.median(measures.start_time(kind, lab, nets)
                                         for _ in range(turns)) for nets in (NETS, many)}
        extra = times[many] - times[NETS]
        text = f"{kind.name:15} {extra:.3f} (start with 2: {times[NETS]:.2f})"
        if kind.name == OURS:
            text = goal(extra < MOST_RULES_SECONDS, f"{text} (goal {MOST_RULES_SECONDS})")
        say("  " + text)


PARTS = ("speed", "memory", "idle", "rules")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="length of one measurement")
    parser.add_argument("--idle-seconds", type=float, default=10)
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part")
    args = parser.parse_args()
    sandbox.enter()
    import lab as L
    import peers
    lab = L.Lab()
    shutil.copy2(L.BUILD / "load", lab.build / "load")
    kinds = (peers.Ours, peers.Sshuttle, peers.SshForward)
    parts = args.only or PARTS
    say(f"{OURS} beside {THEIRS} {peers.version('sshuttle')} and {FORWARD} "
        f"({peers.version('ssh')}); {args.rounds} rounds, one machine, unshaped links\n")
    if "speed" in parts:
        print_speed(speed(lab, (*kinds, peers.Direct), args))
    if "memory" in parts:
        memory(lab, kinds)
    if "idle" in parts:
        idle(lab, kinds, args.idle_seconds)
    if "rules" in parts:
        rules(lab, kinds, args.rounds)
    lab.close()
    say("\n" + ("every goal is met" if not missed else "missed: " + "; ".join(missed)))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
