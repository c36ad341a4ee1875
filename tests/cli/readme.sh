#!/bin/sh
# The README's examples are what the program prints, and its scenario keeps its expectations.
. tests/cli/lib

python3 - README.md "$HALFOPEN" "$tmp/mine.scn" <<'PY' >"$tmp/out" 2>&1 || fail "the README is not true"
import re, subprocess, sys
text = open(sys.argv[1]).read()
blocks = re.findall(r"```console\n\$ halfopen (.*?)\n(.*?)```", text, re.S)
assert len(blocks) >= 3, "where are the examples?"
for arguments, expected in blocks:
    p = subprocess.run([sys.argv[2], *arguments.split()], capture_output=True, text=True)
    assert p.returncode == 0, f"{arguments}: exit code {p.returncode}"
    assert p.stdout.rstrip("\n") == expected.rstrip("\n"), f"halfopen {arguments}:\n{p.stdout}"
(scenario,) = re.findall(r"```scn\n(.*?)```", text, re.S)
open(sys.argv[3], "w").write(scenario)
for path in re.findall(r"\]\((?!http)([^)#]+)\)", text):
    open(path) if "." in path.split("/")[-1] else __import__("os").listdir(path)
PY
run run "$tmp/mine.scn"
is 0
