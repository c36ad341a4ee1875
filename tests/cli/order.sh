#!/bin/sh
# `halfopen order`: what fires first, what is unsafe, JSON, and chains that are none.
. tests/cli/lib

narrow() {
    [ "$(wc -L <"$tmp/out")" -le 80 ] || fail "$ran: wider than 80 columns"
}

# The example of the help, the page and the manual: one lost probe is fatal (ground-truth row 9).
chain="client request 5s, pool 30s, user_timeout 20s, keepalive 15/15/3, balancer idle 350s, \
server idle 60s"
run order --defaults --chain "$chain"
is 1
narrow
out "^Linux's defaults, HZ 250; the peer behind a router, round trip 1 ms"
out "^  client   idle +30 s +closes it, unaware"
out "^           keepalive +30\.[0-9]+ s to 30\.[0-9]+ s +ETIMEDOUT"
out "^           user_timeout +20\.4 s to 20\.[67] s +ETIMEDOUT"
out "^  client   keepalive +within 15\.[0-9]+ s +speaks: not forgotten"
out "^unsafe: the user timeout makes one lost keepalive probe fatal \(UT001\)"
out "^    change  client user_timeout 52500ms"
out "^        or  client keepalive 8/5/3"

# Both changes make it safe; the entries may stand in any order.
run order --defaults --chain "server idle 60s, balancer idle 350s, keepalive 15/15/3, \
user_timeout 52500ms, pool 30s, request 5s"
is 0
out "^nothing unsafe in this order"
run order --defaults --chain "server idle 60s, balancer idle 350s, keepalive 8/5/3, \
user_timeout 20s, pool 30s, request 5s"
is 0

# What is unsafe in nginx' 75 s behind a pool of 90 s, an ALB's 60 s before Node.js' 5 s, and a
# keepalive that comes too late for a balancer (A1: 345 s may be 16 s late).
run order --defaults --chain "pool 90s, server idle 75s"
is 1
narrow
out "^unsafe: the server closes connections that are still reused"
out "^        or  server idle 99s"
run order --defaults --chain "alb idle 60s, server idle 5s"
is 1
out "^    change  proxy idle 4s"
run order --defaults --chain "keepalive 345/10/3, user_timeout 370s, nlb 350s"
is 1
out "KA002"
out "up to 6 m"
run order --defaults --hz exact --chain "keepalive 345/10/3, user_timeout 370s, nlb 350s"
is 0
run order --defaults --chain "keepalive 60/10/3"
is 1
out "KA004"
out "15 m 37\.[0-9] s to 15 m 39\.[0-9] s"

# Programs with their defaults: HikariCP keeps connections for longer than a NAT of AWS.
run order --defaults --chain "pool hikaricp, pgjdbc, nat aws-nlb, server postgresql"
is 1
narrow
out "^from the defaults of programs"
out "pool idle 10m, pool life 30m, pool wait 30s"
out "2 h 11 m [0-9]+ s to 2 h 1[123] m [0-9]+ s +ETIMEDOUT"
out "^    balancer idle 350s: the first to speak or to close does so after up to 10 m"
run order --defaults --chain "proxy aws-alb, server tomcat"
narrow
out "^not known, since it depends on other settings of the program: write it"
out "^    server idle$"
run order --defaults --chain "proxy aws-alb, server tomcat, server idle 20s"
is 1
no_out "not known"
run order --chain "nginx"
mistake "at column 1: found 'nginx', expected which side the program is on"
run order --chain "$(printf 'p\033[31m 3s')"
mistake "found 'p.x1b.31m'"

# This host's settings, and those of others.
run order --chain "pool 30s"
is 0
no_out "defaults of programs"
out "^this host, HZ [0-9]+"
run order --kernel linux-6.12 --rtt 20ms --lan --set tcp_retries2=5 --chain "request 5s, pool 30s"
is 0
out "^linux-6.12, HZ 250; the peer on the same link, round trip 20 ms"
out "retries2 +13 s to"

run order --defaults --json --chain "$chain"
is 1
if command -v python3 >/dev/null; then
    python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
faults = {f["fault"]: f for f in d["faults"]}
assert len(d["faults"]) == len(faults) == 6 and d["hz"] == 250
first = faults["peer-dead-data"]["events"][0]
assert (first["side"], first["timer"], first["effect"]) == ("client", "request", "gives-up")
assert first["min_s"] == first["max_s"] == 5
assert not faults["flow-forgotten"]["possible"]
assert d["unsafe"] == 1 and d["findings"][0]["finding"] == "UT001"
assert d["findings"][0]["reason"] == "one-lost-probe-is-fatal"
assert d["findings"][0]["changes"][0] == "client user_timeout 52500ms"
assert d["findings"][0]["min_s"] <= d["findings"][0]["max_s"] < d["findings"][0]["than_s"]
' "$tmp/out" 2>"$tmp/err" || fail "the JSON is not what it should be"
fi

run order
mistake "expected --chain"
run order --chain
mistake "a value is missing"
run order --chain ""
mistake "at column 1: expected a timer and its time"
run order --chain "pool 30s, servr idle 60s"
mistake "at column 11: found 'servr', expected client, server"
run order --chain "pool 30"
mistake "at column 6: found '30', expected a time with its unit"
run order --chain "keepalive 15/15"
mistake "at column 11: found '15/15', expected keepalive as idle/interval/count"
run order --chain "pool 30s, pool 20s"
mistake "expected each timer once a side"
run order --chain "pool 30s" --sockopt TCP_KEEPIDLE=5
mistake "no --sockopt"
run order --chian "pool 30s"
mistake "did you mean '--chain'"
run order --help
is 0
out "^usage: halfopen order"

# The page's examples are what the program prints.
python3 - docs/order.md "$HALFOPEN" <<'PY' >"$tmp/out" 2>&1 || fail "docs/order.md is not true"
import re, shlex, subprocess, sys
text = open(sys.argv[1]).read()
blocks = re.findall(r"```console\n\$ halfopen (.*?)\n(.*?)```", text, re.S)
assert len(blocks) == 2, "where are the examples?"
for arguments, expected in blocks:
    p = subprocess.run([sys.argv[2], *shlex.split(arguments)], capture_output=True, text=True)
    assert p.stdout == expected, f"halfopen {arguments}:\n{p.stdout}"
for word in re.findall(r"^\| ([a-z0-9-]+) \| (?:[A-Z]+[0-9]+|) \|", text, re.M):
    assert word in open("src/forecast/order.h").read(), word
PY

# What is said is played: one probe is lost, and the peer is alive again when the next would go out.
cat >"$tmp/lost.scn" <<'SCN'
title "one keepalive probe is lost, the peer is alive"
host client
host server
cable client -- server
neighbours static
connection client -> server:80
option client SO_KEEPALIVE on
option client TCP_KEEPIDLE 15s
option client TCP_KEEPINTVL 15s
option client TCP_KEEPCNT 3
option client TCP_USER_TIMEOUT TIMEOUT
at 1s client send 100
at 15s cut
at 20s plug
lasts 10m
expect OUTCOME
SCN
lost() {
    sed "s/TIMEOUT\$/$1/; s/OUTCOME/$2/" "$tmp/lost.scn" >"$tmp/mine.scn"
    run run "$tmp/mine.scn"
    is 0
}
lost 20s "client notices ETIMEDOUT between 31s and 31.5s" # unsafe above, and what it says: 30.1 s
lost 52500ms "nobody notices"                             # the change that was printed

# reqwest's own defaults since 0.12.23: 15/15/3 and 30 s.
run order --defaults --chain "reqwest"
is 1
out "UT001"
lost 30s "client notices ETIMEDOUT between 31s and 31.5s"

# Keepalive of 345 s is too late for a balancer of 350 s, 175 s is not.
cat >"$tmp/box.scn" <<'SCN'
title "keepalive and a balancer that forgets"
host client
middlebox balancer forgets after 350s then drops
host server
cable client -- balancer -- server
connection client -> server:80
option client SO_KEEPALIVE on
option client TCP_KEEPIDLE IDLE
at 1s client send 100
at 3h client send 1000
lasts 3h10m
expect server received 1100 at 3h +- 10ms
SCN
sed "s/IDLE\$/345s/" "$tmp/box.scn" >"$tmp/mine.scn"
run run "$tmp/mine.scn"
is 1
sed "s/IDLE\$/175s/" "$tmp/box.scn" >"$tmp/mine.scn"
run run "$tmp/mine.scn"
is 0
