#!/usr/bin/env python3
"""Compares the whole catalogue on the model and on the virtual kernel; prints docs/engines.md.

    tools/engines.py PROGRAM

Each play is listed with what became of it: the same, or the first event that differs, and how many
of the verdicts - who noticed, with which error, because of what - are the same. The kernel is the
one that the program takes (HALFOPEN_KERNEL, `halfopen kernel list`). docs/departures.md says why of
each that differs; tests/cli/departures.sh holds the two together.
"""

import json
import subprocess
import sys


def run(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


def event(at):
    return "none" if at is None else f"{at['t_s']:.6f} {at['what']}"


def what_came(play):
    if not play["compared"]:
        return f"not played on both: {play['why']}", "-"
    (engine,) = play["engines"]
    verdicts = f"{engine['verdicts_same']} of {engine['verdicts']}"
    if engine["verdicts_apart_s"] >= 0.001:
        verdicts += f", {engine['verdicts_apart_s']:.3f} s apart"
    if play["alike"]:
        return "the same", verdicts
    first = engine["first_difference"]
    return (
        f"{engine['same'] + engine['steps']} of {engine['events']} events are the same; first differs, at "
        f"{first['host']}: model `{event(first['a'])}`, kernel `{event(first['b'])}`",
        verdicts,
    )


def main():
    program = sys.argv[1]
    listed = run(program, "run", "--list")
    names = [line.split()[0] for line in listed.stdout.splitlines() if line.strip()]
    done = run(program, "compare", "--engine", "virtual-kernel", "--format", "json", "--differences", *names)
    if done.returncode > 1:
        sys.exit(done.stderr.strip())
    plays = json.loads(done.stdout)["plays"]
    engines = [e for p in plays if p["compared"] for e in p["engines"]]
    alike = sum(p["compared"] and p["alike"] for p in plays)
    kernels = "; ".join(sorted({f"Linux {e['kernel']}, HZ={e['hz']}" for e in engines}))
    verdicts = sum(e["verdicts"] for e in engines)
    same = sum(e["verdicts_same"] for e in engines)

    print("# Model and virtual kernel, play by play\n")
    print(f"Made by `make compare`: {kernels}. The model is given the kernel's jiffy at time 0, its sysctls, the")
    print("neighbours' reachable times that it drew and how long link watch took. Times are compared from event to event.\n")
    print(f"**{same} of {verdicts} verdicts are the same**: who noticed, with which error, because of what; and **{alike} of")
    print(f"{len(engines)} plays have the same events**, all of them. {len(plays) - len(engines)} cannot be played on both. Why the others differ:")
    print("[departures.md](departures.md), its last table.\n")
    print("| play | case | events | verdicts |\n| --- | --- | --- | --- |")
    for p in plays:
        events, of_verdicts = what_came(p)
        print(f"| {p['name']} | {p['case']} | {events.replace('|', '/')} | {of_verdicts} |")


main()
