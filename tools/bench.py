#!/usr/bin/env python3
"""Runs every benchmark of a build tree and prints its JSON lines: tools/bench.py BUILD-TREE

Where perf could not count instructions, the program runs a second time, shorter, under callgrind,
and the lines get the numbers from there ("by": "callgrind"). No number fails a build; a benchmark
that cannot run does."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CALLGRIND_SECONDS = 600


def commit(root):
    git = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty"],
                         capture_output=True, text=True, check=False)
    return git.stdout.strip() or None


def lines_of(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def instructions(program, env):
    """(job, its instructions a unit), counted by callgrind, in the order of the program's lines.

    The program makes callgrind write one dump a job (bench/bench.c): dump.1, dump.2 and so on.
    Empty where it cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = subprocess.run(["valgrind", "--tool=callgrind", "-q",
                                  f"--callgrind-out-file={folder}/dump", str(program)],
                                 capture_output=True, text=True, env=env, check=True,
                                 timeout=CALLGRIND_SECONDS)
        except (OSError, subprocess.SubprocessError) as err:
            print(f"{program.name}: no instruction counts: {err}", file=sys.stderr)
            return []
        counted = []
        for number, line in enumerate((x for x in lines_of(run.stdout) if "n" in x), 1):
            text = Path(folder, f"dump.{number}").read_text(errors="replace")
            total = re.search(r"^(?:totals|summary): (\d+)", text, re.M)
            if f"Client Request: {line['job']}\n" not in text or not total:
                raise ValueError(f"{program.name}: callgrind's dump {number} is not {line['job']}")
            counted.append((line["job"], int(total[1]) // line["n"]))
        return counted


def main(build):
    build = Path(build)
    env = dict(os.environ, HALFOPEN=str(build / "halfopen"))
    if version := commit(Path(__file__).parent.parent):
        env["HALFOPEN_COMMIT"] = version
    failed = []
    for source in sorted(Path("bench").glob("bench_*.c")):
        program = build / source.stem
        run = subprocess.run([str(program)], stdout=subprocess.PIPE, text=True, env=env,
                             check=False)
        if run.returncode != 0:
            failed.append(source.stem)
        lines = lines_of(run.stdout)
        timed = [line for line in lines if "n" in line]
        if any(line["instructions"] is None for line in timed) and shutil.which("valgrind"):
            for line, (job, count) in zip(timed, instructions(program, env)):
                if line["job"] == job and line["instructions"] is None:
                    line.update(instructions=count, by="callgrind")
        for line in lines:
            print(json.dumps(line), flush=True)
    for name in failed:
        print(f"{name}: failed", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
