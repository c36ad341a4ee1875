#!/bin/sh
# Two hundred random scenarios (tests/cli/random/plays.py): the model has the virtual kernel's events
# in each of them. Skipped (77) as tests/cli/lib_virtual says. Where it fails, the play is
#
#   tests/cli/random/plays.py . SEED 1 && halfopen compare --engine virtual-kernel SEED.scn
. tests/cli/lib
. tests/cli/lib_virtual

mkdir "$tmp/plays"
python3 tests/cli/random/plays.py "$tmp/plays" 1 200
run compare --engine virtual-kernel --differences -j 2 "$tmp"/plays/*.scn
is 0
out '^model agrees with Linux [0-9.]+ in 200 of 200 plays in virtual time, within '
