#!/bin/sh
# Output that cannot be written, readers that go away, and colours.
. tests/cli/lib
one=$tmp/one.scn

# A full disk: exit code 3 and one line; nothing half-written is left.
if [ -w /dev/full ]; then
    code=0
    "$HALFOPEN" run "$one" >/dev/full 2>"$tmp/err" || code=$?
    ran="run >/dev/full"
    is 3
    err 'halfopen: stdout: No space left on device'
    run run "$one" --timeline /dev/full
    is 3
    err 'halfopen: /dev/full: No space left on device'
fi
run run "$one" --timeline "$tmp/absent/t.jsonl"
is 3
err 'absent/t.jsonl: No such file or directory'
if [ "$(id -u)" != 0 ]; then
    mkdir "$tmp/locked" && chmod 500 "$tmp/locked"
    run run "$one" --pcapng "$tmp/locked/t.pcapng"
    is 3
    err 'Permission denied'
fi

# A file is replaced as a whole, and only when it is complete.
echo before >"$tmp/t.jsonl"
run run "$one" --timeline "$tmp/t.jsonl"
is 0
head -n 1 "$tmp/t.jsonl" | grep -q '"scope":"timeline"' || fail "the file was not replaced"
[ "$(ls "$tmp" | grep -c part)" = 0 ] || fail "a .part file is left"

# A reader that goes away: exit code 1, no signal.
mkfifo "$tmp/fifo"
true <"$tmp/fifo" &
exec 8>"$tmp/fifo"
wait $! # now it has gone
code=0
"$HALFOPEN" run "$one" >&8 2>"$tmp/err" || code=$?
exec 8>&-
ran="run | true"
is 1
err 'halfopen: stdout: whoever read it has gone'

# Colours only on a terminal, and not with NO_COLOR.
esc=$(printf '\033')
run run "$one"
no_out "$esc"
run run "$one" --ladder
no_out "$esc"
if command -v script >/dev/null; then
    TERM=xterm script -qec "$HALFOPEN run $one" /dev/null >"$tmp/out" 2>"$tmp/err" </dev/null
    out "$esc"
    NO_COLOR=1 TERM=xterm script -qec "$HALFOPEN run $one" /dev/null >"$tmp/out" </dev/null
    no_out "$esc\["
    TERM=dumb script -qec "$HALFOPEN run $one" /dev/null >"$tmp/out" </dev/null
    no_out "$esc\["
fi
