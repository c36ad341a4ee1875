#!/bin/sh
# Runs alone. The kernel as engine: run and compare, many at once, as root and as anyone, and every way to end.
# Where namespaces are not allowed only that is looked at: exit code 3, and what is missing.
. tests/cli/lib

cat >"$tmp/short.scn" <<'SCN'
title "data in flight, cable cut"
host client
host server
cable client -- server
neighbours static
option server TCP_USER_TIMEOUT 300ms
connection client -> server:7000
at 100ms server send 100
at 600ms cut
at 610ms server send 1000
lasts 2s
expect client received 100 by 600ms
expect server notices ETIMEDOUT in recv between 300ms and 1300ms after cut
expect client never notices
SCN
short=$tmp/short.scn

run run --engine kernel "$short" --format json
if [ "$code" = 3 ]; then
    err 'the engine kernel does not run here: .*--engine model plays anywhere$'
    echo "skipped: $(cat "$tmp/err")"
    exit 0
fi
is 0
err '^1 of 1: short, [0-9.]+ s$'
python3 - "$tmp/out" <<'PY' || fail "the JSON is not what it should be"
import json, os, sys
(s,) = json.load(open(sys.argv[1]))["scenarios"]
assert s["engine"] == "kernel" and s["kernel"] == os.uname().release and s["played"] is True
assert [e["met"] for e in s["expectations"]] == [True] * 3, s["expectations"]
by = {v["host"]: v for v in s["verdicts"]}
assert by["server"]["cause"] == "user-timeout" and by["server"]["app"]["errno"] == "ETIMEDOUT"
assert by["client"]["app"] is None
PY

# Everything that the model writes. Results come in the order of the arguments: the second ends
# first. Nothing of it is left behind.
sed 's/lasts 2s/lasts 700ms/; /^expect server/d; s/^title.*/title "nothing"/' "$short" >"$tmp/brief.scn"
run run --engine kernel -j 3 "$short" "$tmp/brief.scn" "$short" --format tap \
    --timeline "$tmp/t.jsonl" --pcapng "$tmp/t.pcapng"
is 0
[ "$(grep -o '^ok [0-9]* - .*' "$tmp/out" | tr '\n' ' ')" = "ok 1 - short ok 2 - brief ok 3 - short " ] ||
    fail "$ran: not in the order of the arguments"
[ "$(grep -o '^[1-3] of 3: [a-z]*' "$tmp/err" | head -n 1)" = "1 of 3: brief" ] ||
    fail "$ran: the brief one did not end first"
err 'the file has the first of 3 cases'
grep -q '"name":"engine","value":"kernel"' "$tmp/t.jsonl" || fail "$ran: no timeline"
[ "$(od -An -tx1 -N4 "$tmp/t.pcapng" | tr -d ' ')" = 0a0d0d0a ] || fail "$ran: no capture"
run run --engine kernel "$tmp/brief.scn" --ladder
is 0
out 'client +server$'

# The model of the same: the last line says how near it is. What a busy machine made late once is
# looked at again.
for attempt in 1 2 3; do
    run compare --engine kernel "$short"
    [ "$code" = 0 ] && break
done
is 0
out '^ +model +kernel +difference +host +what$'
out 'server +recv = -1 ETIMEDOUT$'
tail -n 1 "$tmp/out" | grep -qE '^model agrees with Linux [0-9]+\.[0-9]+ within [0-9.]+ [mu]?s \([0-9]+ events' ||
    fail "$ran: the last line"
# Real time is never the model's to the nanosecond.
run compare --engine model,kernel "$short" --tolerance 0s --differences
is 1
out '^model does not agree with Linux .* the first event that does not:$'
run compare --engine kernel "$tmp/brief.scn" --format json
[ "$code" -le 1 ] || fail "$ran: exit code $code"
python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
(p,) = d["plays"]
(e,) = p["engines"]
assert d["compared"] == 1 and p["compared"] and p["base"] == "model" and e["engine"] == "kernel"
assert e["events"] == len(p["rows"]) > 10 and e["jiffy_known"] is True
assert all(set(r) >= {"same", "host", "conn", "kind", "model", "kernel"} for r in p["rows"])' "$tmp/out" || fail "$ran: the JSON"

# What this machine cannot play.
sed 's/^host server/host server hz exact/' "$tmp/brief.scn" >"$tmp/exact.scn"
run run --engine kernel "$tmp/exact.scn"
is 3
out '^exact: the kernel cannot play it: '
err 'nothing could be played on the kernel$'
run compare --engine kernel "$tmp/exact.scn"
is 3
out '^exact: not compared: the kernel cannot play it: '

# A disk that is full: said, after the results.
if [ -w /dev/full ]; then
    run run --engine kernel "$tmp/brief.scn" --pcapng /dev/full
    is 3
    err 'halfopen: /dev/full: No space left on device'
fi

# living: how many processes there are whose command line names this test's folder.
living() {
    grep -ls "$tmp/[l]ong.scn" /proc/[0-9]*/cmdline | wc -l
}
gone() {
    for _ in $(seq 300); do
        [ "$(living)" = 0 ] && return 0
        sleep 0.1
    done
    fail "$1: $(living) processes are left"
}
sed 's/lasts 2s/lasts 40s/' "$short" >"$tmp/long.scn"
for signal in INT TERM KILL; do
    # What a shell starts in the background ignores SIGINT.
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$HALFOPEN" run --engine kernel "$tmp/long.scn" \
        "$tmp/long.scn" >"$tmp/out" 2>"$tmp/err" &
    pid=$!
    for _ in $(seq 300); do
        [ "$(living)" -ge 3 ] && break
        sleep 0.1
    done
    [ "$(living)" -ge 3 ] || fail "no rooms"
    kill -$signal $pid
    code=0
    wait $pid || code=$?
    [ "$code" -gt 128 ] || fail "SIG$signal: exit code $code"
    gone "SIG$signal"
done

# As anyone: namespaces of a user's own.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$tmp"
    cp "$HALFOPEN" "$tmp/halfopen"
    code=0
    setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/halfopen" run --engine kernel \
        "$short" >"$tmp/out" 2>"$tmp/err" || code=$?
    ran="halfopen run, as nobody"
    if [ "$code" = 3 ]; then
        err 'the engine kernel does not run here'
    else
        is 0
        out 'ETIMEDOUT from recv'
    fi
fi

# Where namespaces are forbidden: what is missing, and what works. In a user namespace of its own
# the limit can be set without touching the machine.
if unshare -Ur true 2>/dev/null; then
    code=0
    # shellcheck disable=SC2016
    unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_net_namespaces; exec "$@"' sh \
        "$HALFOPEN" run --engine kernel "$short" >"$tmp/out" 2>"$tmp/err" || code=$?
    ran="halfopen run, without namespaces"
    is 3
    err 'does not run here: .*user.max_net_namespaces is 0; .*; --engine model plays anywhere$'
    [ ! -s "$tmp/out" ] || fail "$ran: there is output"
fi
