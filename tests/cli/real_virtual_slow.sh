#!/bin/sh
# Real programs in virtual time, with their own settings and waiting times: scenarios/real/virtual,
# hours of PostgreSQL, Redis, nginx and OpenSSH. The programs are Debian's, downloaded and unpacked
# below the build folder (tools/programs.sh), not installed.
#
# Skipped (77), with the reason: no virtual kernel is built, the programs are not to be had here, or
# the program cannot run inside: one built with AddressSanitizer needs build/halfopen, not older
# than its sources (`make run` builds it).
. tests/cli/lib

skip() {
    echo "skipped: $*"
    exit 77
}
if [ -z "${HALFOPEN_KERNEL-}" ]; then
    "$HALFOPEN" kernel list | grep -q ' HZ ' || skip "no virtual kernel is built"
fi
programs=$(dirname "$HALFOPEN")/programs
run run --engine virtual-kernel cut-idle-keepalive-default --case 1
if [ "$code" = 3 ] && grep -q AddressSanitizer "$tmp/err"; then
    [ -x build/halfopen ] || skip "no build/halfopen, which make run builds"
    [ -z "$(find src scenarios -newer build/halfopen -name '*.[ch]' | head -n 1)" ] ||
        skip "build/halfopen is older than its sources; make run builds it"
    HALFOPEN=$PWD/build/halfopen
fi
code=0
sh tools/programs.sh "$programs" || code=$?
[ $code = 0 ] || exit $code
PATH="$programs/bin:$PATH"
export PATH

run run --engine virtual-kernel -j 2 --format tap scenarios/real/virtual/*.scn
is 0
[ "$(grep -c '^ok ' "$tmp/out")" = "$(ls scenarios/real/virtual/*.scn | wc -l)" ] ||
    fail "not every play was played"

# The same bytes again: what a program does in hours is determined by the seed.
for i in 1 2; do
    run run --engine virtual-kernel scenarios/real/virtual/nginx.scn --timeline "$tmp/$i"
    is 0
done
cmp "$tmp/1" "$tmp/2" || fail "$ran: the second run is another"
