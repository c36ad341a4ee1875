#!/bin/sh
# The manual page: correct mdoc, and neither more nor fewer options than the program has.
. tests/cli/lib

if command -v mandoc >/dev/null; then
    mandoc -Tlint -Wwarning man/halfopen.1 2>/dev/null | grep '^mandoc: man/' >"$tmp/out" || :
    [ ! -s "$tmp/out" ] || fail "mandoc finds fault with the manual"
fi

for command in run compare; do
    run help $command
    cat "$tmp/out"
done | grep -o -- '--[a-z-]*' | sort -u >"$tmp/help"
sed -n 's/^\.It Fl -\([a-z-]*\).*/--\1/p' man/halfopen.1 | sort -u >"$tmp/man"
diff "$tmp/help" "$tmp/man" >"$tmp/out" || fail "the manual and the help name different options"

run help
for command in $(sed -n 's/^  \([a-z]*\) .*/\1/p' "$tmp/out"); do
    grep -q "^\.It Cm $command" man/halfopen.1 || fail "the manual does not know '$command'"
done
