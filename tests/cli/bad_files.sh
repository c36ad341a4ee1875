#!/bin/sh
# Files that cannot be read, and scenarios that are none: one clear line, exit code 2.
. tests/cli/lib

run run "$tmp/absent.scn"
mistake "absent.scn: No such file or directory"
run run "$tmp/"
mistake "is a directory"
mkdir "$tmp/dir.scn"
run run "$tmp/dir.scn"
mistake "dir.scn: is a directory"

# file:line:column: what was found and what could stand there.
printf 'host client\nhost server\ncable client == server\n' >"$tmp/bad.scn"
run run "$tmp/bad.scn"
mistake "bad\.scn:3:[0-9]+: found '==', expected"
printf 'host client\nat 1s clinet power-off\n' >"$tmp/bad.scn"
run run "$tmp/bad.scn"
mistake "bad\.scn:2:7: found 'clinet', expected .*did you mean 'client'"
printf 'host a\nhost b\ncable a -- b\nat 1s a run nonsense\n' >"$tmp/bad.scn"
run run "$tmp/bad.scn"
is 2
err "bad\.scn:4:"

# A step that makes no sense when it comes.
printf 'host a\nhost b\ncable a -- b\nat 1s a send 5\n' >"$tmp/bad.scn"
run run "$tmp/bad.scn"
is 2
err "bad\.scn:4:"
err "no such connection"

# Bytes that are no text, and too many of them.
head -c 3000 /dev/urandom >"$tmp/noise.scn"
run run "$tmp/noise.scn"
is 2
head -c 300000 /dev/zero >"$tmp/long.scn"
run run "$tmp/long.scn"
mistake "long.scn: longer than 262144 bytes"
: >"$tmp/empty.scn"
run run "$tmp/empty.scn"
[ "$code" -le 2 ] || fail "an empty file: exit code $code"

# An expectation that is not kept: exit code 1, said with file and line.
sed 's/ETIMEDOUT/ECONNRESET/' "$tmp/one.scn" >"$tmp/wrong.scn"
run run "$tmp/wrong.scn"
is 1
out "FAILED $tmp/wrong.scn:10: expected: server notices ECONNRESET in recv; found: server notices ETIMEDOUT"
out '1 not kept'
