#!/bin/sh
# `halfopen predict`: the table, JSON, and what it does not take.
. tests/cli/lib

run predict
is 0
[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "the table is wider than 80 columns"
out "^this host, HZ [0-9]+; the peer behind a router"

# Linux's defaults: 7200 + 9 x 75 s and never early; 937.8 s as measured (ground-truth A3).
run predict --defaults
is 0
[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "the table is wider than 80 columns"
out "idle +never +SO_KEEPALIVE"
out "idle, keepalive 2 h 11 m .* to 2 h 13 m .* ETIMEDOUT +keepalive"
out "data in flight  15 m 37\.. s to 15 m 39\.. s +ETIMEDOUT +tcp_retries2"
out "connecting +3\.05 s to 3\.08 s +EHOSTUNREACH"

# The older kernel has no linear SYN timeouts: 130.06 s measured (knobs/profile_knobs.def).
run predict --kernel linux-6.1
out "connecting +2 m 9\.. s to 2 m 11\.. s +ETIMEDOUT"

run predict --defaults --lan --ipv6 --rtt 20ms --hz 1000 --sockopt TCP_USER_TIMEOUT=30s
is 0
[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "the table is wider than 80 columns"
out "HZ 1000; the peer on the same link, round trip 20 ms"
out "TCP_USER_TIMEOUT 30000 ms"
out "window closed +30\.. s to 30\.. s +ETIMEDOUT +TCP_USER_TIMEOUT"

run predict --defaults --set tcp_retries2=8 --hz exact --rto 204ms
out "data in flight  1 m 44\.. s +ETIMEDOUT"

# Settings that come before --defaults count all the same.
run predict --set tcp_retries2=3 --defaults
out "data in flight  6\.[0-9]+ s to 6\.[0-9]+ s +ETIMEDOUT"

run predict --defaults --json
is 0
if command -v python3 >/dev/null; then
    python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
p = {(x["fault"], x["activity"]): x for x in d["predictions"]}
assert len(d["predictions"]) == len(p) == 36
assert p["cut", "idle"]["outcome"] == "never" and p["cut", "idle"]["min_s"] is None
data = p["cut", "data"]
assert data["min_s"] <= 937.8 <= data["max_s"] and data["errno"] == "ETIMEDOUT"
assert data["knobs"] == {"net.ipv4.tcp_retries2": 15}
assert p["carrier-lost", "data"]["or"] == "EHOSTUNREACH"
' "$tmp/out" 2>"$tmp/err" || fail "the JSON is not what it should be"
fi

run predict --json=1
mistake "no option"
run predict --jsn
mistake "no option '--jsn', did you mean '--json'"
run predict --set tcp_retries2
mistake "expected NAME=VALUE"
run predict --set no_such=1
mistake "'no_such' is no sysctl"
run predict --set tcp_retries2=999
mistake "from 0 to 255"
run predict --sockopt TCP_KEEPIDLE=0
mistake "from 1 to 32767 s"
run predict --sockopt SO_NONE=1
mistake "'SO_NONE' is no socket option"
run predict --sockopt TCP_INFO=1
mistake "changes nothing here"
run predict --rtt
mistake "a value is missing"
run predict --rtt 0
mistake "expected a time"
run predict --hz 77777
mistake "predict --hz"
run predict --kernel linux-2.2
mistake "expected linux-6.18"
