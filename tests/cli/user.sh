#!/bin/sh
# Runs alone. Labs and `try` as an ordinary user, where the tests are run by root: the same scripts, as a user
# who has nothing but a copy of the program.
set -eu
if [ "$(id -u)" != 0 ]; then
    echo "skipped: this is an ordinary user already"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tests" "$dir/tests/cli" "$dir/home"
cp tests/cli/lib tests/cli/lab.sh tests/cli/try.sh "$dir/tests/cli/"
cp "$HALFOPEN" "$dir/halfopen"
chmod 755 "$dir" "$dir/tests" "$dir/tests/cli" "$dir/halfopen"
chmod 644 "$dir"/tests/cli/*
chown 65534:65534 "$dir/home"
cd "$dir"
code=0
for test in lab try; do
    setpriv --reuid=65534 --regid=65534 --clear-groups \
        env HOME="$dir/home" TMPDIR="$dir/home" PATH=/usr/bin:/bin HALFOPEN="$dir/halfopen" \
        sh "tests/cli/$test.sh" || code=$?
    [ "$code" = 0 ] || exit "$code"
done
