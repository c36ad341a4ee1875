#!/bin/sh
# Runs alone. `halfopen try`: the scenario it makes, what it refuses, and one play on the kernel.
. tests/cli/lib

# What it plays is printed as a scenario, and that is one.
run try --server 'srv -x "a b"' --client cli --port 80 --fault power-off --after 2s --within 9s --print
is 0
out '^process server\.server runs "srv -x \\"a b\\"" ready when it listens on 80$'
out '^process client\.client runs "cli"$'
out '^at 2s server power-off as fault$'
out '^lasts fault\+9s$'
out '^expect client\.client lets go within 9s of fault$'
cp "$tmp/out" "$tmp/made.scn"
run run --engine model "$tmp/made.scn"
is 3
out 'need an engine with a real kernel'

run try --server s --client c --port 80 --fault 'cut client -> server' --print
is 0
out '^at 5s cut client -> server as fault$'
run try --server s --client c --port 80 --fault reboot --print
is 0
out '^at fault\+1s server boot$'

# What is missing or wrong.
run try --client c --port 80
is 2
err 'expected --server: a command'
run try --server s --client c --port
is 2
err '--port: its value is missing'
run try --server s --client c --port 80 --fault explode
is 2
err "found 'explode'"
run try --server s --client c --port 0
is 2
run try --server s --client c --port 80 --nosuch
is 2
err "no option '--nosuch'"

# On the kernel, where that is possible: a client that lets go, one that does not. Python needs its
# time until it connects: what is done happens later.
server='python3 -c "import socket; s = socket.create_server((\"\", 80)); c = s.accept(); s.accept()"'
client='python3 -c "import socket; c = socket.create_connection((\"server\", 80)); c.settimeout(3); c.recv(1)"'
patient='python3 -c "import socket; c = socket.create_connection((\"server\", 80)); c.recv(1)"'
run try --server "$server" --client "$client" --port 80 --after 2s --within 3s
if [ "$code" = 3 ]; then
    echo "skipped: $(cat "$tmp/err")"
    exit 77
fi
is 0
out 'kept: expected: client\.client lets go within 3s of fault; found: client (exits|FIN-WAIT-1) at [34]\.'
run try --server "$server" --client "$patient" --port 80 --after 2s --within 1s --format tap
is 1
out 'not ok 1 - client\.client lets go within 1s of fault'
run try --server "$server" --client "$patient" --port 80 --after 2s --within 1s --fault kill
is 0
run try --server nosuch --client "$client" --port 80
is 3
err 'nosuch: not found'
