#!/bin/sh
# docs/departures.md names every sysctl that the model does not read, and every play whose events are
# not those of the virtual kernel.
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

# play | case, of each row that differs in docs/engines.md, and of the last table of departures.md.
differing() {
    sed -n 's/^| \([a-z0-9-]*\) | \([^|]*\)|.* first differs, .*/\1 | \2/p' docs/engines.md
}
explained() {
    sed -n '/^## Plays that do not match the virtual kernel/,$s/^| \([a-z0-9-]*\) | \([^|]*\)| .*/\1 | \2/p' docs/departures.md |
        sed '1,2d'
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
differing | sort >"$tmp/differing"
explained | sort >"$tmp/explained"
if [ "$(grep -c '^| [a-z]' docs/engines.md)" -lt 100 ] || [ ! -s "$tmp/explained" ]; then
    echo "docs/engines.md or the table in docs/departures.md is not what it should be" >&2
    failed=1
fi
if ! diff "$tmp/differing" "$tmp/explained" >&2; then
    echo "docs/departures.md: the plays that differ in docs/engines.md (<) are not those it explains (>)" >&2
    failed=1
fi
# What cannot be played on both, and verdicts that are not the same, are no entries there.
if grep -E '^\| [a-z0-9-]+ \| [^|]*\| not played|\| ([0-9]+) of ([0-9]+)[^|]*\|$' docs/engines.md |
    awk -F'|' '/not played/ { print; next } { split($5, v, " "); sub(",", "", v[3]); if (v[1] != v[3]) print }' | grep .; then
    echo "docs/engines.md: that play has other verdicts, which docs/departures.md must explain" >&2
    failed=1
fi
exit $failed
