# Runs alone. Labs: brought up, looked at, cut and plugged, entered, ended; two at once; what is refused; and
# that nothing is left, also after kill -9.
set -u
H=${HALFOPEN:?}
dir=$(mktemp -d)
first= second=
finish() {
    for pid in $first $second; do
        kill -9 "$pid" 2>/dev/null
    done
    rm -rf "$dir"
}
trap finish EXIT

fail() {
    echo "FAILED: $*"
    cat "$dir"/*.out "$dir"/*.err 2>/dev/null
    exit 1
}

# Starts a lab in the background and waits for its first line, or for its end.
up() {
    mkfifo "$dir/$1.fifo"
    "$H" lab --name "$1" >"$dir/$1.fifo" 2>"$dir/$1.err" &
    up_pid=$!
    exec 9<"$dir/$1.fifo"
    read -r line <&9 || line=
}

# expect TEXT STATUS COMMAND..: its exit status, and TEXT in what it says.
expect() {
    want=$1 status=$2
    shift 2
    "$H" "$@" >"$dir/last.out" 2>&1 </dev/null
    got=$?
    [ "$got" = "$status" ] || fail "halfopen $*: status $got, expected $status"
    [ -z "$want" ] || grep -qF -- "$want" "$dir/last.out" || fail "halfopen $*: expected '$want'"
}

a=lab-a-$$ b=lab-b-$$
up $a
first=$up_pid
if [ -z "$line" ]; then
    wait "$first"
    status=$?
    [ "$status" = 3 ] || fail "a lab that cannot be: status $status, expected 3"
    echo "skipped: $(cat "$dir/$a.err")"
    exit 77
fi
[ "$line" = "lab $a is up. Enter its hosts:" ] || fail "first line: $line"

# One lab or its name; the verbs.
expect "client -- server: plugged" 0 status --lab $a
expect "a lab '$a' runs already" 2 lab --name $a
expect " s  cut client -- server" 0 cut --lab $a client -- server
expect "client -- server: cut" 0 status --lab $a
expect " s  plug" 0 plug --lab $a
expect "no such cable is cut or unplugged" 2 plug --lab $a
expect " s  unplug client" 0 unplug --lab $a client
expect "client -- server: unplugged at client" 0 status --lab $a
expect " s  plug" 0 plug --lab $a
expect " s  cut client -> server" 0 cut --lab $a "client -> server"
expect "client -- server: cut from client to server" 0 status --lab $a
expect " s  plug" 0 plug --lab $a
expect " s  server listen 80" 0 step --lab $a server listen 80
expect " s  client connect server:80" 0 step --lab $a "client connect server:80"
expect "LISTEN" 0 status --lab $a
expect " s  server power-off" 0 power-off --lab $a server
expect "no power" 0 status --lab $a
expect "server has no power" 2 exec --lab $a server -- true
expect " s  server boot" 0 boot --lab $a server
expect '"power":true' 0 status --lab $a --json

# Commands: their output and status, no capabilities; with them if asked.
expect "10.0.0.1" 0 exec --lab $a client -- ip -o -4 address show dev eth0
expect "" 7 exec --lab $a client -- sh -c "exit 7"
expect "" 143 exec --lab $a client -- sh -c 'kill $$'
PATH=/usr/bin:/bin # others may not be everybody's to read
expect "nosuch: No such file" 127 exec --lab $a client -- nosuch
expect "not permitted" 2 exec --lab $a client -- ip link set eth0 mtu 1400
expect "" 0 exec --privileged --lab $a client -- ip link set eth0 mtu 1400

# What is no host, no step, no command line.
expect "expected a host of the lab" 2 exec --lab $a nobody -- true
expect "column 5" 2 cut --lab $a nowhere
expect "expected a host" 2 boot --lab $a
expect "expected '--' and a command" 2 exec --lab $a client
expect "no lab 'nosuch' runs" 3 status --lab nosuch
expect "no option '--foo'" 2 lab --foo
expect "expected one file" 2 lab x.scn y.scn

# A second one does not disturb the first, and dies with its program.
up $b
second=$up_pid
[ "$line" = "lab $b is up. Enter its hosts:" ] || fail "second lab: $line"
expect "several labs run" 2 status
expect " s  server power-off" 0 power-off --lab $b server
expect '"power":true' 0 status --lab $a --json
grep -q '"power":false' "$dir/last.out" && fail "the first lab has lost power as well"
inside=$("$H" exec --lab $b client -- readlink /proc/self/ns/net)
kill -9 "$second"
wait "$second" 2>/dev/null
second=
for _ in $(seq 100); do
    left=$(for p in /proc/[0-9]*; do readlink "$p/ns/net" 2>/dev/null; done | grep -cF "$inside")
    [ "$left" = 0 ] && break
    sleep 0.1
done
[ "$left" = 0 ] || fail "$left processes are left of a killed lab"
for _ in $(seq 100); do # the kernel ends the room itself last
    "$H" status --lab $b 2>&1 | grep -q "no lab" && break
    sleep 0.1
done
expect "no lab '$b' runs" 3 status --lab $b

# Down returns when it has ended.
"$H" down --lab $a || fail "down"
kill -0 "$first" 2>/dev/null && wait "$first"
first=
expect "no lab '$a' runs" 3 status --lab $a

# Ctrl-C ends one as well, and what was asked for is kept.
c=lab-c-$$
mkfifo "$dir/$c.fifo"
"$H" lab --name $c --save "$dir/saved.scn" --timeline "$dir/saved.jsonl" --pcapng "$dir/saved.pcapng" \
    >"$dir/$c.fifo" 2>"$dir/$c.err" &
first=$!
exec 9<"$dir/$c.fifo"
read -r line <&9 || fail "third lab"
expect " s  cut" 0 cut --lab $c
kill -TERM "$first"
wait "$first"
status=$?
first=
[ "$status" = 0 ] || fail "a lab that was told to end: status $status"
grep -q "^at .*s cut$" "$dir/saved.scn" || fail "the steps were not saved"
grep -q '"kind":"fault"' "$dir/saved.jsonl" || fail "the timeline was not saved"
[ -s "$dir/saved.pcapng" ] || fail "the capture was not saved"
"$H" run "$dir/saved.scn" >"$dir/last.out" 2>&1 || fail "the saved session does not play"

# Who has read that it is up may end it at once.
d=lab-d-$$
mkfifo "$dir/$d.fifo"
"$H" lab --name $d --save "$dir/none.scn" >"$dir/$d.fifo" 2>"$dir/$d.err" &
first=$!
exec 9<"$dir/$d.fifo"
read -r line <&9 || fail "fourth lab"
kill -TERM "$first"
wait "$first"
status=$?
first=
[ "$status" = 0 ] || fail "a lab that was told to end at once: status $status"
[ -s "$dir/none.scn" ] || fail "a lab that was told to end at once saved nothing"
echo ok
