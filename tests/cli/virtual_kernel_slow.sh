#!/bin/sh
# --engine virtual-kernel on a kernel that was built; skipped (77) as tests/cli/lib_virtual says.
. tests/cli/lib
. tests/cli/lib_virtual

# Two hours, whose end the kernel's version and HZ belong to.
is 0
out 'ETIMEDOUT from recv$'
out 'simulated 2 h 20 m .* HZ=[0-9]+; halfopen .* Linux [0-9.]+$'

# It agrees with the model, which is given its jiffy and what it drew at random.
for name in cut-idle-keepalive-default cut-data-behind-router cut-data-retries2 cut-data-replug \
    connect-absent-host connect-closed-port half-cut-data user-timeout-data power-off-keepalive \
    reboot-keepalive zero-window-cut; do
    run compare --engine virtual-kernel "$name" --case 1
    is 0
    out '^model agrees with Linux [0-9.]+ within '
done

# The 29 plays that were measured in virtual time, on Linux 6.12 at HZ 250 as then. Where the result
# hangs on a neighbour's reachable time, which the kernel draws, one of 16 seeds must draw a fitting one.
run run --engine virtual-kernel cut-idle-keepalive-default --case 1
if grep -q 'HZ=250; .* Linux 6\.12\.' "$tmp/out"; then
    [ "$(ls tests/truth/virtual/*.scn | wc -l)" = 29 ] || fail "not all of tests/truth/virtual are there"
    for file in tests/truth/virtual/*.scn; do
        seed=1
        run run --engine virtual-kernel "$file"
        while [ $code = 1 ] && [ $seed -lt 16 ] && grep -q '^neighbours dynamic' "$file"; do
            seed=$((seed + 1))
            run run --engine virtual-kernel --seed $seed "$file"
        done
        is 0
    done
    # Where all hangs on the neighbours: on reachable times that are drawn anew in the middle, and on
    # whether 3.072 s are 768 jiffies, which they are if nothing is between an interrupt and its
    # softirqs. (At HZ 1000 timers of one jiffy decide some of them: docs/departures.md.)
    for name in middlebox-drops own-plug-data cut-data-on-the-lan; do
        run compare --engine virtual-kernel "$name"
        is 0
        out '^model agrees with Linux [0-9.]+ in ([0-9]+) of \1 plays in virtual time, within '
    done
else
    echo "not played: tests/truth/virtual, which is for Linux 6.12 at HZ 250"
fi

# `try`: three hours of a client that waits, whose keepalive ends it.
if command -v python3 >/dev/null; then
    server='python3 -c "import socket; s = socket.create_server((\"\", 80)); c = s.accept(); s.accept()"'
    client='python3 -c "import socket; c = socket.create_connection((\"server\", 80)); c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1); c.recv(1)"'
    run try --engine virtual-kernel --server "$server" --client "$client" --port 80 --within 3h
    is 0
    out 'kept: expected: client\.client lets go within 3h of fault; found: client gone at (7[89]|8[01])[0-9]{2}\.'
    run try --engine virtual-kernel --server "$server" --client "$client" --port 80 --within 2h
    is 1
fi

# The same bytes twenty times, two at once or not; another seed, another history.
i=0
while [ $i -lt 20 ]; do
    "$HALFOPEN" run --engine virtual-kernel cut-data-on-the-lan --case 1 --timeline "$tmp/b" \
        >/dev/null 2>&1 &
    run run --engine virtual-kernel cut-data-on-the-lan --case 1 --timeline "$tmp/a"
    is 0
    wait $!
    [ $i -gt 0 ] || cp "$tmp/a" "$tmp/first"
    cmp "$tmp/first" "$tmp/a" || fail "$ran: run $i is another"
    cmp "$tmp/first" "$tmp/b" || fail "$ran: run $i at once with another is another"
    i=$((i + 2))
done
run run --engine virtual-kernel cut-data-on-the-lan --case 1 --timeline "$tmp/b" --seed 2
is 0
! cmp -s "$tmp/first" "$tmp/b" || fail "$ran: the seed changes nothing"
[ "$(grep -c '"kind":"settings".*"name":"engine","value":"virtual-kernel"' "$tmp/first")" = 1 ] ||
    fail "$ran: the settings do not say which engine it was"

# The answer's range over the jiffies' phase, within what is computed.
run run --engine virtual-kernel cut-idle-keepalive-default --case 1 --phases 64
is 0
out 'server c1: 78[7-9][0-9]\.[0-9]+ to (79[0-9][0-9]|800[0-4])\.[0-9]+ s$'

# Every kernel that is kept, whatever its HZ: as the model, the same bytes twice. Beside commands time
# 0 is the jiffy that was asked for, however long they take to be ready: the wheel rounds alike.
cat >"$tmp/client.py" <<'PY'
import socket, sys, time
time.sleep(float(sys.argv[1]))
c = socket.create_connection(("server", 7000))
print("ready", flush=True)
sys.stdin.readline()
c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
c.recv(1)
PY
cat >"$tmp/server.py" <<'PY'
import socket
s = socket.create_server(("", 7000))
c = s.accept()
s.accept()
PY
late() {
    cat >"$tmp/late.scn" <<SCN
title "a client that is ready late"
host client
host server
cable client -- server
neighbours static
process server.py runs "python3 $tmp/server.py" ready when it listens on 7000
process client.py runs "python3 -u $tmp/client.py $1" ready when its output matches /ready/
at 1s client.py type "go\n"
at 10s cut
lasts 8300s
expect client.py enters gone between 7860s and 8160s
SCN
}
kernels=
[ -n "${HALFOPEN_KERNEL-}" ] || kernels=$("$HALFOPEN" kernel list | sed 's/ .*//')
for kernel in $kernels; do
    hz=$(echo "$kernel" | sed 's/.*-hz\([0-9]*\)-.*/\1/')
    for name in cut-idle-keepalive-default cut-data-behind-router connect-absent-host; do
        run compare --engine virtual-kernel --kernel "$kernel" "$name" --case 1
        is 0
    done
    for i in 1 2; do
        run run --engine virtual-kernel --kernel "$kernel" --hz "$hz" cut-data-on-the-lan --case 1 \
            --timeline "$tmp/$i"
        out "HZ=$hz;"
    done
    cmp "$tmp/1" "$tmp/2" || fail "$ran: the second run is another"
    # Who reads the processor's counter gets the guest's clock (kernels of this version's recipe).
    if "$HALFOPEN" kernel list | grep "^$kernel " | grep -q 'linux$' && command -v gcc >/dev/null; then
        echo '#include <stdio.h>
int main(void) { printf("read %llu", __builtin_ia32_rdtsc()); }' | gcc -x c -o "$tmp/counter" -
        printf 'title "counter"\nhost a\nhost b\ncable a -- b\nprocess a.c\nat 1s a.c run "%s"\nlasts 5s\n' \
            "$tmp/counter" >"$tmp/counter.scn"
        for i in 1 2; do
            run run --engine virtual-kernel --kernel "$kernel" --hz "$hz" "$tmp/counter.scn" --timeline "$tmp/$i"
            is 0
        done
        grep -q '"detail":"read [0-9]' "$tmp/1" && cmp "$tmp/1" "$tmp/2" || fail "$ran: another counter"
    fi
    command -v python3 >/dev/null || continue
    for seconds in 0 5; do
        late $seconds
        run run --engine virtual-kernel --kernel "$kernel" --hz "$hz" "$tmp/late.scn"
        is 0
        sed -n 's/.*\(kernel gave up at .*\)/\1/p' "$tmp/out" >"$tmp/late.$seconds"
    done
    [ -s "$tmp/late.0" ] && cmp "$tmp/late.0" "$tmp/late.5" || fail "$ran: another jiffy"
done

# What a program in it writes, it reads; the machine's files stay as they are. Directory and
# environment are the caller's.
mkdir "$tmp/here"
echo before >"$tmp/here/old"
before=$(ls -la --time-style=full-iso /etc | cksum)
cat >"$tmp/here/writes.scn" <<'SCN'
title "writes"
host a
host b
cable a -- b
process a.sh runs "sh -c 'cd $WHERE; echo after >old; echo new >new; cat old new; echo x >/etc/halfopen-was-here; cat /etc/halfopen-was-here; rm -f /bin/sh; sleep 5400; date +%s'"
lasts 2h
expect a.sh output matches /^after$/
expect a.sh output matches /^new$/
expect a.sh exits with 0
SCN
sed -i "s#\$WHERE#$tmp/here#" "$tmp/here/writes.scn"
chmod 777 "$tmp" "$tmp/here"
chmod 666 "$tmp/here/old"
run run --engine virtual-kernel "$tmp/here/writes.scn" --timeline "$tmp/t"
is 0
[ "$(cat "$tmp/here/old")" = before ] || fail "$ran: a file of the machine was changed"
[ ! -e "$tmp/here/new" ] && [ ! -e /etc/halfopen-was-here ] && [ -x /bin/sh ] ||
    fail "$ran: the machine's files were changed"
[ "$(ls -la --time-style=full-iso /etc | cksum)" = "$before" ] || fail "$ran: /etc changed"

# One that asks for the time again and again is ended, unless computing takes time.
cat >"$tmp/spins.scn" <<'SCN'
title "spins"
host a
host b
cable a -- b
process a.sh runs "sh -c 'while [ $(date +%s) -lt 1700000000 ]; do :; done; end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do :; done; echo done'"
lasts 1m
expect a.sh output matches /^done$/
SCN
run run --engine virtual-kernel "$tmp/spins.scn"
is 3
err 'spins: the virtual kernel made no progress for 30 s .* With --spin computing takes time$'
run run --engine virtual-kernel --spin "$tmp/spins.scn"
is 0
# Time 0 is the jiffy that was asked for all the same.
for spin in '' --spin; do
    run run --engine virtual-kernel $spin cut-idle-keepalive-default --case 1
    is 0
    ! grep 'jiffy count is not known' "$tmp/err" || fail "$ran: time 0 is any jiffy"
    sed -n 's/^  server .* \([0-9]*\.[0-9]\)[0-9]*  ETIMEDOUT.*/\1/p' "$tmp/out" >"$tmp/gave-up$spin"
done
[ -s "$tmp/gave-up" ] && cmp "$tmp/gave-up" "$tmp/gave-up--spin" || fail "$ran: another jiffy"

# Programs open more files than a process of this machine may at first.
if command -v python3 >/dev/null; then
    mkdir "$tmp/many"
    (cd "$tmp/many" && seq 3000 | xargs touch)
    cat >"$tmp/many.scn" <<SCN
title "many files"
host a
host b
cable a -- b
process a.py runs "python3 -c 'import os; d = \"$tmp/many\"; print(len([open(d + \"/\" + f).read() for f in os.listdir(d)]))'"
lasts 1m
expect a.py output matches /^3000$/
SCN
    (ulimit -Sn 1024 && "$HALFOPEN" run --engine virtual-kernel "$tmp/many.scn") >"$tmp/out" 2>"$tmp/err" ||
        fail "a program cannot open 3000 files one by one"
fi

# As anybody, who can read his own files and is nobody else inside.
cat >"$tmp/mine.scn" <<SCN
title "mine"
host a
host b
cable a -- b
process a.sh runs "sh -c 'id -u; cat $tmp/mine/file; echo new >$tmp/mine/new && echo written'"
lasts 1m
expect a.sh output matches /^65534$/
expect a.sh output matches /^only his own$/
expect a.sh output matches /^written$/
expect a.sh exits with 0
SCN
mkdir "$tmp/mine"
echo only his own >"$tmp/mine/file"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    setpriv --reuid 65534 --regid 65534 --clear-groups "$HALFOPEN" run --engine virtual-kernel \
        cut-idle-keepalive-default --case 1 >"$tmp/out" 2>"$tmp/err" ||
        fail "it does not run as an ordinary user"
    chmod 644 "$tmp/mine.scn"
    chown -R 65534:65534 "$tmp/mine"
    chmod 700 "$tmp/mine"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$HALFOPEN" run --engine virtual-kernel \
        "$tmp/mine.scn" >"$tmp/out" 2>"$tmp/err" || fail "what an ordinary user runs is not his"
    [ "$(ls "$tmp/mine")" = file ] || fail "a file of the machine was written"
fi
