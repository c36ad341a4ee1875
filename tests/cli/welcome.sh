#!/bin/sh
# The first screen says what is true of this host: on this machine, in a host with settings and
# connections of the test's own, and where nothing can be read.
. tests/cli/lib

code=0
python3 tests/cli/doctor/welcome.py >"$tmp/out" 2>"$tmp/err" || code=$?
if [ $code = 77 ]; then
    cat "$tmp/err" >&2
    exit 77
fi
[ $code = 0 ] || fail "the first screen"
