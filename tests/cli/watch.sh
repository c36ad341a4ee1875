#!/bin/sh
# `halfopen watch`: lines, metrics and the table, over real sockets in namespaces of its own.
. tests/cli/lib

run watch
mistake "watch: no terminal here \(stdin and stdout\); for programs there are --jsonl and --listen"
run watch --intervall 2s
mistake "no option '--intervall', did you mean '--interval'"
run watch --interval 50ms
mistake "--interval: found '50ms', expected a time from 100ms to 1h"
run watch --interval
mistake "--interval: expected a time from 100ms to 1h behind it"
run watch --jsonl=yes
mistake "--jsonl takes no value"
run watch --jsonl --count 0
mistake "--count: found '0', expected a number of looks"
run watch --count 3
mistake "--count goes with --jsonl"
run watch --jsonl --listen :0
mistake "--jsonl or --listen, not both"
run watch --jsonl --trouble
mistake "--trouble is for the table"
run watch --sort size
mistake "--sort: found 'size', expected trouble, idle, busy, process or peer"
run watch --port 99999
mistake "watch: --port: found '99999'"
run watch --fail-on warn
mistake "no option '--fail-on'"
run watch --listen 9464
mistake "'9464' is no address to listen at, as :9464, 127.0.0.1:9464 or \[::1\]:9464"
run watch --listen ::1:9464
mistake "no address to listen at"
run watch --listen localhost:9464
mistake "no address to listen at"
run help watch
is 0
out "^  --listen ADDRESS"

# Without libmicrohttpd all else works, and what is missing is named: the library is hidden from a
# mount namespace.
library=$(ldconfig -p 2>/dev/null | sed -n 's/.*libmicrohttpd\.so\.12 .*=> //p' | head -n 1)
if [ -n "$library" ] && unshare -rm mount --bind /dev/null "$library" 2>/dev/null; then
    code=0
    unshare -rm sh -c 'mount --bind /dev/null "$1" && exec "$2" watch --listen 127.0.0.1:0' sh \
        "$library" "$HALFOPEN" >"$tmp/out" 2>"$tmp/err" || code=$?
    is 3
    err "^halfopen: watch --listen: no libmicrohttpd here \(package libmicrohttpd12\): "
fi

for check in jsonl listen table; do
    code=0
    python3 tests/cli/watch_room.py $check >"$tmp/out" 2>"$tmp/err" || code=$?
    if [ $code = 77 ]; then
        echo "only the arguments were tested: $(cat "$tmp/err")" >&2
        exit 0
    fi
    [ $code = 0 ] || fail "watch, $check"
done
