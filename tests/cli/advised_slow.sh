#!/bin/sh
# What `halfopen advise` prints is applied to PostgreSQL, libpq, Redis and nginx, with clients, on
# this machine's kernel: when the cable is cut every one of them notices within the asked time,
# and when it is plugged again after the outage that is to be outlived, all live.
#
# Exit status 77: the programs or namespaces are not to be had here, with the reason.
set -eu

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

for ask in "20s 2s --routed" "60s 12s --lan"; do
    # shellcheck disable=SC2086
    set -- $ask
    dir=$tmp/$1
    mkdir "$dir"
    "$HALFOPEN" advise --within "$1" --survive "$2" "$3" --for postgresql,libpq,redis,nginx \
        --json >"$dir/advice.json"
    for what in gone back; do
        python3 tests/cli/advise/applied.py $what "$dir" <"$dir/advice.json"
    done
done
grep -q 'server.cache enters gone' "$tmp/20s/gone.scn" || fail "no tcp-keepalive for Redis"

code=0
"$HALFOPEN" run --engine kernel -j 4 --format tap "$tmp"/*/*.scn >"$tmp/out" 2>"$tmp/err" || code=$?
if [ $code = 3 ] && grep -q namespace "$tmp/err"; then
    echo "skipped: $(cat "$tmp/err")" >&2
    exit 77
fi
if [ $code != 0 ]; then
    grep -v '^ *ok' "$tmp/out" >&2 || true
    cat "$tmp/err" >&2
    fail "advice that was applied: exit status $code"
fi
[ "$(grep -c '^ok ' "$tmp/out")" = 4 ] || fail "not every play was played"
