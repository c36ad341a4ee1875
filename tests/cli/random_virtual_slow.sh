#!/bin/sh
# Two hundred random scenarios (tests/cli/random/plays.py): the model has the virtual kernel's events
# in each of them. HALFOPEN_KERNEL, or one of `halfopen kernel list`; skipped (77) without one, and
# where the program cannot run inside (AddressSanitizer). Where it fails, the play is
#
#   tests/cli/random/plays.py . SEED 1 && halfopen compare --engine virtual-kernel SEED.scn
. tests/cli/lib

skip() {
    echo "skipped: $*"
    exit 77
}
if [ -z "${HALFOPEN_KERNEL-}" ]; then
    "$HALFOPEN" kernel list | grep -q ' HZ ' || skip "no virtual kernel is built"
fi
run run --engine virtual-kernel cut-idle-keepalive-default --case 1
[ "$code" != 3 ] || skip "the program cannot run inside: $(cat "$tmp/err")"

mkdir "$tmp/plays"
python3 tests/cli/random/plays.py "$tmp/plays" 1 200
run compare --engine virtual-kernel --differences -j 2 "$tmp"/plays/*.scn
is 0
out '^model agrees with Linux [0-9.]+ in 200 of 200 plays in virtual time, within '
