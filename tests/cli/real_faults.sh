#!/bin/sh
# Runs alone. What is said, and with which exit status, when a play of real programs cannot be played: on the
# model, without the program, with a port that never listens; and what of it stays behind.
# Exit status 77: namespaces are forbidden here.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() {
    echo "$*" >&2
    cat "$tmp/err" >&2
    exit 1
}

# How long its commands sleep: no other process of the machine does exactly that.
nap=1000.$$

world='host client
host server
cable client -- server
'

# refused NAME STATUS TEXT ARGUMENTS..: the file $tmp/NAME.scn, which is on stdin below the world;
# NAP in it is the time above.
refused() {
    name=$1 status=$2 text=$3
    shift 3
    { printf '%s' "$world" && sed "s/NAP/$nap/"; } >"$tmp/$name.scn"
    code=0
    "$HALFOPEN" run "$@" "$tmp/$name.scn" >"$tmp/out" 2>"$tmp/err" || code=$?
    if grep -q 'namespaces' "$tmp/err"; then
        echo "skipped: $(cat "$tmp/err")" >&2
        exit 77
    fi
    grep -qF "$text" "$tmp/err" "$tmp/out" || fail "$name: \"$text\" is not said"
    [ $code = "$status" ] || fail "$name: exit status $code, not $status"
}

refused model 3 "1 cases cannot be played on the model" <<'END'
at 1s client run "true"
END
refused model 3 "real programs need an engine with a real kernel: --engine kernel" <<'END'
at 1s client run "true"
END
refused absent 3 "server: no-such-program: not found in PATH" --engine kernel <<'END'
at 0.1s server run "no-such-program"
END
# It is given time to say a word: a shell starts later than 0.3 s on a busy machine.
refused deaf 3 "server.x: its time was over before it listened on port 80; its last words: \"up\"" \
    --engine kernel <<'END'
process server.x runs "sh -c 'trap \"\" TERM INT; echo up; sleep NAP'" ready when it listens on 80 within 2s
END
refused ends 3 "server.x: ended with status 4 before it listened on port 80; its last words: \"bad\"" \
    --engine kernel <<'END'
process server.x runs "sh -c 'echo bad >&2; exit 4'" ready when it listens on 80
END
refused stranger 2 "server: there is no user 'no-such-user' on this machine" --engine kernel <<'END'
at 0.1s server as no-such-user run "true"
END
# The file's own mistakes.
refused quotes 2 "quotes.scn:4:18: a ' of the command has no second one" --engine kernel <<'END'
at 1s client run "sh -c 'oops"
END
refused pattern 2 "pattern.scn:4:30: found '(up', expected a regular expression" --engine kernel <<'END'
expect client output matches /(up/
END

# An expectation that is not met: status 1, and what came instead.
printf '%s%s\n%s\n' "$world" 'at 0.1s server run "sh -c '"'echo no; sleep $nap'"'"' \
    'expect server output matches /yes/ by 0.5s' >"$tmp/unmet.scn"
code=0
"$HALFOPEN" run --engine kernel "$tmp/unmet.scn" >"$tmp/out" 2>"$tmp/err" || code=$?
[ $code = 1 ] || fail "unmet: exit status $code, not 1"
grep -q 'no output of server matches' "$tmp/out" || fail "unmet: $(cat "$tmp/out")"

if grep -qs "[1]000\.$$" /proc/[0-9]*/cmdline; then
    fail "a command is still there"
fi
[ ! -e /dev/shm/server.x ] || fail "a directory is still there"
