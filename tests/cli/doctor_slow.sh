#!/bin/sh
# The doctor on real programs, and on what shows itself after a minute. nginx, Redis, PostgreSQL and
# promtool are Debian's, unpacked below the build folder (tools/programs.sh), not installed.
. tests/cli/lib

programs=$(dirname "$HALFOPEN")/programs
prometheus=$(dirname "$HALFOPEN")/prometheus
sh tools/programs.sh "$programs"
sh tools/programs.sh "$prometheus" prometheus
PATH="$programs/bin:$PATH"
export PATH

for part in real late; do
    code=0
    python3 tests/cli/doctor/$part.py "$prometheus/bin/promtool" >"$tmp/out" 2>"$tmp/err" || code=$?
    if [ $code = 77 ]; then
        cat "$tmp/err" >&2
        exit 77
    fi
    [ $code = 0 ] || fail "$part.py: what the doctor says is not so"
done
