#!/bin/sh
# Runs alone. Labs, `try`, the doctor and the first screen as an ordinary user, where the tests are run by
# root: the same scripts, as a user who has nothing but a copy of the program.
set -eu
umask 022 # another user is to read what is copied
if [ "$(id -u)" != 0 ]; then
    echo "skipped: this is an ordinary user already"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tests" "$dir/tests/cli" "$dir/docs" "$dir/home"
cp -r tests/cli/lib tests/cli/lab.sh tests/cli/try.sh tests/cli/doctor.sh tests/cli/welcome.sh \
    tests/cli/doctor "$dir/tests/cli/"
cp docs/doctor.md "$dir/docs/"
cp "$HALFOPEN" "$dir/halfopen"
chmod 755 "$dir" "$dir/halfopen"
chmod -R a+rX "$dir/tests" "$dir/docs"
chown 65534:65534 "$dir/home"
cd "$dir"
code=0
for test in lab try doctor welcome; do
    setpriv --reuid=65534 --regid=65534 --clear-groups \
        env HOME="$dir/home" TMPDIR="$dir/home" PATH=/usr/bin:/bin HALFOPEN="$dir/halfopen" \
        sh "tests/cli/$test.sh" || code=$?
    [ "$code" = 0 ] || exit "$code"
done
