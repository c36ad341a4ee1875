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
