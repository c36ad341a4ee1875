#!/bin/sh
# The transcripts of the catalogue, tests/scenario/NAME.txt: the table and the sequence diagrams
# of a scenario, as a person sees them. A change of behaviour shows as a difference of text.
#
#   tools/transcripts.sh                 writes all of them anew; look at the difference, then commit
#   tools/transcripts.sh --check NAME    compares one, byte for byte
#
# $HALFOPEN is the program (default: build/halfopen). What must happen is said by the
# scenario's expectations, each with its source; a transcript says what else is seen.
set -eu
program=${HALFOPEN:-build/halfopen}

transcript() {
    "$program" run "$1" 2>/dev/null || :
    echo
    "$program" run --ladder --case 1 "$1" 2>/dev/null || :
}

if [ "${1-}" = --check ]; then
    name=$2
    tmp=$(mktemp)
    trap 'rm -f "$tmp"' EXIT
    transcript "$name" >"$tmp"
    # The version is no part of what is compared.
    sed 's/halfopen [0-9.]*, model/halfopen, model/' "$tmp" | diff -u "tests/scenario/$name.txt" -
    "$program" run "$name" >/dev/null 2>&1
    exit
fi

for file in scenarios/*.scn; do
    name=$(basename "$file" .scn)
    transcript "$name" | sed 's/halfopen [0-9.]*, model/halfopen, model/' >"tests/scenario/$name.txt"
done
for text in tests/scenario/*.txt; do
    [ -e "scenarios/$(basename "$text" .txt).scn" ] || rm "$text"
done
