#!/bin/sh
# Every option of `halfopen run`: what it does, and what is said to a wrong value.
. tests/cli/lib
one=$tmp/one.scn

run run "$one"
is 0
out '^one: cut client -- server$'
out 'ETIMEDOUT from recv'
out 'net.ipv4.tcp_retries2=15'
out '1 plays, 2 expectations: all kept'
out 'seed 1 .*HZ=250; halfopen [0-9.]+'
err '^1 plays in [0-9.]+ ms of wall time$'

# --list: the catalogue, names and titles.
run run --list
is 0
[ "$(wc -l <"$tmp/out")" -ge 40 ] || fail "the catalogue is too small"
name=$(sed -n '1s/ .*//p' "$tmp/out")
run run --list "$name"
is 0
[ "$(wc -l <"$tmp/out")" = 1 ] || fail "--list NAME lists that one"
run run "$name"
[ "$code" -le 1 ] || fail "$ran: exit code $code"
out "^$name"

# Names: a beginning is enough, if it is the only one.
run run cut-idle-keepalive-def --list
is 0
out '^cut-idle-keepalive-default '
run run cut-
mistake "'cut-' begins several scenarios: "
run run cut-idle-keepalive-defalt
mistake "did you mean 'cut-idle-keepalive-default'"
run run nonsense
mistake "no scenario 'nonsense'"

# --set: for all hosts, for one.
run run "$one" --set net.ipv4.tcp_retries2=3
out 'tcp_retries2=3'
cp "$tmp/out" "$tmp/all"
run run "$one" --set server:tcp_retries2=3
out 'tcp_retries2=3'
cmp -s "$tmp/out" "$tmp/all" || fail "only the server's setting counts here"
run run "$one" --set client:tcp_retries2=3
out 'tcp_retries2=15'
run run "$one" --set tcp_retries2
mistake "--set: found 'tcp_retries2', expected"
run run "$one" --set nonsense=3
mistake "'nonsense' is no sysctl"
run run "$one" --set tcp_retries2=many
mistake "found 'many', expected a value from 0 to"
run run "$one" --set nobody:tcp_retries2=3
mistake "has no host 'nobody'"
sed 's/^host server/host server profile linux-6.12/' "$tmp/one.scn" >"$tmp/old.scn"
run run "$tmp/old.scn" --set server:tcp_rto_max_ms=5000
mistake "--set: server is linux-6.12: it has no net.ipv4.tcp_rto_max_ms, which came with Linux 6.15"
run run "$tmp/old.scn" --set tcp_rto_max_ms=5000
mistake "server is linux-6.12: it has no net.ipv4.tcp_rto_max_ms"
run run "$tmp/old.scn" --set client:tcp_rto_max_ms=5000
is 0

# The expectations of the catalogue are about its own settings; those of a file always count.
run run cut-data-behind-router --case 1 --set tcp_retries2=3
is 0
out 'expectations are not judged'
no_out 'FAILED'
printf 'expect server notices ETIMEDOUT between 930s and 950s\n' >>"$one"
run run "$one" --set tcp_retries2=3
is 1
sed -i '$d' "$one"

# --hz, --seed, --rtt, --engine.
run run "$one" --hz exact
out 'exact timers'
run run "$one" --hz 1000
out 'HZ=1000'
run run "$one" --hz 12
mistake "--hz: found '12', expected 100, 250, 300, 1000 or exact"
run run "$one" --seed 7
out 'seed 7;'
run run "$one" --seed -1
mistake "--seed: found '-1', expected a number"
run run "$one" --seed 18446744073709551616
mistake "--seed: found '18446744073709551616'"
run run "$one" --rtt 200ms
is 0
! grep -q '^one: .*' /dev/null
run run "$one" --rtt soon
mistake "--rtt: found 'soon', expected a duration"
run run "$one" --engine model
is 0
run run "$one" --engine lorry
mistake "--engine: found 'lorry', expected model, kernel or virtual-kernel"
run run "$one" --engine kernel --hz 1000
mistake "--hz is the model's"
run run "$one" --engine kernel --phases 4
mistake "not on the kernel"

# --format.
run run "$one" --format text
out '^one: '
run run "$one" --format=json
out '^{"schema":1'
run run "$one" --format xml
mistake "--format: found 'xml', expected text, json, tap or junit"
run run "$one" --format json --ladder
mistake "exclude each other"
run run "$one" --format
mistake "--format needs text, json, tap or junit"
run run "$one" --format tap --ladder
mistake "exclude each other"

# --longest: what lasts longer is left out.
run run "$one" cut-heartbeat --longest 60s
is 0
out '^2 plays'
err '^1 cases last longer and were left out$'
run run "$one" --longest soon
mistake "--longest: found 'soon', expected a duration"

# -j: a number, behind it or beside it.
for j in -j3 '-j 3' -j=3; do
    # shellcheck disable=SC2086
    run run "$one" $j
    is 0
done
run run "$one" -j 0
mistake "-j: found '0', expected a number from 1 to 64"
run run "$one" -j
mistake "-j needs a number"

# --ladder.
run run "$one" --ladder
is 0
out 'client +server$'
out 'cut client -- server'
out 'tail loss probe'

# --case: a number, the words; a scenario with several cases.
sed 's/^title/plays over ipv4 ipv6\ntitle/' "$one" >"$tmp/two.scn"
run run "$tmp/two.scn"
out '^2 plays'
run run "$tmp/two.scn" --case 2
out '^1 plays'
out 'ipv6'
cp "$tmp/out" "$tmp/second"
run run "$tmp/two.scn" --case ipv6
cmp -s "$tmp/out" "$tmp/second" || fail "--case 2 and --case ipv6 are the same"
run run "$tmp/two.scn" --case ipv5
mistake "no case 'ipv5'"

# --phases: the range that other starting jiffies give.
run run "$one" --phases 8
is 0
out '^  8 starting jiffies over a step of 512'
out '^    server c1: 9[34][0-9]\.[0-9]{3} to 9[34][0-9]\.[0-9]{3} s$'
run run "$one" --phases 0
mistake "--phases: found '0'"
run run "$one" --phases 8 --ladder
mistake "not together with --ladder"

# --: what follows is a name.
run run -- --list
mistake "no scenario '--list'"
