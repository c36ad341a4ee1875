#!/bin/sh
# `halfopen explain`: words, settings, numbers; the page of it; scenarios that exist.
. tests/cli/lib

run explain
is 0
out "ETIMEDOUT"
[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "the list is wider than 80 columns"

run explain ETIMEDOUT
is 0
out "^ETIMEDOUT, an error"
out "\(110\)"
out "halfopen run --ladder "
[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "the text is wider than 80 columns"
run explain etimedout
is 0
run explain tcp_retries2
out "^net.ipv4.tcp_retries2, a sysctl"
out "924\.6 s"
run explain net.ipv4.tcp_retries2
out "default 15"
run explain TCP_USER_TIMEOUT
out "^TCP_USER_TIMEOUT, a socket option"
run explain close-wait
out "^CLOSE-WAIT, a state"
# In the lists only.
run explain tcp_sack
is 0
out "selective acknowledgments"

# Findings of the doctor, with what docs/findings.md says.
run explain KA001
is 0
out "^KA001, a finding of the doctor"
out "warn; .*SO_KEEPALIVE 0"
out "halfopen run --ladder "
run explain --json ut003
is 0
out '^\[\{"name":"UT003","kind":"a finding of the doctor","list":"warn; '
for id in $(sed -n 's/^## //p' docs/findings.md); do
    run explain "$id"
    is 0
done

# Times, however they are written.
for time in 924 924.6 937 "15 minutes" "15 min" 15m "15m 24s" "16 minutes"; do
    run explain "$time"
    is 0
    out "tcp_retries2 of 15"
done
run explain 15 minutes
is 0
for time in 7875 "2 h 11 min" 2h11m15s; do
    run explain "$time"
    out "7875 s"
done
for time in 7200 "2 hours" 2h; do
    run explain "$time"
    out "tcp_keepalive_time 7200"
done
run explain 127
out "tcp_syn_retries 6"
run explain 60
out "FIN-WAIT-2 .*TIME-WAIT"
run explain "200 ms"
out "smallest retransmission timeout"
run explain 900
out "IPVS"

run explain --json tcp_retries2
is 0
out '^\[\{"name":"net.ipv4.tcp_retries2","kind":"a sysctl"'

run explain ETIMEOUT
mistake "nothing is known about 'ETIMEOUT', did you mean 'ETIMEDOUT'"
run explain tcp_retrys2
mistake "did you mean 'tcp_retries2'"
run explain KA0O1
mistake "did you mean 'KA001'"
run explain 31337
mistake "nothing is known about '31337'"
run explain --jsn
mistake "no option '--jsn'"
run explain --markdown
mistake "is for --all"

# The page is what the program says: halfopen explain --all --markdown >docs/explain.md
run explain --all --markdown
is 0
cmp -s "$tmp/out" docs/explain.md || fail "docs/explain.md is not current"
run explain --all --json
is 0
grep -o '"scenario":"[a-z0-9-]*"' "$tmp/out" | cut -d'"' -f4 | sort -u >"$tmp/names"
[ "$(wc -l <"$tmp/names")" -ge 20 ] || fail "there are too few scenarios"
while read -r name; do
    [ -f "scenarios/$name.scn" ] || fail "there is no scenario '$name'"
done <"$tmp/names"

# Programs and their settings (src/knobs/settings.def), by name and by a part of it.
run explain postgresql
is 0
out "^postgresql, a program"
out "tcp_user_timeout >= 12, the system's"
out "postgresql.conf: tcp_keepalives_idle = %d"
[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "the text is wider than 80 columns"
run explain PostgreSQL
out "^postgresql, a program"
run explain reqwest
is 0
out "rust/reqwest tcp_user_timeout >= 0.12.23, 30 s"
run explain tcp_keepalives_idle
is 0
out "^tcp_keepalives_idle, a setting of programs"
out "postgresql tcp_keepalives_idle, the system's"
no_out "libpq"
out "read in: PostgreSQL 15 manual"
run explain postgress
mistake "did you mean 'postgresql'"
run explain --json nginx
is 0
if command -v python3 >/dev/null; then
    python3 -c '
import json, sys
(d,) = json.load(open(sys.argv[1]))
s = {x["name"]: x for x in d["settings"]}
assert s["keepalive_timeout"]["default"] == 75 and s["keepalive_timeout"]["unit"] == "s"
assert s["so_keepalive keepidle"]["default"] == "system"
' "$tmp/out" 2>"$tmp/err" || fail "the JSON is not what it should be"
fi
