#!/usr/bin/env python3
"""Compares the whole catalogue on the model and on the virtual kernel; prints docs/engines.md.

    tools/engines.py PROGRAM

Each play is listed with what became of it: how far apart the events were, or the first one that
differs. The kernel is the one that the program takes (HALFOPEN_KERNEL, `halfopen kernel list`).
"""

import json
import subprocess
import sys


def compare(program, name):
    run = subprocess.run(
        [program, "compare", "--engine", "virtual-kernel", "--format", "json", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if run.returncode > 1:
        sys.exit(f"{name}: {run.stderr.strip()}")
    return json.loads(run.stdout)["plays"]


def first_line(program, name, case):
    """The first record that differs, as the table has it."""
    run = subprocess.run(
        [program, "compare", "--engine", "virtual-kernel", name, "--case", case or "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    lines = run.stdout.splitlines()
    marked = [l for l in lines if l.startswith("!")]
    return " ".join(marked[-1][1:].split()) if marked else ""


def main():
    program = sys.argv[1]
    listed = subprocess.run([program, "run", "--list"], stdout=subprocess.PIPE, text=True, check=True)
    names = [line.split()[0] for line in listed.stdout.splitlines() if line.strip()]
    plays = [p for name in names for p in compare(program, name)]
    done = [p for p in plays if p["compared"]]
    alike = [p for p in done if p["alike"]]
    kernels = sorted({f"Linux {e['kernel']}, HZ={e['hz']}" for p in done for e in p["engines"]})
    print("# Model and virtual kernel, play by play\n")
    print(f"Made by `make compare`: {'; '.join(kernels)}. The model is given the kernel's jiffy at time 0 and the")
    print("neighbours' reachable times that it drew. Times are compared from event to event.\n")
    print(f"**{len(alike)} of {len(done)} plays have the same events.** {len(plays) - len(done)} cannot be played on both.\n")
    print("| play | case | what came of it |\n| --- | --- | --- |")
    for p in plays:
        if not p["compared"]:
            what = f"not played on both: {p['why']}"
        elif p["alike"]:
            what = "the same"
        else:
            what = "differs first at `" + first_line(program, p["name"], p["case"]).replace("|", "/") + "`"
            if p["engines"][0]["neighbours_redrawn"]:
                what += "; neighbours' reachable times were drawn anew meanwhile"
        print(f"| {p['name']} | {p['case']} | {what} |")


main()
