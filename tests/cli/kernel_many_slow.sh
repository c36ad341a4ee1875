#!/bin/sh
# A hundred plays on the kernel, eight at once, and a hundred one after another: every one keeps its
# expectation, and no process (with which its namespaces go, tests/kernel/test_os_many_slow.c) and no
# file is left.
. tests/cli/lib

cat >"$tmp/short.scn" <<'END'
host       client
host       server
cable      client -- server
connection client -> server:7000
at 50ms    client send 100
at 100ms   server kill
lasts      200ms
expect     client notices EOF
END
# A copy of the program: whatever runs it is of these plays.
cp "$HALFOPEN" "$tmp/halfopen"
HALFOPEN=$tmp/halfopen
programs() {
    for p in /proc/[0-9]*; do
        readlink "$p/exe" 2>/dev/null || :
    done | grep -cxF "$HALFOPEN" || :
}
mkdir "$tmp/files"

play() {
    at_once=$1
    shift
    TMPDIR="$tmp/files" run run --engine kernel -j "$at_once" "$@"
    if [ "$code" = 3 ]; then
        echo "skipped: $(cat "$tmp/err")"
        exit 77
    fi
    is 0
}

hundred=
i=0
while [ "$i" -lt 100 ]; do
    hundred="$hundred $tmp/short.scn"
    i=$((i + 1))
done
play 8 $hundred
out '^100 plays, 100 expectations: all kept$'
i=0
while [ "$i" -lt 100 ]; do
    play 1 "$tmp/short.scn"
    i=$((i + 1))
done

[ "$(programs)" = 0 ] || fail "$(programs) processes are left"
[ -z "$(ls -A "$tmp/files")" ] || fail "files are left: $(ls -A "$tmp/files")"
