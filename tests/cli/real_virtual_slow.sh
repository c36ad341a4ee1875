#!/bin/sh
# Real programs in virtual time, with their own settings and waiting times: scenarios/real/virtual,
# hours of PostgreSQL, Redis, nginx and OpenSSH. The programs are Debian's, downloaded and unpacked
# below the build folder (tools/programs.sh), not installed.
#
# Skipped (77), with the reason, where these programs are not to be had, and as tests/cli/lib_virtual
# says.
. tests/cli/lib
programs=$(dirname "$HALFOPEN")/programs
. tests/cli/lib_virtual

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
