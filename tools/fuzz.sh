#!/bin/sh
# Runs every libFuzzer target for a while: tools/fuzz.sh BUILD-TREE SECONDS
#
# Starts from fuzz/corpus/<target>; what it finds new is kept in BUILD-TREE/found/<target>, an input
# that crashes in BUILD-TREE/found/<target>.crash-*: minimise it and add it to the corpus.
set -eu
build=$1
seconds=$2

failed=0
for source in fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    found=$build/found/$name
    mkdir -p "$found"
    echo "$name: $seconds s"
    "$build/$name" -max_total_time="$seconds" -timeout=10 -verbosity=0 \
        -artifact_prefix="$found." "$found" "fuzz/corpus/$name" || failed=1
done
exit $failed
