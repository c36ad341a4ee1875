#!/bin/sh
# Runs alone. `halfopen doctor` and `policy` on real sockets: every verdict and finding with a
# connection that has it and one that has not; what was predicted happens after the cable is cut.
. tests/cli/lib

run doctor --help
is 0
out '^usage: halfopen doctor'
run doctor extra
mistake "found 'extra', expected an option"
run doctor --formt
mistake "no option '--formt', did you mean '--format'"
run doctor --format html
mistake "found 'html', expected text, json, markdown, prometheus, tap or junit"
run doctor --port 65536
mistake "expected a port from 1 to 65535"
run doctor --port
mistake "expected a port from 1 to 65535 behind it"
run doctor --state NOWHERE
mistake "expected a state"
run doctor --middlebox 0s
mistake "expected a time such as 350s"
run doctor --fail-on bad
mistake "expected info, warn, fail or never"
run doctor --all=yes
mistake "takes no value"
run doctor --pid 2147483647
mistake "no process 2147483647 can be seen"
run policy
mistake "expected a file with rules"
run policy a b
mistake "expected one file"
run policy --format markdown "$tmp/one.scn"
mistake "expected text, json, tap or junit"
run policy "$tmp/one.scn"
mistake "one.scn:1:"

code=0
python3 tests/cli/doctor/fast.py >"$tmp/out" 2>"$tmp/err" || code=$?
if [ $code = 77 ]; then
    cat "$tmp/err" >&2
    exit 77
fi
[ $code = 0 ] || fail "what the doctor says and what happens differ"
