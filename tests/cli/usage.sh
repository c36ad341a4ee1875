#!/bin/sh
# What is said without arguments, to --help and --version, and to what is no command or option.
. tests/cli/lib

run
is 0
[ "$(wc -l <"$tmp/out")" -le 24 ] || fail "the first screen has more than 24 lines"
[ "$(wc -L <"$tmp/out")" -le 80 ] || fail "the first screen is wider than 80 columns"
[ ! -s "$tmp/err" ] || fail "the first screen says something on stderr"
# What it says of this host: tests/cli/welcome.sh.
out "halfopen doctor"
out "halfopen run"

run --version
is 0
out '^halfopen [0-9]+\.[0-9]+\.[0-9]+$'

for help in help --help -h; do
    run $help
    is 0
    out '^  run '
    out '^  help '
done
run help run
is 0
out '^usage: halfopen run'
cp "$tmp/out" "$tmp/help"
run run --help
is 0
out '^usage: halfopen run'

# Every option that the program knows is in the help, and the other way round.
for option in list ladder format timeline pcapng seed hz set rtt engine case longest phases raw \
    timing; do
    grep -q -- "--$option" "$tmp/help" || fail "the help does not know --$option"
done
for option in $(grep -o -- '--[a-z]*' "$tmp/help" | sort -u); do
    run run "$option" "$tmp/nonsense"
    ! grep -q "no option '$option'" "$tmp/err" || fail "the help names $option, which is unknown"
done

run help nonsense
mistake "no command 'nonsense'"
run help run run
mistake "at most one command"
run rum
mistake "no command 'rum', did you mean 'run'"
run nonsense
mistake "no command 'nonsense'; try"
run run --ladders
mistake "no option '--ladders', did you mean '--ladder'"
run run -x
mistake "no option '-x'"
run run --list=yes
mistake "list takes no value"
