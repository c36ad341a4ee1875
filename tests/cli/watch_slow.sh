#!/bin/sh
# `halfopen watch` for a fleet: a real Prometheus scrapes it and its alert fires; the unit, the
# manifest and the rules; and 200 looks without a leak. Prometheus is Debian's, unpacked below the
# build folder (tools/programs.sh), not installed.
. tests/cli/lib

check() { # COMMAND..
    code=0
    "$@" >"$tmp/out" 2>"$tmp/err" || code=$?
    if [ $code = 77 ]; then
        echo "skipped: $(cat "$tmp/err")" >&2
        exit 77
    fi
    [ $code = 0 ] || fail "$*"
}

check python3 tests/cli/watch_room.py leaks
PROMETHEUS=$(cd "$(dirname "$HALFOPEN")" && pwd)/prometheus
check sh tools/programs.sh "$PROMETHEUS" prometheus
PROMETHEUS=$PROMETHEUS/bin
export PROMETHEUS
python=python3
"$python" -c "import yaml" 2>/dev/null || python=/usr/bin/python3 # Debian's package is for Debian's
check "$python" tests/cli/watch_files.py "$PROMETHEUS/promtool"
check python3 tests/cli/watch_room.py prometheus
