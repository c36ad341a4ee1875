#!/bin/sh
# The plays of real programs, scenarios/real: redis, PostgreSQL, nginx, OpenSSH, Python, all at
# once, as whoever runs the test and as an ordinary user. The programs are Debian's, downloaded and
# unpacked below the build folder (tools/programs.sh), not installed.
#
# Exit status 77: the programs or namespaces are not to be had here, with the reason.
set -eu
umask 022 # another user is to read what is unpacked

fail() {
    echo "$*" >&2
    exit 1
}

programs=$(dirname "$HALFOPEN")/programs
sh tools/programs.sh "$programs"
PATH="$programs/bin:$PATH"
export PATH

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"

# A real kernel cannot be hurried: the plays take up to a minute, so they run side by side.
play() { # COMMAND..: what runs halfopen
    "$@" "$HALFOPEN" run --engine kernel -j 5 --format tap scenarios/real/*.scn
}

play env >"$tmp/own" 2>"$tmp/own.err" &
own=$!
other=
if [ "$(id -u)" = 0 ]; then
    play setpriv --reuid 65534 --regid 65534 --clear-groups >"$tmp/other" 2>"$tmp/other.err" &
    other=$!
fi

check() { # PID NAME WHO
    code=0
    wait "$1" || code=$?
    if [ $code = 3 ] && grep -q 'namespace' "$tmp/$2.err"; then
        echo "skipped: $(cat "$tmp/$2.err")" >&2
        exit 77
    fi
    if [ $code != 0 ]; then
        grep -v '^ *ok' "$tmp/$2" >&2 || true
        cat "$tmp/$2.err" >&2
        fail "as $3: exit status $code"
    fi
    [ "$(grep -c '^ok ' "$tmp/$2")" = "$(ls scenarios/real/*.scn | wc -l)" ] ||
        fail "as $3: not every play was played"
}

check "$own" own "$(id -un)"
if [ -n "$other" ]; then
    check "$other" other "an ordinary user"
fi
