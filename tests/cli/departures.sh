#!/bin/sh
# docs/departures.md names every sysctl that the model does not read.
set -eu
read_by_model() {
    grep -qrE "HO_SYSCTL_$1\b" src/base src/tcp src/link src/host src/program src/model
}
failed=0
for id in $(sed -n 's/^X(\([A-Z0-9_]*\), "net\..*/\1/p' src/knobs/sysctl.def); do
    case $id in
    NEIGH*) continue ;; # read by their place in a block (src/host/neigh.c)
    esac
    name=$(sed -n "s/^X($id, \"net\.[a-z0-9]*\.\([a-z0-9_]*\)\".*/\1/p" src/knobs/sysctl.def)
    if ! read_by_model "$id" && ! grep -qF "\`$name" docs/departures.md; then
        echo "docs/departures.md: $name is not read by the model, and it does not say so" >&2
        failed=1
    fi
done
exit $failed
