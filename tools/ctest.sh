#!/bin/sh
# Runs tests of a build tree and keeps the outcome in build/results/<preset>-<suite>.xml.
#
#   tools/ctest.sh PRESET fast|slow|lint [--unless-passed]
#
# fast: all but the label slow; slow, lint: that label only. --unless-passed: not if the same
# suite passed before on exactly this source tree.
set -eu
preset=$1
suite=$2
results=build/results
passed=$results/$preset-$suite.passed

# The source tree as one hash: the commit, changes to it, files git does not know. Empty outside git.
tree_state() {
    git rev-parse --verify -q HEAD >/dev/null 2>&1 || return 0
    {
        git rev-parse HEAD
        git diff HEAD
        git ls-files -o --exclude-standard -z | xargs -0 -r sha1sum
    } | sha1sum | cut -d ' ' -f 1
}

case "$suite" in
fast) select="-LE slow" ;;
*) select="-L ^$suite\$" ;;
esac

mkdir -p "$results"
state=$(tree_state)
if [ "${3-}" = --unless-passed ] && [ -n "$state" ] && [ "$(cat "$passed" 2>/dev/null)" = "$state" ]; then
    echo "$preset $suite: passed on this tree a moment ago, not run again"
    exit 0
fi
rm -f "$passed"
ctest --test-dir "build/$preset" $select -j "$(nproc)" --output-on-failure --no-tests=ignore \
    --output-junit "$PWD/$results/$preset-$suite.xml"
echo "$state" >"$passed"
