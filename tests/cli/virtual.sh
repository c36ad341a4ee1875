#!/bin/sh
# Runs alone. --engine virtual-kernel without a kernel that was built: what is said where none is, and everything
# up to the launch on a stand-in, a shell script that is called as a kernel is.
. tests/cli/lib

XDG_CACHE_HOME=$tmp/cache
export XDG_CACHE_HOME
unset HALFOPEN_KERNEL HALFOPEN_GUEST
mkdir "$tmp/run"
XDG_RUNTIME_DIR=$tmp/run # where the private folders are made
export XDG_RUNTIME_DIR

run run --engine virtual-kernel cut-idle-keepalive-default
is 3
err '^halfopen: no virtual kernel is built; build one with: halfopen kernel build$'
run run --engine virtual-kernel --kernel 6.1 cut-idle-keepalive-default
is 3
err "no virtual kernel whose name begins with '6.1' is built; 'halfopen kernel list'"
export HALFOPEN_KERNEL="$tmp/nothing"
run run --engine virtual-kernel cut-idle-keepalive-default
is 3
err "HALFOPEN_KERNEL: '.*/nothing' is no kernel that can be run"
unset HALFOPEN_KERNEL
run run --spin cut-idle-keepalive-default
is 2
err 'are of --engine virtual-kernel$'
run run --kernel 6.1 --engine kernel cut-idle-keepalive-default
is 2
run run --phases 4 --engine kernel cut-idle-keepalive-default
is 2

# compare: an engine that was named must be here; of the others those are taken that are.
for engines in virtual-kernel model,virtual-kernel kernel,virtual-kernel,model; do
    run compare --engine $engines "$tmp/one.scn"
    is 3
    [ ! -s "$tmp/out" ] || fail "$ran: there is output"
done
run compare --engine virtual-kernel,model "$tmp/one.scn"
err '^halfopen: the engine virtual-kernel does not run here: no virtual kernel is built; build one with: halfopen kernel build$'
run compare --engine model "$tmp/one.scn"
mistake 'the model alone has nothing to be compared with$'
for engines in model, ,kernel 'kernel virtual-kernel' xen ''; do
    run compare --engine "$engines" "$tmp/one.scn"
    mistake "--engine: found '$engines', expected some of model,kernel,virtual-kernel$"
done
run run --engine model,kernel "$tmp/one.scn"
mistake "--engine: found 'model,kernel', expected model, kernel or virtual-kernel$"
run compare --engine kernel --spin "$tmp/one.scn"
mistake 'are of --engine virtual-kernel$'
cat >"$tmp/brief.scn" <<'SCN'
title "a word, then nothing"
host client
host server
cable client -- server
neighbours static
connection client -> server:80
at 100ms client send 100
at 400ms cut
lasts 600ms
SCN
run compare "$tmp/brief.scn"
err '^halfopen: without the engine virtual-kernel: no virtual kernel is built; build one with: halfopen kernel build$'
if grep -q '^halfopen: without the engine kernel: ' "$tmp/err"; then
    is 3
    err '^halfopen: there is nothing here to compare the model with$'
    rooms=no
else
    out '^ +model +kernel +difference +host +what$'
    rooms=yes
fi

# stand_in NAME: its script is read from stdin; the store has it under NAME.
stand_in() {
    mkdir -p "$XDG_CACHE_HOME/halfopen/kernels/$1"
    { echo '#!/bin/sh'; cat; } >"$XDG_CACHE_HOME/halfopen/kernels/$1/linux"
    chmod +x "$XDG_CACHE_HOME/halfopen/kernels/$1/linux"
}
stand_in 6.12.1-hz250-0000000000000000 <<'SH'
echo 'Kernel panic - not syncing: 250'
SH

# A program that cannot run inside says so.
run run --engine virtual-kernel cut-idle-keepalive-default --case 1
is 3
if grep -q AddressSanitizer "$tmp/err"; then
    err 'HALFOPEN_GUEST names one that was not$'
else
    err 'its kernel panicked: 250$'
fi
HALFOPEN_GUEST=/bin/true
export HALFOPEN_GUEST

# What its kernel says last is told, with the play's name, and nothing is left.
run run --engine virtual-kernel cut-idle-keepalive-default -j 1
is 3
err '^halfopen: cut-idle-keepalive-default: the virtual kernel ended .* its kernel panicked: 250$'
err '^halfopen: cut-idle-keepalive-default \(ipv6\): the virtual kernel ended'
[ -z "$(ls -A "$tmp/run")" ] || fail "$ran: left something behind"

# The kernel whose HZ the scenario asks for, or whose version; --kernel limits the choice.
stand_in 6.12.1-hz1000-0000000000000000 <<'SH'
echo 'Kernel panic - not syncing: 1000'
SH
stand_in 6.1.1-hz250-0000000000000000 <<'SH'
echo 'Kernel panic - not syncing: old'
SH
run run --engine virtual-kernel cut-idle-keepalive-default --case 1
err 'panicked: 250$'
run run --engine virtual-kernel cut-idle-keepalive-default --case 1 --hz 1000
err 'panicked: 1000$'
run run --engine virtual-kernel cut-idle-keepalive-default --case 1 --kernel 6.1.
err 'panicked: old$'
cat >"$tmp/old.scn" <<'SCN'
title "on an older kernel"
host a profile linux-6.1
host b profile linux-6.1
cable a -- b
lasts 1s
SCN
run run --engine virtual-kernel "$tmp/old.scn"
err 'panicked: old$'

# Job, command line and seed as they reach it; the program inside answers for the result.
stand_in 6.12.1-hz250-0000000000000000 <<'SH'
echo "$*"
tr '\0' '\n' <job
echo "seed $HALFOPEN_SEED"
cp -r . /proc/$PPID/cwd/seen
echo 'halfopen: inside something is missing' >out/said
SH
cd "$tmp" || exit 1
run run --engine virtual-kernel cut-idle-keepalive-default --case 2 --seed 42 --spin
is 3
err 'the virtual kernel ended before it was done; inside: halfopen: inside something is missing$'
cp seen/console "$tmp/out"
out ' time-travel -- guest$'
out '^seed 42$'
out "^cwd=$tmp\$"
out '^item=0$'
out '^arg=--case$'
[ "$(readlink seen/init)" = "$(readlink -f /bin/true)" ] || fail "not the program that was named"
rm -rf seen

# Three engines in one table. The stand-in gives back what was prepared: a timeline of the model's,
# whose jiffy becomes that of the model beside it; and it keeps what it was told.
answer() {
    printf 'played 0 1 0 0 0 20000000000\n' >"$tmp/account"
    {
        echo "halfopen-result 0 $(wc -c <"$tmp/played.jsonl") $(wc -c <"$tmp/account") 0 0"
        cat "$tmp/played.jsonl" "$tmp/account"
    } >"$tmp/answer"
}
stand_in 6.12.1-hz250-0000000000000000 <<SH
tr '\\0' '\\n' <job >$tmp/job
cp $tmp/answer out/result
SH
run run "$tmp/brief.scn" --seed 5 --timeline "$tmp/of-the-model.jsonl"
is 0
sed '/"name":"engine"/{p;s/engine/kernel/;s/model/6.18.1/}' "$tmp/of-the-model.jsonl" >"$tmp/played.jsonl"
answer
run compare --engine virtual-kernel "$tmp/brief.scn"
is 0
out '^ +model +virtual-kernel +difference +host +what$'
out '^model agrees with Linux .* within 0 s \([0-9]+ events\) in virtual time$'
grep -q '^told=$' "$tmp/job" || fail "$ran: told something, and there is no other kernel"
run compare --engine virtual-kernel --align nothing --format json "$tmp/brief.scn" "$tmp/brief.scn"
is 2
err "^halfopen: --align: found 'nothing', expected the label of a fault of brief$"
python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["plays"] == []' "$tmp/out" ||
    fail "$ran: what failed left something in the JSON"
if [ $rooms = yes ]; then
    run compare "$tmp/brief.scn"
    [ "$code" -le 1 ] || fail "$ran: exit code $code"
    out '^ +model +kernel +difference +virtual-kernel +difference +host +what$'
    out '^model .* with Linux [0-9.]+.* within .* events'
    out '^model agrees with Linux .* in virtual time$'
    sed -n 's/^told=//p' "$tmp/job" | grep -q '"name":"schema"' || fail "$ran: the guest was not told"
    grep -q '"name":"jiffies0","value":[1-9]' "$tmp/job" || fail "$ran: not told the kernel's jiffy"
    ! grep -q '"kind":"seg"' "$tmp/job" || fail "$ran: told more than settings"
    run compare "$tmp/brief.scn" --format json
    python3 - "$tmp/out" <<'PY' || fail "the JSON is not what it should be"
import json, sys
d = json.load(open(sys.argv[1]))
(p,) = d["plays"]
assert [e["engine"] for e in p["engines"]] == ["kernel", "virtual-kernel"] and p["base"] == "model"
assert p["engines"][1]["alike"] is True and p["engines"][1]["worst_s"] == 0
assert p["alike"] == all(e["alike"] for e in p["engines"]) == (d["alike"] == 1)
# Without what the real kernel alone sends, a repeat when it is late.
sent = [r for r in p["rows"] if r["kind"] == "seg" and r["host"] == "client" and r["model"]]
assert len(sent) >= 3 and all(r["virtual-kernel"]["status"] == "same" for r in sent)
assert all(r[e]["what"] == sent[0]["model"]["what"] for r in sent[:1] for e in ("kernel", "virtual-kernel"))
PY
fi

# Where namespaces are forbidden the kernel is left out, and the other two are compared.
if unshare -Ur true 2>/dev/null; then
    code=0
    # shellcheck disable=SC2016
    unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_net_namespaces; exec "$@"' sh \
        "$HALFOPEN" compare "$tmp/brief.scn" >"$tmp/out" 2>"$tmp/err" || code=$?
    ran="halfopen compare, without namespaces"
    is 0
    err '^halfopen: without the engine kernel: .*user.max_net_namespaces is 0'
    out '^ +model +virtual-kernel +difference +host +what$'
fi

# One that differs: marked, and exit code 1. One that cannot play it: said, and left out.
sed 's/"len":100/"len":99/' "$tmp/played.jsonl" >"$tmp/other.jsonl"
cmp -s "$tmp/played.jsonl" "$tmp/other.jsonl" && fail "the timeline has no such segment"
mv "$tmp/other.jsonl" "$tmp/played.jsonl"
answer
run compare --engine virtual-kernel "$tmp/brief.scn" --differences
is 1
out '^! .* client +PA 1 \+100 ack 1 \| PA 1 \+99 ack 1$'
out '^model does not agree with Linux .* in virtual time: [0-9]+ of [0-9]+ events do, [0-9]+ of [0-9]+ verdicts; the first'
if [ $rooms = yes ]; then
    run compare "$tmp/brief.scn" --differences
    is 1
    out '^! .* ! .* client +PA 1 \+100 ack 1 \|( kernel: .* \|)? virtual-kernel: PA 1 \+99 ack 1$'
fi
printf 'halfopen-result 0 0 20 0 0\nit has no such cable.' >"$tmp/answer"
run compare --engine virtual-kernel "$tmp/brief.scn"
is 3
out '^brief: not compared: the virtual-kernel cannot play it: it has no such cable'
err '^halfopen: nothing was compared$'
if [ $rooms = yes ]; then
    run compare "$tmp/brief.scn"
    [ "$code" -le 1 ] || fail "$ran: exit code $code"
    out '^brief: the virtual-kernel cannot play it: it has no such cable'
    out '^ +model +kernel +difference +host +what$'
fi
for broken in 'halfopen-result 0 0 9 0 0\nplayed 7\n' 'halfopen-result 0 0 15 0 0\nplayed 0 1 5 0\n' 'halfopen-result 0 2 11 0 0\n{}played 0 0\n'; do
    # shellcheck disable=SC2059
    printf "$broken" >"$tmp/answer"
    run compare --engine virtual-kernel "$tmp/brief.scn"
    is 3
    err '^halfopen: brief: what came back from the virtual-kernel is no timeline$'
done

# Interrupted: nothing runs on and nothing is left.
stand_in 6.12.1-hz250-0000000000000000 <<SH
echo \$\$ >$tmp/pid
exec sleep 1000
SH
"$HALFOPEN" run --engine virtual-kernel cut-idle-keepalive-default --case 1 >/dev/null 2>&1 &
pid=$!
i=0
while [ ! -s "$tmp/pid" ] && [ $i -lt 200 ]; do
    sleep 0.05
    i=$((i + 1))
done
kill -TERM $pid
code=0
wait $pid || code=$?
[ $code = 143 ] || fail "SIGTERM did not end it as it should"
! kill -0 "$(cat "$tmp/pid")" 2>/dev/null || fail "the kernel runs on"
[ -z "$(ls -A "$tmp/run")" ] || fail "interrupted: left something behind"
