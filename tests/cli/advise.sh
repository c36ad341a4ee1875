#!/bin/sh
# `halfopen advise`: what it advises, what it refuses, its proof, and what it does not take.
. tests/cli/lib

run advise --within 30s --survive 10s --defaults
is 0
[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "it is wider than 80 columns"
out "^  SO_KEEPALIVE = 1 "
# One that is a second too long would be noticed after 30 s; see ground-truth B 9.
out "^  TCP_USER_TIMEOUT = 2[0-9]000 ms "
# A3: tcp_retries2 6 ends at 26.6 s; 5 ends at 13.3 s, and an outage of 10 s would be fatal.
out "^  net\.ipv4\.tcp_retries2 = 6 "
# Row 10: 19.5 s with three; row 11: 31 s with four SYN-ACKs, 15 s with three.
out "^  net\.ipv4\.tcp_syn_retries = 3 "
out "^  net\.ipv4\.tcp_synack_retries = 3 "
out "^Proven: [0-9]+ scenarios, played [0-9]+ times"
out "only TCP_USER_TIMEOUT ends that in time"

# Each way alone.
run advise --within 30s --survive 10s --defaults --sockopts-only --hz 250
is 0
no_out "net\.ipv4\.tcp_retries2 ="
run advise --within 30s --survive 10s --defaults --sysctls-only --hz 250
is 1
no_out "TCP_USER_TIMEOUT ="
out "^  net\.ipv4\.tcp_keepalive_time = "
err "sysctls alone do not cover everything"

# The examples of the page are what the program prints.
if command -v python3 >/dev/null; then
    python3 -c '
import re, subprocess, sys
blocks = re.findall(r"```console\n\$ halfopen (.*?)\n(.*?)```", open("docs/advise.md").read(), re.S)
assert len(blocks) == 2, "where are the examples?"
for arguments, expected in blocks:
    p = subprocess.run([sys.argv[1], *arguments.split()], capture_output=True, text=True)
    found = (p.stdout or p.stderr).rstrip("\n")
    assert found == expected.rstrip("\n"), f"halfopen {arguments}:\n{found}"
' "$HALFOPEN" >"$tmp/out" 2>"$tmp/err" || fail "docs/advise.md is not true"
fi

# Programs: units, one setting for several things, what cannot be set.
run advise --within 30s --survive 6s --defaults --hz 250 --for libpq,redis,node,java,openssh,rabbitmq
is 0
out "^    connect_timeout=28$"        # whole seconds
out "^    tcp-keepalive 12$"          # 12 + 3 x 4 s, notices after 24 s
out "^    socket\.setKeepAlive\(true, 17000\);" # libuv goes on with 10 probes of 1 s
out "TCP_USER_TIMEOUT is not among its settings: data in flight ends by its"
out "^    ServerAliveInterval 7$"     # 7 x (3 + 1) s
run advise --within 30s --survive 14s --defaults --hz 250 --for redis
is 0
no_out "tcp-keepalive [0-9]"
out "no idle time with that"
run advise --within 30s --defaults --hz 250 --for kubernetes,aws-nlb
is 0
out "^kube-proxy$"
out "^Kubernetes clients in Go"
out "the probes come in time to"

# JSON, in which every answer is within the time and the outage is outlived.
run advise --within 20s --survive 4s --defaults --hz 1000 --lan --json --for postgresql
is 0
if command -v python3 >/dev/null; then
    python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert d["within_s"] == 20 and d["path"] == "lan" and d["hz"] == [1000]
o = d["options"]
s = o["set"]
assert s["TCP_KEEPIDLE"] + s["TCP_KEEPINTVL"] * s["TCP_KEEPCNT"] <= 20
assert (s["TCP_KEEPCNT"] - 1) * s["TCP_KEEPINTVL"] > 4
assert o["idle_outlives_s"] >= 4 and o["data_outlives_s"] >= 4
late = [a for a in o["answers"] if a["fault"] in ("cut", "power-off") and a["max_s"] > 20]
assert not late, late
assert d["proof"]["plays"] > 50
lines = [l["line"] for l in d["programs"][0]["lines"]]
assert "tcp_keepalives_idle = %d" % s["TCP_KEEPIDLE"] in lines, lines
assert "tcp_user_timeout = %d" % s["TCP_USER_TIMEOUT"] in lines, lines
' "$tmp/out" 2>"$tmp/err" || fail "the JSON is not what it should be"
fi

# The scenarios of the proof are the user's, and keep what they say when played again.
mkdir "$tmp/proof"
run advise --within 15s --survive 3s --defaults --hz 250 --save-proof "$tmp/proof"
is 0
[ "$(ls "$tmp/proof" | wc -l)" -ge 20 ] || fail "where are the scenarios?"
run run "$tmp"/proof/*.scn
is 0
out "all kept"
# A connection that has not what is advised fails the same scenario.
sed 's/TCP_KEEPIDLE [0-9]*s/TCP_KEEPIDLE 30s/; s/TCP_USER_TIMEOUT [0-9]*ms/TCP_USER_TIMEOUT 60s/' \
    "$tmp/proof/options-idle-cut.scn" >"$tmp/worse.scn"
run run "$tmp/worse.scn"
is 1

# What cannot be had: one line, the nearest, exit code 1.
run advise --within 1s --survive 10s --defaults
is 1
[ ! -s "$tmp/out" ] || fail "it advises what it refuses"
[ "$(wc -l <"$tmp/err")" = 1 ] || fail "a refusal is one line"
err "is impossible: .* the nearest: --within 1[0-9](\.[0-9])?s"
nearest=$(sed -n 's/.*--within \([0-9.]*s\).*/\1/p' "$tmp/err")
run advise --within "$nearest" --survive 10s --defaults --hz 250
is 0
run advise --within 3s --defaults
is 1
err "keepalive counts whole seconds"
run advise --within 10s --rtt 20s --defaults --hz 250
is 1
err "with this round trip"

run advise
mistake "expected --within"
run advise --within
mistake "a value is missing"
run advise --within 30
mistake "expected a time"
run advise --within 2h
mistake "at most 1h"
run advise --within 30s --sysctls-only --sockopts-only
mistake "leave nothing"
run advise --within 30s --for postgresqll
mistake "no program 'postgresqll', did you mean 'postgresql'"
run advise --within 30s --prove slowly
mistake "expected model, kernel or virtual-kernel"
run advise --within 30s --prove kernel --json
mistake "one document"
run advise --within 30s --sockopt TCP_KEEPIDLE=3
mistake "advise: --sockopt is what it finds out"
run advise --within 30s --survve 3s
mistake "no option '--survve', did you mean '--survive'"
run advise --within 30s --set no_such=1
mistake "advise --set: 'no_such' is no sysctl"
