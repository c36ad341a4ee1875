#!/bin/sh
# `halfopen compare`: the same story or not, in text and as JSON; and files that are no timelines.
. tests/cli/lib

# play NAME OPTION..: the small scenario's timeline into $tmp/NAME.jsonl.
play() {
    name=$1
    shift
    run run "$tmp/one.scn" --timeline "$tmp/$name.jsonl" "$@"
    [ -s "$tmp/$name.jsonl" ] || fail "$ran: no timeline"
}
play a
play again
play hz --hz 1000
play seed --seed 7
play eight --set tcp_retries2=8

# The same arguments, the same timeline; and a file is like itself.
run compare "$tmp/a.jsonl" "$tmp/again.jsonl"
is 0
out "^A: $tmp/a.jsonl, times since cut client -- server$"
out "^B: $tmp/again.jsonl, times since cut"
out '^ +A +B +difference +host +what$'
out '^ +0\.010000 +0\.010000 +0\.000 ms +server +PA 1 \+1000 ack 1, cut$'
out '^A and B agree within 0 s \([0-9]+ events\)$'
no_out '^!'
run compare "$tmp/a.jsonl" "$tmp/a.jsonl" --differences
is 0
[ "$(wc -l <"$tmp/out")" = 3 ] || fail "$ran: lines that do not differ"

# Another phase of the timer wheel: the same events, later or sooner by a step of the wheel. The
# data's first timers are of 4 ms steps (ground-truth A1), so 4 ms of tolerance move the first
# difference further down.
run compare "$tmp/a.jsonl" "$tmp/seed.jsonl"
is 1
out '^[0-9]+ of [0-9]+ events agree; the first difference:$'
out '^! .*\+?-?[0-9.]+ ms +server +PA 1 \+1000 ack 1, cut$'
! grep -q 'only in\| | ' "$tmp/out" || fail "$ran: another seed tells another story"
exact=$(grep -c '^!' "$tmp/out")
run compare --tolerance 4ms "$tmp/a.jsonl" "$tmp/seed.jsonl"
is 1
[ "$(grep -c '^!' "$tmp/out")" -lt "$exact" ] || fail "$ran: the tolerance changes nothing"
run compare --tolerance=20s "$tmp/a.jsonl" "$tmp/seed.jsonl"
is 0
run compare --tolerance 20s "$tmp/a.jsonl" "$tmp/hz.jsonl"
is 0

# By interval a shift is one difference and not all that follow.
run compare "$tmp/a.jsonl" "$tmp/seed.jsonl" --by-interval
is 1
[ "$(grep -c '^!' "$tmp/out")" -lt "$exact" ] || fail "$ran: as many differences as without"

# Fewer retransmissions: what only one has is said, whatever the tolerance.
run compare "$tmp/a.jsonl" "$tmp/eight.jsonl" --tolerance 1h
is 1
out '^! .* - +server +only in A: PA 1 \+1000 ack 1, cut$'
run compare "$tmp/eight.jsonl" "$tmp/a.jsonl" --tolerance 1h
is 1
out '^! .*only in B: PA 1 \+1000 ack 1, cut$'

# Aligned at a fault by its label; the labels there are.
run compare "$tmp/a.jsonl" "$tmp/again.jsonl" --align cut
is 0
run compare "$tmp/a.jsonl" "$tmp/again.jsonl" --align plug
mistake "--align: found 'plug', expected the label of a fault in $tmp/a.jsonl: cut$"
grep -v '"kind":"fault"' "$tmp/a.jsonl" >"$tmp/whole.jsonl"
run compare "$tmp/whole.jsonl" "$tmp/a.jsonl" --align cut
mistake "--align: .* in $tmp/whole.jsonl: there is none$"
run compare "$tmp/whole.jsonl" "$tmp/whole.jsonl"
is 0
out '^A: .*, times since the start$'

# JSON: the same answers, to be read by programs.
run compare "$tmp/a.jsonl" "$tmp/again.jsonl" --format json
is 0
cp "$tmp/out" "$tmp/same.json"
run compare "$tmp/a.jsonl" "$tmp/eight.jsonl" --format json --tolerance 20ms
is 1
python3 - "$tmp/same.json" "$tmp/out" <<'PY' || fail "the JSON is not what it should be"
import json, sys
same, other = (json.load(open(f)) for f in sys.argv[1:])
assert same["schema"] == 1 and same["program"] == "halfopen"
assert same["alike"] is True and same["first_difference"] is None and same["worst_s"] == 0
assert same["events"] == same["same"] == len(same["rows"]) > 20
assert all(r["status"] == "same" and r["apart_s"] == 0 for r in same["rows"])
assert same["a"]["file"].endswith("/a.jsonl") and same["a"]["since_s"] == 1
assert other["alike"] is False and other["tolerance_s"] == 0.02 and other["same"] < other["events"]
f = other["first_difference"]
assert f["status"] == "only a" and f["b"] is None and f["apart_s"] is None
assert (f["host"], f["conn"], f["kind"]) == ("server", "c1", "seg")
assert f["a"]["what"] == "PA 1 +1000 ack 1, cut"
dead = [r for r in other["rows"] if r["a"] and r["a"]["what"] == "recv = -1 ETIMEDOUT"]
assert len(dead) == 1 and dead[0]["status"] == "time" and dead[0]["apart_s"] < -800
PY
run compare "$tmp/a.jsonl" "$tmp/a.jsonl" --format json --differences
is 0
python3 -c 'import json,sys; assert json.load(open(sys.argv[1]))["rows"] == []' "$tmp/out" ||
    fail "--differences leaves rows that are the same"

# Files: missing, a directory, empty, no timeline, broken in a line, cut off in the middle.
run compare "$tmp/absent.jsonl" "$tmp/a.jsonl"
mistake 'absent.jsonl: No such file'
run compare "$tmp/a.jsonl" "$tmp"
mistake 'is a directory'
: >"$tmp/empty.jsonl"
run compare "$tmp/a.jsonl" "$tmp/empty.jsonl"
mistake 'empty.jsonl:1: found an empty file, expected a timeline'
cp "$tmp/one.scn" "$tmp/one.txt"
run compare "$tmp/one.txt" "$tmp/a.jsonl"
mistake 'one.txt:1:1: expected'
sed 1d "$tmp/a.jsonl" >"$tmp/bad.jsonl"
run compare "$tmp/bad.jsonl" "$tmp/a.jsonl"
mistake "bad.jsonl:1:[0-9]+: the first line must say the schema's version"
sed '3s/"kind":"[a-z]*"/"kind":"segment"/' "$tmp/a.jsonl" >"$tmp/bad.jsonl"
run compare "$tmp/a.jsonl" "$tmp/bad.jsonl"
mistake 'bad.jsonl:3:[0-9]+: .*segment'
head -c 700 "$tmp/a.jsonl" >"$tmp/bad.jsonl"
run compare "$tmp/a.jsonl" "$tmp/bad.jsonl"
mistake 'bad.jsonl:[0-9]+:[0-9]+: expected'
head -c 2000 /dev/urandom >"$tmp/bad.jsonl"
run compare "$tmp/bad.jsonl" "$tmp/a.jsonl"
mistake 'bad.jsonl:1:[0-9]+: '

# Arguments.
run compare
mistake 'compare: expected two timelines or a scenario, found none'
run compare "$tmp/a.jsonl"
mistake 'compare: expected two timelines or a scenario, found one timeline'
run compare "$tmp/a.jsonl" "$tmp/a.jsonl" "$tmp/a.jsonl"
mistake 'compare: found .*, expected two timelines'
run compare "$tmp/one.scn" "$tmp/a.jsonl"
mistake 'compare: found scenarios and others'
run compare cut-heartbeat "$tmp/a.jsonl"
mistake 'compare: found scenarios and others'
run compare cut-heartbeat --case 9
mistake "no case '9'"
run compare cut-heartbeat --format tap
mistake "--format: found 'tap', expected text or json"
for wrong in 20 -1ms soon ''; do
    run compare "$tmp/a.jsonl" "$tmp/a.jsonl" --tolerance "$wrong"
    mistake "--tolerance: found '$wrong', expected a duration"
done
run compare "$tmp/a.jsonl" "$tmp/a.jsonl" --format yaml
mistake "--format: found 'yaml', expected text or json"
run compare "$tmp/a.jsonl" "$tmp/a.jsonl" --tolerance
mistake '--tolerance needs a duration'
run compare "$tmp/a.jsonl" "$tmp/a.jsonl" --align --differences
mistake '--align needs the label of a fault'
run compare "$tmp/a.jsonl" "$tmp/a.jsonl" --by-interval=yes
mistake 'interval takes no value'
run compare "$tmp/a.jsonl" "$tmp/a.jsonl" --tolerence 20ms
mistake "no option '--tolerence', did you mean '--tolerance'"
run compare --help
is 0
out '^usage: halfopen compare'
run help compare
is 0
out '^usage: halfopen compare'

# The example of docs/timeline.md is what the program prints.
python3 - docs/timeline.md "$HALFOPEN" "$tmp" <<'PY' >"$tmp/out" 2>&1 || fail "docs/timeline.md is not true"
import re, subprocess, sys
text = open(sys.argv[1]).read()
commands = re.findall(r"^\$ halfopen (.*)\n((?:(?!\$ |```).*\n)*)", text, re.M)
assert [c.split()[0] for c, _ in commands] == ["run", "run", "compare"], commands
for arguments, expected in commands:
    p = subprocess.run([sys.argv[2], *arguments.split()], capture_output=True, text=True, cwd=sys.argv[3])
    assert expected in ("", p.stdout), f"halfopen {arguments}:\n{p.stdout}{p.stderr}"
PY
