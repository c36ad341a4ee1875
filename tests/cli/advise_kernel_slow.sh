#!/bin/sh
# Runs alone. The proof of an advice on the kernel, in real time, and on a virtual kernel if one is built. Skipped
# (77) where the kernel cannot be an engine.
. tests/cli/lib

run advise --within 5s --survive 1s --defaults --prove kernel
if [ "$code" = 3 ]; then
    echo "skipped: $(cat "$tmp/err")"
    exit 77
fi
is 0
err "scenarios on the kernel, in real time: about"
out "[0-9]+ plays, [0-9]+ expectations: all kept"
out "^A peer that is gone is noticed within 5\.00 s"
out "and on the"

# Settings that are not the advised ones fail on the kernel: it is no formality.
mkdir "$tmp/proof"
run advise --within 5s --survive 1s --defaults --sockopts-only --save-proof "$tmp/proof"
is 0
sed '/^hz /d; /^jiffy /d; s/TCP_KEEPIDLE [0-9]*s/TCP_KEEPIDLE 9s/; s/TCP_USER_TIMEOUT [0-9]*ms/TCP_USER_TIMEOUT 9s/' \
    "$tmp/proof/options-idle-cut.scn" >"$tmp/worse.scn"
run run --engine kernel "$tmp/worse.scn"
is 1

if [ -n "${HALFOPEN_KERNEL-}" ] || "$HALFOPEN" kernel list | grep -q ' HZ '; then
    run advise --within 30s --survive 10s --defaults --prove virtual-kernel
    if [ "$code" = 3 ] && grep -q AddressSanitizer "$tmp/err"; then
        exit 0 # the program cannot run inside; see virtual_kernel_slow.sh
    fi
    is 0
    out "[0-9]+ plays, [0-9]+ expectations: all kept"
fi
