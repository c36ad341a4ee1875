#!/bin/sh
# Runs every benchmark of a build tree, one after the other: tools/bench.sh BUILD-TREE
#
# One JSON line a job on stdout (bench/bench.h). The numbers never fail a build; a benchmark that
# cannot run does.
set -eu
build=$1

HALFOPEN_COMMIT=$(git describe --always --dirty 2>/dev/null || echo unknown)
HALFOPEN=$build/halfopen
export HALFOPEN_COMMIT HALFOPEN
for source in bench/bench_*.c; do
    name=$(basename "$source" .c)
    if [ -x "$build/$name" ]; then
        "$build/$name"
    fi
done
